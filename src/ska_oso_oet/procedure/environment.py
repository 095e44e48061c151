"""Environments of scripts: their folders, their use, and how long they are kept.

An environment belongs to one commit of one repository. It has the files of the commit, and where a
script asked for that, a Python environment with what the project in the repository requires. Scripts that
are not in git and name the packages that they need have one for each such list.

Folders: ``mirrors`` with a bare clone of each repository, ``environments``, ``packages`` that were installed
before and may be needed again, ``runs`` with the copy of a checkout for each procedure that uses one, and
``scratch`` for unfinished folders and those to be removed; the next server removes what a killed one has left
there.
"""

import hashlib
import math
import os
import re
import secrets
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ska_oso_oet.mptools.shared_event import Event

_SLUG = re.compile(r"[^A-Za-z0-9]+")
_PREFIX = "venv"
_WAIT_PERIOD = 0.05
"""Seconds between two checks of a file."""


@dataclass(frozen=True)
class FileEvent:
    """An event whose state is in a file: for all processes, also those of the next server.

    It counts as not set if a server with another Python has set it: the environment is not usable then.

    :param path: the file
    """

    path: Path

    def is_set(self) -> bool:
        """Return whether the event is set."""
        try:
            return self.path.read_text() == _fingerprint()
        except OSError:
            return False

    def set(self) -> None:
        """Set the event."""
        self.path.write_text(_fingerprint())

    def clear(self) -> None:
        """Make the event unset."""
        self.path.unlink(missing_ok=True)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set.

        :param timeout: seconds to wait at most; None waits forever
        :returns: whether it is set
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            if (left := deadline - time.monotonic()) <= 0:
                return False
            time.sleep(min(left, _WAIT_PERIOD))
        return True


@dataclass(frozen=True)
class Environment:
    """The files of one commit, and the Python environment that goes with them.

    :param env_id: identifies repository and commit; also the name of its folder
    :param creating: set while the Python environment is being built; a build that was killed leaves it set
    :param created: set when the Python environment is complete
    :param location: its folder
    :param site_packages: folder that its packages are installed in
    """

    env_id: str
    creating: Event
    created: Event
    location: str
    site_packages: str

    @classmethod
    def at(cls, location: Path) -> Self:
        """Return the environment in a folder, whether it exists or not.

        :param location: the folder; its name identifies the environment
        """
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return cls(
            env_id=location.name,
            creating=FileEvent(location / "creating"),
            created=FileEvent(location / "complete"),
            location=str(location),
            site_packages=str(location / _PREFIX / "lib" / version / "site-packages"),
        )

    @property
    def folder(self) -> Path:
        """Its folder."""
        return Path(self.location)

    @property
    def commit(self) -> str:
        """Hash of the commit."""
        return self.env_id.rpartition("-")[2]

    @property
    def source(self) -> Path:
        """Folder with the files of the commit."""
        return self.folder / "source"

    @property
    def prefix(self) -> Path:
        """Folder of the Python environment."""
        return self.folder / _PREFIX

    @property
    def python(self) -> Path:
        """Interpreter of the Python environment."""
        return self.prefix / "bin" / "python"

    @property
    def checked_out(self) -> bool:
        """Whether the files are there, all of them."""
        return self.source.is_dir()


def _fingerprint() -> str:
    """Return the identity of the interpreter: an environment is usable only with the one it was made for."""
    return f"{sys.implementation.cache_tag} {sys.base_prefix}"


def environment_of(folder: Path, repository: str, commit: str) -> Environment:
    """Return the environment of a commit, whether it exists or not.

    :param folder: folder of the environments
    :param repository: URL of the repository
    :param commit: full hash
    """
    env_id = f"{_repository_id(repository)}-{commit}"
    return Environment.at(folder / env_id)


