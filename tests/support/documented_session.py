"""A user who does what a documentation page says: in a folder of their own, in terminals, on a stack."""

import contextlib
import os
import sys
from itertools import pairwise
from pathlib import Path

from tests.support.documented_blocks import Block, Step
from tests.support.documented_output import agrees
from tests.support.documented_stack import ANY_PORTS, COMMAND, Stack, check_options
from tests.support.documented_terminal import SHELL, Terminal
from tests.support.patience import wait_until
from tests.support.processes import own_lines

_OWN = ("COVERAGE_", "PYTEST", "OET_", "TANGO_", "ODA_", "SUBARRAY_")
"""Prefixes of variables that a user does not have."""
_TERMINAL = {"TERM": "dumb", "COLUMNS": "150", "LINES": "50", "PYTHON_BASIC_REPL": "1"}
"""Without colours, bars that move and an editor of lines."""


class Session:
    """A user in a folder, with terminals.

    :param folder: the folder, which is the user's home
    :param shared: the stack that stands for one that the page starts, if there is one
    """

    def __init__(self, folder: Path, shared: Stack | None) -> None:
        self._folder = folder
        self._shared = shared
        self._stack = shared
        self._terminals: dict[str, Terminal] = {}
        self._printed = ""
        known = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = known | {"PATH": programs, "HOME": str(folder), "TZ": "UTC", **_TERMINAL}

    def follow(self, block: Block) -> None:
        """Do what a block says.

        :raises AssertionError: if what is printed, or the exit status, is not that of the page
        """
        if "file" in block.marks:
            file = self._folder / block.marks["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._to_type(block.text))
            return
        steps = block.steps()
        if "shared stack" in block.marks:
            self._compare_with_shared(block, steps)
            return
        terminal = self._terminal(block.marks.get("terminal", ""))
        last = steps[-1]
        for step, following in pairwise(steps):
            self._take(terminal, step, following.prompt, block.place)
        status = int(block.marks.get("status", "0"))
        if "again" in block.marks:
            wait_until(
                lambda: self._prints(terminal, last),
                f"{block.place}: what the page shows",
                seen=lambda: self._printed,
            )
        elif not last.prompt and "keeps running" in block.marks:
            self._read_while_running(terminal, last, block.place)
        elif not last.prompt:
            self._compare(last, *terminal.read_to_the_end(), status, block.place)
        else:
            self._take(terminal, last, None if "keeps running" in block.marks else SHELL, block.place, status)

    def close(self) -> None:
        """End everything that was started."""
        for terminal in reversed(self._terminals.values()):
            terminal.close()

    def _terminal(self, name: str) -> Terminal:
        if name not in self._terminals:
            self._terminals[name] = Terminal(self._folder, self._environment)
        return self._terminals[name]

    def _take(self, terminal: Terminal, step: Step, prompt: str | None, place: str, status: int = 0) -> None:
        """Type what a step says, and compare what is printed until a prompt, if there will be one."""
        self._type(terminal, step)
        if prompt is None:
            self._read_while_running(terminal, step, place)
        else:
            self._compare(step, *terminal.read_to(prompt), status, place)

    def _read_while_running(self, terminal: Terminal, step: Step, place: str) -> None:
        """Wait until a command that keeps running has printed what the page shows."""
        what = f"{place}: the command prints what the page shows"
        terminal.read_until(lambda printed: agrees(step.printed, self._to_show(printed)), what)

    def _type(self, terminal: Terminal, step: Step) -> None:
        starts_stack = step.typed.split()[0] == COMMAND
        terminal.type(self._to_type(step.typed) + (ANY_PORTS if starts_stack else ""))
        if starts_stack:
            self._stack = None
            terminal.read_until(self._notice_stack, "a stack is ready")

    def _prints(self, terminal: Terminal, step: Step) -> bool:
        self._type(terminal, step)
        self._printed, _ = terminal.read_to(SHELL)
        return agrees(step.printed, self._to_show(self._printed))

    def _compare(self, step: Step, printed: str, ended: int, status: int, place: str) -> None:
        """Compare what a command has printed, and its exit status, with what they should be."""
        seen = f"{place}: {step.typed}\nprints\n{printed}"
        assert ended == status, f"{seen}\nand ends with status {ended}, not {status}"
        lines = self._to_show(printed)
        if step.typed in lines[:1]:  # some programs show what was typed
            del lines[0]
        shown = "\n".join(step.printed)
        assert not shown or agrees(step.printed, lines), f"{seen}\nand the page shows\n{shown}"

    def _notice_stack(self, printed: str) -> bool:
        self._stack = Stack.find(printed)
        return self._stack is not None

    def _compare_with_shared(self, block: Block, steps: list[Step]) -> None:
        (step,) = steps
        with contextlib.chdir(self._folder):
            check_options(step.typed)
        assert self._shared is not None
        shown = [line for line in step.printed if not line.startswith("Logs are in")]
        ready = self._to_show(self._shared.ready_line)
        assert agrees(shown, ready), f"{block.place}: {ready}, and the page shows {shown}"

    def _to_type(self, text: str) -> str:
        return self._stack.to_type(text) if self._stack else text

    def _to_show(self, printed: str) -> list[str]:
        return own_lines(self._stack.to_show(printed) if self._stack else printed)
