"""A terminal with a shell, in which a test types what a documentation page says."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pexpect
from tests.support.patience import LONG_PATIENCE, wait_until

SHELL = "$"
"""The prompt of the shell, as pages show it."""

_ENDED = r"<ended (\d+)>\r?\n"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\a|\r")
_LINES, _COLUMNS = 50, 150


class Terminal:
    """A shell on a terminal.

    :param folder: where it starts
    :param environment: its variables
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._child = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile", "--noediting"],
            cwd=str(folder),
            env={**environment, "PS1": r"<ended $?>\n", "PS2": ""},
            encoding="utf-8",
            echo=False,
            timeout=LONG_PATIENCE,
            dimensions=(_LINES, _COLUMNS),
        )
        self._child.delaybeforesend = None
        self._is_busy = False
        self._printed = ""
        self._child.expect(_ENDED)

    def type(self, line: str) -> None:
        """Type a line, or several. A command that keeps running is ended by Ctrl-C before."""
        if self._is_busy:
            self._interrupt()
        self._printed = ""
        self._child.sendline(line)

    def read_to(self, prompt: str) -> tuple[str, int]:
        """Return what is printed before a prompt appears, and the exit status that a shell has then.

        :param prompt: that of the shell, or of what was started in it
        """
        if prompt == SHELL:
            self._child.expect(_ENDED)
            return _CONTROL.sub("", str(self._child.before)), int(self._child.match[1])
        self._child.expect_exact(f"{prompt} ")
        return _CONTROL.sub("", str(self._child.before)), 0

    def read_until(self, is_all: Callable[[str], bool], what: str) -> str:
        """Return what a command that keeps running has printed, once it is all that it should.

        :param is_all: returns whether a text is all
        :param what: what is waited for, for the message
        :raises AssertionError: if the command ends before, or time passes
        """
        self._is_busy = True

        def look() -> bool:
            with suppress(pexpect.TIMEOUT):
                self._printed += _CONTROL.sub("", self._child.read_nonblocking(65536, timeout=0))
            assert not re.search(_ENDED, self._printed), f"it ended before {what}:\n{self._printed}"
            return is_all(self._printed)

        wait_until(look, what, seen=lambda: self._printed)
        return self._printed

    def read_to_the_end(self) -> tuple[str, int]:
        """Return what a command that kept running prints until it ends, and its exit status."""
        self._is_busy = False
        return self.read_to(SHELL)

    def close(self) -> None:
        """End what runs in it, and the shell."""
        if self._is_busy:
            self._interrupt()
        self._child.close(force=True)

    def _interrupt(self) -> None:
        self._child.sendintr()
        self._child.expect(_ENDED)
        self._is_busy = False
