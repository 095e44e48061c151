"""JSON models of this service that differ from those of the device."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.requests import Request

from ska_oso_oet.model import ActivitySummary, Model, ProcedureState, ProcedureSummary, ScriptArgs

from .addresses import activity_uri, procedure_uri


class ProcedureReply(BaseModel):
    """A procedure."""

    procedure: ProcedureSummary


class ProcedureList(BaseModel):
    """All procedures that are live, and the newest that have ended; or the requested ones."""

    procedures: list[ProcedureSummary]
    next: int | None = Field(
        default=None,
        description="only where procedures were asked for: 'before' to read on, null if there are no more",
    )


class ActivityReply(BaseModel):
    """An activity."""

    activity: ActivitySummary


class ActivityList(BaseModel):
    """All activities that are live, and the newest that have ended."""

    activities: list[ActivitySummary]


class RerunBody(Model):
    """Changed arguments for preparing the script of a procedure again."""

    script_args: ScriptArgs = Field(
        default_factory=dict,
        description="arguments to replace: those by name one by one, those by position all together",
    )


class ProcedureUpdate(Model):
    """Requested state of a procedure. A whole summary, as read before, can be sent back changed.

    Other states than RUNNING, PAUSED and STOPPED, and no state, change nothing.
    """

    state: ProcedureState | None = Field(
        default=None,
        description="RUNNING to start the procedure or to let it continue, PAUSED to pause it at its next "
        "checkpoint, STOPPED to stop it",
    )
    script_args: ScriptArgs = Field(
        default_factory=dict, description="arguments of main ('run' is a synonym), when it is started"
    )
    abort: bool = Field(default=False, description="run the abort script once the procedure has stopped")
    at: Literal["checkpoint"] | None = Field(
        default=None,
        description="with STOPPED: 'checkpoint' to let the procedure continue to its next checkpoint; the "
        "answer does not wait for that",
    )
    # The rest of a summary, which cannot be changed.
    id: Any = Field(default=None, description="ignored")
    uri: Any = Field(default=None, description="ignored")
    script: Any = Field(default=None, description="ignored")
    history: Any = Field(default=None, description="ignored")
    created: Any = Field(default=None, description="ignored")
    command_id: Any = Field(default=None, description="ignored")
    subarray_id: Any = Field(default=None, description="ignored")
    requested_by: Any = Field(default=None, description="ignored")
    started_by: Any = Field(default=None, description="ignored")
    stopped_by: Any = Field(default=None, description="ignored")
    queue_entry: Any = Field(default=None, description="ignored")
    checkpoint: Any = Field(default=None, description="ignored")
    at_checkpoint: Any = Field(default=None, description="ignored")
    result: Any = Field(default=None, description="ignored")
    result_omitted: Any = Field(default=None, description="ignored")
    files: Any = Field(default=None, description="ignored")
    files_omitted: Any = Field(default=None, description="ignored")
    script_sha256: Any = Field(default=None, description="ignored")
    commit: Any = Field(default=None, description="ignored")
    environment: Any = Field(default=None, description="ignored")
    truncated: Any = Field(default=None, description="ignored")


def procedure_json(procedure: ProcedureSummary, request: Request) -> dict[str, Any]:
    """Return a procedure as clients of this service see it.

    :param procedure: the procedure
    :param request: the request that is answered, which has this service's address
    """
    shown = procedure.model_dump(mode="json")
    # Clients of the OET 5.2.0 check for the key git_args, not for its value.
    shown["script"] = {key: value for key, value in shown["script"].items() if value is not None}
    return shown | {"uri": procedure_uri(request, procedure.id)}


def activity_json(activity: ActivitySummary, request: Request) -> dict[str, Any]:
    """Return an activity as clients of this service see it.

    :param activity: the activity
    :param request: the request that is answered, which has this service's address
    """
    return activity.model_dump(mode="json") | {"uri": activity_uri(request, activity.id)}
