"""Options that all commands have, and the handling of their errors.

This module, and those that define commands, import nothing that takes long to import: help, completion
and the refusal of misuse are quick. The code that talks to a service is imported when it is needed.
"""

import errno
import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from .completion import complete_procedures, complete_subarrays
from .errors import CommandError, DetachedError

if TYPE_CHECKING:
    from .session import Session

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_REPOSITORY = "https://gitlab.com/ska-telescope/oso/ska-oso-scripting.git"
"""The value of `ska_oso_oet.model.DEFAULT_REPOSITORY`, which would take long to import."""
DEFAULT_SERVER_URL = "http://ska-oso-oet-rest:5000/api/v1.0"
TOKEN_VARIABLE = "OET_API_TOKEN"  # noqa: S105 - the name of the variable, not a token
POSITIVE = click.IntRange(min=1)


class _Boolean(click.types.BoolParamType):
    """Boolean: True or False, and the other words that click accepts."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Complete the two as the documentation writes them."""
        return [CompletionItem(each) for each in ("True", "False") if each.startswith(incomplete.title())]


BOOLEAN = _Boolean()


def subarray_or_none(value: str) -> int | None:
    """Read the number of a subarray, or ``None`` as Python writes it.

    :raises click.BadParameter: if it is neither
    """
    if value == "None":
        return None
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise click.BadParameter(f"{value!r} is neither the number of a subarray (1 or more) nor None.")
    return int(value)


def with_session(command: "Callable[Concatenate[Session, P], None]") -> Callable[..., None]:
    """Give a command the options that all have, and a session with the service that they name."""

    @click.option(
        "--server-url", metavar="URL", help="Address of the REST API, instead of that given to 'oet'."
    )
    @click.option(
        "--json", "as_json", is_flag=True, help="Print what the server sent, one JSON text per line."
    )
    @click.option(
        "--subarray_id",
        type=subarray_or_none,
        metavar="INTEGER",
        shell_complete=complete_subarrays,
        help="Chooses the controller where one service serves several; for a script, an argument as well.",
    )
    @click.pass_context
    @functools.wraps(command)
    def wrapper(
        ctx: click.Context,
        /,
        server_url: str | None,
        as_json: bool,
        subarray_id: int | None,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        is_argument = "script_kwargs" in ctx.params
        url = server_url or ctx.find_object(str) or DEFAULT_SERVER_URL
        try:
            from .session import open_session

            token = os.environ.get(TOKEN_VARIABLE, "").strip()
            user = ctx.find_root().params.get("user")
            with open_session(url, token, as_json, subarray_id, is_argument, user) as session:
                _run(session, command, *args, **kwargs)
        except KeyboardInterrupt:
            raise DetachedError("Ctrl-C. What was asked for may have been done or not") from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # a reader like 'head' has enough; click ends the command without a word
            raise CommandError(f"Cannot write the output: {error.strerror}") from error

    return wrapper


def _run(
    session: "Session", command: "Callable[Concatenate[Session, P], None]", *args: P.args, **kwargs: P.kwargs
) -> None:
    """Run a command. If the state of the controller is why it is refused, say which command helps."""
    try:
        command(session, *args, **kwargs)
    except CommandError as error:
        from .controller_calls import advice_after

        error.advice = advice_after(error, session.rest)
        raise


def examples(*commands: str) -> str:
    """Return the examples at the end of a command's help.

    :param commands: as they may be typed
    """
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def pid_option(help_: str) -> Callable[[F], F]:
    """Return the option that names a procedure.

    :param help_: what it is for
    """
    return click.option("--pid", type=POSITIVE, shell_complete=complete_procedures, help=help_)


listen_option = click.option(
    "--listen",
    type=BOOLEAN,
    default=True,
    show_default=True,
    help="Show the events of the script until it ends, or return at once.",
)

long_option = click.option(
    "--long",
    "in_full",
    is_flag=True,
    help="Show events in full, as the OET 5.2.0 does, not in one line.",
)

output_option = click.option(
    "--show_output",
    "with_output",
    type=BOOLEAN,
    default=None,
    help="Show what the script prints, too, behind '| '. [default: True, with --json False]",
)

run_abort_option = click.option(
    "--run_abort",
    type=BOOLEAN,
    default=True,
    show_default=True,
    help="Send Abort to the subarray when the script has been stopped.",
)
