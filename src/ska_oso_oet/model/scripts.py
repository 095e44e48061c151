"""Scripts: a file, a file in a git repository, or the text itself."""

import functools
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import quote, unquote_to_bytes

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, StrictBool, Tag, TypeAdapter

DEFAULT_REPOSITORY: Final = "https://gitlab.com/ska-telescope/oso/ska-oso-scripting.git"

_EMBEDDED = "embedded:"
_EMBEDDED_NAME = "<embedded script>"
_DIGEST_LENGTH = 12
_FULL_HASH = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class GitArgs:
    """Place of a script in git. In JSON, all three keys are present.

    JSON that names no branch means the default branch of the repository.

    :param git_repo: URL of the repository, or its absolute path; None for the default one
    :param git_branch: branch or tag, None for the default branch of the repository
    :param git_commit: commit hash, full or short, or a tag; it has precedence over the branch
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    git_repo: Annotated[str | None, Field(description="URL or absolute path of the repository")] = (
        DEFAULT_REPOSITORY
    )
    git_branch: Annotated[
        str | None,
        Field(
            description="branch or tag; null for the default branch of the repository",
            json_schema_extra={"default": None},
        ),
    ] = "master"
    git_commit: Annotated[str | None, Field(description="commit hash, full or short")] = None

    def __post_init__(self) -> None:
        if self.git_repo is None:
            object.__setattr__(self, "git_repo", DEFAULT_REPOSITORY)

    @property
    def repository(self) -> str:
        """URL of the repository."""
        return DEFAULT_REPOSITORY if self.git_repo is None else repository_url(self.git_repo)

    @property
    def revision(self) -> str:
        """The requested commit or branch, for people."""
        if self.git_commit is not None:
            return f"'{self.git_commit}'"
        return "its default branch" if self.git_branch is None else f"'{self.git_branch}'"

    @property
    def full_hash(self) -> str | None:
        """The commit, where it is known without asking the repository."""
        commit = (self.git_commit or "").lower()
        return commit if _FULL_HASH.fullmatch(commit) else None


def repository_url(place: str) -> str:
    """Return the URL of a repository.

    :param place: its URL, or its absolute path on the host of the OET
    """
    return f"file://{quote(place)}" if place.startswith("/") else place


class ExecutableScript:
    """Base of all scripts."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @property
    def name(self) -> str:
        """Short name of the script, for people."""
        raise TypeError(f"{type(self).__name__} has no name")

    @property
    def uri(self) -> str | None:
        """URI of the script, None if it is given as its text."""
        return None


@dataclass(frozen=True)
class FileSystemScript(ExecutableScript):
    """A script in a file.

    :param script_uri: ``file:///path/to/script.py``; a path that is not absolute is looked for in the
        script roots
    :raises ValueError: if it is not such a URI
    """

    script_uri: Annotated[str, Field(description="file:///path.py")]
    script_type: Literal["filesystem"] = field(default="filesystem", kw_only=True, repr=False)

    def __post_init__(self) -> None:
        _require_scheme(self.script_uri, "file")

    @property
    def path(self) -> Path:
        """The path that the URI names."""
        return _path(self.script_uri, "file")

    @property
    def name(self) -> str:
        """Name of the file."""
        # By pathlib, that takes ten times as long, and each line of the log has it.
        return _decoded(self.script_uri, "file").rstrip("/").rpartition("/")[2]

    @property
    def uri(self) -> str:
        """URI of the script."""
        return self.script_uri


@dataclass(frozen=True)
class EmbeddedStringScript(ExecutableScript):
    """A script given as its text.

    :param script: Python source
    :param script_uri: ``embedded:`` and the beginning of the SHA-256 of the text; it is found by the text
    :raises ValueError: if a URI is given that does not belong to the text
    """

    script: Annotated[str, Field(description="the Python text")]
    script_uri: Annotated[str | None, Field(description="embedded:<start of the SHA-256 of the text>")] = (
        field(default=None, kw_only=True, repr=False)
    )
    script_type: Literal["embedded"] = field(default="embedded", kw_only=True, repr=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.script.encode("utf-8", "surrogatepass")).hexdigest()
        uri = f"{_EMBEDDED}{digest[:_DIGEST_LENGTH]}"
        if self.script_uri not in (None, uri):
            raise ValueError(f"the script_uri of this text is {uri}, not {self.script_uri}")
        object.__setattr__(self, "script_uri", uri)

    @property
    def name(self) -> str:
        """Name that stands for a file name in stack traces."""
        return _EMBEDDED_NAME


@dataclass(frozen=True)
class EmbeddedScriptReference(ExecutableScript):
    """Reference to a script given as its text, without that text, for lists and events.

    :param script_uri: ``embedded:`` and the beginning of the SHA-256 of the text
    """

    script_uri: Annotated[str, Field(description="embedded:<start of the SHA-256 of the text>")]
    script_type: Literal["embedded"] = field(default="embedded", kw_only=True, repr=False)

    @property
    def name(self) -> str:
        """Name that stands for a file name in stack traces."""
        return _EMBEDDED_NAME


