"""Figures of a controller, for monitoring."""

from bisect import bisect_left
from collections.abc import Sequence

from pydantic import Field

from .base import Model

DURATION_BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3600.0, 10800.0)
"""Upper bounds of the classes of durations, in seconds."""


class Distribution(Model):
    """Distribution of durations since the server was started."""

    counts: list[int] = Field(
        default_factory=lambda: [0] * (len(DURATION_BOUNDS) + 1),
        description="how many were in each class; those above the greatest bound are the last",
    )
    sum: float = Field(default=0.0, description="of all of them, in seconds")

    @property
    def cumulative(self) -> Sequence[tuple[str, float]]:
        """Upper bound of each class as text, and how many durations were not above it."""
        total, found = 0, []
        for bound, count in zip((*map(repr, DURATION_BOUNDS), "+Inf"), self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class DurationCounter:
    """Counts durations, for a `Distribution` on request. Not safe for threads.

    :param seconds: the first durations
    """

    def __init__(self, *seconds: float) -> None:
        self._counts = [0] * (len(DURATION_BOUNDS) + 1)
        self._sum = 0.0
        for each in seconds:
            self.add(each)

    def add(self, seconds: float) -> None:
        """Count one more duration.

        :param seconds: the duration; a clock that was put back makes it negative, which counts as 0
        """
        seconds = max(0.0, seconds)
        self._counts[bisect_left(DURATION_BOUNDS, seconds)] += 1
        self._sum += seconds

    @property
    def distribution(self) -> Distribution:
        """Return the distribution of the durations."""
        return Distribution(counts=list(self._counts), sum=self._sum)


class ProcessFigures(Model):
    """Resources that some processes use."""

    processes: int = Field(description="how many there are")
    cpu_seconds: float = Field(description="processor time of those that live, in seconds")
    resident_bytes: int = Field(description="memory")
    open_files: int = Field(description="descriptors")
    threads: int


class ControllerFigures(Model):
    """Figures of a controller. Counts begin with 0 when its server is started."""

    device: str = Field(description="name of its Tango device")
    version: str = Field(description="version of its software")
    started: float = Field(description="when it was started, seconds since 1970 (UTC)")
    ended: dict[str, int] = Field(description="procedures that have ended, by their state")
    activities_ended: dict[str, int] = Field(description="activities that have ended, by their state")
    durations: dict[str, Distribution] = Field(
        description="of parts of a procedure's life: load, init, main, and ready from Create to READY"
    )
    environment_builds: dict[str, int] = Field(description="preparations of Python environments, by result")
    events: int = Field(description="events published")
    event_lag: Distribution = Field(description="from a change of a procedure's state to its events")
    requests: int = Field(description="requests that may change something")
    queue_ended: dict[str, int] = Field(description="entries of the queue that have ended, by their state")
    queue_length: int = Field(description="entries of the queue that have not ended")
    queue_wait: Distribution = Field(description="from when an entry was added, or may start, to its start")
    queue_state: str
    standby_workers: int
    procedures_ready: int
    procedures_live: int
    backlog: int = Field(description="entries that wait to be written to the journal")
    journal_bytes: int | None = Field(description="size of its file; null if it is in a database, or unknown")
    state_directory_free_bytes: int | None = Field(description="null if it is not known")
    server: ProcessFigures | None = Field(description="the device server; null if not known yet")
    workers: ProcessFigures | None = Field(description="the processes that it has started; null as above")
