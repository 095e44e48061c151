"""A session of the real itango, as the README shows it."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import tango
from tests.support.controllers import embedded
from tests.support.events import listen

from ska_oso_oet.model import ProcedureState

_PROMPT = r"In \[\d+\]: "
_TIMEOUT = 30


class Session:
    """A person at the prompt of itango."""

    def __init__(self, tango_host: str, home: Path) -> None:
        program = Path(sys.executable).with_name("itango3")
        environment = {**os.environ, "TANGO_HOST": tango_host, "HOME": str(home), "TERM": "dumb"}
        arguments = ["--simple-prompt", "--colors=NoColor", "--no-confirm-exit"]
        self._child = pexpect.spawn(
            str(program), arguments, env=environment, encoding="utf-8", timeout=_TIMEOUT, echo=False
        )
        self._child.expect(_PROMPT)

    def type(self, line: str) -> str:
        """Type a line, and return what is printed in answer."""
        self._child.sendline(line)
        self._child.expect(_PROMPT)
        return str(self._child.before)

    def end(self) -> None:
        """Leave itango."""
        self._child.sendline("exit")
        self._child.expect(pexpect.EOF)
        self._child.close()


@pytest.fixture
def session(tango_host: str, controllers: list[tango.DeviceProxy], tmp_path: Path) -> Iterator[Session]:
    """Itango beside a running controller."""
    session = Session(tango_host, tmp_path)
    session.type('oet = Device("mid-oet/controller/01")')
    yield session
    session.end()


def test_the_session_of_the_readme(session: Session, controller: tango.DeviceProxy) -> None:
    assert "hello_world.py" in session.type("oet.scripts")
    with listen(controller, ["procedureState"]) as states:
        created = session.type(f"oet.Create({embedded('def main(): print(6 * 7)')!r})")
        assert re.search(r"_\d+_Create", created)
        states.wait_for("procedureState", _index(ProcedureState.READY))
        assert re.search(r"_\d+_Start", session.type('oet.Start("")'))
        states.wait_for("procedureState", _index(ProcedureState.COMPLETE))
    assert '"state":"COMPLETE"' in session.type("print(oet.DescribeProcedure(0))")
    assert "42" in session.type("print(oet.scriptOutput)")


def _index(state: ProcedureState) -> int:
    return list(ProcedureState).index(state)


def test_help_shows_an_example_of_the_argument(session: Session) -> None:
    assert "file:///scripts/observe.py" in session.type("print(oet.Create.__doc__)")


def test_completion_knows_the_commands_and_attributes(session: Session) -> None:
    # What a press of Tab offers; at this plain prompt there is no such key.
    session.type("%config IPCompleter.use_jedi = False")
    offered = session.type("print(get_ipython().Completer.all_completions('oet.'))")
    for name in ("Create", "Start", "Stop", "DescribeProcedure", "procedures", "scriptOutput"):
        assert f".{name}" in offered, name
