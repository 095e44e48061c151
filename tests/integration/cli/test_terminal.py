"""Output on a terminal."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect
from tests.support.contract_server import COMPLETES, ContractServer, says
from tests.support.oet_command import EXECUTABLE, OetCommand
from tests.support.patience import PATIENCE

URI = "file:///scripts/a/rather/long/path/to/observe.py"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@contextmanager
def on_terminal(oet: OetCommand, *arguments: str, columns: int = 100) -> Iterator["pexpect.spawn[str]"]:
    environment = {**oet.env, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)  # it would outrank what the terminal says
    terminal = pexpect.spawn(
        EXECUTABLE,
        list(arguments),
        env=environment,
        dimensions=(40, columns),
        encoding="utf-8",
        timeout=PATIENCE,
    )
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def test_a_bar_shows_the_progress_that_a_script_announces(server: ContractServer, oet: OetCommand) -> None:
    server.prepare(URI)
    with on_terminal(oet, "procedure", "start") as terminal:
        terminal.expect("procedure.lifecycle.started")
        server.perform(1, says("user.script.progress", progress=42))
        terminal.expect(r"Procedure 1.*42%")
        server.perform(1, says("user.script.announce", msg="half way"))
        terminal.expect("half way")
        server.perform(1, says("user.script.progress", progress=100), *COMPLETES)
        terminal.expect("100%")
        terminal.expect("Procedure 1 is COMPLETE")
        terminal.expect(pexpect.EOF)
        shown = terminal.before
        terminal.wait()
    assert terminal.exitstatus == 0
    assert "user.script.progress" not in shown


def test_ctrl_c_typed_while_the_bar_is_shown(server: ContractServer, oet: OetCommand) -> None:
    server.prepare(URI)
    with on_terminal(oet, "procedure", "start") as terminal:
        terminal.expect("procedure.lifecycle.started")
        server.perform(1, says("user.script.progress", progress=10))
        terminal.expect("10%")
        terminal.sendintr()
        terminal.expect("No longer listening. Procedure 1 continues")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    assert terminal.exitstatus == 130


def test_a_narrow_terminal_hides_nothing(server: ContractServer, oet: OetCommand) -> None:
    server.prepare(URI)
    with on_terminal(oet, "procedure", "list", columns=50) as terminal:
        output = terminal.read()
    assert "\x1b[" in output  # a terminal gets colours
    rows = [line.split("│") for line in ESCAPES.sub("", output).splitlines() if "│" in line]
    assert "".join(row[2].strip() for row in rows[1:]) == URI
    assert [line for line in ESCAPES.sub("", output).splitlines() if len(line) > 50] == []
