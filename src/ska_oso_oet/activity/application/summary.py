"""What the service tells of an activity."""

from dataclasses import dataclass, field

from ska_oso_oet.event.journal import Document
from ska_oso_oet.model import Activity as ActivityModel
from ska_oso_oet.model import FunctionArgs
from ska_oso_oet.procedure.domain import ProcedureInput

from ..domain import SB_JSON, Activity, ActivityState

KIND = "activity"
"""Kind of the documents that hold summaries of activities."""


@dataclass(frozen=True)
class ActivitySummary:
    """What distinguishes an activity from others, and how it stands.

    :param id: its number
    :param pid: the procedure that runs its script; None until there is one
    :param sbd_id: ID of the Scheduling Block; its URI until the ID is known
    :param activity_name: its name in the Scheduling Block
    :param prepare_only: whether somebody else is to start the script
    :param script_args: arguments of the script's functions
    :param activity_states: its states with their times, seconds since 1970
    :param reason: why it has failed
    :param command_id: ID of the long-running command that requested it
    """

    id: int
    pid: int | None
    sbd_id: str
    activity_name: str
    prepare_only: bool
    script_args: dict[str, ProcedureInput]
    activity_states: list[tuple[ActivityState, float]] = field(default_factory=list)
    reason: str | None = None
    command_id: str | None = None

    @property
    def state(self) -> ActivityState:
        """The state it is in."""
        return self.activity_states[-1][0]

    @property
    def sb_json(self) -> str | None:
        """Path of the Scheduling Block as it was written for the script, None if it was not."""
        main = self.script_args.get("main")
        return main.kwargs.get(SB_JSON) if main is not None else None

    @staticmethod
    def of(activity: Activity) -> "ActivitySummary":
        """Return the summary of an activity as it stands."""
        return ActivitySummary(
            id=activity.activity_id,
            pid=activity.procedure_id,
            sbd_id=activity.sbd_id,
            activity_name=activity.activity_name,
            prepare_only=activity.prepare_only,
            script_args=dict(activity.script_args),
            activity_states=list(activity.activity_states),
            reason=activity.reason,
            command_id=activity.command_id,
        )

    def to_model(self) -> ActivityModel:
        """Return the summary in the form in which it crosses borders."""
        return ActivityModel(
            id=self.id,
            activity_name=self.activity_name,
            sbd_id=self.sbd_id,
            procedure_id=self.pid,
            prepare_only=self.prepare_only,
            script_args={
                function: FunctionArgs(args=list(arguments.args), kwargs=arguments.kwargs)
                for function, arguments in self.script_args.items()
            },
            activity_states=list(self.activity_states),
            state=self.state,
            reason=self.reason,
            command_id=self.command_id,
        )

    def to_document(self) -> Document:
        """Return the document that keeps the summary.

        :raises ValueError: if it holds text that is not valid Unicode
        """
        return Document(
            KIND, self.id, self.to_model().model_dump_json(fallback=repr), live=not self.state.is_final
        )

    @staticmethod
    def from_text(text: str) -> "ActivitySummary":
        """Return the summary that a document's text holds."""
        model = ActivityModel.model_validate_json(text)
        return ActivitySummary(
            id=model.id,
            pid=model.procedure_id,
            sbd_id=model.sbd_id,
            activity_name=model.activity_name,
            prepare_only=model.prepare_only,
            script_args={
                function: ProcedureInput(*arguments.args, **arguments.kwargs)
                for function, arguments in model.script_args.items()
            },
            activity_states=list(model.activity_states),
            reason=model.reason,
            command_id=model.command_id,
        )
