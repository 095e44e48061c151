"""The attributes that show long-running commands, and how their values follow from the commands.

Source: the published documentation of ska-tango-base 1.2 to 1.6, protocol versions 1 and 2.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
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
    entry in lrcFinished has had every other event.
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


def attribute_values(commands: Commands) -> dict[LrcAttribute, Spectrum]:
    """Return what the attributes read as. `LrcAttribute.EVENT` is not among them: it has no value.

    :param commands: what is to be shown
    """
    known = commands.known
    queued = [record.entry for record in commands.active if record.status is TaskStatus.QUEUED]
    executing = [record for record in commands.active if record.status is TaskStatus.IN_PROGRESS]
    # By lists: this is done for every step of every command, and tuples of generators take twice as long.
    return {
        LrcAttribute.RESULT: _result_of(commands.last_result),
        LrcAttribute.PROGRESS: _flat(
            [(record.id, str(record.progress)) for record in known if record.progress is not None]
        ),
        LrcAttribute.NAMES_IN_QUEUE: tuple([record.name for record in known]),
        LrcAttribute.IDS_IN_QUEUE: tuple([record.id for record in known]),
        LrcAttribute.STATUS: _flat([record.id_and_status for record in known]),
        LrcAttribute.IN_PROGRESS: tuple([record.name for record in executing]),
        LrcAttribute.QUEUE: tuple(queued),
        LrcAttribute.EXECUTING: tuple([record.entry for record in executing]),
        LrcAttribute.FINISHED: tuple([record.entry for record in commands.finished]),
    }


def _result_of(record: CommandRecord | None) -> Spectrum:
    return ("", "") if record is None or record.result is None else (record.id, record.result.text)


def _flat(pairs: Iterable[tuple[str, str]]) -> Spectrum:
    """Return pairs as the flat list that a Tango spectrum is."""
    return tuple(chain.from_iterable(pairs))
