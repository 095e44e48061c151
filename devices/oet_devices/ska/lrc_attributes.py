"""Attributes that show long-running commands, and the computation of their values.

Source: the published documentation of ska-tango-base 1.2 to 1.6, protocol versions 1 and 2.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import chain

from .command_record import CommandRecord
from .enums import TaskStatus

MAX_QUEUED = 32
"""Commands that may wait at a time."""
MAX_ACTIVE = 128
"""Commands that may wait or execute at a time, those that abort others included."""
MAX_FINISHED = 100
"""Ended commands in lrcFinished."""
MAX_RECENT = 128
"""Ended commands in the attributes of protocol version 1; the oldest leave early if there are more."""
MAX_LEGACY = MAX_ACTIVE + MAX_RECENT
"""Commands in the attributes of protocol version 1."""

Spectrum = tuple[str, ...]


class LrcAttribute(StrEnum):
    """Attributes that show long-running commands, **in the order in which one change is announced**.

    A client that waits for the status COMPLETED has the result by then, and one that waits for an
    entry in lrcFinished has received every other event.
    """

    RESULT = "longRunningCommandResult"
    PROGRESS = "longRunningCommandProgress"
    NAMES_IN_QUEUE = "longRunningCommandsInQueue"
    IDS_IN_QUEUE = "longRunningCommandIDsInQueue"
    STATUS = "longRunningCommandStatus"
    IN_PROGRESS = "longRunningCommandInProgress"
    EVENT = "_lrcEvent"
    QUEUE = "lrcQueue"
    EXECUTING = "lrcExecuting"
    FINISHED = "lrcFinished"


@dataclass(frozen=True)
class Commands:
    """All commands that some attribute shows.

    :param known: those that wait or execute, and those that ended a short time ago; oldest first
    :param active: those that wait or execute, oldest first
    :param finished: those that ended, oldest first
    :param last_result: the command that gave a result last
    """

    known: Collection[CommandRecord]
    active: Collection[CommandRecord]
    finished: Sequence[CommandRecord]
    last_result: CommandRecord | None


def _result(commands: Commands) -> Spectrum:
    last = commands.last_result
    return ("", "") if last is None or last.result is None else (last.id, last.result.text)


def _progress(commands: Commands) -> Spectrum:
    return _flat(
        [(record.id, str(record.progress)) for record in commands.known if record.progress is not None]
    )


def _entries(commands: Commands, status: TaskStatus) -> Spectrum:
    return tuple([record.entry for record in commands.active if record.status is status])


# By lists: this is done for many steps of each command, and tuples of generators take twice as long.
_VALUES: Mapping[LrcAttribute, Callable[[Commands], Spectrum]] = {
    LrcAttribute.RESULT: _result,
    LrcAttribute.PROGRESS: _progress,
    LrcAttribute.NAMES_IN_QUEUE: lambda shown: tuple([record.name for record in shown.known]),
    LrcAttribute.IDS_IN_QUEUE: lambda shown: tuple([record.id for record in shown.known]),
    LrcAttribute.STATUS: lambda shown: _flat([record.id_and_status for record in shown.known]),
    LrcAttribute.IN_PROGRESS: lambda shown: tuple(
        [record.name for record in shown.active if record.status is TaskStatus.IN_PROGRESS]
    ),
    LrcAttribute.QUEUE: lambda shown: _entries(shown, TaskStatus.QUEUED),
    LrcAttribute.EXECUTING: lambda shown: _entries(shown, TaskStatus.IN_PROGRESS),
    LrcAttribute.FINISHED: lambda shown: tuple([record.entry for record in shown.finished]),
}


class LrcStep(Enum):
    """Steps of long-running commands. The value: the attributes that a step may change, in order."""

    BEGIN = (
        LrcAttribute.NAMES_IN_QUEUE,
        LrcAttribute.IDS_IN_QUEUE,
        LrcAttribute.STATUS,
        LrcAttribute.EVENT,
    )
    """A command is announced, as STAGING."""
    ADVANCE = (
        LrcAttribute.STATUS,
        LrcAttribute.IN_PROGRESS,
        LrcAttribute.EVENT,
        LrcAttribute.QUEUE,
        LrcAttribute.EXECUTING,
    )
    """A command has another status and has not ended."""
    PROGRESS = (LrcAttribute.PROGRESS, LrcAttribute.EVENT, LrcAttribute.EXECUTING)
    """A command has reported its progress."""
    END = tuple(LrcAttribute)
    """A command has ended; the oldest may leave for that."""
    EXPIRY = (
        LrcAttribute.PROGRESS,
        LrcAttribute.NAMES_IN_QUEUE,
        LrcAttribute.IDS_IN_QUEUE,
        LrcAttribute.STATUS,
    )
    """Commands have left the attributes of protocol version 1."""


def attribute_value(attribute: LrcAttribute, commands: Commands) -> Spectrum:
    """Return the value of an attribute. It must not be `LrcAttribute.EVENT`: that has no value.

    :param attribute: the attribute
    :param commands: the commands
    """
    return _VALUES[attribute](commands)


def attribute_values(commands: Commands) -> dict[LrcAttribute, Spectrum]:
    """Return the values of the attributes. `LrcAttribute.EVENT` is not among them.

    :param commands: the commands
    """
    return {attribute: value(commands) for attribute, value in _VALUES.items()}


def _flat(pairs: Iterable[tuple[str, str]]) -> Spectrum:
    """Return pairs as the flat list that a Tango spectrum is."""
    return tuple(chain.from_iterable(pairs))
