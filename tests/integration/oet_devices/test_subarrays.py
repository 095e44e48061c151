"""Controllers of one telescope, each for a subarray of its own: none does anything to another's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support.controllers import CLASS, MODULE, controller_proxy, embedded, register_controller
from tests.support.lrc_client import invoke
from tests.support.operator import Operator, RefusedError, operate
from tests.support.patience import PATIENCE
from tests.support.tango_stack import (
    database,
    device_name,
    device_proxy,
    device_server,
    register,
    tango_database,
)
from tests.support.telescope import TelescopeServer

from oet_devices.ska.enums import HealthState

ONE, TWO, ANY = (f"test-subarrays/controller/{name}" for name in ("1", "2", "any"))
SUBARRAYS = [f"test-subarrays/subarray/{number}" for number in (1, 2)]

TALKS_TO_NOTHING = "import signal\ndef main(): signal.pause()\n"
TAKES_ONE = "def init(subarray_id): print(subarray_id)\ndef main(): ...\n"


@pytest.fixture(scope="module")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database with two simulated subarrays and three controllers, two of them with a subarray."""
    state = tmp_path_factory.mktemp("state")
    with tango_database(tmp_path_factory.mktemp("database")) as host:
        telescope = TelescopeServer(host, "subarrays", "1")
        register(host, "telescope_devices/subarrays", "SubarrayNode", SUBARRAYS[1])
        register_controller(host, ONE, state / "1", SubarrayId=["1"])
        register_controller(host, TWO, state / "2", SubarrayId=["2"])
        register_controller(host, ANY, state / "any")
        telescope.start()
        try:
            with device_server(host, MODULE, "01", env=telescope.environment):
                yield host
        finally:
            telescope.stop()


def calls(tango_host: str, subarray: int) -> list[str]:
    """Return the commands that a subarray has got."""
    return list(device_proxy(tango_host, SUBARRAYS[subarray - 1]).calls or ())


@pytest.fixture
def operators(tango_host: str) -> Iterator[list[Operator]]:
    """A client of each controller."""
    one, two, anywhere = (controller_proxy(tango_host, name) for name in (ONE, TWO, ANY))
    with operate(one) as first, operate(two) as second, operate(anywhere) as third:
        yield [first, second, third]


def stop_with_abort(operator: Operator, pid: int) -> tuple[int, str]:
    with invoke(operator.controller, "Stop", json.dumps({"pid": pid, "abort": True})) as call:
        result = call.wait_for_end().result
    assert result is not None
    return int(result[0]), str(result[1])


def test_a_stop_with_abort_reaches_the_subarray_of_its_controller_and_no_other(
    tango_host: str, operators: list[Operator]
) -> None:
    first, second, _ = operators
    observing = first.run(embedded(TALKS_TO_NOTHING), state="RUNNING")
    stopped = second.run(embedded(TALKS_TO_NOTHING), state="RUNNING")
    assert stop_with_abort(second, stopped) == (
        0,
        f"Successfully stopped script with ID {stopped} and aborted subarray activity",
    )
    assert (calls(tango_host, 1), calls(tango_host, 2)) == ([], ["Abort"])
    assert second.describe(stopped)["subarray_id"] == 2
    assert first.describe(observing)["state"] == "RUNNING"
    first.stop(observing)


def test_a_stop_whose_abort_is_not_sent_has_failed(operators: list[Operator]) -> None:
    pid = operators[2].run(embedded(TALKS_TO_NOTHING), state="RUNNING")
    code, message = stop_with_abort(operators[2], pid)
    assert code == 3
    assert "Abort was not sent: it is not known which subarray the script used." in message
    assert operators[2].describe(pid)["state"] == "STOPPED"


