"""The step that describes a script, in a process of its own.

Parsing a text holds the interpreter's lock: for a table of some megabytes, for seconds.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from ska_oso_oet.model import EmbeddedStringScript, ExecutableScript, GitScript

from ..domain import source
from ..domain.description import describe
from ..domain.errors import ScriptError
from ..domain.script_text import ScriptText
from ..gitmanager import Report

_LONGEST = 1 << 16
"""Bytes of a description: it is the result of a long-running command, which is sent to every client of
these."""


@dataclass(frozen=True)
class DescribeStep:
    """Describe a script. The result is a `ScriptDescription` as JSON.

    :param script: the script
    :param path: its file; None if it is given as its text
    :param size_limit: bytes that it may have
    :param unused: a path that does not exist
    """

    script: ExecutableScript
    path: Path | None
    size_limit: int
    unused: Path

    @property
    def place(self) -> Hashable:
        """No other step works on the same."""
        return self.unused

    @property
    def scratch(self) -> Path:
        """A path that does not exist: the step needs no folder."""
        return self.unused

    @property
    def may_change(self) -> bool:
        """A script may have been changed."""
        return True

    def run(self, report: Report) -> str:
        """See `Step.run`.

        :raises ScriptError: if it cannot be described
        """
        name = self.script.name
        report(f"{name} is being read")
        if isinstance(self.script, EmbeddedStringScript):
            text = ScriptText(self.script.script, name)
        elif self.path is not None:
            text = ScriptText(source.read_file(self.path, self.size_limit), name)
        else:
            raise ScriptError(f"{name} has no text here")
        if isinstance(self.script, GitScript):
            uri: str | None = self.script.uri
        else:
            uri = None if self.path is None else self.path.as_uri()
        description = describe(text, uri).model_dump_json()
        if (size := len(description.encode())) > _LONGEST:
            raise ScriptError(
                f"the description of {name} has {size} bytes, {_LONGEST} are allowed: shorten its docstrings "
                "and defaults"
            )
        return description
