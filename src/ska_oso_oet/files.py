"""Files that are written completely or not at all, removal of folders, and temporary folders."""

import logging
import os
import shutil
import stat
import subprocess
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

LOGGER = logging.getLogger(__name__)


def write_file(path: Path, content: bytes) -> None:
    """Write a file completely or not at all; it replaces an existing one, and survives a power failure.

    One writer at a time: the draft has a fixed name, so that a killed process leaves at most one of them.

    :param path: path of the file, in a folder that exists
    :param content: the content of the file
    :raises OSError: if the file cannot be written; a file that existed is unchanged
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        _write_and_sync(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, like `write_file`, but never replace one. Any number may write.

    :param path: path of the file, in a folder that exists
    :param content: the content of the file
    :raises FileExistsError: if the file exists
    :raises OSError: if the file cannot be written
    """
    descriptor, draft = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    try:
        _write_and_sync(descriptor, content)
        os.link(draft, path)
    finally:
        os.unlink(draft)
    _sync_folder(path.parent)


def _write_and_sync(descriptor: int, content: bytes) -> None:
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the names of new files survive a power failure, where the file system supports that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(folder: Path) -> None:
    """Remove a folder with its content. Files that cannot be removed stay, and are reported in the log.

    :param folder: the folder; it need not exist
    """
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    with suppress(OSError):  # one that cannot be looked at may be there
        if not folder.exists():
            return
    # Folders that may not be entered, or are nested deeper than Python descends.
    try:
        for command in (["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
            done = subprocess.run([*command, folder], stderr=subprocess.PIPE, check=False)
    except OSError as error:
        LOGGER.warning("The folder %s cannot be removed: %s", folder, error)
        return
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace")
        LOGGER.warning("The folder %s cannot be removed: %s", folder, reason[-500:])


class TemporaryFolder:
    """A new folder, removed by `remove`, or when this object or the process ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="oet-"))
        self._finalizer = weakref.finalize(self, remove_tree, self.path)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        self._finalizer()


def make_private(folder: Path, files: str = "") -> None:
    """Create a folder that only the user of this process can read.

    A folder of another user is not changed, and one for all users is not, either, such as ``/tmp``.

    :param folder: the folder
    :param files: pattern of the names of files in it that only this user may read, too; by default none
    :raises OSError: if it cannot be created or read
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):
        if not folder.stat().st_mode & stat.S_ISVTX:
            folder.chmod(0o700)
        for file in folder.glob(files) if files else ():
            file.chmod(0o600)
