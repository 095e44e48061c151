"""The tables that commands print. Columns are those of the OET 5.2.0."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from rich import box
from rich.table import Table
from rich.text import Text

from ska_oso_oet.model import Activity, ActivityState, FunctionArgs, Procedure, ProcedureState, Script

from .output import Output
from .text import printable
from .times import to_microsecond, to_second

T = TypeVar("T")

_STYLES = {
    ProcedureState.READY: "cyan",
    ProcedureState.RUNNING: "yellow",
    ProcedureState.COMPLETE: "green",
    ProcedureState.STOPPED: "magenta",
    ProcedureState.FAILED: "red",
    ProcedureState.UNKNOWN: "red",
    ActivityState.PREPARED: "cyan",
}


def print_procedures(output: Output, procedures: Iterable[Procedure]) -> None:
    """Print one line for each procedure."""
    _print(
        output,
        ["ID", "Script", "Creation Time", "State"],
        [
            [
                str(procedure.id),
                script_name(procedure.script),
                to_second(procedure.created),
                _state(procedure.state),
            ]
            for procedure in procedures
        ],
    )


def print_activities(output: Output, activities: Iterable[Activity]) -> None:
    """Print one line for each activity."""
    _print(
        output,
        ["ID", "Activity", "SB ID", "Creation Time", "Procedure ID", "State"],
        [
            [
                str(activity.id),
                activity.activity_name,
                activity.sbd_id,
                to_second(activity.activity_states[0][1]) if activity.activity_states else "",
                _number(activity.procedure_id),
                _state(activity.state),
            ]
            for activity in activities
        ],
    )


def print_procedure(output: Output, procedure: Procedure) -> None:
    """Print all that there is to know about a procedure."""
    script = procedure.script
    _print(
        output,
        ["ID", "Script", "URI"],
        [[str(procedure.id), script_name(script), procedure.uri or ""]],
    )
    _print_states(output, _numbered(procedure.history.process_states))
    # Both functions, as the documentation shows them: a script may be started without arguments.
    calls = {"init": FunctionArgs(), "main": FunctionArgs(), **procedure.script_args}
    _print(
        output,
        ["Index", "Method", "Arguments", "Keyword Arguments"],
        [[str(index), *row] for index, row in enumerate(_calls(calls), start=1)],
    )
    if script.git_args is not None:
        git = script.git_args
        _print(
            output,
            ["Repository", "Branch", "Commit"],
            [[git.git_repo, git.git_branch or "", git.git_commit or ""]],
        )
    if procedure.history.stacktrace:
        print_stacktrace(output, procedure.history.stacktrace)


def print_activity(output: Output, activity: Activity) -> None:
    """Print all that there is to know about an activity."""
    _print(
        output,
        ["ID", "Activity", "SB ID", "Procedure ID", "State"],
        [
            [
                str(activity.id),
                activity.activity_name,
                activity.sbd_id,
                _number(activity.procedure_id),
                _state(activity.state),
            ]
        ],
    )
    _print(output, ["URI", "Prepare Only"], [[activity.uri or "", str(activity.prepare_only)]])
    _print_states(output, ((state, time) for state, time in activity.activity_states))
    output.text("Script Arguments", "bold")
    _print(output, ["Method", "Arguments", "Keyword Arguments"], list(_calls(activity.script_args)))
    if activity.reason:
        output.text(f"Reason: {activity.reason}", "red")


def print_stacktrace(output: Output, stacktrace: str) -> None:
    """Print the stack trace of a script."""
    output.text("Stack trace", "bold")
    output.text(stacktrace.rstrip("\n"))


def script_name(script: Script) -> str:
    """Return what to call a script: its URI, unless it has none."""
    return script.script_uri or f"({script.script_type})"


def by_order_of_calls(script_args: Mapping[str, T]) -> list[tuple[str, T]]:
    """Return functions of a script and their arguments, `init` first as it runs first."""
    return sorted(script_args.items(), key=lambda item: item[0] != "init")


def _state(state: ProcedureState | ActivityState) -> Text:
    return Text(state, _STYLES.get(state, ""))


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _numbered(states: Iterable[tuple[ProcedureState, float]]) -> Iterator[tuple[str, float]]:
    """Tell the runs of a procedure apart: ``RUNNING 1`` is `init` where there is one, then comes `main`."""
    runs = Counter[ProcedureState]()
    for state, time in states:
        runs[state] += 1
        yield f"{state} {runs[state]}" if state is ProcedureState.RUNNING else state, time


def _calls(script_args: Mapping[str, FunctionArgs]) -> Iterator[list[str]]:
    """Yield a function's name and arguments."""
    for name, call in by_order_of_calls(script_args):
        yield [name, str(call.args), str(call.kwargs)]


def _print_states(output: Output, states: Iterable[tuple[str, float]]) -> None:
    _print(output, ["Time", "State"], [[to_microsecond(time), state] for state, time in states])


def _print(output: Output, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    table = Table(
        box=box.ROUNDED if output.terminal else box.MARKDOWN,
        show_edge=output.terminal,
        header_style="bold",
    )
    for column in columns:
        # On a narrow terminal long values go on in the next line: an ID or URI that was cut is of no use.
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    output.console.print(table)
    if not output.terminal:
        output.console.print()
