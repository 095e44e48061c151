"""Commands and attributes of a real device."""

import os
import subprocess
import sys

import pytest
import tango
from tests.support.patience import PATIENCE, wait_until
from tests.support.telescope import TelescopeServer

from ska_oso_oet.tango import (
    Attribute,
    Command,
    ObsState,
    Subarray,
    TangoDeviceProxyFactory,
    TangoExecutor,
)

EMPTY, IDLE, ABORTED, FAULT = ObsState.EMPTY, ObsState.IDLE, ObsState.ABORTED, ObsState.FAULT


@pytest.fixture
def executor() -> TangoExecutor:
    return TangoExecutor(TangoDeviceProxyFactory())


def test_a_command_without_an_argument(executor: TangoExecutor, telescope: TelescopeServer) -> None:
    assert executor.execute(Command(telescope.subarray, "State")) == tango.DevState.ON


def test_several_arguments_make_up_an_array(executor: TangoExecutor, telescope: TelescopeServer) -> None:
    assert executor.execute(Command(telescope.subarray, "Sum", 1, 2, 3)) == 6
    assert executor.execute(Command(telescope.subarray, "Sum", [4, 5])) == 9


def test_options_reach_the_proxy(executor: TangoExecutor, telescope: TelescopeServer) -> None:
    command = Command(telescope.subarray, "State", green_mode=tango.GreenMode.Futures)
    assert executor.execute(command, wait=False).result(PATIENCE) == tango.DevState.ON


@pytest.mark.parametrize(("name", "value"), [("silent", 42), ("State", tango.DevState.ON), ("obsstate", 0)])
def test_reading(executor: TangoExecutor, telescope: TelescopeServer, name: str, value: object) -> None:
    telescope.proxy.SetObsState(EMPTY)
    assert executor.read(Attribute(telescope.subarray, name)) == value


def test_one_client_for_each_device(telescope: TelescopeServer) -> None:
    factory = TangoDeviceProxyFactory()
    assert factory(telescope.subarray) is factory(telescope.subarray.replace("subarray", "SubArray"))


def test_what_a_device_says_of_a_failure_reaches_the_script(
    executor: TangoExecutor, telescope: TelescopeServer
) -> None:
    with pytest.raises(tango.DevFailed, match="the sensor is broken"):
        executor.read(Attribute(telescope.subarray, "unreadable"))


def start_script(telescope: TelescopeServer, text: str) -> subprocess.Popen[str]:
    """Start a script as the OET does: in a process of its own, whose environment names the devices."""
    return subprocess.Popen(
        [sys.executable, "-c", "from ska_oso_oet.tango import *\n" + text],
        env={**os.environ, **telescope.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended_script(script: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait until a script has ended, and end it if that takes too long."""
    try:
        output, errors = script.communicate(timeout=PATIENCE)
    finally:
        script.kill()
    return subprocess.CompletedProcess(script.args, script.returncode, output, errors)


def waiting_script(telescope: TelescopeServer) -> subprocess.Popen[str]:
    """Start a script that waits until its time limit: the device is IDLE already, and End changes nothing."""
    telescope.proxy.SetObsState(IDLE)
    before = len(telescope.proxy.calls or ())
    script = start_script(telescope, f"Subarray(1).end(timeout={10 * PATIENCE})")
    wait_until(lambda: len(telescope.proxy.calls or ()) > before, "the script has sent End")
    return script


def run_script(telescope: TelescopeServer, text: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    return ended_script(start_script(telescope, text))


def test_a_whole_observation(telescope: TelescopeServer) -> None:
    telescope.proxy.SetObsState(EMPTY)
    before = len(telescope.proxy.calls or ())
    ended = run_script(
        telescope,
        "subarray = Subarray(1)\n"
        "subarray.assign_resources({'dish': {'receptor_ids': ['0001']}}, timeout=5)\n"
        "subarray.configure({'target': 'Polaris'}, timeout=5)\n"
        "subarray.scan(7, timeout=5)\n"
        "subarray.scan(8, timeout=5)\n"
        "subarray.end(timeout=5)\n"
        "subarray.release_all_resources(timeout=5)\n",
    )
    assert ended.returncode == 0, ended.stderr
    assert list(telescope.proxy.calls[before:]) == [
        'AssignResources {"subarray_id": 1, "dish": {"receptor_ids": ["0001"]}}',
        'Configure {"target": "Polaris"}',
        'Scan {"scan_id": 7}',
        'Scan {"scan_id": 8}',
        "End",
        'ReleaseResources {"subarray_id": 1, "release_all": true}',
    ]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("configure({'fault': True}, timeout=5)", "went to FAULT during Configure"),
        # The device goes to IDLE on End and is IDLE already: nothing changes.
        ("end(timeout=0.2)", "did not become IDLE within 0.2 s of End; its obsState stayed IDLE"),
    ],
)
def test_a_state_that_is_not_reached(telescope: TelescopeServer, command: str, complaint: str) -> None:
    telescope.proxy.SetObsState(IDLE)
    ended = run_script(telescope, f"Subarray(1).{command}")
    assert ended.returncode != 0
    assert complaint in ended.stderr


@pytest.mark.parametrize(
    ("state", "advice"),
    [(ABORTED, "Send ObsReset or Restart"), (FAULT, "see its status and logs"), (EMPTY, "Assign resources")],
)
def test_a_wait_ends_when_the_subarray_cannot_reach_the_state_any_more(
    telescope: TelescopeServer, state: ObsState, advice: str
) -> None:
    script = waiting_script(telescope)
    telescope.proxy.SetObsState(state)
    ended = ended_script(script)
    assert ended.returncode == 1
    assert f"went to {state.name} during End and will not become IDLE: " in ended.stderr
    assert advice in ended.stderr


def test_a_state_whose_event_was_lost_ends_a_wait(telescope: TelescopeServer) -> None:
    script = waiting_script(telescope)
    telescope.proxy.SetObsStateUnheard(ABORTED)
    ended = ended_script(script)
    assert "went to ABORTED during End" in ended.stderr


@pytest.mark.parametrize("state", [ABORTED, FAULT, EMPTY])
def test_a_command_that_leads_nowhere_is_not_waited_for(telescope: TelescopeServer, state: ObsState) -> None:
    telescope.proxy.SetObsState(state)
    ended = run_script(telescope, "Subarray(1).configure({}, timeout=600)")
    assert ended.returncode == 1
    assert f"was {state.name} at Configure and will not become READY" in ended.stderr


@pytest.mark.parametrize("number", [0, -1, "1", True, None])
def test_a_number_that_is_no_subarray(number: object) -> None:
    with pytest.raises(ValueError, match="give the number of a subarray"):
        Subarray(number)  # type: ignore[arg-type]
