"""After any actions on procedures, all reports of a controller about them and about commands agree."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tango
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.integration.oet_devices.protocol.agreement import OUTCOMES, Look, Watcher
from tests.support.controllers import controller_proxy, embedded
from tests.support.events import EventLog, listen
from tests.support.patience import patience
from tests.support.tango_stack import device_server, register

from oet_devices.ska.enums import ResultCode, TaskStatus
from ska_oso_oet.model import ProcedureState

_SAY_WHO = "import os\nprint(os.getpid(), flush=True)\n"
_WAITS = "waits"
_WAITS_IN_INIT = "waits in init"
_SCRIPTS = {
    "ends": "def main(): pass",
    "reports much": (
        "from pubsub import pub\n"
        "def main():\n"
        "    for step in range(2001):\n"
        "        pub.sendMessage('user.script.progress', progress=step / 20)\n"
    ),
    "fails": "def main(): raise RuntimeError('the antenna is stuck')",
    "cannot be loaded": "raise RuntimeError('no licence')\ndef main(): pass",
    "fails in init": "def init(): raise RuntimeError('no subarray')\ndef main(): pass",
    "vanishes": "import os\ndef main(): os._exit(3)",
    _WAITS: "import signal\ndef main(): signal.pause()",
    _WAITS_IN_INIT: "import signal\ndef init(): signal.pause()\ndef main(): pass",
}
_ACTIVITIES = {
    "ends": "def main(sb_json): pass",
    "fails": "def main(sb_json): raise RuntimeError('the antenna is stuck')",
    "waits": "import signal\ndef main(sb_json): signal.pause()",
}
_HEARD = ["events", "_lrcEvent", "lrcFinished"]
_SLOW = "test/controller/slow"

_actions = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(sorted(_SCRIPTS))),
        st.tuples(st.sampled_from(["start", "start when ready"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["stop", "stop with abort"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["kill", "wait"]), st.integers(0, 3)),
        st.tuples(st.just("run activity"), st.sampled_from(sorted(_ACTIVITIES))),
        st.tuples(st.just("abort"), st.none()),
    ),
    min_size=5,
    max_size=25,
)


class Client:
    """Creates, starts, stops, aborts and kills by the rules; after each step all reports must agree.

    :param controller: the controller
    :param log: hears its events
    :param block: URI of a Scheduling Block
    """

    def __init__(self, controller: tango.DeviceProxy, log: EventLog, block: str) -> None:
        self._controller = controller
        self._block = block
        self._log = log
        self._kinds: dict[int, str] = {}

    def act(self, verb: str, what: Any) -> None:
        """Take a step.

        :param verb: what to do
        :param what: the script to create, or which of the newest procedures to do it to
        """
        if verb == "create":
            uid = self._send("Create", embedded(_SAY_WHO + _SCRIPTS[what]))
            assert uid is not None
            self._kinds[_number(uid)] = what
        elif verb == "run activity":
            self._send("RunActivity", json.dumps({"activity_name": what, "sbd_uri": self._block}))
        elif verb == "abort":
            self._send("Abort", None)
        elif self._kinds:
            newest = list(self._kinds)[-4:]
            self._act_on(verb, newest[what % len(newest)])
        self.look()

    def _act_on(self, verb: str, number: int) -> None:
        match verb:
            case "start":
                self._send("Start", str(number))
            case "start when ready":
                if self._kinds[number] != _WAITS_IN_INIT:
                    self._wait_for_end(f"_{number}_Create")
                self._send("Start", str(number))
            case "stop" | "stop with abort":
                self._send("Stop", json.dumps({"pid": number, "abort": verb != "stop"}))
            case "kill":
                self._kill(number)
            case _:
                self._wait(number)

    def _kill(self, number: int) -> None:
        """Kill the process of a procedure, as the kernel does when memory is short."""
        output = json.loads(self._controller.GetOutput(json.dumps({"pid": number})))["lines"]
        summary = json.loads(self._controller.DescribeProcedure(number))
        if output and not ProcedureState(summary["state"]).is_final:
            with suppress(ProcessLookupError):
                os.kill(int(output[0]), signal.SIGKILL)

    def _wait(self, number: int) -> None:
        """Wait until a procedure that was started has ended."""
        executing = [json.loads(text)["uid"] for text in self._controller.lrcExecuting]
        start = [uid for uid in executing if uid.endswith(f"_{number}_Start")]
        if start and self._kinds[number] != _WAITS:
            self._wait_for_end(start[0])

    def look(self) -> None:
        """Look everywhere."""
        assert Look(self._controller).disagreements() == []

    def end(self) -> None:
        """End all that goes on; then all must agree, what was heard too."""
        self._wait_for_end(str(self._send("Abort", None)))
        for summary in json.loads(self._controller.procedures):
            if not ProcedureState(summary["state"]).is_final:
                stop = self._send("Stop", str(summary["id"]))
                if stop is not None:  # one of an activity may have ended meanwhile
                    self._wait_for_end(stop)
        self.look()
        assert self._controller.lrcExecuting == ()
        assert _disagreements_heard(self._log) == []

    def _send(self, command: str, argument: str | None) -> str | None:
        """Send a command, and return its ID; None if it is refused."""
        [code], [reported] = self._controller.command_inout(command, argument)
        return None if code == ResultCode.REJECTED else str(reported)

    def _wait_for_end(self, uid: str) -> None:
        self._log.wait_until(lambda log: any(ended.endswith(uid) for ended in _ends(log)))


def _number(uid: str) -> int:
    return int(uid.split("_")[1])


def _ends(log: EventLog) -> list[str]:
    """Return the IDs of the commands of which lrcFinished has been heard to show the end."""
    return [json.loads(text)["uid"] for value in log.of("lrcFinished")[-1:] for text in value]


class Heard:
    """State of a client that receives all events, in their order.

    The final state of a procedure is published before the end of its commands, and that before lrcFinished.
    """

    def __init__(self) -> None:
        self._ended: dict[int, ProcedureState] = {}
        self._results: dict[str, tuple[TaskStatus, list[Any]]] = {}
        self.disagreements: list[str] = []

    def on_event(self, event: dict[str, Any]) -> None:
        """Record an event of the bus."""
        if event.get("topic") == "procedure.lifecycle.statechange":
            state = ProcedureState(event["new_state"])
            if state.is_final:
                self._ended[int(event["msg_src"])] = state

    def on_command(self, uid: str, change: dict[str, Any]) -> None:
        """Record what has changed of a command."""
        if "result" not in change:
            return
        if uid in self._results:
            self.disagreements.append(f"{uid} has ended twice")
        status, result = TaskStatus(change["status"]), change["result"]
        self._results[uid] = status, result
        state = self._ended.get(_number(uid), ProcedureState.UNKNOWN)
        if uid.endswith("_Start") and OUTCOMES.get(state) != (status, ResultCode(result[0])):
            self.disagreements.append(f"{uid} has ended {change}, its procedure is {state}")

    def on_finished(self, entries: list[dict[str, Any]]) -> None:
        """Record all commands that have ended."""
        for entry in entries:
            reported = TaskStatus[entry["status"]], entry["result"]
            if self._results.get(entry["uid"], reported) != reported:
                self.disagreements.append(f"{entry} is not {self._results[entry['uid']]}")


def _disagreements_heard(log: EventLog) -> list[str]:
    """Return what does not fit in the events."""
    heard = Heard()
    for attribute, value in log.events:
        if attribute == "events":
            heard.on_event(json.loads(value))
        elif attribute == "lrcFinished":
            heard.on_finished([json.loads(text) for text in value])
        elif value:
            heard.on_command(value[0], json.loads(value[1]))
    return heard.disagreements


@pytest.fixture
def block(tmp_path: Path) -> str:
    """URI of a Scheduling Block with an activity of each kind."""
    for name, text in _ACTIVITIES.items():
        (tmp_path / f"{name}.py").write_text(text)
    activities = {
        name: {"kind": "filesystem", "path": (tmp_path / f"{name}.py").as_uri()} for name in _ACTIVITIES
    }
    path = tmp_path / "block.json"
    path.write_text(json.dumps({"sbd_id": "sbd-agreement", "activities": activities}))
    return path.as_uri()


@pytest.fixture
def slow_controller(tango_host: str, tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A controller between whose parts news takes a moment to travel."""
    properties = {
        "AllowEmbeddedScripts": ["true"],
        "StateDirectory": [str(tmp_path / "state")],
        "ScriptRoots": [str(tmp_path)],
    }
    register(tango_host, "SlowController/01", "SlowController", _SLOW, properties)
    with device_server(tango_host, "tests.integration.oet_devices.protocol.slow_controller", "01"):
        proxy = controller_proxy(tango_host, _SLOW)
        proxy.adminMode = 0
        yield proxy


@pytest.mark.timeout(patience(180))
def test_descriptions_attributes_and_events_never_disagree(
    tango_host: str, slow_controller: tango.DeviceProxy, block: str
) -> None:
    controller = slow_controller
    other_client = controller_proxy(tango_host, _SLOW)
    with listen(controller, _HEARD) as log, Watcher(other_client) as watcher:
        # A step is not the same twice: what is shorter would fail, or not, by chance.
        @settings(max_examples=12, deadline=None, phases=[Phase.generate])
        @given(_actions)
        def try_(actions: list[tuple[str, Any]]) -> None:
            log.clear()
            client = Client(controller, log, block)
            try:
                for action in actions:
                    client.act(*action)
            finally:
                client.end()
            assert watcher.complaints == []

        try_()
    assert watcher.complaints == []
    assert watcher.looks > 20


@pytest.mark.timeout(patience(60))
def test_a_command_ends_after_the_events_of_the_end_of_its_script(
    slow_controller: tango.DeviceProxy, block: str
) -> None:
    with listen(slow_controller, _HEARD) as log:
        client = Client(slow_controller, log, block)
        for _ in range(20):
            client.act("create", "ends")
            client.act("start when ready", -1)
            client.act("wait", -1)
        client.end()
