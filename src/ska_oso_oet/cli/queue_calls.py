"""Implementation of `oet queue`."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import click
from pydantic import ValidationError

from ska_oso_oet.model import (
    ActivityRequest,
    ProcedureInput,
    ProcedureRequest,
    Queue,
    QueueEntries,
    QueueEntry,
    ShownEntry,
    explain,
)

from .output import CommandOutput
from .procedure_calls import GitOptions, read_script, with_subarray
from .rest import Reply, read_reply
from .run_calls import Calls
from .session import Session
from .tables import print_table, script_name, state_style
from .text import printable_json, to_second

Position = str | dict[str, int]


def position_of(front: bool, back: bool, before: int | None, after: int | None) -> Position | None:
    """Return the position that options name, None if they name none.

    :raises click.UsageError: if they name several
    """
    named: list[Position] = []
    if front:
        named.append("front")
    if back:
        named.append("back")
    if before is not None:
        named.append({"before": before})
    if after is not None:
        named.append({"after": after})
    if len(named) > 1:
        raise click.UsageError("Give one of --front, --back, --before and --after.")
    return named[0] if named else None


def show_queue(session: Session, query: dict[str, int]) -> None:
    """Print the queue.

    :param session: with the service that has it
    :param query: which part of it
    """
    session.show(session.rest.queue(query), print_queue)


def show_entry(session: Session, entry: int) -> None:
    """Print all of an entry.

    :param session: with the service that has it
    :param entry: its ID
    """
    session.show(read_reply(session.rest.http.request("GET", f"/queue/{entry}"), QueueEntry), _print_entry)


def add_script(
    session: Session,
    uri: str,
    calls: Calls,
    git: GitOptions,
    fields: dict[str, Any],
    position: Position | None,
) -> None:
    """Add a script to the queue.

    :param session: with the service that runs it
    :param uri: of the script
    :param calls: arguments of its functions
    :param git: where a script from git comes from
    :param fields: when it is run, and a note
    :param position: where it is put, None for the back
    :raises CommandError: if it is refused
    """
    script = read_script(session, uri, git)
    main = ProcedureInput(*calls.args, **calls.main)

    def add(init: ProcedureInput) -> Reply[QueueEntries]:
        request = ProcedureRequest(script=script, script_args={"init": init, "main": main})
        asked = request.model_dump(mode="json", exclude_unset=True)
        return _add(session, {"procedure": asked, **fields}, position)

    _show(session, with_subarray(session, add, [], calls.init))


def add_activity(
    session: Session,
    name: str,
    sbd: str,
    calls: Calls,
    fields: dict[str, Any],
    position: Position | None,
) -> None:
    """Add an activity of a Scheduling Block to the queue.

    :param session: with the service that runs it
    :param name: of the activity
    :param sbd: ID or URI of the Scheduling Block
    :param calls: arguments that override those of the Scheduling Block
    :param fields: when it is run, and a note
    :param position: where it is put, None for the back
    :raises CommandError: if it is refused
    """
    if calls.args:
        raise click.UsageError("Arguments of an activity are given by name: --name=value.")
    overrides = {"init": calls.init, "main": calls.main}
    asked = {
        "activity_name": name,
        "sbd_uri" if "://" in sbd else "sbd_id": sbd,
        "script_args": {function: {"kwargs": given} for function, given in overrides.items() if given},
    }
    try:
        ActivityRequest.model_validate(asked)
    except ValidationError as error:
        raise click.UsageError(explain(error), click.get_current_context()) from error
    _show(session, _add(session, {"activity": asked, **fields}, position))


def _add(session: Session, entry: dict[str, Any], position: Position | None) -> Reply[QueueEntries]:
    body = entry if position is None else {**entry, "position": position}
    return read_reply(session.rest.http.request("POST", "/queue", body), QueueEntries)


def update_entry(session: Session, entry: int, changes: dict[str, Any]) -> None:
    """Change or move an entry.

    :param session: with the service that has it
    :param entry: its ID
    :param changes: fields of the request
    """
    _show(session, read_reply(session.rest.http.request("PUT", f"/queue/{entry}", changes), QueueEntries))


def remove_entry(session: Session, entry: int) -> None:
    """Remove an entry."""
    _show(session, read_reply(session.rest.http.request("DELETE", f"/queue/{entry}"), QueueEntries))


def clear_queue(session: Session) -> None:
    """Remove all entries that have not begun."""
    _show(session, read_reply(session.rest.http.request("DELETE", "/queue"), QueueEntries))


def set_state(session: Session, update: dict[str, Any]) -> None:
    """Start or stop the queue.

    :param session: with the service that has it
    :param update: the request
    """
    session.show(read_reply(session.rest.http.request("PUT", "/queue", update), Queue), print_queue)


def print_queue(output: CommandOutput, queue: Queue) -> None:
    """Print the state of the queue, and one line for each entry."""
    reason = "" if queue.reason is None else f": {queue.reason}"
    output.text(f"The queue is {queue.state}{reason}")
    columns = _COLUMNS | {"Starts": _start, "Ends": _end, "Takes": _duration}
    names = ["ID", "State", "What", "Not Before", "Starts", "Takes", "Ends", "Procedure ID", "Note"]
    print_table(output, names, [[columns[name](entry) for name in names] for entry in queue.entries])
    if queue.next is not None:
        output.text(f"{queue.length} entries have not ended; those that follow: --after={queue.next}")


def print_entries(output: CommandOutput, entries: Iterable[QueueEntry]) -> None:
    """Print one line for each entry."""
    print_table(output, list(_COLUMNS), [[cell(entry) for cell in _COLUMNS.values()] for entry in entries])


def _print_entry(output: CommandOutput, entry: QueueEntry) -> None:
    print_entries(output, [entry])
    by = "" if entry.added_by is None else f" by {entry.added_by}"
    output.text(f"Added at {to_second(entry.added)}{by}")
    print_table(output, ["Time", "State"], [[to_second(when), state] for state, when in entry.states])
    output.text(printable_json(entry.request.model_dump_json(indent=2, exclude_defaults=True)))


_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "ID": lambda entry: str(entry.id),
    "State": lambda entry: (entry.state, state_style(entry.state)),
    "What": lambda entry: _what(entry),
    "Not Before": lambda entry: "" if entry.not_before is None else to_second(entry.not_before),
    "Procedure ID": lambda entry: "" if entry.procedure_id is None else str(entry.procedure_id),
    "Note": lambda entry: " - ".join(text for text in (entry.request.note, entry.reason) if text),
}
"""Columns of an entry."""


def _start(entry: ShownEntry) -> str:
    return "" if entry.estimated_start is None else f"~{to_second(entry.estimated_start)}"


def _end(entry: ShownEntry) -> str:
    return "" if entry.estimated_end is None else f"~{to_second(entry.estimated_end)}"


def _duration(entry: ShownEntry) -> str:
    if entry.expected_duration is None:
        return ""
    seconds = entry.expected_duration
    return f"~{seconds:.3g} s" if seconds < 60 else f"~{timedelta(seconds=round(seconds))}"


def _what(entry: QueueEntry) -> str:
    request = entry.request
    if request.procedure is not None:
        what = script_name(request.procedure.script)
    elif request.activity is not None:
        what = f"{request.activity.activity_name} of {request.activity.sbd_id or request.activity.sbd_uri}"
    return what if request.repeat == 1 else f"{what} ({request.repeat} times)"


def _show(session: Session, reply: Reply[QueueEntries]) -> None:
    session.show(Reply(reply.body, reply.content.entries), print_entries)
