"""Tables that commands print. Columns are those of the OET 5.2.0."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from rich import box
from rich.table import Table
from rich.text import Text

from ska_oso_oet.model import (
    ActivityState,
    ActivitySummary,
    FoundSchedulingBlock,
    GitScript,
    ProcedureFile,
    ProcedureInput,
    ProcedureState,
    ProcedureSummary,
    QueueEntryState,
    SchedulingBlockPage,
    ScriptDescription,
    SummaryScript,
)

from .output import CommandOutput
from .text import printable, to_microsecond, to_second

T = TypeVar("T")

_STYLES = {
    ProcedureState.READY: "cyan",
    ProcedureState.RUNNING: "yellow",
    ProcedureState.PAUSED: "bold yellow",
    ProcedureState.COMPLETE: "green",
    ProcedureState.STOPPED: "magenta",
    ProcedureState.FAILED: "red",
    ProcedureState.UNKNOWN: "red",
    ActivityState.PREPARED: "cyan",
    QueueEntryState.PREPARING: "cyan",
    QueueEntryState.DONE: "green",
    QueueEntryState.SKIPPED: "yellow",
}


def state_style(state: str) -> str:
    """Return the style in which a state is shown."""
    return next((style for known, style in _STYLES.items() if known == state), "")


def print_procedures(output: CommandOutput, procedures: Iterable[ProcedureSummary]) -> None:
    """Print one line for each procedure."""
    print_table(output, _PROCEDURE_COLUMNS, [_procedure_row(procedure) for procedure in procedures])


def print_procedures_with_users(output: CommandOutput, procedures: Iterable[ProcedureSummary]) -> None:
    """Print one line for each procedure, with the user who created it."""
    rows = [
        [*_procedure_row(each), "" if each.requested_by is None else each.requested_by.name]
        for each in procedures
    ]
    print_table(output, [*_PROCEDURE_COLUMNS, "Requested By"], rows)


_PROCEDURE_COLUMNS = ("ID", "Script", "Creation Time", "State")


def _procedure_row(procedure: ProcedureSummary) -> "list[Cell]":
    return [
        str(procedure.id),
        script_name(procedure.script),
        to_second(procedure.created),
        _state(procedure.state),
    ]


def print_files(output: CommandOutput, files: Iterable[ProcedureFile]) -> None:
    """Print one line for each file."""
    rows = [[file.name, str(file.size), "" if file.kept else "no: too large (FilesLimit)"] for file in files]
    print_table(output, ["Name", "Bytes", "Kept"], rows)


def print_differences(
    output: CommandOutput, first: int, second: int, rows: Mapping[str, tuple[Any, Any]]
) -> None:
    """Print the differences of two procedures.

    :param first: ID of one
    :param second: ID of the other
    :param rows: values of both, by name
    """
    print_table(
        output,
        ["", str(first), str(second)],
        [[name, *("" if each is None else str(each) for each in values)] for name, values in rows.items()],
    )


def print_script(output: CommandOutput, script: ScriptDescription) -> None:
    """Print the description of a script."""
    if script.doc:
        output.text(script.doc)
    for name, function in script.functions.items():
        output.text(f"{name}()", "bold")
        if function.doc:
            output.text(function.doc)
        if not function.parameters:
            output.text("Its parameters are known when the script is loaded.")
        elif rows := _parameters(function.parameters):
            print_table(output, ["Parameter", "Type", "Unit", "Default", "Choices", "Meaning"], rows)


def _parameters(schema: Mapping[str, Any]) -> list[list[str]]:
    """Return a row for each parameter.

    :param schema: JSON Schema of the arguments of a function
    """
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    rows = []
    for name, own in schema.get("properties", {}).items():
        full = {**definitions.get(str(own.get("$ref", "")).rpartition("/")[2], {}), **own}
        default = json.dumps(full["default"], ensure_ascii=False) if "default" in full else "…"
        limits = [f"{sign} {full[key]}" for key, sign in _LIMITS.items() if key in full]
        rows.append(
            [
                f"*{name}" if full.get("kind") == "VAR_POSITIONAL" else name,
                str(full.get("annotation", "")),
                str(full.get("unit", "")),
                "" if name in required or full.get("kind") == "VAR_POSITIONAL" else default,
                ", ".join([*map(str, full.get("enum", [])), *limits]),
                str(own.get("description", "")),
            ]
        )
    return rows


_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def print_activities(output: CommandOutput, activities: Iterable[ActivitySummary]) -> None:
    """Print one line for each activity."""
    print_table(
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


def print_blocks(output: CommandOutput, page: SchedulingBlockPage) -> None:
    """Print one line for each Scheduling Block, and whether there are more."""
    print_table(
        output,
        ["SB ID", "Version", "Changed", "Activities"],
        [
            [block.sbd_id, str(block.version), to_second(block.changed), _activities(block)]
            for block in page.sbds
        ],
    )
    if page.more:
        output.text("There are more: give a longer part of the ID as --query, or a greater --limit")


def _activities(block: FoundSchedulingBlock) -> str:
    if block.defect is not None:
        return f"defective: {block.defect}"
    more = [f"and {block.activities_omitted} more"] if block.activities_omitted else []
    return ", ".join([*block.activities, *more])


def print_procedure(output: CommandOutput, procedure: ProcedureSummary) -> None:
    """Print all that there is to know about a procedure."""
    script = procedure.script
    print_table(
        output,
        ["ID", "Script", "URI"],
        [[str(procedure.id), script_name(script), procedure.uri or ""]],
    )
    _print_states(output, _numbered(procedure.history.process_states))
    # Both functions, as the documentation shows them: a script may be started without arguments.
    calls = {"init": ProcedureInput(), "main": ProcedureInput(), **procedure.arguments}
    print_table(
        output,
        ["Index", "Method", "Arguments", "Keyword Arguments"],
        [[str(index), *row] for index, row in enumerate(_calls(calls), start=1)],
    )
    if isinstance(script, GitScript):
        git = script.git_args
        print_table(
            output,
            ["Repository", "Branch", "Commit"],
            [[git.repository, git.git_branch or "", git.git_commit or ""]],
        )
    _print_requesters(output, procedure)
    _print_what_is_left(output, procedure)
    if procedure.history.stacktrace:
        print_stacktrace(output, procedure.history.stacktrace)


def _print_what_is_left(output: CommandOutput, procedure: ProcedureSummary) -> None:
    """Print what a procedure has returned and left, and what it was made of."""
    if procedure.result_omitted is not None:
        output.text(f"Result is not kept: {procedure.result_omitted}")
    elif procedure.result is not None:
        output.text(f"Result: {json.dumps(procedure.result, ensure_ascii=False)}")
    if procedure.files:
        files = ", ".join(f"{file.name} ({file.size} B)" for file in procedure.files)
        output.text(f"Files: {files}")
    if procedure.commit is not None:
        output.text(f"Commit: {procedure.commit}")
    if procedure.script_sha256 is not None:
        output.text(f"SHA-256 of the script: {procedure.script_sha256}")


def _print_requesters(output: CommandOutput, procedure: ProcedureSummary) -> None:
    """Print who has asked for what, below the tables that the documentation of the OET 5.2.0 shows."""
    asked = {
        "Created": procedure.requested_by,
        "Started": procedure.started_by,
        "Stopped": procedure.stopped_by,
    }
    for verb, requester in asked.items():
        if requester is not None:
            output.text(f"{verb} by {requester}")


def print_activity(output: CommandOutput, activity: ActivitySummary) -> None:
    """Print all that there is to know about an activity."""
    print_table(
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
    print_table(output, ["URI", "Prepare Only"], [[activity.uri or "", str(activity.prepare_only)]])
    _print_states(output, ((state, time) for state, time in activity.activity_states))
    output.text("Script Arguments", "bold")
    print_table(output, ["Method", "Arguments", "Keyword Arguments"], list(_calls(activity.script_args)))
    if activity.reason:
        output.text(f"Reason: {activity.reason}", "red")


def print_stacktrace(output: CommandOutput, stacktrace: str) -> None:
    """Print the stack trace of a script."""
    output.text("Stack trace", "bold")
    output.text(stacktrace.rstrip("\n"))


def script_name(script: SummaryScript) -> str:
    """Return the name of a script: its URI, unless it has none."""
    return script.script_uri or f"({script.script_type})"


def by_order_of_calls(script_args: Mapping[str, T]) -> list[tuple[str, T]]:
    """Return functions of a script and their arguments, `init` first as it runs first."""
    return sorted(script_args.items(), key=lambda item: item[0] != "init")


def _state(state: ProcedureState | ActivityState) -> Text:
    return Text(state, state_style(state))


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _numbered(states: Iterable[tuple[ProcedureState, float]]) -> Iterator[tuple[str, float]]:
    """Distinguish the runs of a procedure: ``RUNNING 1`` is `init` where there is one, then follows `main`.

    After a pause, the same run continues.
    """
    runs = Counter[ProcedureState]()
    before = None
    for state, time in states:
        runs[state] += before is not ProcedureState.PAUSED
        before = state
        yield f"{state} {runs[state]}" if state is ProcedureState.RUNNING else state, time


def _calls(script_args: Mapping[str, ProcedureInput]) -> Iterator[list[str]]:
    """Yield a function's name and arguments."""
    for name, call in by_order_of_calls(script_args):
        yield [name, str(list(call.args)), str(call.kwargs)]


def _print_states(output: CommandOutput, states: Iterable[tuple[str, float]]) -> None:
    print_table(output, ["Time", "State"], [[to_microsecond(time), state] for state, time in states])


Cell = str | Text | tuple[str, str]
"""A text, or a text and its style."""


def print_table(output: CommandOutput, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table.

    :param output: where to
    :param columns: their heads
    :param rows: the cells of each row
    """
    table = Table(
        box=box.ROUNDED if output.terminal else box.MARKDOWN,
        show_edge=output.terminal,
        header_style="bold",
    )
    for column in columns:
        # On a narrow terminal long values continue in the next line: an ID or URI that was cut is of no use.
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    output.console.print(table)
    if not output.terminal:
        output.console.print()


def _text(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return cell
    text, style = cell if isinstance(cell, tuple) else (cell, "")
    return Text(printable(text), style)
