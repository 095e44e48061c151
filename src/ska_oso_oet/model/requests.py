"""Arguments of the commands that start, stop and read, and the answers to reads."""

from typing import Literal

from pydantic import Field, StrictBool, StrictInt

from .base import Model, ScriptArgs
from .requester import RequestedBy

_MAX_NUMBER = (1 << 63) - 1
"""Greatest number that databases keep."""


class StartRequest(Model):
    """Request to run ``main`` of a prepared procedure."""

    pid: StrictInt | None = Field(
        default=None,
        ge=1,
        le=_MAX_NUMBER,
        description="procedure ID; without it, the last one created",
    )
    script_args: ScriptArgs = Field(default_factory=dict)
    requested_by: RequestedBy = None


class StopRequest(Model):
    """Request to stop a procedure."""

    pid: StrictInt | None = Field(
        default=None, ge=1, le=_MAX_NUMBER, description="procedure ID; without it, the running one"
    )
    abort: StrictBool = Field(default=False, description="run the abort script once it has stopped")
    at: Literal["checkpoint"] | None = Field(
        default=None,
        description="'checkpoint' to let the script continue to its next checkpoint; null for at once",
    )
    requested_by: RequestedBy = None


class StopReply(Model):
    """Result of a request to stop a procedure (the answer to ``PUT /procedures/{id}``)."""

    abort_message: str = Field(
        description="what happened, for people", examples=["Successfully stopped script with ID 2"]
    )
    stopped: bool = Field(description="whether the procedure was stopped; false if it had ended already")
    aborted: bool | None = Field(
        description="whether the abort script completed; null if 'abort' was not asked for"
    )
    aborted_subarray: int | None = Field(
        default=None, description="subarray that Abort was sent to; null if it was not sent"
    )


EVENTS_IN_ANSWER = 16 << 20
"""Characters after which an answer with events ends, although there are more and more were requested."""


class EventQuery(Model):
    """Query for events, oldest first."""

    after: StrictInt = Field(
        default=0, ge=0, le=_MAX_NUMBER, description="return events with a greater number than this"
    )
    limit: StrictInt = Field(default=1000, ge=1, le=10_000, description="how many at most")
    topic: str = Field(default="", description="only topics that begin with this")


class OutputQuery(Model):
    """Query for lines of a script's output."""

    pid: StrictInt | None = Field(
        default=None,
        ge=1,
        le=_MAX_NUMBER,
        description="procedure ID; without it, the last one created",
    )
    after: StrictInt = Field(default=0, ge=0, description="skip this many lines from the beginning")
    limit: StrictInt = Field(default=1000, ge=1, le=10_000, description="how many at most")


class Output(Model):
    """Lines of a script's output."""

    lines: list[str] = Field(default_factory=list)
    next: int = Field(description="give this as 'after' to read on")
    dropped: int = Field(default=0, description="lines asked for that are no longer on disk")
    ended: bool = Field(
        default=False, description="whether the procedure has ended, and there are no lines after these"
    )
