"""Attributes and commands of an OETController for the observing queue."""

from typing import Protocol

from tango.server import attribute, command

from oet_devices.ska.request_log import request

from .observing_queue import ObservingQueue, QueueStateLabel

_ENTRIES = 'JSON: {"entries": [entry, ...]}, '
_POSITION = '"position": "back", "front", {"before": ID} or {"after": ID}'


class WithQueue(Protocol):
    """A device that has a queue.

    :ivar queue_commands: carries out the commands
    """

    queue_commands: ObservingQueue


@attribute(dtype="DevString", label="Queue")
def queue(self: WithQueue) -> str:
    """The queue as JSON: {"state", "reason", "length", "entries", "next"}.

    Entries that have ended lately are the first, the next 200 follow in the order in which they are run, with
    estimates of duration, start and end. GetQueue returns those behind the entry "next".
    Changes that follow each other quickly may share an event.
    """
    return self.queue_commands.text()


@attribute(dtype=QueueStateLabel, label="Queue state")
def queueState(self: WithQueue) -> QueueStateLabel:
    """State of the queue: STOPPED, RUNNING, STOPPING while the last entry runs, PAUSED while its script is.

    Every change has its event, in order.
    """
    return self.queue_commands.state()


@attribute(dtype="DevLong", label="Queue length")
def queueLength(self: WithQueue) -> int:
    """How many entries of the queue have not ended.

    Changes that follow each other quickly may share an event.
    """
    return self.queue_commands.length()


@request(
    dtype_in="DevString",
    doc_in='JSON: {"after": ID, "limit": n}, each of them optional',
    dtype_out="DevString",
    doc_out='JSON: {"state", "reason", "length", "entries": [entry, ...], "next": ID}; '
    'read on with "after" = "next" until that is null',
)
def GetQueue(self: WithQueue, argin: str) -> str:
    """Return a part of the queue, e.g. the entries that the attribute queue leaves out."""
    return self.queue_commands.page(argin)


@command(
    dtype_in="DevLong64",
    doc_in="ID of an entry",
    dtype_out="DevString",
    doc_out="The entry as JSON: request, state, states with their times, procedure, activity",
)
def DescribeQueueEntry(self: WithQueue, argin: int) -> str:
    """Describe an entry of the queue, also one that is no longer listed."""
    return self.queue_commands.describe(argin)


@request(
    dtype_in="DevString",
    doc_in='JSON: {"procedure": {…}} as for Create, or {"activity": {…}} as for RunActivity, and '
    f'optionally {_POSITION}, "not_before": "2026-11-26T21:00:00Z", "window": seconds, "repeat": times, '
    '"prepare": "early", "init" or "late", "note": "text"; '
    'or {"entries": [{…}, …], "position": …}, which adds all or none',
    dtype_out="DevString",
    doc_out=f"{_ENTRIES}the new ones",
)
def QueueAdd(self: WithQueue, argin: str) -> str:
    """Add entries to the queue, once they are checked as far as that is possible without running them."""
    return self.queue_commands.add(argin)


@request(
    dtype_in="DevString",
    doc_in=f'JSON: {{"id": ID, {_POSITION}}}',
    dtype_out="DevString",
    doc_out=f"{_ENTRIES}the one that was moved",
)
def QueueMove(self: WithQueue, argin: str) -> str:
    """Move an entry that has not begun."""
    return self.queue_commands.move(argin)


@request(
    dtype_in="DevString",
    doc_in='JSON: {"id": ID, …} with what is to be changed: "procedure" or "activity", "not_before", '
    '"window", "repeat", "prepare", "note"',
    dtype_out="DevString",
    doc_out=f"{_ENTRIES}the one that was changed",
)
def QueueUpdate(self: WithQueue, argin: str) -> str:
    """Change what an entry that has not begun is to run, or when."""
    return self.queue_commands.update(argin)


@request(
    dtype_in="DevString",
    doc_in='JSON: {"id": ID}',
    dtype_out="DevString",
    doc_out=f"{_ENTRIES}the one that was removed",
)
def QueueRemove(self: WithQueue, argin: str) -> str:
    """Remove an entry that has not begun."""
    return self.queue_commands.remove(argin)


@request(
    dtype_in="DevString",
    doc_in="Nothing, or {}",
    dtype_out="DevString",
    doc_out=f"{_ENTRIES}those that were removed",
)
def QueueClear(self: WithQueue, argin: str) -> str:
    """Remove all entries that have not begun."""
    return self.queue_commands.clear(argin)


@request(
    dtype_in="DevString",
    doc_in="Nothing, or {}",
    dtype_out="DevString",
    doc_out='JSON: {"state", "reason"} of the queue',
)
def QueueStart(self: WithQueue, argin: str) -> str:
    """Run the entries of the queue, one after the other, while the controller may be used."""
    return self.queue_commands.start(argin)


@request(
    dtype_in="DevString",
    doc_in='Nothing to let the current entry end, or {"now": true} to stop it',
    dtype_out="DevString",
    doc_out='JSON: {"state", "reason"} of the queue',
)
def QueueStop(self: WithQueue, argin: str) -> str:
    """Begin no further entry of the queue."""
    return self.queue_commands.stop(argin)
