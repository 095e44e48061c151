"""Queries for procedures, ended ones included, and requests to run one of them again."""

from pydantic import Field, FiniteFloat, StrictInt

from .base import Model
from .procedures import ProcedureSummary
from .requests import StartRequest
from .states import ProcedureState

_MAX_NUMBER = (1 << 63) - 1


class HistoryQuery(Model):
    """Query for procedures among all that are kept, newest first."""

    state: list[ProcedureState] = Field(default_factory=list, description="only those in one of these states")
    script: str = Field(default="", description="only those whose script's URI contains this")
    text: str = Field(
        default="", description="only those whose summary contains this: arguments, result, stack trace, …"
    )
    since: FiniteFloat | None = Field(
        default=None, description="only those created at this time or later, seconds since 1970 (UTC)"
    )
    until: FiniteFloat | None = Field(
        default=None, description="only those created at this time or earlier, seconds since 1970 (UTC)"
    )
    before: StrictInt | None = Field(
        default=None, ge=1, le=_MAX_NUMBER, description="only those with a smaller ID than this"
    )
    limit: StrictInt = Field(default=20, ge=1, le=100, description="how many at most")


class ProcedurePage(Model):
    """Procedures, newest first."""

    procedures: list[ProcedureSummary]
    next: int | None = Field(
        default=None, description="give this as 'before' to read on; null if there are no more"
    )


class RerunRequest(StartRequest):
    """Request to prepare the script of a procedure again, with its arguments.

    ``script_args`` replace arguments: those by name one by one, those by position all together.
    """
