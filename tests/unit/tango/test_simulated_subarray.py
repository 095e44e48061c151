"""A subarray that is simulated refuses what a real one refuses."""

from collections.abc import Callable

import pytest
import tango

from ska_oso_oet.tango import ObsState, SimulatedSubarray

COMMANDS: dict[str, Callable[[SimulatedSubarray], None]] = {
    "AssignResources": lambda subarray: subarray.assign_resources({}),
    "Configure": lambda subarray: subarray.configure({}),
    "Scan": lambda subarray: subarray.scan(1, timeout=1.0),
    "End": lambda subarray: subarray.end(),
    "ReleaseResources": lambda subarray: subarray.release_all_resources(),
    "Abort": lambda subarray: subarray.abort(),
}
AN_OBSERVATION = ["AssignResources", "Configure", "Scan", "Scan", "End", "ReleaseResources"]


def test_an_observation_in_order_is_carried_out(capsys: pytest.CaptureFixture[str]) -> None:
    subarray = SimulatedSubarray(1)
    for name in AN_OBSERVATION:
        COMMANDS[name](subarray)
    assert subarray.obs_state is ObsState.EMPTY
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1].split()[0] for line in printed] == AN_OBSERVATION


@pytest.mark.parametrize("first", COMMANDS)
def test_the_first_command_is_allowed_as_other_scripts_may_have_prepared_it(first: str) -> None:
    COMMANDS[first](SimulatedSubarray(1))


@pytest.mark.parametrize(
    ("before", "command", "state"),
    [
        ("AssignResources", "Scan", "IDLE"),
        ("AssignResources", "End", "IDLE"),
        ("Configure", "ReleaseResources", "READY"),
        ("Configure", "AssignResources", "READY"),
        ("ReleaseResources", "Configure", "EMPTY"),
        ("ReleaseResources", "ReleaseResources", "EMPTY"),
        ("ReleaseResources", "Abort", "EMPTY"),
        ("Abort", "Abort", "ABORTED"),
        ("Abort", "Configure", "ABORTED"),
    ],
)
def test_a_command_that_the_state_forbids_is_refused(
    before: str, command: str, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    subarray = SimulatedSubarray(1)
    COMMANDS[before](subarray)
    capsys.readouterr()
    with pytest.raises(tango.DevFailed, match=rf"{command} is not allowed when obsState of .*/1 is {state}"):
        COMMANDS[command](subarray)
    assert subarray.obs_state is ObsState[state]
    assert capsys.readouterr().out == ""


def test_the_state_to_begin_in_can_be_set() -> None:
    subarray = SimulatedSubarray(1)
    subarray.obs_state = ObsState.FAULT
    with pytest.raises(tango.DevFailed, match="is FAULT"):
        subarray.end()
