"""Environments of git scripts: where they are, who uses them, and which of them are kept.

An environment belongs to one commit of one repository. It has the files of the commit, and where a
script asked for that, a Python environment with what the project in the repository requires.

Folders: ``mirrors`` with a bare clone of each repository, ``environments``, ``packages`` that were
installed before and may be needed again, and ``scratch`` for what is in the making or to be removed; what a
killed server has left there is removed by the next.
"""

import hashlib
import os
import re
import secrets
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_SLUG = re.compile(r"[^A-Za-z0-9]+")
_MARK = "complete"


@dataclass(frozen=True)
class Environment:
    """The files of one commit, and the Python environment that goes with them.

    :param env_id: identifies repository and commit; also the name of its folder
    :param location: its folder
    """

    env_id: str
    location: Path

    @property
    def source(self) -> Path:
        """Folder with the files of the commit."""
        return self.location / "source"

    @property
    def prefix(self) -> Path:
        """Folder of the Python environment."""
        return self.location / "venv"

    @property
    def python(self) -> Path:
        """Interpreter of the Python environment."""
        return self.prefix / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Folder that its packages are installed in."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.prefix / "lib" / version / "site-packages"

    @property
    def checked_out(self) -> bool:
        """Whether the files are there, all of them."""
        return self.source.is_dir()

    @property
    def created(self) -> bool:
        """Whether the Python environment is complete, and fits the Python of this server."""
        try:
            return (self.location / _MARK).read_text() == _fingerprint()
        except OSError:
            return False

    def mark_created(self) -> None:
        """Note that the Python environment is complete. Until then it counts as not being there."""
        (self.location / _MARK).write_text(_fingerprint())

    def unmark(self) -> None:
        """Note that the Python environment is not complete."""
        (self.location / _MARK).unlink(missing_ok=True)


def _fingerprint() -> str:
    """Return what must be the same for an environment to be usable: the interpreter it was made for."""
    return f"{sys.implementation.cache_tag} {sys.base_prefix}"


def environment_of(folder: Path, repository: str, commit: str) -> Environment:
    """Return the environment of a commit, whether it exists or not.

    :param folder: folder of the environments
    :param repository: URL of the repository
    :param commit: full hash
    """
    env_id = f"{_repository_id(repository)}-{commit}"
    return Environment(env_id, folder / env_id)


class EnvironmentManager:
    """Knows the environments, and which of them are in use. Its methods are quick; one thread calls them.

    :param folder: where all of this is
    :param limit: how many environments are kept that nobody uses
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

    def scratch(self) -> Path:
        """Return a path that has not been used yet, in an existing folder."""
        folder = self._folder / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / secrets.token_hex(8)

    def leftovers(self) -> list[Path]:
        """Return what is in the making or to be removed; before anything is being made, it is rubbish."""
        return _entries(self._folder / "scratch")

    def adopt(self, files: Path, environment: Environment) -> None:
        """Let files that have been checked out be those of an environment; does nothing if it has them.

        :raises OSError: if they cannot be moved there
        """
        environment.location.mkdir(parents=True, exist_ok=True)
        if not environment.checked_out:
            files.rename(environment.source)

    def acquire(self, environment: Environment) -> None:
        """Note that an environment is being used, by one more."""
        self._users[environment.env_id] += 1
        _touch(environment.location)

    def release(self, environment: Environment) -> None:
        """Note that an environment is being used by one less."""
        self._users[environment.env_id] -= 1
        if not self._users[environment.env_id]:
            del self._users[environment.env_id]
        _touch(environment.location)

    def distrust(self, environment: Environment) -> None:
        """Note that an environment turned out not to be usable: the next who needs it builds it anew.

        As long as somebody else uses it, it stays as it is.
        """
        if self._users[environment.env_id] <= 1:
            environment.unmark()

    def discard_surplus(self) -> list[Path]:
        """Put away those of the unused environments that are too many, and mirrors that serve none any more.

        Call it only while nothing is being made.

        :returns: what is to be removed; nobody will use it any more
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
    """Return a name for a repository that can be part of a path, whatever its URL is."""
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
