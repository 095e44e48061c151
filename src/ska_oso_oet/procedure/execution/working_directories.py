"""Working directories of scripts: one for each procedure, removed when it has ended; its files are kept."""

import logging
import queue
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from ska_oso_oet.files import remove_tree

from .kept_files import NO_FILES, FilesFound, KeptFiles, list_files

LOGGER = logging.getLogger(__name__)


def working_directories(folder: Path) -> Path:
    """Return the folder of the scripts' working directories.

    :param folder: the state directory
    """
    return folder / "run"


class WorkingDirectories:
    """Creates and removes working directories.

    A script may leave a million files behind: they are removed by a thread of its own, so that neither
    the message loop nor a stop waits for that. Call `close` in the end.

    :param folder: state directory
    :param files_limit: bytes of files that are kept of one procedure
    """

    def __init__(self, folder: Path, files_limit: int) -> None:
        self._folder = working_directories(folder)
        self._limit = files_limit
        self._kept = KeptFiles(folder, files_limit)
        self._made: set[Path] = set()
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="oet-workplaces", daemon=True)
        self._thread.start()

    def make(self, procedure_id: int) -> Path:
        """Make the working directory of a procedure; where none can be made, it is the root directory.

        :param procedure_id: whose it is
        """
        # An observation does not need a place for files: a full disk is reported elsewhere.
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

    def files(self, directory: Path) -> FilesFound:
        """Return the files in a working directory. Those of one that was not made here are not listed."""
        return list_files(directory, self._limit) if directory in self._made else NO_FILES

    def remove(self, procedure_id: int, directory: Path) -> None:
        """Remove a working directory in the background, and keep its files. One not made here stays.

        :param procedure_id: whose it is
        :param directory: the working directory
        """
        if directory not in self._made:
            return
        self._made.discard(directory)

        def remove() -> None:
            with suppress(OSError):
                directory.rmdir()
                return  # most scripts leave nothing there
            self._kept.keep(procedure_id, directory)
            remove_tree(directory)

        self.do_later(remove)

    def remove_folder(self, folder: Path) -> None:
        """Remove any folder, in the background."""
        self.do_later(partial(remove_tree, folder))

    def do_later(self, task: Callable[[], None]) -> None:
        """Call a function in the background, after the earlier removals.

        :param task: called by the thread of this object
        """
        self._queue.put(task)

    def close(self, timeout: float) -> None:
        """Wait until all that was to be removed has been.

        :param timeout: seconds; the next server removes the rest
        """
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (task := self._queue.get()) is not None:
            try:
                task()
            except Exception:  # the next ones must still be removed
                LOGGER.exception("A folder could not be removed")