class EnvironmentManager:
    """Register of the environments and their use. Its methods are quick; one thread calls them.

    :param folder: where all of this is
    :param limit: how many unused environments are kept
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._users: Counter[str] = Counter()

    @property
    def environments(self) -> Path:
        """Folder of the environments."""
        return self._folder / "environments"

    @property
    def packages(self) -> Path:
        """Folder of packages that were installed before."""
        return self._folder / "packages"

    def mirror(self, repository: str) -> Path:
        """Return the folder for the mirror of a repository."""
        return self._folder / "mirrors" / f"{_repository_id(repository)}.git"

    def environment(self, repository: str, commit: str) -> Environment:
        """Return the environment of a commit, whether it exists or not.

        :param repository: URL of the repository
        :param commit: full hash
        """
        return environment_of(self.environments, repository, commit)

    def script_environment(self, digest: str) -> Environment:
        """Return the environment of scripts that name the packages that they need, whether it exists or not.

        :param digest: identifies the packages, see `ScriptHeader`
        """
        return Environment.at(self.environments / f"script-{digest}")

    def scratch(self) -> Path:
        """Return a path that has not been used yet, in an existing folder."""
        folder = self._folder / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / secrets.token_hex(8)

    def copy(self) -> Path:
        """Return a path for the copy of a checkout that one procedure has, in an existing folder."""
        folder = self._folder / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / secrets.token_hex(8)

    def leftovers(self) -> list[Path]:
        """Return the folders that a previous server has left. Call it before anything is created."""
        return [*_entries(self._folder / "scratch"), *_entries(self._folder / "runs")]

    def adopt(self, files: Path, environment: Environment) -> None:
        """Move checked-out files into an environment; does nothing if it has them.

        :raises OSError: if they cannot be moved there
        """
        environment.folder.mkdir(parents=True, exist_ok=True)
        if not environment.checked_out:
            files.rename(environment.source)

    def acquire(self, environment: Environment) -> None:
        """Note that an environment is being used, by one more."""
        self._users[environment.env_id] += 1
        _touch(environment.folder)

    def release(self, environment: Environment) -> None:
        """Note that an environment is being used by one less."""
        self._users[environment.env_id] -= 1
        if not self._users[environment.env_id]:
            del self._users[environment.env_id]
        _touch(environment.folder)

    def users(self, environment: Environment) -> int:
        """Return how many use an environment."""
        return self._users[environment.env_id]

    def give_up(self, environment: Environment) -> Path:
        """Move the files of an environment away, to be checked out again. It must have no other user.

        :returns: folders to be removed
        """
        environment.created.clear()
        return self._put_away(environment.source)

    def distrust(self, environment: Environment) -> None:
        """Note that an environment is not usable: the next script that needs it builds it again.

        As long as another script uses it, it stays as it is.
        """
        if self._users[environment.env_id] <= 1:
            environment.created.clear()

    def discard_surplus(self) -> list[Path]:
        """Move surplus unused environments away, and mirrors without an environment.

        Call it only while nothing is being created.

        :returns: folders to be removed, which have no users
        """
        environments = sorted(_entries(self.environments), key=_last_use, reverse=True)
        unused = [path for path in environments if path.name not in self._users]
        surplus = unused[self._limit :]
        served = {_repository_of(path) for path in environments if path not in surplus}
        surplus += [path for path in _entries(self._folder / "mirrors") if path.stem not in served]
        return [self._put_away(path) for path in surplus]

    def _put_away(self, path: Path) -> Path:
        return path.rename(self.scratch())


def _repository_id(repository: str) -> str:
    """Return a name for a repository that can be part of a path, for any URL."""
    name = repository.rstrip("/").removesuffix(".git").rpartition("/")[2]
    digest = hashlib.sha256(repository.encode()).hexdigest()[:12]
    return f"{_SLUG.sub('-', name)[:40].strip('-') or 'repository'}-{digest}"


def _repository_of(environment: Path) -> str:
    return environment.name.rpartition("-")[0]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _touch(path: Path) -> None:
    if path.is_dir():
        os.utime(path)
