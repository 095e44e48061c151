"""What the commands have in common: their options, and the free arguments of scripts."""

import errno
import functools
import keyword
import os
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from .connection import HttpSession
from .errors import OetError
from .literals import read_value
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


class ScriptCommand(click.Command):
    """A command that hands to a script what it does not know: values, and ``--name=value``, in any order.

    Its callback gets the values as `args`, the variadic argument that it declares by that name, and the
    others as `script_kwargs`. After ``--`` all is for the script, also what the command itself would know.
    """

    ignore_unknown_options = True  # or negative numbers would be taken for options

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out what is for the script by name, and parse the rest.

        :raises click.UsageError: if a name is unknown, used twice or no name in Python
        """
        split = args.index("--") if "--" in args else len(args)
        known = frozenset(_spelling(option) for param in self.get_params(ctx) for option in param.opts)
        named, rest = _split_named(args[:split], known)
        more_named, positional = _split_named(args[split + 1 :], frozenset())
        if not ctx.resilient_parsing:  # as it is for shell completion, which sees unfinished commands
            _refuse_unknown(ctx, rest, known)
        parsed = super().parse_args(ctx, [*rest, "--", *positional] if positional else rest)
        ctx.params["script_kwargs"] = _kwargs(ctx, [*named, *more_named])
        return parsed


def integer_or_none(value: str) -> int | None:
    """Read an integer, or ``None`` as Python writes it.

    :raises ValueError: if it is neither
    """
    return None if value == "None" else int(value)


def text_or_none(value: str) -> str | None:
    """Read a text, or ``None`` as Python writes it."""
    return None if value == "None" else value


_NAMED = re.compile(r"--(?P<name>[^=]+)=(?P<value>.*)", re.DOTALL)
_OPTION = re.compile(r"-(?![\d.]).+", re.DOTALL)
"""What looks like an option, and not like a negative number."""


def _spelling(option: str) -> str:
    return option.replace("_", "-")


def _split_named(tokens: list[str], known: frozenset[str]) -> tuple[list[re.Match[str]], list[str]]:
    """Separate ``--name=value`` of other than known names from the rest."""
    named: list[re.Match[str]] = []
    rest: list[str] = []
    for token in tokens:
        match = _NAMED.fullmatch(token)
        if match and _spelling("--" + match["name"]) not in known:
            named.append(match)
        else:
            rest.append(token)
    return named, rest


def _refuse_unknown(ctx: click.Context, tokens: list[str], known: frozenset[str]) -> None:
    for token in tokens:
        if _OPTION.fullmatch(token) and _spelling(token.partition("=")[0]) not in known:
            hint = (
                f"An argument for the script by name is written {token}=VALUE." if token[:2] == "--" else ""
            )
            raise click.UsageError(f"No such option: {token}. {hint}".rstrip(), ctx)


def _kwargs(ctx: click.Context, named: list[re.Match[str]]) -> dict[str, Any]:
    kwargs: dict[str, Any] = {}
    for match in named:
        name = match["name"].replace("-", "_")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise click.UsageError(f"{match[0]}: {name!r} cannot be the name of a script's argument.", ctx)
        if name in kwargs:
            raise click.UsageError(f"{match[0]}: {name!r} is given twice.", ctx)
        kwargs[name] = read_value(match["value"])
    return kwargs
