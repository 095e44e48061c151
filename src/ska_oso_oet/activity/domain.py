"""Activities of Scheduling Blocks: their states, and how these follow from those of their procedure."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ska_oso_oet.model import (
    SB_JSON,
    ActivityState,
    ActivitySummary,
    ExecutableScript,
    FileSystemScript,
    GitArgs,
    GitScript,
    OetError,
    ProcedureInput,
    ProcedureState,
    Requester,
)
from ska_oso_oet.oda import SBActivity, SBDefinition, ScriptKind
from ska_oso_oet.procedure.domain import subarrays
from ska_oso_oet.procedure.domain.signatures import override

__all__ = [
    "SB_JSON",
    "Activity",
    "ActivityNotFoundError",
    "ActivityRefusedError",
    "ActivityState",
    "activity_states",
    "merge_arguments",
    "require_overrides",
    "to_script",
]


class ActivityRefusedError(OetError, ValueError):
    """The request is refused. The message says why, and what to do."""


class ActivityNotFoundError(OetError, LookupError):
    """The activity does not exist, or is no longer kept."""


@dataclass
class Activity:
    """An action taken on a Scheduling Block.

    A user names an action, such as "allocate" or "observe". The Scheduling Block defines its script and its
    arguments.

    :param activity_id: its number
    :param procedure_id: the procedure that runs its script; None until there is one
    :param sbd_id: ID of the Scheduling Block; its URI until the ID is known
    :param activity_name: its name in the Scheduling Block
    :param prepare_only: whether a client starts the script
    :param script_args: arguments of the script's functions, as far as they are known
    :param activity_states: the states that it has passed through, with their times in seconds since 1970
    :param reason: why it has failed
    :param command_id: ID of the long-running command that requested it
    :param request_id: time of the request, seconds since 1970
    :param requested_by: who made it; None if the OET did by itself
    :param queue_entry: the entry of the queue that it runs for
    :param scheduling_block: the Scheduling Block, once it is known
    """

    activity_id: int
    procedure_id: int | None
    sbd_id: str
    activity_name: str
    prepare_only: bool
    script_args: dict[str, ProcedureInput] = field(default_factory=dict)
    activity_states: list[tuple[ActivityState, float]] = field(
        default_factory=lambda: [(ActivityState.REQUESTED, time.time())]
    )
    reason: str | None = None
    command_id: str | None = None
    request_id: float = 0.0
    requested_by: Requester | None = None
    queue_entry: int | None = None
    scheduling_block: SBDefinition | None = field(default=None, repr=False)

    @property
    def state(self) -> ActivityState:
        """The state it is in."""
        return self.activity_states[-1][0]

    @property
    def summary(self) -> ActivitySummary:
        """The summary of the activity as it is in this moment."""
        return ActivitySummary(
            id=self.activity_id,
            pid=self.procedure_id,
            sbd_id=self.sbd_id,
            activity_name=self.activity_name,
            prepare_only=self.prepare_only,
            script_args=dict(self.script_args),
            activity_states=list(self.activity_states),
            state=self.state,
            reason=self.reason,
            command_id=self.command_id,
            requested_by=self.requested_by,
            queue_entry=self.queue_entry,
        )

    def enter(self, states: Sequence[tuple[ActivityState, float]]) -> list[ActivityState]:
        """Enter states that it has not been in, in order, up to a final one.

        :param states: states and their times
        :returns: the states that were entered
        """
        entered = []
        passed = {state for state, _ in self.activity_states}
        for state, when in states:
            if state in passed or self.state.is_final:
                continue
            self.activity_states.append((state, when))
            entered.append(state)
        return entered


# Final state of an activity by that of its procedure.
_ENDS = {
    ProcedureState.COMPLETE: ActivityState.COMPLETE,
    ProcedureState.STOPPED: ActivityState.STOPPED,
    ProcedureState.FAILED: ActivityState.FAILED,
    ProcedureState.UNKNOWN: ActivityState.FAILED,
}


def activity_states(
    process_states: Sequence[tuple[ProcedureState, float]],
) -> list[tuple[ActivityState, float]]:
    """Return the states of an activity that follow from those of its procedure.

    They have the times of the procedure's states: both histories agree.

    :param process_states: states that the procedure has passed through, with their times
    """
    derived: list[tuple[ActivityState, float]] = []
    for state, when in process_states:
        if state.is_final:
            derived.append((_ENDS[state], when))
        elif state is ProcedureState.READY and not derived:
            derived.append((ActivityState.PREPARED, when))
        elif state is ProcedureState.RUNNING and derived:
            # Before it was READY, RUNNING meant init.
            derived.append((ActivityState.RUNNING, when))
    return derived


def require_overrides(script_args: Mapping[str, ProcedureInput]) -> None:
    """Make sure that arguments are of the kind that can override those of a Scheduling Block.

    :param script_args: arguments that a user gives, by function
    :raises ActivityRefusedError: if they are not
    """
    for function, given in script_args.items():
        if given.args:
            raise ActivityRefusedError(
                f"positional arguments of {function}() cannot be overridden: give arguments by name, "
                "as 'kwargs'"
            )
    if SB_JSON in script_args.get("main", ProcedureInput()).kwargs:
        raise ActivityRefusedError(
            f"'{SB_JSON}' is the path of the Scheduling Block that the activity belongs to, and cannot be "
            "overridden: name another Scheduling Block as 'sbd_uri'"
        )


def merge_arguments(
    activity: SBActivity,
    overrides: Mapping[str, ProcedureInput],
    sb_json: str,
    signatures: subarrays.Signatures = MappingProxyType({}),
) -> dict[str, ProcedureInput]:
    """Return the arguments of a script's functions.

    An argument that the Scheduling Block gives by position is replaced by name, too, where the signature of
    the function says which one that is.

    :param activity: the activity, with the arguments that the Scheduling Block gives
    :param overrides: keyword arguments that a user gives; each replaces the one of its name, or is added
    :param sb_json: path of the Scheduling Block, which becomes an argument of ``main``
    :param signatures: signatures of the functions, as far as they are known
    """
    defined: dict[str, ProcedureInput] = dict(activity.function_args.items())
    merged = {}
    for function in {**defined, **overrides, "main": None}:
        given = defined.get(function, ProcedureInput())
        own = {SB_JSON: sb_json} if function == "main" else {}
        found = override(signatures.get(function), given, overrides.get(function, ProcedureInput()))
        merged[function] = ProcedureInput(*found.args, **{**found.kwargs, **own})
    return merged


def to_script(activity: SBActivity, create_env: bool) -> ExecutableScript:
    """Return the script of an activity.

    :param activity: its description in the Scheduling Block
    :param create_env: whether a git script is to run in the Python environment of its repository
    :raises ActivityRefusedError: if that is asked for, and the script is not in git
    """
    if activity.kind is ScriptKind.GIT:
        git_args = GitArgs(activity.repo or None, activity.branch or None, activity.commit or None)
        return GitScript(activity.path, git_args, create_env)
    if create_env:
        raise ActivityRefusedError(
            f"'create_env' is for scripts in git, and {activity.path} is a file: run the activity without it"
        )
    return FileSystemScript(activity.path)