@dataclass(frozen=True)
class GitScript(ExecutableScript):
    """A script in a git repository.

    :param script_uri: ``git:///path/in/the/repository.py``
    :param git_args: repository, branch and commit
    :param create_env: whether to run it in the Python environment that its repository describes
    :raises ValueError: if the URI is not such a URI
    """

    script_uri: Annotated[str, Field(description="git:///path/in/repository.py")]
    git_args: Annotated[GitArgs, Field(description="repository, branch and commit")] = field(
        default_factory=GitArgs
    )
    create_env: Annotated[
        StrictBool | None,
        Field(description="run the script in the Python environment that its repository describes"),
    ] = False
    script_type: Literal["git"] = field(default="git", kw_only=True, repr=False)

    def __post_init__(self) -> None:
        _require_scheme(self.script_uri, "git")
        if self.create_env is None:
            object.__setattr__(self, "create_env", False)

    @property
    def path(self) -> Path:
        """Path of the script within the repository."""
        return Path(str(_path(self.script_uri, "git")).lstrip("/"))

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    @property
    def uri(self) -> str:
        """URI of the script."""
        return self.script_uri


SCRIPT_TYPES: Final = ("filesystem", "git", "embedded")


def _require_consistent(value: Any) -> Any:
    """Check in the JSON of a script which fields it gives, and fill in the default of its type.

    Fields that are null count as not given.

    :raises ValueError: if the fields do not belong to the type
    """
    if not isinstance(value, dict):
        return value
    given = {key: item for key, item in value.items() if item is not None}
    script_type = given.setdefault("script_type", "filesystem")
    if script_type == "embedded":
        uri = given.get("script_uri", _EMBEDDED)
        if "script" not in given or not (isinstance(uri, str) and uri.startswith(_EMBEDDED)):
            raise ValueError("an embedded script gives its text as 'script', and no 'script_uri'")
    elif script_type in SCRIPT_TYPES and ("script_uri" not in given or "script" in given):
        raise ValueError(f"a {script_type} script gives a 'script_uri', and no 'script'")
    if script_type != "git":
        if "git_args" in given or given.get("create_env"):
            raise ValueError("'git_args' and 'create_env' belong to a script of type 'git'")
        given.pop("create_env", None)
    elif isinstance(place := given.get("git_args", {}), dict):
        # The class names a branch by default, as it is documented; JSON means that of the repository.
        given["git_args"] = {"git_branch": None, **place}
    return given


Script = Annotated[
    FileSystemScript | GitScript | EmbeddedStringScript,
    Field(discriminator="script_type"),
    BeforeValidator(_require_consistent),
]
"""Any script, read from its JSON form."""


def _has_text_or_place(value: Any) -> Literal["whole", "reference"]:
    if isinstance(value, dict):
        is_reference = value.get("script_type") == "embedded" and value.get("script") is None
    else:
        is_reference = isinstance(value, EmbeddedScriptReference)
    return "reference" if is_reference else "whole"


SummaryScript = Annotated[
    Annotated[Script, Tag("whole")] | Annotated[EmbeddedScriptReference, Tag("reference")],
    Discriminator(_has_text_or_place),
]
"""Any script, or its reference in lists and events."""

_SCRIPT: TypeAdapter[Any] = TypeAdapter(Script)
_SUMMARY_SCRIPT: TypeAdapter[Any] = TypeAdapter(SummaryScript)


def without_text(script: ExecutableScript) -> ExecutableScript:
    """Return a script for lists and events: without the text of an embedded one."""
    if isinstance(script, EmbeddedStringScript):
        return EmbeddedScriptReference(str(script.script_uri))
    return script


def script_from_json(values: Any) -> ExecutableScript:
    """Return the script that its JSON form describes.

    :raises pydantic.ValidationError: if it describes none
    """
    script: ExecutableScript = _SCRIPT.validate_python(values)
    return script


def script_to_json(script: ExecutableScript) -> dict[str, Any]:
    """Return the JSON form of a script."""
    values: dict[str, Any] = _SUMMARY_SCRIPT.dump_python(script, mode="json")
    return values


def _require_scheme(uri: str, scheme: str) -> None:
    prefix = f"{scheme}://"
    if not uri.startswith(prefix) or uri == prefix:
        raise ValueError(f"'{uri}' is not a script URI of this kind: write {prefix}/path/to/script.py")
    if b"\0" in unquote_to_bytes(uri):
        raise ValueError("a script URI cannot contain a NUL character")


def _path(uri: str, scheme: str) -> Path:
    return Path(_decoded(uri, scheme))


@functools.lru_cache(maxsize=64)
def _decoded(uri: str, scheme: str) -> str:
    # Names of files are bytes, which need not be UTF-8.
    return os.fsdecode(unquote_to_bytes(uri.removeprefix(f"{scheme}://")))
