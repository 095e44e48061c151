"""Descriptions of scripts."""

from typing import Any

from pydantic import Field

from .base import Model


class FunctionDescription(Model):
    """A function of a script."""

    doc: str | None = Field(default=None, description="its docstring")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="JSON Schema of an object with its arguments by name, in their order; with 'annotation', "
        "'unit', and 'kind' where a parameter cannot be given by name. Empty if the text does not say it",
    )


class ScriptDescription(Model):
    """A script: its docstring, and its functions ``init`` and ``main``."""

    uri: str | None = Field(description="URI of the script; null if it is given as its text")
    doc: str | None = Field(default=None, description="its docstring")
    functions: dict[str, FunctionDescription] = Field(description="its functions, by name")
