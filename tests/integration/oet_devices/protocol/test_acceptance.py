"""Assertions of a strict integrator: every change is one event, in order, without others.

``OET_TEST_ROUNDS`` says how many times in a row each sequence is repeated.
"""

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tango
from tests.support.controllers import MODULE, controller_proxy, register_controller
from tests.support.events import EventLog, listen, settle
from tests.support.operator import Operator
from tests.support.site import PROJECT
from tests.support.tango_stack import device_server, tango_database

from oet_devices.ska.enums import TaskStatus

DEVICE = "test/acceptance/1"
ROUNDS = int(os.environ.get("OET_TEST_ROUNDS", "5"))

ASYNCAPI: dict[str, Any] = json.loads((PROJECT / "asyncapi.json").read_text())

CREATED = ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY"]
"""States of a procedure on its way to READY."""

COMPLETED = ["RUNNING", "READY", "COMPLETE"]
"""States of a procedure whose ``main`` returns."""

COMPLETED_STATUS, FAILED_STATUS = TaskStatus.COMPLETED, TaskStatus.FAILED

_COALESCED = ("procedures", "activities", "scriptOutput", "lastOutputLine", "Status", "lastEventId")
"""Changes that follow each other quickly may share an event."""

_SCRIPTS = {
    "works": "def init(): ...\ndef main():\n    print('done')\n",
    "fails": "def init(): ...\ndef main():\n    raise RuntimeError('no antenna')\n",
    "fails_in_init": "def init():\n    raise RuntimeError('no subarray')\ndef main(): ...\n",
    "waits": "import signal\ndef init(): ...\ndef main(subarray_id=1):\n    signal.pause()\n",
    "abort": "def init(): ...\ndef main(subarray_id): ...\n",
    "observes": "def init(): ...\ndef main(sb_json): ...\n",
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scripts and a Scheduling Block."""
    folder = tmp_path_factory.mktemp("scripts")
    for name, text in _SCRIPTS.items():
        (folder / f"{name}.py").write_text(text)
    activity = {"kind": "filesystem", "path": (folder / "observes.py").as_uri()}
    (folder / "sb.json").write_text(json.dumps({"sbd_id": "sbd-1", "activities": {"observe": activity}}))
    return folder


@pytest.fixture(scope="module")
def controller(scripts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tango.DeviceProxy]:
    """A controller that is ONLINE, with a script that stands for Abort."""
    with tango_database(tmp_path_factory.mktemp("database")) as host:
        state, abort = tmp_path_factory.mktemp("state"), (scripts / "abort.py").as_uri()
        register_controller(host, DEVICE, state, ScriptRoots=[str(scripts)], AbortScript=[abort])
        with device_server(host, MODULE, "01"):
            yield controller_proxy(host, DEVICE)


@pytest.fixture(scope="module")
def log(controller: tango.DeviceProxy) -> Iterator[EventLog]:
    """The events of all attributes that have some, but of the one that a test may switch."""
    with listen(controller, _listened(controller)) as log:
        yield log


def _listened(controller: tango.DeviceProxy) -> list[str]:
    names = [info.name for info in controller.attribute_list_query()]
    return [name for name in names if name not in ("testMode", "lrcProtocolVersions")]


class Integrator(Operator):
    """A client that is subscribed to all attributes, and accepts no event that it does not expect.

    :param controller: the device
    :param log: the events of its attributes
    :param known: what the attributes had as their values when the last test ended
    """

    def __init__(self, controller: tango.DeviceProxy, log: EventLog, known: dict[str, Any]) -> None:
        super().__init__(controller, log)
        self.wait_for_end()
        known.update({event.attribute: event.value for event in log.events})
        self._known = dict(known)
        log.clear()

    def wait_for_end(self) -> None:
        """Wait until no command executes, and all events have arrived."""
        self.log.wait_until(lambda _: not self.controller.lrcExecuting)
        settle(self.controller)

    def events(self, pid: int | None = None) -> list[dict[str, Any]]:
        """Return the events of a procedure, or all, since the test began."""
        reported = [json.loads(text) for text in self.log.of("events")]
        return [event for event in reported if pid is None or event["msg_src"] == str(pid)]

    def state_names(self) -> list[str]:
        """Return the states that events of procedureState brought."""
        kind = type(self.controller.procedureState)
        return [kind(value).name for value in self.log.of("procedureState")]

    def require(self, states: list[str], **others: list[Any]) -> None:
        """Require what was heard since the test began.

        :param states: of procedureState
        :param others: what was heard of other attributes, but of those of events and of commands
        """
        self.wait_for_end()
        assert self.state_names() == states
        assert [summary.split()[-1] for summary in self.log.of("procedureSummary")] == states
        heard = {event.attribute for event in self.log.events}
        for name in heard | set(others):
            values = [self._known[name], *self.log.of(name)]
            assert all(before != after for before, after in pairwise(values)), (name, values)
            if name not in (
                "procedureState",
                "procedureSummary",
                "events",
                *_COALESCED,
            ) and not _is_of_commands(name):
                assert self.log.of(name) == others.get(name, []), name
        for name in ("procedures", "activities", "scriptOutput", "lastOutputLine"):
            assert [self._known[name], *self.log.of(name)][-1] == self.controller.read_attribute(name).value

    def ends(self) -> list[tuple[int, int]]:
        """Return the status of each command that has ended, and the code of its result."""
        reported = [json.loads(text) for _, text in self.log.of("_lrcEvent")]
        return [(event["status"], event["result"][0]) for event in reported if "result" in event]


def _is_of_commands(attribute: str) -> bool:
    return attribute.lower().removeprefix("_").startswith(("lrc", "longrunning"))


def require_described(event: dict[str, Any]) -> None:
    """Require that an event is as ``asyncapi.json`` describes its topic.

    :raises jsonschema.ValidationError: if it is not
    """
    schema = {**ASYNCAPI, "$ref": f"#/components/messages/{event['topic']}/payload"}
    jsonschema.validate(event, schema, jsonschema.Draft202012Validator)
    assert event.keys() <= ASYNCAPI["components"]["messages"][event["topic"]]["payload"]["properties"].keys()


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """The values that the last events brought."""
    return {}


@pytest.fixture(params=range(ROUNDS))
def client(controller: tango.DeviceProxy, log: EventLog, known: dict[str, Any]) -> Iterator[Integrator]:
    """A client that has heard everything up to now."""
    client = Integrator(controller, log, known)
    yield client
    for event in client.events():
        require_described(event)
    known.update({event.attribute: event.value for event in log.events})


def _uri(scripts: Path, name: str) -> str:
    return (scripts / f"{name}.py").as_uri()


def test_create_and_start(client: Integrator, scripts: Path) -> None:
    pid = client.prepare(_uri(scripts, "works"))
    client.require(CREATED, lastProcedure=[pid])
    client.start(pid)
    client.wait_for_state(pid, "COMPLETE")
    client.require([*CREATED, *COMPLETED], lastProcedure=[pid], runningProcedure=[pid, 0])
    assert client.states(pid) == [*CREATED, *COMPLETED]
    assert client.ends() == [(COMPLETED_STATUS, 0)] * 2


def test_stop(client: Integrator, scripts: Path) -> None:
    pid = client.run(_uri(scripts, "waits"), state="RUNNING")
    client.wait_for_state(pid, "RUNNING", 2)
    client.stop(pid)
    states = [*CREATED, "RUNNING", "STOPPED"]
    client.require(states, lastProcedure=[pid], runningProcedure=[pid, 0])
    assert client.states(pid) == states


def test_failure_at_once(client: Integrator, scripts: Path) -> None:
    pid = client.run(_uri(scripts, "fails"), state="FAILED")
    states = [*CREATED, "RUNNING", "FAILED"]
    client.require(states, lastProcedure=[pid], runningProcedure=[pid, 0])
    assert client.states(pid) == states
    assert client.ends() == [(COMPLETED_STATUS, 0), (FAILED_STATUS, 3)]


def test_failure_of_create(client: Integrator, scripts: Path) -> None:
    pid = client.create(_uri(scripts, "fails_in_init"))
    client.wait_for_state(pid, "FAILED")
    client.require([*CREATED[:-1], "FAILED"], lastProcedure=[pid])
    assert client.ends() == [(FAILED_STATUS, 3)]


def test_stop_with_abort(client: Integrator, scripts: Path) -> None:
    pid = client.prepare(_uri(scripts, "waits"))
    client.start(pid, subarray_id=1)
    client.wait_for_state(pid, "RUNNING", 2)
    client.send("Stop", {"pid": pid, "abort": True})
    abort = pid + 1
    client.wait_for_state(abort, "COMPLETE")
    client.wait_for_end()
    # It is prepared while the other one is being stopped: what of that is seen afterwards varies.
    states = [*CREATED, "RUNNING", "STOPPED", *CREATED, *COMPLETED]
    missed = len(states) - len(client.state_names())
    assert 0 <= missed <= len(CREATED)
    del states[len(CREATED) + 2 : len(CREATED) + 2 + missed]
    client.require(
        states,
        lastProcedure=[pid, abort],
        runningProcedure=[pid, 0, abort, 0],
    )
    assert client.states(abort) == [*CREATED, *COMPLETED]


def test_run_activity(client: Integrator, scripts: Path) -> None:
    request = {"activity_name": "observe", "sbd_uri": (scripts / "sb.json").as_uri()}
    client.send("RunActivity", request)
    client.wait_for_end()
    pid = client.controller.lastProcedure
    client.require([*CREATED, *COMPLETED], lastProcedure=[pid], runningProcedure=[pid, 0])
    assert client.ends() == [(COMPLETED_STATUS, 0)]
