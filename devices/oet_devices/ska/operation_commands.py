"""The commands that change the operation of a device: On, Off, Standby and Reset."""

from collections.abc import Callable, Collection

import tango
from tango import DevState

from .command_handle import CommandHandle
from .long_running_commands import LongRunningCommands
from .operation import Operation
from .replies import Reply, refused

_ON_AND_STANDBY_ALLOWED = frozenset({DevState.OFF, DevState.STANDBY, DevState.ON, DevState.UNKNOWN})
_ALLOWED = {
    DevState.ON: _ON_AND_STANDBY_ALLOWED,
    DevState.STANDBY: _ON_AND_STANDBY_ALLOWED,
    DevState.OFF: _ON_AND_STANDBY_ALLOWED | {DevState.FAULT},
}
"""States in which a device may be switched to a state."""

_RESET_ALLOWED = frozenset({DevState.STANDBY, DevState.ON, DevState.FAULT})


def way_out(state: DevState) -> str:
    """Return the action after which a command is allowed that a state forbids.

    :param state: the device's state
    """
    if state == DevState.DISABLE:
        return "Set adminMode to ONLINE first."
    if state == DevState.FAULT:
        return "See Status, fix what it names, then send Reset."
    return (
        "Send On first." if state in (DevState.OFF, DevState.STANDBY) else "Try again when the device is ON."
    )


def not_allowed(name: str, state: DevState) -> Reply:
    """Return the answer of a subclass's own command that is not allowed in a state.

    :param name: name of the command
    :param state: the device's state
    """
    return refused(f"Command {name} is not allowed in state {state}. {way_out(state)}")


def require_allowed(name: str, state: DevState, allowed: Collection[DevState]) -> None:
    """Refuse a command of the base device as Tango refuses a command, and say what to do.

    :param name: name of the command
    :param state: the device's state
    :param allowed: states in which the command is allowed
    :raises tango.DevFailed: if the state is none of these, with the reason API_CommandNotAllowed
    """
    if state not in allowed:
        text = f"Command {name} not allowed when the device is in {state} state. {way_out(state)}"
        tango.Except.throw_exception("API_CommandNotAllowed", text, f"SkaBaseDevice.{name}")


class OperationCommands:
    """Handles the commands that change the operation of a device.

    :param operation: the operation that they change
    :param commands: the device's long-running commands
    """

    def __init__(self, operation: Operation, commands: LongRunningCommands) -> None:
        self._operation = operation
        self._commands = commands

    def switch(self, name: str, target: DevState) -> Reply:
        """Switch the device on, off or to stand-by.

        :param name: name of the command
        :param target: ON, OFF or STANDBY
        :raises tango.DevFailed: if the state of the device forbids it
        """
        state = self._operation.state
        require_allowed(name, state, _ALLOWED[target])
        if state == target:
            return refused(f"Device is already in {target} state.")

        def run(handle: CommandHandle) -> None:
            self._operation.command_state(target)
            # In OFF a fault does not matter.
            if target != DevState.OFF and (fault := self._operation.fault) is not None:
                handle.failed(fault)
            else:
                handle.completed()

        return self._commands.run(name, run)

    def reset(self, apply_properties: Callable[[], str | None]) -> Reply:
        """Leave FAULT, if the fault has been fixed.

        :param apply_properties: reads the properties again; returns why they cannot be applied, None if they
            can
        :raises tango.DevFailed: if the state of the device forbids it
        """
        require_allowed("Reset", self._operation.state, _RESET_ALLOWED)

        def run(handle: CommandHandle) -> None:
            if (fault := apply_properties()) is not None:
                handle.failed(fault)
            else:
                self._operation.restart()
                handle.completed()

        return self._commands.run("Reset", run)
