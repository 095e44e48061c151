"""Working directories of scripts: one for each procedure, removed when it has ended."""

import logging
import queue
import shutil
import tempfile
import threading
from pathlib import Path

LOGGER = logging.getLogger(__name__)


def working_directories(folder: Path) -> Path:
    """Return where the scripts' working directories are.

    :param folder: the state directory
    """
    return folder / "run"


class Workplaces:
    """Makes and removes working directories.

    A script may leave a million files behind: they are removed by a thread of its own, so that neither
    the message loop nor a stop waits for that. Call `close` before letting go of it.

    :param folder: state directory
    """

    def __init__(self, folder: Path) -> None:
        self._folder = working_directories(folder)
        self._queue: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="oet-workplaces", daemon=True)
        self._thread.start()

    def make(self, procedure_id: int) -> Path:
        """Make the working directory of a procedure.

        :param procedure_id: whose it is
        :raises OSError: if there is no place at all where it can be made
        """
        directory = self._folder / str(procedure_id)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            # An observation does not depend on the state directory: a full disk is reported elsewhere.
            return Path(tempfile.mkdtemp(prefix="oet-"))
        return directory

    def remove(self, directory: Path) -> None:
        """Have a working directory removed, soon."""
        self._queue.put(directory)

    def close(self, timeout: float) -> None:
        """Wait until all that was to be removed has been.

        :param timeout: seconds; what is left by then, the next server removes
        """
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (directory := self._queue.get()) is not None:
            try:
                shutil.rmtree(directory)
            except OSError as error:
                LOGGER.warning("The working directory %s cannot be removed: %s", directory, error)
