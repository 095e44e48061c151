"""Arguments of scripts among those of a command."""

import difflib
import keyword
import re
from collections.abc import Collection, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from .completion import complete_parameters
from .literals import read_value


class ScriptCommand(click.Command):
    """A command that passes unknown arguments to a script: values, and ``--name=value``, in any order.

    Its callback gets the values as `args`, the variadic argument that it declares by that name, and the
    others as `script_kwargs`. After ``--`` all arguments are for the script, also those that the command
    itself has.

    :param function: the function of the script that gets them; its parameters are completed
    """

    ignore_unknown_options = True  # or negative numbers would be taken for options

    def __init__(self, *args: Any, function: str = "main", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.functions = {"": function}
        """The functions of the script that get arguments, by what the names of these begin with."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the options of the command, and the parameters of the script."""
        own = {_spelling(option) for param in self.get_params(ctx) for option in param.opts}
        found = complete_parameters(ctx, self.functions, incomplete)
        others = [item for item in found if _spelling(item.value.rstrip("=")) not in own]
        return [*super().shell_complete(ctx, incomplete), *others]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take out what is for the script by name, and parse the rest.

        :raises click.UsageError: if a name is unknown, used twice or no name in Python, or if an option
            that takes no value has one
        """
        split = args.index("--") if "--" in args else len(args)
        known = {_spelling(option): option for param in self.get_params(ctx) for option in param.opts}
        flags = {
            _spelling(option) for param in self.get_params(ctx) if _is_flag(param) for option in param.opts
        }
        named, rest = _split_named(args[:split], known)
        more_named, positional = _split_named(args[split + 1 :], ())
        if not ctx.resilient_parsing:  # as it is for shell completion, which sees unfinished commands
            _refuse_unknown(ctx, rest, known)
            _refuse_value_of_flag(ctx, rest, flags)
            _point_out_look_alikes(named, known)
        parsed = super().parse_args(ctx, [*rest, "--", *positional] if positional else rest)
        if not ctx.resilient_parsing:
            self.take_named(ctx, [*named, *more_named])
        return parsed

    def take_named(self, ctx: click.Context, named: list[re.Match[str]]) -> None:
        """Take the arguments that are for the script by name."""
        ctx.params["script_kwargs"] = _kwargs(ctx, named)


class RunCommand(ScriptCommand):
    """A command that hands arguments to two functions of a script: ``--init.name=value`` are for ``init``.

    Its callback gets these as `init_kwargs`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.functions[_INIT] = "init"

    def take_named(self, ctx: click.Context, named: list[re.Match[str]]) -> None:
        """Take the arguments that are for the script by name."""
        of_init = [match for match in named if match["name"].startswith(_INIT)]
        super().take_named(ctx, [match for match in named if match not in of_init])
        ctx.params["init_kwargs"] = _kwargs(ctx, of_init, _INIT)


def read_values(texts: tuple[str, ...]) -> list[Any]:
    """Read the values that a user gives to a script by position."""
    return [read_value(text) for text in texts]


def text_or_none(value: str) -> str | None:
    """Read a text, or ``None`` as Python writes it."""
    return None if value == "None" else value


_NAMED = re.compile(r"--(?P<name>[^=]+)=(?P<value>.*)", re.DOTALL)
_INIT = "init."
"""Prefix of the names of arguments of ``init`` where ``main`` has arguments, too."""
_LIKENESS = 0.85
"""Similarity, from 0 to 1, from which on a name counts as a misspelling of another: a letter or two."""
_OPTION = re.compile(r"-(?![\d.]).+", re.DOTALL)
"""Pattern of an option, which does not match a negative number."""


def _spelling(option: str) -> str:
    return option.replace("_", "-")


def _is_flag(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and param.is_flag


def _split_named(tokens: list[str], known: Collection[str]) -> tuple[list[re.Match[str]], list[str]]:
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


def _refuse_unknown(ctx: click.Context, tokens: list[str], known: Mapping[str, str]) -> None:
    for token in tokens:
        if _OPTION.fullmatch(token) and _spelling(token.partition("=")[0]) not in known:
            hint = (
                f"An argument for the script by name is written {token}=VALUE." if token[:2] == "--" else ""
            )
            raise click.UsageError(f"No such option: {token}. {hint}".rstrip(), ctx)


def _refuse_value_of_flag(ctx: click.Context, tokens: list[str], flags: Collection[str]) -> None:
    for token in tokens:
        name, has_value, _ = token.partition("=")
        if has_value and _spelling(name) in flags:
            raise click.UsageError(
                f"{token}: the option {name} of this command takes no value. "
                f"An argument of that name for the script is written after '--': -- {token}",
                ctx,
            )


def _point_out_look_alikes(named: list[re.Match[str]], known: Mapping[str, str]) -> None:
    """Say so if an argument for the script looks like an option of the command, misspelt."""
    for match in named:
        option = "--" + match["name"]
        if _spelling(option) in known:
            continue
        meant = difflib.get_close_matches(_spelling(option), list(known), n=1, cutoff=_LIKENESS)
        if meant:
            click.echo(
                f"{option} is passed to the script; the option of this command is {known[meant[0]]}", err=True
            )


def _kwargs(ctx: click.Context, named: list[re.Match[str]], prefix: str = "") -> dict[str, Any]:
    kwargs: dict[str, Any] = {}
    for match in named:
        name = match["name"].removeprefix(prefix).replace("-", "_")
        if not name.isidentifier() or keyword.iskeyword(name):
            raise click.UsageError(f"{match[0]}: {name!r} cannot be the name of a script's argument.", ctx)
        if name in kwargs:
            raise click.UsageError(f"{match[0]}: {name!r} is given twice.", ctx)
        kwargs[name] = read_value(match["value"])
    return kwargs
