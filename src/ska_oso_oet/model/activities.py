"""Requests to run activities of Scheduling Blocks, and their summaries."""

from typing import Any, Final, Self

from pydantic import ConfigDict, Field, StrictBool, model_validator

from .base import Model, PositionalModel, ProcedureInput, ScriptArgs
from .requester import AnyRequester, RequestedBy
from .states import ActivityState

SB_JSON: Final = "sb_json"
"""Keyword argument of ``main`` that holds the path of the Scheduling Block."""


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
    requested_by: RequestedBy = None

    @model_validator(mode="after")
    def _one_scheduling_block(self) -> Self:
        if (self.sbd_id is None) == (self.sbd_uri is None):
            raise ValueError("name the Scheduling Block by 'sbd_id' or by 'sbd_uri', one of the two")
        return self


class ActivitySummary(PositionalModel):
    """Summary of an activity at one moment, as every client sees it.

    Without `state`, it is in the last of the `activity_states`.
    """

    positional = ("id", "pid", "sbd_id", "activity_name", "prepare_only", "script_args", "activity_states")

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    id: int
    uri: str | None = Field(default=None, description="address at the REST service; filled by the sidecar")
    activity_name: str
    sbd_id: str = Field(description="ID of the Scheduling Block; its URI until the ID is known")
    pid: int | None = Field(
        default=None, alias="procedure_id", description="the procedure that runs its script"
    )
    prepare_only: bool = False
    script_args: dict[str, ProcedureInput] = Field(default_factory=dict)
    activity_states: list[tuple[ActivityState, float]] = Field(
        default_factory=list, description="states and their times, seconds since 1970 (UTC)"
    )
    state: ActivityState
    reason: str | None = Field(default=None, description="why it FAILED, or was STOPPED without a request")
    command_id: str | None = None
    requested_by: AnyRequester | None = Field(default=None, description="who has requested it")
    queue_entry: int | None = Field(
        default=None, description="entry of the queue that it runs for; null if it was requested by hand"
    )

    @model_validator(mode="before")
    @classmethod
    def _in_the_last_state(cls, value: Any) -> Any:
        if isinstance(value, dict) and "state" not in value and value.get("activity_states"):
            return {**value, "state": value["activity_states"][-1][0]}
        return value

    def entering(self, state: ActivityState, when: float) -> "ActivitySummary":
        """Return the summary of the activity after one more state.

        :param state: the state that is entered
        :param when: time of that, seconds since 1970
        """
        states = [*self.activity_states, (state, when)]
        return self.model_copy(update={"activity_states": states, "state": state})

    @property
    def procedure_id(self) -> int | None:
        """ID of the procedure that runs its script, None until there is one."""
        return self.pid

    @property
    def sb_json(self) -> str | None:
        """Path of the Scheduling Block as it was written for the script, None if it was not."""
        main = self.script_args.get("main")
        return None if main is None else main.kwargs.get(SB_JSON)
