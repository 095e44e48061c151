"""The observing queue: entries that are run one after the other, in the order that users set."""

from .errors import QueueEntryBegunError, QueueEntryNotFoundError
from .ledger import CONDITION_KIND, ENTRY_KIND
from .service import QueueService, QueueSettings
from .view import QueueView

__all__ = [
    "CONDITION_KIND",
    "ENTRY_KIND",
    "QueueEntryBegunError",
    "QueueEntryNotFoundError",
    "QueueService",
    "QueueSettings",
    "QueueView",
]
