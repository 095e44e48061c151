"""Observing states of a subarray, and the transitions of its commands."""

from enum import IntEnum
from typing import NamedTuple

import tango


class ObsState(IntEnum):
    """Observing states of a subarray, with the values that the SKA control model gives them."""

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


EMPTY, RESOURCING, IDLE, CONFIGURING, READY, SCANNING, ABORTING, ABORTED, RESETTING, FAULT, RESTARTING = (
    ObsState
)


class Transition(NamedTuple):
    """State transition of a command of a subarray.

    :param allowed: states in which it is allowed
    :param through: state while it is carried out, None if it is done at once
    :param to: state that it leads to
    """

    allowed: frozenset[ObsState]
    through: ObsState | None
    to: ObsState


_BUSY = {RESOURCING, CONFIGURING, SCANNING, RESETTING}
TRANSITIONS = {
    "AssignResources": Transition(frozenset({EMPTY, IDLE}), RESOURCING, IDLE),
    "ReleaseResources": Transition(frozenset({IDLE}), RESOURCING, EMPTY),
    "ReleaseAllResources": Transition(frozenset({IDLE}), RESOURCING, EMPTY),
    "Configure": Transition(frozenset({IDLE, READY}), CONFIGURING, READY),
    "Scan": Transition(frozenset({READY}), SCANNING, READY),
    "EndScan": Transition(frozenset({SCANNING}), None, READY),
    "End": Transition(frozenset({READY}), None, IDLE),
    "Abort": Transition(frozenset({IDLE, READY, *_BUSY}), ABORTING, ABORTED),
    "ObsReset": Transition(frozenset({ABORTED, FAULT}), RESETTING, IDLE),
    "Restart": Transition(frozenset({ABORTED, FAULT}), RESTARTING, EMPTY),
}
"""The commands of a subarray, by name."""

DEAD_ENDS = {
    ABORTED: "it was aborted. Send ObsReset or Restart before it is used again",
    FAULT: "see its status and logs, then send ObsReset or Restart",
    EMPTY: "it has no resources. Assign resources to it before it is used again",
}
"""States that a subarray leaves by another command only, with advice for an operator."""


def require_allowed(device: str, state: ObsState, command: str) -> None:
    """Make sure that a subarray allows a command.

    :param device: name of the subarray
    :param state: the state it is in
    :param command: one of `TRANSITIONS`
    :raises tango.DevFailed: if it does not
    """
    if state in TRANSITIONS[command].allowed:
        return
    tango.Except.throw_exception(
        "API_CommandNotAllowed",
        f"{command} is not allowed when obsState of {device} is {state.name}",
        f"{device}.{command}",
    )
