"""What all commands have in common: the options that choose a service, and how they end.

This module, and those that define commands, import nothing that takes long to import: help, completion
and the refusal of misuse are quick. What talks to a service is imported once there is something to say.
"""

import errno
import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from .errors import DetachedError, OetError

if TYPE_CHECKING:
    from .session import Session

P = ParamSpec("P")

DEFAULT_SERVER_URL = "http://ska-oso-oet-rest:5000/api/v1.0"
TOKEN_VARIABLE = "OET_API_TOKEN"  # noqa: S105 - the name of the variable, not a token
POSITIVE = click.IntRange(min=1)


def with_session(command: "Callable[Concatenate[Session, P], None]") -> Callable[..., None]:
    """Give a command the options that all have, and a session with the service that they name."""

    @click.option(
        "--server-url", metavar="URL", help="Address of the REST API, instead of that given to 'oet'."
    )
    @click.option(
        "--json", "as_json", is_flag=True, help="Print what the server sent, one JSON text per line."
    )
    @click.pass_context
    @functools.wraps(command)
    def wrapper(
        ctx: click.Context, /, server_url: str | None, as_json: bool, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        url = server_url or ctx.find_object(str) or DEFAULT_SERVER_URL
        try:
            from .session import open_session

            with open_session(url, os.environ.get(TOKEN_VARIABLE, "").strip(), as_json) as session:
                command(session, *args, **kwargs)
        except KeyboardInterrupt:
            raise DetachedError("Ctrl-C. What was asked for may have been done or not") from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # a reader like 'head' has enough; click ends the command without a word
            raise OetError(f"Cannot write the output: {error.strerror}") from error

    return wrapper


def examples(*commands: str) -> str:
    """Return what the help of a command ends with.

    :param commands: as they may be typed
    """
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


listen_option = click.option(
    "--listen",
    type=click.BOOL,
    default=True,
    show_default=True,
    help="Show the events of the script until it ends, or return at once.",
)
