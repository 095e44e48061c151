"""The places that scripts may be run from."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ska_oso_oet.model import FileSystemScript

from .errors import ScriptNotAllowedError, ScriptNotFoundError


@dataclass(frozen=True)
class ScriptRoots:
    """Folders below which scripts may be run.

    :param folders: absolute paths; with none, no file may be run
    """

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, folders: Iterable[str | os.PathLike[str]]) -> "ScriptRoots":
        """Return the roots for these paths.

        :raises ValueError: if one of them is not the absolute path of a folder
        """
        paths = tuple(Path(folder) for folder in folders)
        for path in paths:
            if not path.is_absolute() or not path.is_dir():
                raise ValueError(f"the script root '{path}' is not the absolute path of an existing folder")
        return cls(tuple(path.resolve() for path in paths))

    def find(self, script: FileSystemScript) -> Path:
        """Return the file that a script names, with all links resolved.

        :raises ScriptNotFoundError: if there is no such file
        :raises ScriptNotAllowedError: if it is not below a root once links and ``..`` are resolved
        """
        candidates = (
            [script.path] if script.path.is_absolute() else [root / script.path for root in self.folders]
        )
        # A path outside the roots is refused before it is looked up: the answer must not reveal which files
        # exist.
        allowed = [path for path in (_resolve(candidate) for candidate in candidates) if self._holds(path)]
        if not allowed:
            roots = ", ".join(str(root) for root in self.folders) or "none is configured"
            raise ScriptNotAllowedError(
                f"'{script.script_uri}' is not below a script root ({roots}): move the script there, "
                "or have its folder added to the property ScriptRoots"
            )
        for path in allowed:
            if _is_file(path):
                return path
        other = next(filter(os.path.exists, allowed), None)
        reason = f"there is no script '{allowed[0]}'" if other is None else f"'{other}' is not a regular file"
        raise ScriptNotFoundError(f"{reason}: check the path of '{script.script_uri}'")

    def _holds(self, path: Path) -> bool:
        return any(path.is_relative_to(root) for root in self.folders)

    def files(self) -> Iterator[Path]:
        """Yield the Python files that can be run: of each folder its files, then those of its folders.

        What begins with ``_`` or ``.`` is for the use of others: modules, caches, repositories, environments.
        """
        listed = set()
        for root in self.folders:
            for path in _python_files(root):
                if path not in listed and self._holds(resolved := _resolve(path)) and _is_file(resolved):
                    listed.add(path)
                    yield path


def _python_files(folder: Path) -> Iterator[Path]:
    # Walked lazily, and not into skipped folders: a caller that needs the first files only does not wait for
    # all.
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(("_", ".")))
        for name in sorted(files):
            if name.endswith(".py") and not name.startswith(("_", ".")):
                yield Path(parent, name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _resolve(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a circle of links; a path that is too long
        return Path("/nonexistent")
