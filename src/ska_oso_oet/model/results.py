"""Results of a procedure: the files in its working directory, and the environment that it ran in."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StrictInt

from .base import Model

_MAX_NUMBER = (1 << 63) - 1

MAX_PART = 1 << 20
"""Bytes of a file in one answer, at most."""


@dataclass(frozen=True)
class ProcedureFile:
    """A file in the working directory of a script.

    :param name: path within the working directory
    :param size: its size in bytes
    :param kept: whether it can be read; files that are too large together are not kept
    """

    name: Annotated[str, Field(description="path within the working directory")]
    size: Annotated[int, Field(description="bytes")]
    kept: Annotated[bool, Field(description="whether it can be read; FilesLimit bounds what is kept")] = True


class FileList(Model):
    """The files of a procedure."""

    files: list[ProcedureFile] = Field(default_factory=list)
    omitted: int = Field(default=0, description="how many further files are neither listed nor kept")


class PythonEnvironment(Model):
    """The Python environment that a script ran in."""

    python: str = Field(description="version of Python")
    packages: list[str] = Field(description="packages that could be imported, as 'name==version'")


class ProcedureQuery(Model):
    """Query for one procedure."""

    pid: StrictInt | None = Field(
        default=None,
        ge=1,
        le=_MAX_NUMBER,
        description="procedure ID; without it, the last one created",
    )


class FileQuery(ProcedureQuery):
    """Query for a part of a file."""

    name: str = Field(description="path within the working directory", max_length=4096)
    offset: StrictInt = Field(default=0, ge=0, le=_MAX_NUMBER, description="bytes to skip")
    limit: StrictInt = Field(default=MAX_PART, ge=1, le=MAX_PART, description="how many bytes at most")
