"""What the service tells of a procedure."""

from dataclasses import dataclass, field

from ska_oso_oet.model import FunctionArgs, History, Procedure

from ..domain import ExecutableScript, ProcedureInput, ProcedureState


@dataclass
class ArgCapture:
    """A call of a script's function.

    :param fn: name of the function
    :param fn_args: its arguments
    :param time: when it was called, seconds since 1970; None if it has not been called yet
    """

    fn: str
    fn_args: ProcedureInput
    time: float | None = None


@dataclass
class ProcedureHistory:
    """The states that a procedure has passed through.

    :param process_states: each state with the time when it was entered, seconds since 1970
    :param stacktrace: why the procedure has failed, None if it has not
    """

    process_states: list[tuple[ProcedureState, float]] = field(default_factory=list)
    stacktrace: str | None = None


@dataclass
class ProcedureSummary:
    """What distinguishes a procedure from others, and how it stands.

    :param id: its number
    :param script: what it runs
    :param script_args: calls of the script's functions, and arguments that wait for a call
    :param history: its states
    :param state: the state it is in
    :param created: when it was requested, seconds since 1970
    :param command_id: ID of the long-running command that created it
    """

    id: int
    script: ExecutableScript
    script_args: list[ArgCapture]
    history: ProcedureHistory
    state: ProcedureState
    created: float = 0.0
    command_id: str | None = None

    def arguments_of(self, function: str) -> ProcedureInput | None:
        """Return the newest arguments of a function, None if there are none."""
        return next((call.fn_args for call in reversed(self.script_args) if call.fn == function), None)

    def to_model(self) -> Procedure:
        """Return the summary in the form in which it crosses borders."""
        return Procedure(
            id=self.id,
            script=self.script.to_model(),
            script_args={
                call.fn: FunctionArgs(args=list(call.fn_args.args), kwargs=call.fn_args.kwargs)
                for call in self.script_args
            },
            history=History(
                process_states=list(self.history.process_states), stacktrace=self.history.stacktrace
            ),
            state=self.state,
            created=self.created,
            command_id=self.command_id,
        )

    @staticmethod
    def from_model(model: Procedure) -> "ProcedureSummary":
        """Return the summary that a model describes."""
        return ProcedureSummary(
            id=model.id,
            script=ExecutableScript.from_model(model.script),
            script_args=[
                ArgCapture(function, ProcedureInput(*arguments.args, **arguments.kwargs))
                for function, arguments in model.script_args.items()
            ],
            history=ProcedureHistory(list(model.history.process_states), model.history.stacktrace),
            state=model.state,
            created=model.created,
            command_id=model.command_id,
        )
