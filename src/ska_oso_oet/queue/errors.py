"""Exceptions for refused changes of the queue."""

from ska_oso_oet.model import OetError, QueueEntry


class QueueEntryNotFoundError(OetError, LookupError):
    """The entry is not in the queue.

    :param entry_id: the ID that was asked for
    :param ended: the entry, if it has ended and is still known
    :ivar entry_id: the ID
    """

    def __init__(self, entry_id: int, ended: QueueEntry | None = None) -> None:
        self.entry_id = entry_id
        known = "is not in the queue" if ended is None else f"has ended ({ended.state})"
        super().__init__(f"entry {entry_id} {known}: see the attribute 'queue' for those that are there")


class QueueEntryBegunError(OetError, ValueError):
    """The entry has begun, and cannot be changed.

    :param entry: the entry
    """

    def __init__(self, entry: QueueEntry) -> None:
        super().__init__(
            f"entry {entry.id} has begun ({entry.state}) and cannot be changed: only entries that are "
            'WAITING can; to stop it, send QueueStop with "now": true'
        )
