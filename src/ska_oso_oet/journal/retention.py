"""Retention: how many entries are kept, and how often old ones are dropped."""

from dataclasses import dataclass
from typing import Final

# Small enough that an append is not delayed noticeably when it has to wait for one step.
EVENTS_AT_ONCE: Final = 500
LARGE_EVENTS_AT_ONCE: Final = 10
DOCUMENTS_AT_ONCE: Final = 100
_BYTES_BETWEEN_ROUNDS: Final = 2**20

# Limits the space if scripts publish pictures: an event usually takes some hundred bytes, at most a megabyte.
_BYTES_FOR_AN_EVENT: Final = 10 * 2**10
_LEAST_BYTES: Final = 256 * 2**20
_LEAST_EVENTS: Final = 100


@dataclass(frozen=True)
class Retention:
    """Limits of what is kept.

    :ivar events: how many of the newest events
    :ivar documents: how many of the newest ended documents of each kind; live ones are always kept
    """

    events: int
    documents: int

    def __post_init__(self) -> None:
        # With none at all, numbers and states of the recent past would be lost at every restart.
        if self.events < 1 or self.documents < 1:
            raise ValueError("a journal keeps at least one event, and one document of each kind")

    @property
    def bytes(self) -> int:
        """Space that the entries may take; beyond it the oldest events are dropped however few there are."""
        return max(_LEAST_BYTES, self.events * _BYTES_FOR_AN_EVENT)

    @property
    def least_events(self) -> int:
        """How many of the newest events are kept however large they are."""
        return min(_LEAST_EVENTS, self.events)

    def is_due(self, events: int, documents: int, characters: int) -> bool:
        """Whether so much was appended since the last clean-up that there should be another one."""
        return (
            events >= min(1000, max(1, self.events // 10))
            or documents >= min(100, max(1, self.documents // 10))
            or characters >= _BYTES_BETWEEN_ROUNDS
        )
