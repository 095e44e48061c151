"""The files that scripts leave in their working directories."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ska_oso_oet.files import remove_tree
from ska_oso_oet.model import ProcedureFile

LOGGER = logging.getLogger(__name__)

KEPT_PROCEDURES = 100
"""Of how many procedures files are kept."""

MAX_LISTED = 256
"""Files of one procedure that are listed."""

_MAX_LOOKED_AT = 2000


class FoundFile(NamedTuple):
    """A regular file in a folder.

    :param name: path within the folder
    :param size: bytes
    """

    name: str
    size: int


class FilesFound(NamedTuple):
    """The files of a folder, as summaries have them.

    :param files: those that are listed
    :param omitted: how many further files there are
    """

    files: list[ProcedureFile]
    omitted: int


NO_FILES = FilesFound([], 0)


def list_files(folder: Path, limit: int) -> FilesFound:
    """Return the files of a working directory. Quick for any content.

    :param folder: the working directory
    :param limit: bytes that are kept; in the order of their names, files are kept as long as they fit
    """
    files: list[ProcedureFile] = []
    omitted, left = 0, limit
    for found in _regular_files(folder):
        if len(files) == MAX_LISTED:
            omitted += 1
            continue
        fits = found.size <= left
        left -= found.size if fits else 0
        files.append(ProcedureFile(found.name, found.size, fits))
    return FilesFound(files, omitted)


def _regular_files(folder: Path) -> Iterator[FoundFile]:
    """Yield the files of a folder and of those below it, without following links."""
    left = _MAX_LOOKED_AT
    waiting = [""]
    while waiting and left > 0:
        prefix = waiting.pop()
        entries = []
        with suppress(OSError), os.scandir(f"{folder}/{prefix}") as scanned:
            for entry in scanned:
                entries.append(entry)
                left -= 1
                if left <= 0:
                    break
        folders = []
        for entry in sorted(entries, key=lambda each: each.name):
            name = f"{prefix}{entry.name}"
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False) and _is_text(name):
                    yield FoundFile(name, entry.stat(follow_symlinks=False).st_size)
        waiting += reversed(folders)


def _is_text(name: str) -> bool:
    """Return whether a name is text. Names of files are bytes: requests cannot express other names."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class KeptFiles:
    """Store of the files of procedures that have ended.

    :param folder: the state directory
    :param limit: bytes that are kept of one procedure
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder / "files"
        self._limit = limit

    def keep(self, procedure_id: int, directory: Path) -> None:
        """Move the files of a working directory here, as far as they are kept. May take long.

        :param procedure_id: whose they are
        :param directory: the working directory
        """
        kept = [file for file in list_files(directory, self._limit).files if file.kept]
        if not kept:
            return
        draft, target = self.folders_of(procedure_id)
        try:
            for file in kept:
                place = draft / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                (directory / file.name).rename(place)
            remove_tree(target)
            draft.rename(target)
        except OSError as error:
            # An observation must not fail because of that.
            LOGGER.warning("The files of procedure %d cannot be kept: %s", procedure_id, error)
            remove_tree(draft)
        self._prune()

    def keep_all(self, workplaces: Path) -> None:
        """Move the files of all working directories here, as `keep` does: of scripts whose server died.

        :param workplaces: folder of the working directories, each named after its procedure
        """
        with suppress(OSError):
            for name in sorted(os.listdir(workplaces)):
                if name.isdecimal():
                    self.keep(int(name), workplaces / name)

    def listing(self, procedure_id: int) -> FilesFound:
        """Return the files of a procedure that are here."""
        return list_files(self.folders_of(procedure_id)[1], self._limit)

    def _prune(self) -> None:
        """Remove the files of all but the newest procedures."""
        with suppress(OSError):
            numbers = sorted(
                (int(name) for name in os.listdir(self._folder) if name.isdecimal()), reverse=True
            )
            for number in numbers[KEPT_PROCEDURES:]:
                remove_tree(self._folder / str(number))

    def folders_of(self, procedure_id: int) -> tuple[Path, Path]:
        """Return the folders that the files of a procedure are moved to, one after the other."""
        return self._folder / f".{procedure_id}", self._folder / str(procedure_id)


def read_part(folder: Path, name: str, offset: int, limit: int) -> bytes | None:
    """Return a part of a file of a script.

    :param folder: where the files of the script are
    :param name: path of the file in there
    :param offset: bytes to skip
    :param limit: how many bytes at most
    :returns: the part, empty at the end of the file; None if there is no such file within the folder
    """
    parts = PurePosixPath(name).parts
    if not parts or "\0" in name or name.startswith("/") or ".." in parts:
        return None
    path = folder.joinpath(*parts)
    try:
        # The target of a link is not a file of the script.
        if path.resolve() != folder.resolve().joinpath(*parts):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.pread(descriptor, limit, offset)
    finally:
        os.close(descriptor)
