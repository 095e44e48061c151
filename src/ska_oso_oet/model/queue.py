"""The observing queue: requests to change it, and its entries as every client sees them."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator

from .activities import ActivityRequest
from .base import Model
from .procedures import ProcedureRequest
from .requester import AnyRequester, RequestedBy
from .scripts import SummaryScript, without_text

MAX_BATCH = 10_000
"""How many entries one request may add."""

_MAX_NUMBER = (1 << 63) - 1


class QueueState(StrEnum):
    """State of the queue. The order is that of the device's DevEnum labels."""

    STOPPED = "STOPPED"
    """No entry is begun."""
    RUNNING = "RUNNING"
    """Entries are run one after the other, in their order."""
    STOPPING = "STOPPING"
    """STOPPED as soon as the entry that runs has ended."""
    PAUSED = "PAUSED"
    """RUNNING, and the script of the entry that runs is PAUSED."""

    @property
    def is_going(self) -> bool:
        """Whether entries are begun as soon as those before them have ended."""
        return self in (QueueState.RUNNING, QueueState.PAUSED)


class QueueEntryState(StrEnum):
    """State of an entry of the queue."""

    WAITING = "WAITING"
    """It has not begun, and can be changed."""
    PREPARING = "PREPARING"
    """Its script is being prepared."""
    READY = "READY"
    """Its script is READY."""
    RUNNING = "RUNNING"
    """Its script runs ``main``."""
    DONE = "DONE"
    """``main`` returned."""
    FAILED = "FAILED"
    """It could not be prepared or started, or its script failed."""
    STOPPED = "STOPPED"
    """Its script was stopped by request."""
    SKIPPED = "SKIPPED"
    """Its turn came later than it may start."""
    UNKNOWN = "UNKNOWN"
    """The server ended after the entry had begun."""
    REMOVED = "REMOVED"
    """It was removed before it began."""

    @property
    def is_final(self) -> bool:
        """Whether an entry in this state can no longer change."""
        return self not in _LIVE

    @property
    def is_begun(self) -> bool:
        """Whether an entry in this state is being prepared or runs."""
        return self in _BEGUN


_BEGUN = frozenset({QueueEntryState.PREPARING, QueueEntryState.READY, QueueEntryState.RUNNING})
_LIVE = _BEGUN | {QueueEntryState.WAITING}


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is outside of the years 1 to 9999 in UTC") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
EntryId = Annotated[StrictInt, Field(ge=1, le=_MAX_NUMBER, description="ID of an entry")]
Window = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Prepare = Literal["early", "init", "late"]


class EntryProcedure(ProcedureRequest):
    """Script of an entry, or its reference in lists and events, and its arguments."""

    script: SummaryScript  # type: ignore[assignment]  # lists leave out the text of an embedded one


class EntryRequest(Model):
    """Request for an entry of the queue: what to run, and when."""

    procedure: EntryProcedure | None = Field(default=None, description="a script and its arguments")
    activity: ActivityRequest | None = Field(default=None, description="an activity of a Scheduling Block")
    not_before: Moment | None = Field(
        default=None, description="earliest start, ISO 8601; UTC where it names no time zone"
    )
    window: Window | None = Field(
        default=None,
        description="seconds after 'not_before', or after it was added, within which it may start; "
        "later it is SKIPPED",
    )
    note: str = Field(default="", max_length=1000, description="remark for people")
    repeat: StrictInt = Field(default=1, ge=1, le=1_000_000, description="how many times it is still to run")
    prepare: Prepare = Field(
        default="early",
        description="what is done while the entry before it runs: 'early' to build the environment and load "
        "the script, 'init' to call its init, too, 'late' for nothing",
    )

    @model_validator(mode="after")
    def _one_request(self) -> Self:
        if (self.procedure is None) == (self.activity is None):
            raise ValueError("give 'procedure' or 'activity', one of the two")
        if self.activity is not None and self.activity.prepare_only:
            raise ValueError("'prepare_only' is not possible here: the queue starts what it has prepared")
        return self


class Before(Model):
    """Position in front of an entry."""

    before: EntryId


class After(Model):
    """Position behind an entry."""

    after: EntryId


Position = Literal["back", "front"] | Before | After
"""Position of entries. ``front`` is in front of all that have not begun."""


class QueueAddRequest(Model):
    """Request to add entries, all or none: one, or several as ``entries``."""

    entries: list[EntryRequest] = Field(min_length=1, max_length=MAX_BATCH)
    position: Position = Field(default="back", description="where they are put, in their order")
    requested_by: RequestedBy = None

    @model_validator(mode="before")
    @classmethod
    def _accept_one(cls, value: Any) -> Any:
        """Accept the fields of a single entry in place of ``entries``."""
        if not isinstance(value, dict) or "entries" in value:
            return value
        own = {name: item for name, item in value.items() if name in ("position", "requested_by")}
        return {**own, "entries": [{name: item for name, item in value.items() if name not in own}]}


