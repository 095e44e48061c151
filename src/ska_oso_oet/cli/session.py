"""What all commands have in common: the service that they talk to, and the options that choose it."""

import errno
import functools
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

import click

from .connection import HttpSession
from .errors import OetError
from .output import Output
from .rest import Reply, RestClient
from .stream import EventStream

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_SERVER_URL = "http://ska-oso-oet-rest:5000/api/v1.0"
TOKEN_VARIABLE = "OET_API_TOKEN"  # noqa: S105 - the name of the variable, not a token
POSITIVE = click.IntRange(min=1)


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    rest: RestClient
    output: Output

    def show(self, reply: Reply[T], print_: Callable[[Output, T], None]) -> None:
        """Print what the service answered.

        :param reply: its answer
        :param print_: prints it for people
        """
        if self.output.as_json:
            self.output.json(reply.body)
        else:
            print_(self.output, reply.content)

    def stream(self, after: int | None = None) -> EventStream:
        """Return a stream of the events after a number, or of those to come; not yet open."""
        return EventStream(self.rest.http, after=after, report=self.output.note)


def with_session(command: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
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
        with closing(HttpSession(url, os.environ.get(TOKEN_VARIABLE, "").strip())) as http:
            try:
                command(Session(RestClient(http), Output(as_json)), *args, **kwargs)
            except OSError as error:
                if error.errno == errno.EPIPE:
                    raise  # a reader like 'head' has enough; click ends the command without a word
                raise OetError(f"Cannot write the output: {error.strerror}") from error

    return wrapper


listen_option = click.option(
    "--listen",
    type=click.BOOL,
    default=True,
    show_default=True,
    help="Show the events of the script until it ends, or return at once.",
)
