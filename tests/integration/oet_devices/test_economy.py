"""A summary on its way to clients is created, written and read once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support import counting_server
from tests.support.operator import Operator, operate
from tests.support.tango_stack import database, device_proxy, device_server, register, tango_database

from oet_devices.properties import SHIPPED_SCRIPTS

DEVICE = "test/oet/economy"
SCRIPT = (SHIPPED_SCRIPTS / "hello_world.py").as_uri()
STATES_TO_READY = 6
"""CREATING, IDLE, LOADING, IDLE, RUNNING (init), READY."""
STATES_TO_COMPLETE = 3
"""RUNNING, READY, COMPLETE."""


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A controller that counts."""
    with tango_database(tmp_path) as host:
        properties = {
            "ScriptRoots": [str(SHIPPED_SCRIPTS), str(tmp_path)],
            "StateDirectory": [str(tmp_path / "state")],
        }
        name = counting_server.CLASS
        register(host, f"{name}/01", name, DEVICE, properties)
        database(host).put_device_attribute_property(DEVICE, {"adminMode": {"__value": ["0"]}})
        with device_server(host, counting_server.__name__, "01"):
            yield device_proxy(host, DEVICE)


def take_counts(operator: Operator) -> dict[str, int]:
    """Return what was counted since the last call, when every long-running command has ended."""
    operator.log.wait_until(lambda _: not operator.controller.lrcExecuting)
    counts: dict[str, int] = json.loads(operator.controller.TakeCounts())
    return counts


def test_each_state_makes_one_summary_that_is_written_once_and_never_parsed(
    controller: tango.DeviceProxy,
) -> None:
    with operate(controller, ["lrcExecuting"]) as operator:
        # The first one may find things that are made once.
        operator.run(SCRIPT)
        take_counts(operator)
        pid = operator.prepare(SCRIPT)
        created = take_counts(operator)
        operator.start(pid)
        operator.wait_for_topic(pid, "procedure.lifecycle.complete")
        started = take_counts(operator)
    for counts, states in ((created, STATES_TO_READY), (started, STATES_TO_COMPLETE)):
        assert counts.get("own texts parsed", 0) == 0
        assert counts["summaries written"] == states
        # One for each state, one for the request, two for the requester, and the summary before the first
        # state or, in the end, how long such a script is expected to run.
        assert counts["models"] <= states + 4


def test_a_script_without_init_takes_few_transactions(controller: tango.DeviceProxy, tmp_path: Path) -> None:
    script = tmp_path / "plain.py"
    script.write_text("def main(): ...")
    with operate(controller, ["lrcExecuting"]) as operator:
        take_counts(operator)
        pid = operator.prepare(script.as_uri())
        created = take_counts(operator)
        operator.start(pid)
        operator.wait_for_topic(pid, "procedure.lifecycle.complete")
        started = take_counts(operator)
    # The request, a worker for it, LOADING, and all that follows when the script is loaded.
    assert created["transactions"] <= 4
    # The request, and the end.
    assert started["transactions"] <= 2
