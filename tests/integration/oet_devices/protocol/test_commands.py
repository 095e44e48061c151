"""OETController as clients of the long-running-command protocol see it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.protocol.conftest import end_all, prepare
from tests.support.controllers import embedded
from tests.support.events import EventLog, listen
from tests.support.lrc_client import CommandRefusedError, LrcCall, invoke

from oet_devices.ska.command_record import MAX_RESULT_BYTES
from oet_devices.ska.enums import ResultCode, TaskStatus
from ska_oso_oet.model import ProcedureSummary

FINE = "def main(n=1): print(n)"
PROGRESS = """
import time
from pubsub import pub
def main():
    time.sleep(0.2)  # else it might have published all before the command that started it has begun
    for percent in (25, 50, 100):
        pub.sendMessage("user.script.progress", progress=percent)
"""
LONG = "import time\ndef main(): time.sleep(600)"
LONG_INIT = "import time\ndef init(): time.sleep(600)\ndef main(): pass"
FAILING = "def main(): raise RuntimeError('the antenna is stuck')"
BROKEN = "raise RuntimeError('no licence')\ndef main(): pass"

WHOLE_WAY = [TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED]
VERSIONS = pytest.mark.parametrize("version", [1, 2])


@pytest.fixture(autouse=True)
def _nothing_runs(controllers: list[tango.DeviceProxy]) -> Iterator[None]:
    """End what a test has left running."""
    yield
    for controller in controllers:
        end_all(controller)


def _result(call: LrcCall) -> tuple[int, Any]:
    """Return the result of a command, once it has ended."""
    result = call.wait_for_end().result
    assert result is not None
    return int(result[0]), result[1]


@VERSIONS
def test_create_and_start_to_their_ends(controller: tango.DeviceProxy, version: int) -> None:
    with invoke(controller, "Create", embedded(FINE), version=version) as create:
        code, summary = _result(create)
    assert create.statuses[-2:] == WHOLE_WAY
    assert (code, summary["state"]) == (0, "READY")
    assert create.id.split("_")[1:] == [str(summary["id"]), "Create"]
    assert summary["command_id"] == create.id
    with invoke(controller, "Start", "", version=version) as start:
        _, ended = _result(start)
    assert start.statuses[-2:] == WHOLE_WAY
    assert ended["state"] == "COMPLETE"
    assert start.id.endswith(f"_{summary['id']}_Start")
    described = ProcedureSummary.model_validate_json(controller.DescribeProcedure(summary["id"]))
    assert described.in_lists().model_dump(mode="json") == ended


@VERSIONS
def test_progress_of_a_script_is_that_of_its_start(controller: tango.DeviceProxy, version: int) -> None:
    prepare(controller, PROGRESS)
    with invoke(controller, "Start", "", version=version) as start:
        start.wait_for_end()
    assert start.progress[-3:] == [25, 50, 100]


@VERSIONS
def test_a_script_that_fails_fails_its_command(controller: tango.DeviceProxy, version: int) -> None:
    prepare(controller, FAILING)
    with invoke(controller, "Start", "", version=version) as start:
        code, reason = _result(start)
    assert start.statuses[-1] is TaskStatus.FAILED
    assert code == 3
    assert reason.startswith("Traceback")
    assert "the antenna is stuck" in reason
    with invoke(controller, "Create", embedded(BROKEN), version=version) as create:
        assert "no licence" in _result(create)[1]
    assert create.statuses[-1] is TaskStatus.FAILED


CHAIN_OF_LONG_FAILURES = """
def main(depth=9):
    try:
        raise ValueError(2_000 * "Größe Δ")
    finally:
        if depth:
            main(depth - 1)
