"""Results of RunActivity for activities that do not complete, and refusals."""

import json
from typing import Any

import pytest
import tango
from tests.support.lrc_client import CommandRefusedError, invoke
from tests.support.oda_server import Failure, OdaServer
from tests.support.patience import PATIENCE

from oet_devices.ska.enums import TaskStatus


def request(name: str, sbd_id: str = "sbd-more", **more: Any) -> str:
    return json.dumps({"activity_name": name, "sbd_id": sbd_id, **more})


@pytest.fixture(scope="module")
def _shared() -> dict[str, tango.DeviceProxy]:
    return {}


@pytest.fixture
def shared(_shared: dict[str, tango.DeviceProxy], request: pytest.FixtureRequest) -> tango.DeviceProxy:
    """A controller for tests that leave nothing alive."""
    if not _shared:
        _shared["controller"] = request.getfixturevalue("controller")
    return _shared["controller"]


def test_a_script_that_fails(shared: tango.DeviceProxy) -> None:
    with invoke(shared, "RunActivity", request("breaks")) as call:
        assert call.wait_for_end().statuses[-1] is TaskStatus.FAILED
        assert call.result == [3, "RuntimeError: the antenna is stuck"]


def test_an_activity_that_is_not_in_the_scheduling_block(shared: tango.DeviceProxy) -> None:
    with invoke(shared, "RunActivity", request("observe")) as call:
        code, reason = call.wait_for_end().result or [None, ""]
    assert code == 3
    assert reason == "Scheduling Block sbd-more has no activity 'observe'; it has: breaks, waits"
    summary = json.loads(shared.DescribeActivity(0))
    assert (summary["state"], summary["reason"]) == ("FAILED", reason)


def test_a_script_that_is_stopped(shared: tango.DeviceProxy) -> None:
    with invoke(shared, "RunActivity", request("waits")) as call:
        call.wait_until(lambda call: call.progress == [40])
        with invoke(shared, "Stop", "") as stop:
            stop.wait_for_end()
        assert call.wait_for_end().statuses[-1] is TaskStatus.ABORTED
        assert call.result is not None
        assert call.result[0] == 7
    assert json.loads(shared.DescribeActivity(0))["state"] == "STOPPED"


def test_a_command_that_is_aborted(shared: tango.DeviceProxy) -> None:
    with invoke(shared, "RunActivity", request("waits")) as call:
        call.wait_until(lambda call: call.progress == [40])
        with invoke(shared, "Abort") as abort:
            assert abort.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
        assert call.wait_for_end().statuses[-1] is TaskStatus.ABORTED
    assert shared.runningProcedure == 0


@pytest.mark.parametrize(
    ("argument", "reported"),
    [
        ("", "activity_name: this field is missing"),
        ("sbd-123", "not valid JSON"),
        ('{"activity_name": "a"}', "'sbd_id' or by 'sbd_uri'"),
        (request("a", script_args={"init": {"args": [1]}}), "positional arguments of init"),
        (request("a", sbd_id="../sbd"), "sbd_id '../sbd' is malformed"),
        (request("a", prepare="yes"), "prepare: there is no such field"),
    ],
)
def test_a_malformed_request(shared: tango.DeviceProxy, argument: str, reported: str) -> None:
    before = shared.activities
    with pytest.raises(tango.DevFailed) as raised:
        shared.RunActivity(argument)
    assert raised.value.args[0].reason == "OET_InvalidArgument"
    assert reported in raised.value.args[0].desc
    assert shared.activities == before


def test_an_unknown_activity(shared: tango.DeviceProxy) -> None:
    with pytest.raises(tango.DevFailed) as raised:
        shared.DescribeActivity(99)
    assert raised.value.args[0].reason == "OET_ActivityNotFound"
    assert raised.value.args[0].desc == "No information available for ID=99"


def test_a_controller_that_is_offline(controller: tango.DeviceProxy) -> None:
    with pytest.raises(tango.DevFailed, match="no activity has been requested yet"):
        controller.DescribeActivity(0)
    controller.adminMode = 1
    with (
        pytest.raises(CommandRefusedError, match="adminMode"),
        invoke(controller, "RunActivity", request("a")),
    ):
        pass


def test_an_oda_that_hangs(slow_controller: tango.DeviceProxy, oda_server: OdaServer) -> None:
    oda_server.failures.extend([Failure.HANG] * 100)
    with invoke(slow_controller, "RunActivity", request("observe")) as waiting:
        assert oda_server.requested.wait(PATIENCE)
        # Meanwhile the controller works as ever.
        with invoke(slow_controller, "Create", "file://hello_world.py") as create:
            create.wait_for_end()
        with invoke(slow_controller, "Start", "") as start:
            assert start.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
        code, reason = waiting.wait_for_end().result or [None, ""]
    assert code == 3
    assert reason.startswith(f"the ODA at {oda_server.url} does not answer")


def test_an_activity_that_waits_for_the_oda_is_aborted(
    slow_controller: tango.DeviceProxy, oda_server: OdaServer
) -> None:
    oda_server.failures.extend([Failure.HANG] * 100)
    with invoke(slow_controller, "RunActivity", request("observe")) as waiting:
        assert oda_server.requested.wait(PATIENCE)
        with invoke(slow_controller, "Abort") as abort:
            assert abort.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
        assert waiting.wait_for_end().statuses[-1] is TaskStatus.ABORTED
    assert json.loads(slow_controller.DescribeActivity(0))["state"] == "STOPPED"
