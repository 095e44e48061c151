"""Macros for Sardana that do what the scripts of the benchmark do."""

from pathlib import Path
from typing import ClassVar

from sardana.macroserver.macro import Macro, Type  # type: ignore[import-not-found]
from tests.benchmarks.stack.stamp import stamped


class Empty(Macro):
    """Does nothing."""

    def run(self) -> None:
        """Do nothing."""


class Publish(Macro):
    """Outputs lines on request, each with the time at which it was made."""

    param_def: ClassVar[list[list[object]]] = [
        ["trigger", Type.String, None, "path of a named pipe; each line says how many lines to output"],
        ["size", Type.Integer, None, "length of a line"],
    ]

    def run(self, trigger: str, size: int) -> None:
        """Output lines until the trigger is closed."""
        with Path(trigger).open("rb") as triggers:
            for line in triggers:
                for _ in range(int(line)):
                    self.output(stamped(size))