"""


@VERSIONS
def test_a_result_too_long_for_events_says_where_all_of_it_is(
    controller: tango.DeviceProxy, version: int
) -> None:
    number = prepare(controller, CHAIN_OF_LONG_FAILURES)
    with invoke(controller, "Start", "", version=version) as start:
        code, reason = _result(start)
    assert code == 3
    assert len(json.dumps([code, reason])) <= MAX_RESULT_BYTES
    assert reason.endswith(f"Größe Δ\n ... See DescribeProcedure({number}).")
    trace = json.loads(controller.DescribeProcedure(number))["history"]["stacktrace"]
    assert len(trace) > len(reason)
    assert [json.loads(text)["result"] for text in controller.lrcFinished][-1] == [code, reason]


def test_only_a_description_has_the_text_of_a_script(controller: tango.DeviceProxy) -> None:
    text = FINE + "\n# the text" + 300_000 * "."
    names = ["procedures", "events", "lrcFinished", "lrcExecuting", "longRunningCommandResult", "_lrcEvent"]
    with listen(controller, names) as log:
        number = prepare(controller, text)
        with invoke(controller, "Start", "") as start:
            code, summary = _result(start)
        log.wait_until(lambda log: controller.procedures in log.of("procedures"))
    assert (code, summary["id"], summary["truncated"]) == (0, number, ["script"])
    assert summary["script"].keys() == {"script_type", "script_uri"}
    assert summary in json.loads(controller.procedures)
    assert "the text" not in str(log.events)
    assert "the text" not in controller.GetEvents("")
    assert json.loads(controller.DescribeProcedure(number))["script"] == {
        "script_type": "embedded",
        "script_uri": summary["script"]["script_uri"],
        "script": text,
    }


@VERSIONS
def test_stop_ends_the_start_it_stops(controller: tango.DeviceProxy, version: int) -> None:
    procedure_id = prepare(controller, LONG)
    with invoke(controller, "Start", "", version=version) as start:
        with invoke(controller, "Stop", "", version=version) as stop:
            assert _result(stop) == (0, f"Successfully stopped script with ID {procedure_id}")
        assert _result(start)[0] == 7
    assert stop.statuses[-2:] == WHOLE_WAY
    assert start.statuses[-1] is TaskStatus.ABORTED


def test_a_stop_ends_when_the_start_that_it_stops_has(controller: tango.DeviceProxy) -> None:
    prepare(controller, LONG)
    with listen(controller, ["_lrcEvent"]) as log, invoke(controller, "Start", "") as start:
        with invoke(controller, "Stop", "") as stop:
            stop.wait_for_end()
        log.wait_until(lambda log: len(_ends(log)) == 2)
        assert _ends(log) == [start.id, stop.id]


def _ends(log: EventLog) -> list[str]:
    """Return the IDs of the commands whose ends have been heard, in order."""
    return [value[0] for value in log.of("_lrcEvent") if value and "result" in value[1]]


def test_abort_ends_a_main_and_an_init_that_go_on_for_ever(controller: tango.DeviceProxy) -> None:
    prepare(controller, LONG)
    with (
        invoke(controller, "Start", "") as start,
        invoke(controller, "Create", embedded(LONG_INIT)) as create,
        invoke(controller, "Abort") as abort,
    ):
        abort.wait_for_end()
        for call in (start, create):
            call.wait_for_end()
            assert call.statuses[-1] is TaskStatus.ABORTED
            assert call.result == [7, "Command has been aborted"]
    assert abort.result == [0, "Abort completed OK"]
    states = {item["state"] for item in json.loads(controller.procedures)[-2:]}
    assert states == {"STOPPED"}


@contextmanager
def _abort_script(controller: tango.DeviceProxy, script: Path, text: str) -> Iterator[tango.DeviceProxy]:
    """Give a controller an abort script of its own."""
    script.write_text(text)
    controller.put_property({"AbortScript": [script.as_uri()], "SubarrayId": ["1"]})
    with invoke(controller, "Reset") as reset:
        assert reset.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
    yield controller
    controller.delete_property(["AbortScript", "SubarrayId"])
    with invoke(controller, "Reset") as reset:
        assert reset.wait_for_end().statuses[-1] is TaskStatus.COMPLETED


@pytest.fixture
def endless_abort_script(controllers: list[tango.DeviceProxy], tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A controller whose abort script does not end by itself."""
    text = "import signal\ndef main(**_):\n    print('aborting', flush=True)\n    signal.pause()\n"
    with _abort_script(controllers[1], tmp_path / "abort.py", text) as controller:
        yield controller