class QueueMoveRequest(Model):
    """Request to move an entry that has not begun."""

    id: EntryId
    position: Position
    requested_by: RequestedBy = None


class EntryChanges(Model):
    """Changes of an entry. Fields that are not given are unchanged."""

    procedure: EntryProcedure | None = None
    activity: ActivityRequest | None = None
    not_before: Moment | None = Field(default=None, description="earliest start; null for none")
    window: Window | None = Field(default=None, description="null for none")
    note: str = Field(default="", max_length=1000)
    repeat: StrictInt = Field(default=1, ge=1, le=1_000_000)
    prepare: Prepare = "early"

    def apply_to(self, request: EntryRequest) -> EntryRequest:
        """Return a request with the changes.

        :raises ValueError: if the result is not valid
        """
        names = self.model_fields_set & EntryRequest.model_fields.keys()
        changes = {name: getattr(self, name) for name in names}
        if changes.get("procedure") is not None and "activity" not in changes:
            changes["activity"] = None
        if changes.get("activity") is not None and "procedure" not in changes:
            changes["procedure"] = None
        kept = {name: getattr(request, name) for name in EntryRequest.model_fields}
        return EntryRequest.model_validate({**kept, **changes})


class QueueUpdateRequest(EntryChanges):
    """Request to change an entry that has not begun."""

    id: EntryId
    requested_by: RequestedBy = None


class QueueRemoveRequest(Model):
    """Request to remove an entry that has not begun."""

    id: EntryId
    requested_by: RequestedBy = None


class QueueClearRequest(Model):
    """Request to remove all entries that have not begun."""

    requested_by: RequestedBy = None


class QueueStartRequest(Model):
    """Request to run the entries of the queue."""

    requested_by: RequestedBy = None


class QueueStopRequest(Model):
    """Request to begin no further entry."""

    now: StrictBool = Field(default=False, description="stop the entry that runs, too")
    requested_by: RequestedBy = None


class QueueEntry(Model):
    """An entry of the queue at one moment."""

    id: int
    state: QueueEntryState = QueueEntryState.WAITING
    reason: str | None = Field(default=None, description="why it is in this state, or does not start yet")
    request: EntryRequest
    added: float = Field(description="when it was added, seconds since 1970 (UTC)")
    added_by: AnyRequester | None = Field(default=None, description="who has added it")
    procedure_id: int | None = Field(
        default=None,
        description="procedure that runs its script; of one that is WAITING, that has loaded it already",
    )
    activity_id: int | None = Field(
        default=None, description="activity that it runs; of one that is WAITING, that is prepared already"
    )
    states: list[tuple[QueueEntryState, float]] = Field(
        default_factory=list, description="states and their times, seconds since 1970 (UTC)"
    )
    rank: float = Field(description="place in the order: entries with a smaller one run earlier")

    def entering(self, state: QueueEntryState, when: float, reason: str | None = None) -> "QueueEntry":
        """Return the entry in another state.

        :param state: the state
        :param when: time of that, seconds since 1970
        :param reason: why
        """
        states = [*self.states, (state, when)]
        return self.model_copy(update={"state": state, "reason": reason, "states": states})

    def runs_like(self, other: "QueueEntry") -> bool:
        """Return whether the same would be prepared in the same way for another entry."""
        mine, its = self.request, other.request
        return (mine.procedure, mine.activity, mine.prepare) == (its.procedure, its.activity, its.prepare)

    def unprepared(self) -> "QueueEntry":
        """Return the entry without a procedure and an activity."""
        if self.procedure_id is None and self.activity_id is None:
            return self
        return self.model_copy(update={"procedure_id": None, "activity_id": None})

    @property
    def deadline(self) -> float | None:
        """Time up to which it may start, seconds since 1970; None if there is no limit."""
        if self.request.window is None:
            return None
        return (self.not_before or self.added) + self.request.window

    @property
    def not_before(self) -> float | None:
        """Earliest start, seconds since 1970; None for any time."""
        return None if self.request.not_before is None else self.request.not_before.timestamp()

    def in_lists(self) -> "QueueEntry":
        """Return the entry for lists and events: without the text of an embedded script."""
        procedure = self.request.procedure
        if procedure is None or (script := without_text(procedure.script)) is procedure.script:
            return self
        listed = procedure.model_copy(update={"script": script})
        return self.model_copy(update={"request": self.request.model_copy(update={"procedure": listed})})


class QueueCondition(Model):
    """State of the queue, and why it is in it."""

    id: int = 1
    state: QueueState = QueueState.STOPPED
    reason: str | None = None


class QueueEntries(Model):
    """Entries that a request was about."""

    entries: list[QueueEntry]
