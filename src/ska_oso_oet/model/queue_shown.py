"""The observing queue as clients read it: page by page, with the expected times of its entries."""

from pydantic import Field, StrictInt

from .base import Model
from .queue import MAX_BATCH, EntryId, QueueEntry, QueueState

ENTRIES_SHOWN = 200
"""How many entries that have not ended the attribute ``queue`` shows, and a page unless it names a limit."""


class DurationSource(Model):
    """The earlier runs that an expected duration is the median of."""

    of: str = Field(description="what has run: a script, or an activity")
    runs: int = Field(description="how many runs, the newest that were COMPLETE")


class ShownEntry(QueueEntry):
    """An entry of the queue with its expected times, as estimated at the time of reading."""

    expected_duration: float | None = Field(
        default=None,
        description="seconds that init and main are expected to take, one time; null if nothing is known",
    )
    expected_from: DurationSource | None = Field(
        default=None, description="what that is known from; null if nothing is known"
    )
    estimated_start: float | None = Field(
        default=None,
        description="when it is expected to begin, seconds since 1970 (UTC); null if it has begun, if the "
        "queue does not run, or if nothing is known of an entry before it",
    )
    estimated_end: float | None = Field(
        default=None,
        description="when it is expected to end, with all repetitions; null if not known",
    )


class Queue(Model):
    """The queue: entries that have ended lately, then the others in the order in which they are run."""

    state: QueueState
    reason: str | None = Field(default=None, description="why it is in this state; null if that needs none")
    length: int = Field(default=0, description="how many entries have not ended, shown or not")
    entries: list[ShownEntry]
    next: int | None = Field(
        default=None, description="give this as 'after' to read on; null if there are no more"
    )


class QueueQuery(Model):
    """Query for entries of the queue."""

    after: EntryId | None = Field(
        default=None,
        description="the entry behind which to begin; without it, begin with those that have ended lately",
    )
    limit: StrictInt = Field(
        default=ENTRIES_SHOWN, ge=1, le=MAX_BATCH, description="how many that have not ended, at most"
    )