@pytest.fixture
def failing_abort_script(controllers: list[tango.DeviceProxy], tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A controller whose abort script fails."""
    text = "def main(**_):\n    raise RuntimeError('no subarray')\n"
    with _abort_script(controllers[1], tmp_path / "abort.py", text) as controller:
        yield controller


def test_abort_ends_a_stop_whose_abort_script_goes_on_for_ever(
    endless_abort_script: tango.DeviceProxy,
) -> None:
    controller = endless_abort_script
    prepare(controller, LONG)
    controller.Start("")
    with listen(controller, ["scriptOutput"]) as log, invoke(controller, "Stop", '{"abort": true}') as stop:
        log.wait_for("scriptOutput", ("aborting",))
        assert stop.statuses[-1] is TaskStatus.IN_PROGRESS
        with invoke(controller, "Abort") as abort:
            assert abort.wait_for_end().result == [0, "Abort completed OK"]
        assert stop.wait_for_end().result == [7, "Command has been aborted"]
    assert [item["state"] for item in json.loads(controller.procedures)[-2:]] == ["STOPPED", "STOPPED"]


def test_a_stop_whose_abort_script_fails_has_failed(failing_abort_script: tango.DeviceProxy) -> None:
    controller = failing_abort_script
    prepare(controller, LONG)
    controller.Start("")
    with invoke(controller, "Stop", '{"abort": true}') as stop:
        result = stop.wait_for_end().result
    assert result is not None
    assert result[0] == ResultCode.FAILED
    assert result[1].endswith("no subarray")
    assert json.loads(controller.procedures)[-2]["state"] == "STOPPED"


def test_refusals_say_what_to_do(controller: tango.DeviceProxy) -> None:
    prepare(controller, LONG)
    with invoke(controller, "Start", "") as start:
        prepare(controller, FINE)
        with pytest.raises(CommandRefusedError, match="is running: wait until it has ended, or stop it"):
            invoke(controller, "Start", "").__enter__()
        assert start.statuses[-1] is TaskStatus.IN_PROGRESS
    with invoke(controller, "Stop", "") as stop:
        stop.wait_for_end()
    with pytest.raises(CommandRefusedError, match="name the procedure to stop"):
        invoke(controller, "Stop", "").__enter__()


def test_what_runs_goes_on_though_the_controller_is_taken_out_of_use(controller: tango.DeviceProxy) -> None:
    ready = prepare(controller, FINE)
    prepare(controller, LONG)
    with invoke(controller, "Start", "") as start:
        try:
            controller.adminMode = "OFFLINE"
            assert (controller.State(), controller.runningProcedure != 0) == (tango.DevState.DISABLE, True)
            for command, argument in (
                ("Create", embedded(FINE)),
                ("Start", str(ready)),
                ("RunActivity", "{}"),
            ):
                with pytest.raises(CommandRefusedError, match="Set adminMode to ONLINE first"):
                    invoke(controller, command, argument).__enter__()
            assert start.statuses[-1] is TaskStatus.IN_PROGRESS
            with invoke(controller, "Abort") as abort:
                assert abort.wait_for_end().result == [0, "Abort completed OK"]
            assert start.wait_for_end().statuses[-1] is TaskStatus.ABORTED
        finally:
            controller.adminMode = "ONLINE"
    with invoke(controller, "Start", str(ready)) as start:
        assert start.wait_for_end().statuses[-1] is TaskStatus.COMPLETED


def test_a_script_can_be_stopped_at_once_without_naming_it(controller: tango.DeviceProxy) -> None:
    procedure_id = prepare(controller, LONG)
    controller.Start("")
    with invoke(controller, "Stop", "") as stop:
        assert _result(stop) == (0, f"Successfully stopped script with ID {procedure_id}")
