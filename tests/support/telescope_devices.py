"""Tango devices that stand for a telescope: a subarray, and the central node that gives it resources.

``python -m tests.support.telescope_devices <instance>`` serves them.
"""

# PyTango has no types.
# mypy: disable-error-code="misc, untyped-decorator, no-any-return"

import json
from enum import IntEnum

import tango
from tango.server import Device, attribute, command, run


class ObsState(IntEnum):
    """Labels of the obsState attribute, with their SKA values."""

    EMPTY = 0
    RESOURCING = 1
    IDLE = 2
    CONFIGURING = 3
    READY = 4
    SCANNING = 5
    ABORTING = 6
    ABORTED = 7
    RESETTING = 8
    FAULT = 9
    RESTARTING = 10


Answer = tuple[list[int], list[str]]

STARTED, REJECTED = 1, 5


class SubarrayNode(Device):
    """Goes through the observing states of a subarray as commands ask for, without delay."""

    def init_device(self) -> None:
        """Begin EMPTY."""
        super().init_device()
        self._obs_state = ObsState.EMPTY
        self._calls: list[str] = []
        self._level = 0.0
        self._refusal = ""
        for name in ("obsState", "level", "unreadable"):
            self.set_change_event(name, True, False)
        self.set_state(tango.DevState.ON)

    @attribute(dtype=ObsState)
    def obsState(self) -> ObsState:
        """Observing state."""
        return self._obs_state

    @attribute(dtype=float)
    def level(self) -> float:
        """What Push pushed last."""
        return self._level

    @attribute(dtype=int)
    def unreadable(self) -> int:
        """Fails when read."""
        raise RuntimeError("the sensor is broken")

    @attribute(dtype=int)
    def silent(self) -> int:
        """Pushes no events."""
        return 42

    @attribute(dtype=(str,), max_dim_x=100)
    def calls(self) -> list[str]:
        """The commands that came, with their arguments."""
        return self._calls

    @command(dtype_in=float)
    def Push(self, level: float) -> None:
        """Change `level` and push the change."""
        self._level = level
        self.push_change_event("level", level)

    @command(dtype_in=(int,), dtype_out=int)
    def Sum(self, numbers: list[int]) -> int:
        """Return the sum of an array."""
        return int(sum(numbers))

    @command(dtype_in=str)
    def Refuse(self, reason: str) -> None:
        """Reject all commands from now on, for a reason; accept them if it is empty."""
        self._refusal = reason

    @command(dtype_in=int)
    def SetObsStateUnheard(self, state: int) -> None:
        """Be in an observing state whose event gets lost."""
        self._obs_state = ObsState(state)

    @command(dtype_in=int)
    def SetObsState(self, state: int) -> None:
        """Be in an observing state."""
        self.become(ObsState(state))

    @command(dtype_out="DevVarLongStringArray")
    def Abort(self) -> Answer:
        """Abort."""
        return self.carry_out("Abort", "", ObsState.ABORTING, ObsState.ABORTED)

    @command(dtype_in=str, dtype_out="DevVarLongStringArray")
    def Configure(self, argument: str) -> Answer:
        """Configure, or go to FAULT if the configuration says so."""
        end = ObsState.FAULT if json.loads(argument).get("fault") else ObsState.READY
        return self.carry_out("Configure", argument, ObsState.CONFIGURING, end)

    @command(dtype_in=str, dtype_out="DevVarLongStringArray")
    def Scan(self, argument: str) -> Answer:
        """Scan."""
        return self.carry_out("Scan", argument, ObsState.SCANNING, ObsState.READY)

    @command(dtype_out="DevVarLongStringArray")
    def End(self) -> Answer:
        """Leave the configuration."""
        return self.carry_out("End", "", ObsState.IDLE)

    def carry_out(self, name: str, argument: str, *states: ObsState) -> Answer:
        """Note a command, and go through the states it leads to."""
        self._calls.append(f"{name} {argument}".strip())
        if self._refusal:
            return [REJECTED], [self._refusal]
        for state in states:
            self.become(state)
        return [STARTED], [f"1_1_{name}"]

    def become(self, state: ObsState) -> None:
        """Change the observing state and push the change."""
        self._obs_state = state
        self.push_change_event("obsState", state)


class CentralNode(Device):
    """Gives resources to the first subarray, and takes them away."""

    @command(dtype_in=str, dtype_out="DevVarLongStringArray")
    def AssignResources(self, argument: str) -> Answer:
        """Assign resources."""
        return self._subarray().carry_out("AssignResources", argument, ObsState.RESOURCING, ObsState.IDLE)

    @command(dtype_in=str, dtype_out="DevVarLongStringArray")
    def ReleaseResources(self, argument: str) -> Answer:
        """Release resources."""
        return self._subarray().carry_out("ReleaseResources", argument, ObsState.RESOURCING, ObsState.EMPTY)

    def _subarray(self) -> SubarrayNode:
        return tango.Util.instance().get_device_list_by_class("SubarrayNode")[0]


if __name__ == "__main__":
    run((SubarrayNode, CentralNode))
