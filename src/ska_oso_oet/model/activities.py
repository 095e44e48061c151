"""Requests to run activities of Scheduling Blocks, and their summaries."""

from typing import Self

from pydantic import Field, StrictBool, model_validator

from .base import FunctionArgs, Model, ScriptArgs
from .states import ActivityState


class ActivityRequest(Model):
    """Request to run an activity (``POST /activities``; the argument of ``RunActivity``)."""

    activity_name: str = Field(min_length=1, description="name of the activity in the Scheduling Block")
    sbd_id: str | None = Field(default=None, description="ID of the SBDefinition in the ODA")
    sbd_uri: str | None = Field(default=None, description="file:///…json or oda://sbd-id[/version]")
    script_args: ScriptArgs = Field(
        default_factory=dict, description="keyword arguments that override those of the Scheduling Block"
    )
    prepare_only: StrictBool = Field(default=False, description="prepare the script and do not start it")
    create_env: StrictBool = Field(default=False, description="build the Python environment of a git script")

    @model_validator(mode="after")
    def _one_scheduling_block(self) -> Self:
        if (self.sbd_id is None) == (self.sbd_uri is None):
            raise ValueError("name the Scheduling Block by 'sbd_id' or by 'sbd_uri', one of the two")
        return self


class Activity(Model):
    """Summary of an activity, as every client sees it."""

    id: int
    uri: str | None = Field(default=None, description="address at the REST service; filled by the sidecar")
    activity_name: str
    sbd_id: str
    procedure_id: int | None = Field(default=None, description="the procedure that runs its script")
    prepare_only: bool = False
    script_args: dict[str, FunctionArgs] = Field(default_factory=dict)
    activity_states: list[tuple[ActivityState, float]] = Field(
        default_factory=list, description="states and their times, seconds since 1970 (UTC)"
    )
    state: ActivityState
    reason: str | None = Field(default=None, description="why it FAILED")
    command_id: str | None = None
