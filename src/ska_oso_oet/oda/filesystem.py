"""Scheduling Blocks in files: ``<folder>/sbd/<sbd_id>/<version>.json``."""

import os
import re
import tempfile
from pathlib import Path

from .documents import SBDefinition, SBInstance
from .errors import OdaUnavailable, StoringNotSupported, UnknownSchedulingBlock, UnknownVersion
from .identifiers import checked_id, checked_version
from .interface import require_id

_FILE_NAME = re.compile(r"[1-9][0-9]*\.json")
_FIRST_VERSION = 1


class FilesystemOda:
    """Scheduling Blocks in a folder, in the layout that the ODA's own file system backend uses.

    :param folder: the folder
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_sbdefinition(self, sbd_id: str, version: int | None = None) -> SBDefinition:
        """Return a Scheduling Block; see `Oda`."""
        checked_id("sbd_id", sbd_id)
        wanted = None if version is None else checked_version(version)
        versions = self._versions(sbd_id)
        if not versions:
            raise UnknownSchedulingBlock(
                f"there is no Scheduling Block '{sbd_id}' in {self._folder / 'sbd'}; "
                "check its ID, or put it there as <sbd_id>/<version>.json"
            )
        if wanted is not None and wanted not in versions:
            raise UnknownVersion(
                f"there is no version {wanted} of Scheduling Block '{sbd_id}' in {self._folder / 'sbd'}; "
                f"there are: {', '.join(map(str, versions))}"
            )
        path = self._folder / "sbd" / sbd_id / f"{wanted or versions[-1]}.json"
        try:
            text = path.read_bytes()
        except OSError as error:
            raise OdaUnavailable(
                f"{path} cannot be read: {error.strerror}; see to its permissions"
            ) from error
        return require_id(SBDefinition.from_json(text, str(path)), sbd_id, str(path))

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Store a record as ``sbi/<sbi_id>/1.json``; see `Oda`."""
        folder = self._folder / "sbi" / checked_id("sbi_id", instance.sbi_id)
        text = instance.model_dump_json(indent=2)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write_new(folder / f"{_FIRST_VERSION}.json", text)
        except FileExistsError as error:
            raise StoringNotSupported(
                f"{folder} exists already; give each SBInstance an ID of its own"
            ) from error
        except OSError as error:
            raise OdaUnavailable(
                f"nothing can be stored in {folder}: {error.strerror}; see to its permissions and to the disk"
            ) from error

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _versions(self, sbd_id: str) -> list[int]:
        """Return the versions of a Scheduling Block that are there, in order."""
        if not self._folder.is_dir():
            raise OdaUnavailable(
                f"the folder of Scheduling Blocks, {self._folder}, does not exist; "
                "make it, or set ODA_DATA_DIR to the one that is meant"
            )
        try:
            names = os.listdir(self._folder / "sbd" / sbd_id)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise OdaUnavailable(
                f"{self._folder / 'sbd' / sbd_id} cannot be read: {error.strerror}; see to its permissions"
            ) from error
        return sorted(int(name.removesuffix(".json")) for name in names if _FILE_NAME.fullmatch(name))


def _write_new(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    :raises FileExistsError: if it exists
    """
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", encoding="utf-8") as unfinished:
        unfinished.write(text)
        unfinished.flush()
        os.fsync(unfinished.fileno())
        os.link(unfinished.name, path)
