"""Scheduling Blocks in files: ``<folder>/sbd/<sbd_id>/<version>.json``."""

import os
import re
from contextlib import suppress
from functools import partial
from pathlib import Path

from ska_oso_oet.files import write_new_file
from ska_oso_oet.model import FoundSchedulingBlock

from .documents import SBDefinition, SBInstance
from .errors import (
    OdaUnavailableError,
    StoringNotSupportedError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
)
from .identifiers import checked_id, checked_version, is_id
from .interface import describe_found, require_id

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
            raise UnknownSchedulingBlockError(
                f"there is not a Scheduling Block '{sbd_id}' in {self._folder / 'sbd'}; "
                "check its ID, or put it there as <sbd_id>/<version>.json"
            )
        if wanted is not None and wanted not in versions:
            raise UnknownVersionError(
                f"there is no version {wanted} of Scheduling Block '{sbd_id}' in {self._folder / 'sbd'}; "
                f"there are: {', '.join(map(str, versions))}"
            )
        path = self._folder / "sbd" / sbd_id / f"{wanted or versions[-1]}.json"
        try:
            text = path.read_bytes()
        except OSError as error:
            raise OdaUnavailableError(
                f"{path} cannot be read: {error.strerror}; check its permissions"
            ) from error
        return require_id(SBDefinition.from_json(text, str(path)), sbd_id, str(path))

    def find_sbdefinitions(self, part: str, limit: int) -> list[FoundSchedulingBlock]:
        """Return Scheduling Blocks, by the times of their files; see `Oda`."""
        wanted = part.lower()
        names = (name for name in self._names("sbd") if is_id(name) and wanted in name.lower())
        found: list[tuple[float, str, int]] = []
        for sbd_id in names:
            # Another program may remove one meanwhile.
            with suppress(OSError):
                if versions := self._versions(sbd_id):
                    path = self._folder / "sbd" / sbd_id / f"{versions[-1]}.json"
                    found.append((path.stat().st_mtime, sbd_id, versions[-1]))
        found.sort(key=lambda each: (-each[0], each[1]))
        return [
            describe_found(sbd_id, version, changed, partial(self.get_sbdefinition, sbd_id, version))
            for changed, sbd_id, version in found[:limit]
        ]

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Store a record as ``sbi/<sbi_id>/1.json``; see `Oda`."""
        folder = self._folder / "sbi" / checked_id("sbi_id", instance.sbi_id)
        content = instance.model_dump_json(indent=2).encode()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_new_file(folder / f"{_FIRST_VERSION}.json", content)
        except FileExistsError as error:
            raise StoringNotSupportedError(
                f"{folder} exists already; give each SBInstance an ID of its own"
            ) from error
        except OSError as error:
            raise OdaUnavailableError(
                f"nothing can be stored in {folder}: {error.strerror}; check its permissions and the disk"
            ) from error

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _versions(self, sbd_id: str) -> list[int]:
        """Return the versions of a Scheduling Block that are there, in order."""
        names = self._names("sbd", sbd_id)
        return sorted(int(name.removesuffix(".json")) for name in names if _FILE_NAME.fullmatch(name))

    def _names(self, *below: str) -> list[str]:
        """Return the content of a folder; empty if the folder does not exist.

        :param below: names of the folders that lead to it
        """
        if not self._folder.is_dir():
            raise OdaUnavailableError(
                f"the folder of Scheduling Blocks, {self._folder}, does not exist; "
                "create it, or set ODA_DATA_DIR to the right folder"
            )
        folder = self._folder.joinpath(*below)
        try:
            return os.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise OdaUnavailableError(
                f"{folder} cannot be read: {error.strerror}; check its permissions"
            ) from error
