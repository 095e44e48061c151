"""The examples of the reference do what the text beside them says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import FIRST, Uris
from tests.support.operator import Operator
from tests.support.patience import LONG_PATIENCE

_REFERENCE = Path(__file__).parents[4] / "docs" / "reference"


def _programs(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (_REFERENCE / page).read_text(), re.DOTALL)


_LIVE, _CLIENT = _programs("tango.md")
[_SCRIPT] = _programs("scripts.md")


@pytest.fixture
def typed_in(tango_host: str, controller: tango.DeviceProxy) -> "TypedIn":
    """Runs programs of the documentation."""
    return TypedIn(tango_host, controller.dev_name())


class TypedIn:
    """Runs a program of the documentation against a controller of the tests.

    :param tango_host: the Tango database
    :param device: the controller
    """

    def __init__(self, tango_host: str, device: str) -> None:
        self._environment = {**os.environ, "TANGO_HOST": tango_host}
        self._device = device

    def __call__(self, program: str) -> str:
        """Run a program, and return what it prints."""
        assert FIRST in program
        return subprocess.run(
            [sys.executable, "-c", program.replace(FIRST, self._device)],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=LONG_PATIENCE,
            check=True,
        ).stdout


def test_events_live(operator: Operator, typed_in: TypedIn) -> None:
    printed = typed_in(_LIVE)
    pid = operator.describe()["id"]
    operator.wait_for_state(pid, "COMPLETE")
    assert operator.get_output(pid=pid)["lines"] == ["42"]
    assert re.search("'new_state': 'READY'.*'new_state': 'COMPLETE'", printed, re.DOTALL)


def test_the_client_that_ships(typed_in: TypedIn, uri: Uris) -> None:
    printed = typed_in(_CLIENT.replace("file:///…/hello_world.py", uri("hello_world")))
    assert re.search("READY.*COMPLETE", printed, re.DOTALL)


def test_a_script(operator: Operator, script_root: Path) -> None:
    script = script_root / "of_the_reference.py"
    script.write_text(_SCRIPT)
    pid = operator.run(script.as_uri(), "Vega", scans=2)
    operator.wait_for_topic(pid, "procedure.lifecycle.complete")
    reported = [
        event["progress"] for event in operator.events(pid) if event["topic"] == "user.script.progress"
    ]
    assert reported == [50, 100]
    *scans, last = operator.get_output(pid=pid)["lines"]
    assert scans == ["scan 0 of Vega", "scan 1 of Vega"]
    assert last.endswith("all scans done")
