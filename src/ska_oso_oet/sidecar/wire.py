"""The JSON of this service that is not that of the device."""

from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request

from ska_oso_oet.model import Activity, Model, Procedure, ProcedureState, ScriptArgs

from .addresses import activity_uri, procedure_uri


class ProcedureReply(BaseModel):
    """A procedure."""

    procedure: Procedure


class ProcedureList(BaseModel):
    """All procedures that are live, and the newest that have ended."""

    procedures: list[Procedure]


class ActivityReply(BaseModel):
    """An activity."""

    activity: Activity


class ActivityList(BaseModel):
    """All activities that are live, and the newest that have ended."""

    activities: list[Activity]


class AbortReply(BaseModel):
    """How a request to stop a procedure went."""

    abort_message: str = Field(examples=["Successfully stopped script with ID 2"])


class ProcedureUpdate(Model):
    """What is to become of a procedure. A whole summary, as read before, can be sent back changed.

    Other states than RUNNING and STOPPED, and no state, change nothing.
    """

    state: ProcedureState | None = Field(
        default=None, description="RUNNING to start the procedure, STOPPED to stop it"
    )
    script_args: ScriptArgs = Field(
        default_factory=dict, description="arguments of main ('run' is a synonym), when it is started"
    )
    abort: bool = Field(default=False, description="run the abort script once the procedure has stopped")
    # The rest of a summary, which nobody can change.
    id: Any = Field(default=None, description="ignored")
    uri: Any = Field(default=None, description="ignored")
    script: Any = Field(default=None, description="ignored")
    history: Any = Field(default=None, description="ignored")
    created: Any = Field(default=None, description="ignored")
    command_id: Any = Field(default=None, description="ignored")


def procedure_json(procedure: Procedure, request: Request) -> dict[str, Any]:
    """Return a procedure as clients of this service see it.

    :param procedure: the procedure
    :param request: the request that is answered, which tells this service's address
    """
    shown = procedure.model_dump(mode="json")
    # Clients of the OET 5.2.0 look for the key git_args, not at its value.
    shown["script"] = {key: value for key, value in shown["script"].items() if value is not None}
    return shown | {"uri": procedure_uri(request, procedure.id)}


def activity_json(activity: Activity, request: Request) -> dict[str, Any]:
    """Return an activity as clients of this service see it.

    :param activity: the activity
    :param request: the request that is answered, which tells this service's address
    """
    return activity.model_dump(mode="json") | {"uri": activity_uri(request, activity.id)}
