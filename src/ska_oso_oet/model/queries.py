"""Arguments of the commands that start, stop and look; and what looking returns."""

from pydantic import Field

from .base import Model, ScriptArgs


class StartRequest(Model):
    """Request to run ``main`` of a prepared procedure."""

    pid: int | None = Field(default=None, ge=1, description="procedure ID; without it, the last one created")
    script_args: ScriptArgs = Field(default_factory=dict)


class StopRequest(Model):
    """Request to stop a procedure."""

    pid: int | None = Field(default=None, ge=1, description="procedure ID; without it, the running one")
    abort: bool = Field(default=False, description="run the abort script once the procedure has stopped")


class EventQuery(Model):
    """Which events to return, oldest first."""

    after: int = Field(default=0, ge=0, description="return events with a greater number than this")
    limit: int = Field(default=1000, ge=1, le=10_000, description="how many at the most")
    topic: str = Field(default="", description="only topics that begin with this")


class OutputQuery(Model):
    """Which lines of a script's output to return."""

    pid: int | None = Field(default=None, ge=1, description="procedure ID; without it, the last one created")
    after: int = Field(default=0, ge=0, description="skip this many lines from the beginning")
    limit: int = Field(default=1000, ge=1, le=10_000, description="how many at the most")


class Output(Model):
    """Lines of a script's output."""

    lines: list[str] = Field(default_factory=list)
    next: int = Field(description="give this as 'after' to read on")
    dropped: int = Field(default=0, description="lines asked for that are no longer on disk")
