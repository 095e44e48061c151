"""Sessions of the real itango: the one that the documentation shows, completion, help, and refusals."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
import tango
from tests.integration.oet_devices.protocol.conftest import end_all
from tests.support.events import listen
from tests.support.patience import PATIENCE

from ska_oso_oet.model import ProcedureState

_PAGE = Path(__file__).parents[4] / "docs/reference/tango.md"
_LINE = re.compile(r"^In \[\d+\]: (?P<typed>.+)\n(?P<printed>(?:(?!In \[|```).*\n)*)", re.MULTILINE)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]")


class Session:
    """A person at the prompt of itango.

    :param child: the program
    :param enter: what the key sends
    """

    def __init__(self, child: "pexpect.spawn[str]", enter: str) -> None:
        self._child = child
        self._enter = enter
        self._line = 0
        self._wait_for_prompt()
        self.type('oet = Device("mid-oet/controller/01")')

    def type(self, line: str) -> str:
        """Type a line, or the rest of it, and return what is printed in answer."""
        self._child.send(line + self._enter)
        return self._wait_for_prompt()

    def press(self, keys: str, until: str) -> None:
        """Press keys, and wait until a text is shown."""
        self._child.send(keys)
        self._child.expect_exact(until)

    def _wait_for_prompt(self) -> str:
        self._line += 1
        self._child.expect_exact(f"In [{self._line}]:")
        return _CONTROL.sub("", str(self._child.before))


@contextmanager
def _itango(tango_host: str, home: Path, terminal: str, *options: str) -> Iterator[Session]:
    program = Path(sys.executable).with_name("itango3")
    child = pexpect.spawn(
        str(program),
        ["--colors=NoColor", "--no-confirm-exit", *options],
        env={**os.environ, "TANGO_HOST": tango_host, "HOME": str(home), "TERM": terminal},
        encoding="utf-8",
        timeout=PATIENCE,
        echo=False,
        dimensions=(50, 300),
    )
    try:
        enter = "\n" if "--simple-prompt" in options else "\r"
        yield Session(child, enter)
        child.send("exit" + enter)
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)


@pytest.fixture
def session(tango_host: str, controllers: list[tango.DeviceProxy], tmp_path: Path) -> Iterator[Session]:
    """Itango beside a running controller, without anything that a terminal adds."""
    with _itango(tango_host, tmp_path, "dumb", "--simple-prompt") as session:
        yield session


@pytest.fixture
def terminal(tango_host: str, controllers: list[tango.DeviceProxy], tmp_path: Path) -> Iterator[Session]:
    """Itango in a terminal, beside a running controller."""
    with _itango(tango_host, tmp_path, "xterm") as session:
        yield session


def _pattern(printed: str) -> str:
    """Return the regular expression of what the documentation shows: numbers and … may be anything."""
    shown = re.escape(re.sub(r"^Out\[\d+\]: ", "", printed).strip())
    return re.sub(r"\d+", r"\\d+", shown.replace("…", ".*"))


def test_the_session_of_the_documentation(session: Session, controller: tango.DeviceProxy) -> None:
    [first, *lines] = [match.groupdict() for match in _LINE.finditer(_PAGE.read_text())]
    assert first["typed"] == 'oet = Device("mid-oet/controller/01")'
    assert len(lines) > 5
    states = {"Create": ProcedureState.READY, "Start": ProcedureState.RUNNING, "Stop": ProcedureState.STOPPED}
    with listen(controller, ["procedureState", "Status"]) as log:
        for line in lines:
            log.clear()
            # The first line of the page was typed already, so that the numbers of lines are the same.
            printed = session.type(line["typed"])
            assert re.search(_pattern(line["printed"]), printed), (line, printed)
            command = line["typed"].removeprefix("oet.").partition("(")[0]
            if command in states:
                log.wait_for("procedureState", list(ProcedureState).index(states[command]))
            if command == "Start":
                log.wait_until(lambda log: re.search(r"%.* 1 standby worker\.", log.of("Status")[-1]))
    end_all(controller)


def test_a_refusal_says_what_to_do(session: Session) -> None:
    assert "have its folder added to the property ScriptRoots" in session.type('oet.Create("file:///x.py")')
    assert 'give nothing, an ID, e.g. 2, or a JSON object, e.g. {"pid": 2}' in session.type('oet.Start("x")')


_EXAMPLES = {
    "Create": "file:///scripts/observe.py",
    "Start": '{"pid": 2, "script_args": {"main": {"args": [], "kwargs": {"scans": 3}}}}',
    "Stop": '{"pid": 2, "abort": true}',
    "RunActivity": '{"activity_name": "observe", "sbd_id": "sbd-123"}',
    "GetOutput": '{"pid": 2, "after": line',
}


def test_help_shows_an_example_of_the_argument(session: Session) -> None:
    for command, example in _EXAMPLES.items():
        assert example in session.type(f"oet.{command}?"), command


def test_tab_completes_the_names_of_commands_and_attributes(terminal: Session) -> None:
    for typed, rest in (("oet.Cr", "eate"), ("oet.DescribeP", "rocedure"), ("oet.scriptO", "utput")):
        terminal.press(typed, until=typed[-1])
        terminal.press("\t", until=rest)
        assert "Error" not in terminal.type("")
