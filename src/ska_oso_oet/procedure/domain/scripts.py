"""What can be executed, and with what arguments."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from ska_oso_oet.model import GitArgs as GitArgsModel
from ska_oso_oet.model import Script

from ..gitmanager import GitArgs


class ProcedureInput:
    """Arguments of one call of a script's function.

    Any name may be used for a keyword argument, ``self`` included.
    """

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        parts = [repr(argument) for argument in self.args]
        parts += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"<ProcedureInput({', '.join(parts)})>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProcedureInput):
            return NotImplemented
        return self.args == other.args and self.kwargs == other.kwargs

    __hash__ = None  # type: ignore[assignment]  # arguments may be of any kind


class ExecutableScript:
    """Base of all that can be executed."""

    @property
    def name(self) -> str:
        """A short name for people."""
        raise TypeError(f"{type(self).__name__} has no name")

    def to_model(self) -> Script:
        """Return the script in the form in which it crosses borders."""
        raise TypeError(f"{type(self).__name__} has no JSON form")

    @staticmethod
    def from_model(model: Script) -> "ExecutableScript":
        """Return the script that a model describes."""
        if model.script_type == "embedded":
            return EmbeddedStringScript(model.script or "")
        if model.script_type == "git":
            git_args = GitArgs(**model.git_args.model_dump()) if model.git_args else GitArgs()
            return GitScript(model.script_uri or "", git_args, model.create_env)
        return FileSystemScript(model.script_uri or "")


@dataclass(frozen=True)
class FileSystemScript(ExecutableScript):
    """A script in a file.

    :param script_uri: ``file:///path/to/script.py``; a path that is not absolute is looked for in the
        script roots
    :raises ValueError: if it is no such URI
    """

    script_uri: str

    def __post_init__(self) -> None:
        _require_scheme(self.script_uri, "file")

    @property
    def path(self) -> Path:
        """The path that the URI names."""
        return _path(self.script_uri, "file")

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def to_model(self) -> Script:
        """Return the script in the form in which it crosses borders."""
        return Script(script_type="filesystem", script_uri=self.script_uri)


@dataclass(frozen=True)
class EmbeddedStringScript(ExecutableScript):
    """A script given as its text.

    :param script: Python source
    """

    script: str

    @property
    def name(self) -> str:
        """What stands for a file name in stack traces."""
        return "<embedded script>"

    def to_model(self) -> Script:
        """Return the script in the form in which it crosses borders."""
        return Script(script_type="embedded", script=self.script)


@dataclass(frozen=True)
class GitScript(ExecutableScript):
    """A script in a git repository.

    :param script_uri: ``git:///path/in/the/repository.py``
    :param git_args: repository, branch and commit
    :param create_env: whether to run it in the Python environment that its repository describes
    :raises ValueError: if the URI is no such URI
    """

    script_uri: str
    git_args: GitArgs = field(default_factory=GitArgs)
    create_env: bool | None = False

    def __post_init__(self) -> None:
        _require_scheme(self.script_uri, "git")

    @property
    def path(self) -> Path:
        """Path of the script within the repository."""
        return Path(str(_path(self.script_uri, "git")).lstrip("/"))

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def to_model(self) -> Script:
        """Return the script in the form in which it crosses borders."""
        known = {**vars(self.git_args), "git_repo": self.git_args.repository}
        git_args = GitArgsModel.model_validate(known)
        return Script(
            script_type="git", script_uri=self.script_uri, git_args=git_args, create_env=bool(self.create_env)
        )


def _require_scheme(uri: str, scheme: str) -> None:
    prefix = f"{scheme}://"
    if not uri.startswith(prefix) or uri == prefix:
        raise ValueError(f"'{uri}' is no script URI of this kind: write {prefix}/path/to/script.py")
    if b"\0" in unquote_to_bytes(uri):
        raise ValueError("a script URI cannot contain a NUL character")


def _path(uri: str, scheme: str) -> Path:
    # Names of files are bytes, which need not be UTF-8.
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix(f"{scheme}://"))))
