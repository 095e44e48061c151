"""Inventories: they show whether a checkout or a Python environment was changed since it was made.

A script may write to them, and to the inventories. The next script of that commit must not run such changes:
a server compares the files with what it remembers, and the next server with the stored inventories.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..environment import Environment

_BYTECODE = "__pycache__"

Inventory = dict[str, list[int]]
"""A value that changes whenever a file is changed, by the path of each file in a folder."""


def record_source(environment: Environment, files: Path) -> None:
    """Store the inventory of a checkout.

    :param environment: the environment that they will be moved to
    :param files: folder with the files
    :raises OSError: if that is not possible
    """
    environment.folder.mkdir(parents=True, exist_ok=True)
    _record(environment.source, files)


def record_packages(environment: Environment) -> None:
    """Store the inventory of a Python environment. A build may also have added some to the checkout.

    :param environment: the environment, once it is built
    :raises OSError: if that is not possible
    """
    for folder in (environment.source, environment.prefix):
        _record(folder, folder)


class Inventories:
    """Digests of the inventories of environments, as this server has first seen them.

    Safe for threads.
    """

    def __init__(self) -> None:
        self._digests: dict[Path, bytes] = {}

    def learn(self, *folders: Path) -> None:
        """Record the inventories of folders that have just been checked out or built."""
        for folder in folders:
            self._digests.pop(folder, None)
            self._text(folder)

    def source_is_unchanged(self, environment: Environment) -> bool:
        """Return whether a checkout has the files that were checked out, and no others.

        :param environment: an environment with its files
        """
        return self._is_unchanged(environment.source)

    def packages_are_unchanged(self, environment: Environment) -> bool:
        """Return whether a Python environment has the files that were built, and no others.

        Bytecode that Python adds does not count. It checks each file's metadata, and reads none.

        :param environment: an environment that is complete
        """
        return self._is_unchanged(environment.prefix)

    def _text(self, folder: Path) -> bytes | None:
        """Return the stored inventory of a folder, None if it was changed."""
        try:
            text = inventory_path(folder).read_bytes()
        except OSError:
            return None
        digest = hashlib.sha256(text).digest()
        return text if self._digests.setdefault(folder, digest) == digest else None

    def _is_unchanged(self, folder: Path) -> bool:
        text = self._text(folder)
        if text is None:
            return False
        try:
            recorded: Inventory = json.loads(text)
            present = files_of(folder)
        except (OSError, ValueError):
            return False
        if any(present.get(name) != status for name, status in recorded.items()):
            return False
        return all(Path(name).parent.name == _BYTECODE for name in present.keys() - recorded.keys())


def inventory_path(folder: Path) -> Path:
    """Return the file that has the inventory of a folder."""
    return folder.with_name(f"{folder.name}.inventory.json")


def files_of(folder: Path) -> Inventory:
    """Return the inventory of a folder, as it is now.

    :raises OSError: if a file is removed meanwhile
    """
    return dict(_files(folder))


def _record(folder: Path, files: Path) -> None:
    inventory_path(folder).write_text(json.dumps(files_of(files)))


def _files(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Yield the path of each file and link in a folder, with a value that changes with the file."""
    for parent, folders, names in os.walk(folder):
        for name in (*names, *folders):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                # The time of the last change cannot be set by a program.
                times = [status.st_mtime_ns, status.st_ctime_ns]
                yield os.path.relpath(path, folder), [status.st_mode, status.st_size, *times]
