"""Output of commands: for people on a terminal, for pipes, and for programs."""

import io
import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from .text import one_line, printable, printable_json

_PIPE_WIDTH = 100_000
"""Columns of a file or pipe: no ID and no URI is ever broken or cut."""


class CommandOutput:
    """Output of a command.

    :param as_json: write what the server sent, one JSON text per line, and nothing else to stdout
    """

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.terminal = sys.stdout.isatty()
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A character that the locale cannot write must not end a command with a traceback.
            sys.stdout.reconfigure(errors="backslashreplace")
        self.console = Console(
            force_terminal=self.terminal,
            width=None if self.terminal else _PIPE_WIDTH,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
        )

    def json(self, value: Any) -> None:
        """Write a JSON text as one line."""
        self.json_text(json.dumps(value, ensure_ascii=False))

    def json_text(self, text: str) -> None:
        """Write JSON text; on a terminal with control characters escaped."""
        click.echo(printable_json(text) if self.terminal else text)

    def text(self, text: str, style: str = "") -> None:
        """Write text as it is, with control characters escaped."""
        self.rich(Text(printable(text), style))

    def rich(self, text: Text) -> None:
        """Write text that has styles, and no control characters; lines are not broken."""
        self.console.print(text, soft_wrap=True)

    def note(self, text: str) -> None:
        """Write a remark in addition to the result, as one line on stderr."""
        click.echo(one_line(text), err=True)
