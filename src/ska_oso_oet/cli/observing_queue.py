"""`oet queue`: entries that are run one after the other."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .arguments import RunCommand, read_values
from .completion import complete_entries, complete_scripts, complete_values
from .git_options import git_options, given_git_options
from .options import POSITIVE, examples, with_session

if TYPE_CHECKING:
    from .session import Session

F = TypeVar("F", bound=Callable[..., Any])

_POSITION_OPTIONS = (
    click.option("--front", is_flag=True, help="Put it in front of all that have not begun."),
    click.option("--back", is_flag=True, help="Put it behind all others."),
    click.option(
        "--before",
        type=POSITIVE,
        metavar="ENTRY",
        shell_complete=complete_entries,
        help="Put it in front of this entry.",
    ),
    click.option(
        "--after",
        type=POSITIVE,
        metavar="ENTRY",
        shell_complete=complete_entries,
        help="Put it behind this entry.",
    ),
)
_TIME_OPTIONS = (
    click.option(
        "--not_before", metavar="TIME", help="Earliest start, e.g. 2026-11-26T21:00:00; UTC without a zone."
    ),
    click.option(
        "--window",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long after that it may start; later it is SKIPPED.",
    ),
    click.option("--repeat", type=POSITIVE, metavar="TIMES", help="How many times it is to run."),
    click.option(
        "--prepare",
        type=click.Choice(["early", "init", "late"]),
        help="What is done while the entry before it runs: 'early', as by default, for environment and "
        "loading, 'init' for init too, 'late' for nothing.",
    ),
    click.option("--note", help="Remark for people."),
)


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group()
def queue() -> None:
    """Run scripts and activities one after the other.

    Entries run in the order that people make. One that fails or is stopped stops the queue; 'oet queue start'
    continues. Entries that have not begun can be changed.
    """


@queue.command("list", epilog=examples("oet queue list", "oet queue list --after=207 --limit=20"))
@click.option("--after", type=POSITIVE, metavar="ENTRY", help="Begin behind this entry.")
@click.option("--limit", type=POSITIVE, metavar="N", help="How many to show that have not ended.")
@with_session
def list_(session: "Session", /, after: int | None, limit: int | None) -> None:
    """Show the queue: its state, and its entries in the order in which they are run.

    Times with a tilde are estimates, from earlier runs of the same script or activity.
    """
    from .queue_calls import show_queue

    show_queue(session, _given(after=after, limit=limit))


@queue.command(epilog=examples("oet queue describe 7", "oet queue describe 7 --json"))
@click.argument("entry", type=POSITIVE)
@with_session
def describe(session: "Session", /, entry: int) -> None:
    """Show an entry with its request and its states, also one that has ended."""
    from .queue_calls import show_entry

    show_entry(session, entry)


@queue.command(
    cls=RunCommand,
    epilog=examples(
        "oet queue add file:///scripts/observe.py --scans=3",
        "oet queue add file:///scripts/observe.py bob --init.verbose=true --front",
        "oet queue add observe --sbd=sbd-123 --not_before=2026-11-26T21:00:00 --window=600",
    ),
)
@click.argument("script_uri", shell_complete=complete_scripts)
@click.argument("args", nargs=-1, shell_complete=complete_values)
@click.option(
    "--sbd", metavar="SBD", help="Scheduling Block, whose activity is given in place of SCRIPT_URI."
)
@_options(*_POSITION_OPTIONS)
@_options(*_TIME_OPTIONS)
@git_options
@with_session
def add(
    session: "Session",
    /,
    script_uri: str,
    args: tuple[str, ...],
    script_kwargs: dict[str, Any],
    init_kwargs: dict[str, Any],
    sbd: str | None,
    front: bool,
    back: bool,
    before: int | None,
    after: int | None,
    not_before: str | None,
    window: float | None,
    repeat: int | None,
    prepare: str | None,
    note: str | None,
    **git: Any,
) -> None:
    """Add a script, or an activity of a Scheduling Block, to the queue.

    SCRIPT_URI is file:///path/script.py on the host of the OET, or git:///path/in/repository.py; or the
    path of a file here, or '-' for standard input, the text of which is sent; with --sbd, the name of an
    activity. ARGS, and any further options written --name=value, are passed to the script's main function,
    those written --init.name=value to its init function. All that follows '--' is for the script. Without
    an option that says where, the entry is put behind all others.
    """
    from .queue_calls import add_activity, add_script, position_of
    from .run_calls import Calls

    calls = Calls(init_kwargs, read_values(args), script_kwargs)
    fields = _given(not_before=not_before, window=window, repeat=repeat, prepare=prepare, note=note)
    position = position_of(front, back, before, after)
    if sbd is None:
        add_script(session, script_uri, calls, given_git_options(git), fields, position)
    else:
        add_activity(session, script_uri, sbd, calls, fields, position)


@queue.command(epilog=examples("oet queue move 7 --front", "oet queue move 7 --after=3"))
@click.argument("entry", type=POSITIVE, shell_complete=complete_entries)
@_options(*_POSITION_OPTIONS)
@with_session
def move(
    session: "Session", /, entry: int, front: bool, back: bool, before: int | None, after: int | None
) -> None:
    """Move an entry that has not begun."""
    from .queue_calls import position_of, update_entry

    position = position_of(front, back, before, after)
    if position is None:
        raise click.UsageError("Say where: --front, --back, --before=ENTRY or --after=ENTRY.")
    update_entry(session, entry, {"position": position})


@queue.command(epilog=examples("oet queue update 7 --note='first light'", "oet queue update 7 --window=600"))
@click.argument("entry", type=POSITIVE, shell_complete=complete_entries)
@_options(*_TIME_OPTIONS)
@with_session
def update(
    session: "Session",
    /,
    entry: int,
    not_before: str | None,
    window: float | None,
    repeat: int | None,
    prepare: str | None,
    note: str | None,
) -> None:
    """Change when an entry that has not begun is run, how often, or its note."""
    from .queue_calls import update_entry

    fields = _given(not_before=not_before, window=window, repeat=repeat, prepare=prepare, note=note)
    if not fields:
        raise click.UsageError("Say what is to be changed, e.g. --note=TEXT.")
    update_entry(session, entry, fields)


@queue.command(epilog=examples("oet queue remove 7"))
@click.argument("entry", type=POSITIVE, shell_complete=complete_entries)
@with_session
def remove(session: "Session", /, entry: int) -> None:
    """Remove an entry that has not begun."""
    from .queue_calls import remove_entry

    remove_entry(session, entry)


@queue.command()
@with_session
def clear(session: "Session", /) -> None:
    """Remove all entries that have not begun."""
    from .queue_calls import clear_queue

    clear_queue(session)


@queue.command()
@with_session
def start(session: "Session", /) -> None:
    """Run the entries of the queue, one after the other."""
    from .queue_calls import set_state

    set_state(session, {"state": "RUNNING"})


@queue.command(epilog=examples("oet queue stop", "oet queue stop --now"))
@click.option("--now", is_flag=True, help="Stop the entry that runs, too.")
@with_session
def stop(session: "Session", /, now: bool) -> None:
    """Begin no further entry; the one that runs continues to its end, unless --now is given."""
    from .queue_calls import set_state

    set_state(session, {"state": "STOPPED", "now": now})


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
