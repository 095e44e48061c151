"""Declarations of the attributes that show long-running commands."""

from typing import Any, NamedTuple

from tango import DispLevel
from tango.server import attribute

from .long_running_commands import LongRunningCommands
from .lrc_attributes import MAX_ACTIVE, MAX_FINISHED, MAX_LEGACY, MAX_QUEUED, LrcAttribute, Spectrum

_FOR_OPERATORS = frozenset({LrcAttribute.QUEUE, LrcAttribute.EXECUTING, LrcAttribute.FINISHED})
"""Attributes for people; the other attributes of the protocol are for programs."""


class _Declaration(NamedTuple):
    """Size, label and description of a spectrum of texts."""

    size: int
    label: str
    doc: str


_DECLARATIONS = {
    LrcAttribute.NAMES_IN_QUEUE: _Declaration(
        MAX_LEGACY,
        "Commands in queue",
        "Names of the commands that wait or execute, or ended within the last 10 s.",
    ),
    LrcAttribute.IDS_IN_QUEUE: _Declaration(
        MAX_LEGACY,
        "Command IDs in queue",
        "IDs of the commands that wait or execute, or ended within the last 10 s.",
    ),
    LrcAttribute.STATUS: _Declaration(
        2 * MAX_LEGACY,
        "Command status",
        "ID and status of each command that waits or executes, or ended within the last 10 s: "
        "id, IN_PROGRESS, id, ...",
    ),
    LrcAttribute.IN_PROGRESS: _Declaration(
        MAX_ACTIVE, "Commands in progress", "Names of the commands that execute."
    ),
    LrcAttribute.PROGRESS: _Declaration(
        2 * MAX_LEGACY,
        "Command progress",
        "ID and progress, in percent, of each command that reports its progress: id, 33, id, ...",
    ),
    LrcAttribute.RESULT: _Declaration(
        2, "Command result", 'ID and result of the command that ended last: id, [0, "message"].'
    ),
    LrcAttribute.QUEUE: _Declaration(
        MAX_QUEUED,
        "Queued commands",
        "The commands that wait, oldest first, one JSON text each: uid, name, submitted_time.",
    ),
    LrcAttribute.EXECUTING: _Declaration(
        MAX_ACTIVE,
        "Executing commands",
        "The commands that execute, oldest first, one JSON text each: uid, name, submitted_time, "
        "started_time and, where there is one, progress.",
    ),
    LrcAttribute.FINISHED: _Declaration(
        MAX_FINISHED,
        "Finished commands",
        "The commands that ended, newest last, one JSON text each: uid, name, submitted_time, started_time, "
        "finished_time, status, result.",
    ),
    LrcAttribute.EVENT: _Declaration(
        2,
        "Command event",
        "Use its change events: a read returns an empty value. Each event contains the ID of a command and, "
        "as JSON, "
        'what has changed of it: status (a number), progress, result: id, {"status": 5, "result": [0, ""]}.',
    ),
}


def lrc_attribute(shown: LrcAttribute) -> attribute:
    """Return an attribute that shows long-running commands of a device's ``commands``."""

    def read(device: Any) -> Spectrum:
        commands: LongRunningCommands = device.commands
        return commands.tracker.value(shown)

    declaration = _DECLARATIONS[shown]
    return attribute(
        fget=read,
        name=str(shown),
        dtype=("DevString",),
        max_dim_x=declaration.size,
        label=declaration.label,
        doc=declaration.doc,
        display_level=DispLevel.OPERATOR if shown in _FOR_OPERATORS else DispLevel.EXPERT,
    )
