"""Working directories of scripts: one for each procedure, removed when it has ended."""

import logging
import os
import queue
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

LOGGER = logging.getLogger(__name__)

_OLD = "run-old-"


class Workplaces:
    """Makes and removes working directories.

    A script may leave a million files behind: they are removed by a thread of its own, so that neither
    the message loop nor a stop waits for that. Call `close` before letting go of it.

    :param folder: state directory; what an earlier server has left in it is removed
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "run"
        self._queue: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._put_aside(folder)
        self._thread = threading.Thread(target=self._run, name="oet-workplaces", daemon=True)
        self._thread.start()

    def _put_aside(self, folder: Path) -> None:
        """Have the directories of an earlier server removed; IDs may come again if its journal was lost."""
        with suppress(OSError):  # a folder that cannot be used is reported elsewhere
            if self._folder.is_dir():
                self._folder.rename(Path(tempfile.mkdtemp(prefix=_OLD, dir=folder)) / "run")
            for name in os.listdir(folder):
                if name.startswith(_OLD):
                    self._queue.put(folder / name)

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
