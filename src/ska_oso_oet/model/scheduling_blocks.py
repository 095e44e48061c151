"""Searches for Scheduling Blocks in the ODA, and their results."""

from pydantic import Field, StrictInt

from .base import Model

ID_PART = r"^[A-Za-z0-9._-]*$"
"""Regular expression of what an ID can contain."""

MAX_FOUND = 200
"""How many Scheduling Blocks one search can find."""


class SchedulingBlockQuery(Model):
    """Query for Scheduling Blocks (the argument of ``FindSchedulingBlocks``)."""

    query: str = Field(
        default="",
        max_length=128,
        pattern=ID_PART,
        description="only those whose ID contains this, in upper or lower case",
    )
    limit: StrictInt = Field(default=50, ge=1, le=MAX_FOUND, description="how many at most")


class FoundSchedulingBlock(Model):
    """A Scheduling Block in the ODA, in its newest version."""

    sbd_id: str
    version: int = Field(description="its newest version")
    changed: float = Field(description="when that version was stored or changed, seconds since 1970 (UTC)")
    activities: list[str] = Field(default_factory=list, description="names of its activities, sorted")
    activities_omitted: int = Field(default=0, description="number of its activities that are left out here")
    defect: str | None = Field(
        default=None, description="why it cannot be run, and what to do; null if it can be read"
    )


class SchedulingBlockPage(Model):
    """Result of a search: at most 64 KiB of JSON."""

    sbds: list[FoundSchedulingBlock] = Field(description="those that changed last first")
    more: bool = Field(
        default=False, description="whether there are more: search for a longer part of the ID"
    )
    cannot_list: str | None = Field(
        default=None, description="why this ODA cannot list its Scheduling Blocks; null if it can"
    )