def test_a_script_gets_the_subarray_and_another_one_is_refused(operators: list[Operator]) -> None:
    pid = operators[1].run(embedded(TAKES_ONE))
    assert operators[1].get_output(pid=pid)["lines"] == ["2"]
    for given in ({"kwargs": {"subarray_id": 1}}, {"args": [1]}):
        with pytest.raises(tango.DevFailed, match="subarray_id 1, but this controller is for subarray 2"):
            operators[1].create(embedded(TAKES_ONE, init=given))
    assert operators[1].controller.lastProcedure == pid
    overrides = {"init": {"kwargs": {"subarray_id": 1}}}
    activity = {"activity_name": "observe", "sbd_id": "sbd-123", "script_args": overrides}
    with pytest.raises(tango.DevFailed, match="subarray_id 1, but this controller is for subarray 2"):
        operators[1].send("RunActivity", activity)


SOMEBODY_ELSE = "import sys, tango; tango.DeviceProxy(sys.argv[1]).Create(sys.argv[2])"


def test_a_start_of_nothing_named_is_of_what_the_same_client_has_created_last(
    tango_host: str, operators: list[Operator]
) -> None:
    operator, me = operators[1], f"process {os.getpid()} on localhost"
    known = {"user": None, "client": f"process {os.getpid()}", "host": "localhost", "via": None}
    mine = operator.prepare(embedded(TAKES_ONE))
    assert operator.describe(mine)["requested_by"] == known
    device = device_name(tango_host, TWO)
    other = subprocess.Popen([sys.executable, "-c", SOMEBODY_ELSE, device, embedded(TAKES_ONE)])
    assert other.wait(PATIENCE) == 0
    operator.wait_for_state(mine + 1, "READY")
    with pytest.raises(RefusedError) as refusal:
        operator.send("Start", "")
    assert str(refusal.value) == (
        f"{me} has created procedure {mine} (an embedded script) last, and process {other.pid} on localhost "
        f"has created procedure {mine + 1} (an embedded script) since: "
        "name the procedure that is meant by its ID"
    )
    assert [operator.describe(pid)["state"] for pid in (mine, mine + 1)] == ["READY", "READY"]
    newest = operator.prepare(embedded(TAKES_ONE))
    operator.send("Start", "")
    operator.wait_for_state(newest, "COMPLETE")
    for pid in (mine, mine + 1):
        operator.stop(pid)


def test_the_subarray_can_be_read(operators: list[Operator]) -> None:
    assert [operator.controller.subarrayId for operator in operators] == [1, 2, 0]
    assert operators[1].controller.Status().startswith("Subarray 2. ")


def test_two_controllers_of_one_subarray_name_each_other(tango_host: str, operators: list[Operator]) -> None:
    controller = operators[2].controller
    controller.put_property({"SubarrayId": ["2"]})
    try:
        controller.Init()
        assert controller.healthState == HealthState.DEGRADED
        assert f"{TWO} has SubarrayId 2, too" in controller.Status()
    finally:
        controller.delete_property("SubarrayId")
        controller.Init()
    assert controller.healthState == HealthState.OK


@pytest.mark.parametrize("number", ["-1", "17", "two"])
def test_a_number_that_no_subarray_has_is_a_fault(operators: list[Operator], number: str) -> None:
    controller = operators[2].controller
    controller.put_property({"SubarrayId": [number]})
    try:
        controller.Init()
        assert controller.State() == tango.DevState.FAULT
        assert "SubarrayId" in controller.Status()
        assert number in controller.Status()
    finally:
        controller.delete_property("SubarrayId")
        controller.Init()
    assert controller.State() == tango.DevState.ON


def test_the_environment_sets_the_subarray_where_no_property_does(tango_host: str, tmp_path: Path) -> None:
    names = [f"test-environment/controller/{name}" for name in ("unset", "any", "own")]
    for name in names:
        register_controller(tango_host, name, tmp_path / name[-3:], instance="environment")
    for name, given in zip(names[1:], ("0", "5"), strict=True):
        database(tango_host).put_device_property(name, {"SubarrayId": [given]})
    with device_server(tango_host, MODULE, "environment", env={"SUBARRAY_ID": "7"}):
        assert [controller_proxy(tango_host, name).subarrayId for name in names] == [7, 0, 5]
    for name in names:
        database(tango_host).delete_device(name)
    database(tango_host).delete_server(f"{CLASS}/environment")
