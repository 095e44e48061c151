"""The attributes and commands of the long-running-command protocol, versions 1 and 2."""

import logging
from collections.abc import Callable
from typing import ClassVar

from tango import DispLevel
from tango.server import attribute, command

from .command_handle import CommandHandle
from .command_ids import CommandIds
from .commands import CommandTracker, TooManyCommandsError
from .enums import ResultCode
from .event_device import EventDevice
from .lrc_attributes import MAX_ACTIVE, MAX_FINISHED, MAX_LEGACY, MAX_QUEUED, LrcAttribute, Spectrum
from .replies import Reply, accepted, refused

LOGGER = logging.getLogger(__name__)

_PROTOCOL_VERSIONS = (1, 2)

_FOR_OPERATORS = frozenset({LrcAttribute.QUEUE, LrcAttribute.EXECUTING, LrcAttribute.FINISHED})
"""What people read; the other attributes of the protocol are for programs."""

_ABORT_DOC = "STARTED and the ID of this command, which ends all commands that wait or execute"


def _spectrum(shown: LrcAttribute, size: int, label: str, doc: str) -> attribute:
    """Return a spectrum of texts that shows what the tracker says."""

    def read(device: "LrcDevice") -> Spectrum:
        return device.commands.value(shown)

    return attribute(
        fget=read,
        name=str(shown),
        dtype=("DevString",),
        max_dim_x=size,
        label=label,
        doc=doc,
        display_level=DispLevel.OPERATOR if shown in _FOR_OPERATORS else DispLevel.EXPERT,
    )


class LrcDevice(EventDevice):
    """A device with long-running commands."""

    WITHOUT_EVENTS: ClassVar[frozenset[str]] = frozenset({"lrcProtocolVersions"})
    CHANGE_EVENTS_ONLY: ClassVar[frozenset[str]] = frozenset({LrcAttribute.EVENT})

    COMMANDS_OUTLIVE_INIT: ClassVar[bool] = False
    """Whether Init leaves commands alone that wait or execute, rather than to abort them."""

    commands: CommandTracker
    """The device's long-running commands."""
    command_ids: CommandIds

    def init_device(self) -> None:
        """Start with no commands, or after Init with those that outlive it."""
        super().init_device()
        if "command_ids" not in self.__dict__:
            self.command_ids = CommandIds()
        if "commands" not in self.__dict__ or not self.COMMANDS_OUTLIVE_INIT:
            self.commands = CommandTracker(self.publish)
        for shown in LrcAttribute:
            # After Init they may be empty, and those who listen must hear of it.
            if shown is not LrcAttribute.EVENT:
                self.publish(shown, self.commands.value(shown))

    def delete_device(self) -> None:
        """End all commands as aborted."""
        if self.is_going or not self.COMMANDS_OUTLIVE_INIT:
            self.commands.close()
        super().delete_device()

    def run_command(self, name: str, run: Callable[[CommandHandle], None]) -> Reply:
        """Begin a long-running command.

        :param name: name of the Tango command
        :param run: carries it out, or has it carried out, and reports its end to the handle; it must not
            wait. An exception fails the command.
        :returns: what the Tango command is to answer
        """
        try:
            handle = self.commands.begin(name, self.command_ids.new(name))
        except TooManyCommandsError as error:
            return refused(str(error))
        handle.queued()
        if handle.started():
            try:
                run(handle)
            except Exception as error:
                LOGGER.exception("%s failed", name)
                handle.failed(error)
        return accepted(handle)

    longRunningCommandsInQueue = _spectrum(
        LrcAttribute.NAMES_IN_QUEUE,
        MAX_LEGACY,
        "Commands in queue",
        "Names of the commands that wait or execute, or ended within the last 10 s.",
    )
    longRunningCommandIDsInQueue = _spectrum(
        LrcAttribute.IDS_IN_QUEUE,
        MAX_LEGACY,
        "Command IDs in queue",
        "IDs of the commands that wait or execute, or ended within the last 10 s.",
    )
    longRunningCommandStatus = _spectrum(
        LrcAttribute.STATUS,
        2 * MAX_LEGACY,
        "Command status",
        "ID and status of each command that waits or executes, or ended within the last 10 s: "
        "id, IN_PROGRESS, id, ...",
    )
    longRunningCommandInProgress = _spectrum(
        LrcAttribute.IN_PROGRESS,
        MAX_ACTIVE,
        "Commands in progress",
        "Names of the commands that execute.",
    )
    longRunningCommandProgress = _spectrum(
        LrcAttribute.PROGRESS,
        2 * MAX_LEGACY,
        "Command progress",
        "ID and progress, in percent, of each command that tells its progress: id, 33, id, ...",
    )
    longRunningCommandResult = _spectrum(
        LrcAttribute.RESULT,
        2,
        "Command result",
        'ID and result of the command that ended last: id, [0, "message"].',
    )
    lrcQueue = _spectrum(
        LrcAttribute.QUEUE,
        MAX_QUEUED,
        "Queued commands",
        "The commands that wait, oldest first, one JSON text each: uid, name, submitted_time.",
    )
    lrcExecuting = _spectrum(
        LrcAttribute.EXECUTING,
        MAX_ACTIVE,
        "Executing commands",
        "The commands that execute, oldest first, one JSON text each: uid, name, submitted_time, "
        "started_time and, where there is one, progress.",
    )
    lrcFinished = _spectrum(
        LrcAttribute.FINISHED,
        MAX_FINISHED,
        "Finished commands",
        "The commands that ended, newest last, one JSON text each: uid, name, submitted_time, started_time, "
        "finished_time, status, result.",
    )
    lrcEvent = _spectrum(
        LrcAttribute.EVENT,
        2,
        "Command event",
        "Only its change events matter, it reads as empty. Each holds the ID of a command and, as JSON, "
        'what has changed of it: status (a number), progress, result: id, {"status": 5, "result": [0, ""]}.',
    )

    @attribute(dtype=("DevLong64",), max_dim_x=2, label="Protocol versions", display_level=DispLevel.EXPERT)
    def lrcProtocolVersions(self) -> tuple[int, int]:
        """Lowest and highest version of the long-running-command protocol that the device speaks."""
        return _PROTOCOL_VERSIONS

    @command(
        dtype_in="DevString",
        doc_in="ID of a long-running command, e.g. 1636437568.0723004_7_Start",
        dtype_out="DevString",
        doc_out="Name of its status: STAGING, QUEUED, IN_PROGRESS, ABORTED, NOT_FOUND, COMPLETED, "
        "REJECTED or FAILED",
        display_level=DispLevel.EXPERT,
    )
    def CheckLongRunningCommandStatus(self, argin: str) -> str:
        """Tell where a long-running command is on its way."""
        return self.commands.status(argin).name

    @command(dtype_out="DevVarLongStringArray", doc_out=_ABORT_DOC)
    def Abort(self) -> Reply:
        """End all commands that wait or execute."""
        return self._abort("Abort")

    @command(
        dtype_out="DevVarLongStringArray",
        doc_out=_ABORT_DOC + ". Deprecated: use Abort",
        display_level=DispLevel.EXPERT,
    )
    def AbortCommands(self) -> Reply:
        """End all commands that wait or execute. Deprecated: use Abort."""
        return self._abort("AbortCommands")

    def _abort(self, name: str) -> Reply:
        try:
            handle = self.commands.abort_all(self.command_ids.new(name), name)
        except TooManyCommandsError as error:
            return refused(str(error))
        return accepted(handle, ResultCode.STARTED)
