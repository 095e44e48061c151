"""Working directories of scripts: one for each procedure, removed when it has ended."""

import logging
import queue
import tempfile
import threading
from pathlib import Path

from .removal import remove_tree

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
        self._made: set[Path] = set()
        self._queue: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="oet-workplaces", daemon=True)
        self._thread.start()

    def make(self, procedure_id: int) -> Path:
        """Make the working directory of a procedure; where none can be made, it is the root directory.

        :param procedure_id: whose it is
        """
        # An observation does not depend on a place for files: a full disk is reported elsewhere.
        directory = self._folder / str(procedure_id)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            try:
                directory = Path(tempfile.mkdtemp(prefix="oet-"))
            except OSError as error:
                LOGGER.warning("Procedure %d has no working directory: %s", procedure_id, error)
                return Path("/")
        self._made.add(directory)
        return directory

    def remove(self, directory: Path) -> None:
        """Have a working directory removed, soon. What was not made here stays."""
        if directory in self._made:
            self._made.discard(directory)
            self._queue.put(directory)

    def close(self, timeout: float) -> None:
        """Wait until all that was to be removed has been.

        :param timeout: seconds; what is left by then, the next server removes
        """
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (directory := self._queue.get()) is not None:
            remove_tree(directory)
