"""Signatures of a script's functions: compared with arguments, and as JSON from its worker."""

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

from ska_oso_oet.model import ProcedureInput

from . import script_context
from .annotations import Annotation, MisfitError
from .defaults import Default, shown
from .errors import ArgumentsError
from .subarrays import PARAMETER

_PARAMETER_KINDS = {kind.name: kind for kind in inspect._ParameterKind}  # noqa: SLF001
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


FUNCTIONS = ("init", "main")
"""The functions of a script that the server calls."""


def check(function: str, signature: inspect.Signature, arguments: ProcedureInput) -> ProcedureInput:
    """Check arguments against the signature of a function, and return them with conversions applied.

    Annotations of the class `Annotation` convert values.

    :param function: name of the function, for the error message
    :param signature: its signature
    :param arguments: the arguments as they were given
    :raises ArgumentsError: naming each parameter that they do not fit, with the value and valid values
    """
    # The OET gives main the context, unless the client does.
    complete = script_context.fill(function, signature, arguments, {})
    try:
        signature.bind(*complete.args, **complete.kwargs)
    except TypeError as error:
        raise _misfit(function, signature, [str(error)]) from None
    faults: list[str] = []

    def convert(name: str, parameter: inspect.Parameter, value: Any) -> Any:
        if not isinstance(parameter.annotation, Annotation):
            return value
        try:
            return parameter.annotation.convert(value)
        except MisfitError as error:
            faults.extend(f"{name}{place} {what}" for place, what in error.faults)
            return value

    args = [
        convert(name, parameter, value)
        for (name, parameter), value in zip(_by_position(signature), arguments.args, strict=False)
    ]
    named = {p.name: p for p in signature.parameters.values() if p.kind in _NAMED}
    rest = [p for p in signature.parameters.values() if p.kind is inspect.Parameter.VAR_KEYWORD]
    kwargs = {
        name: convert(name, named[name] if name in named else rest[0], value)
        for name, value in arguments.kwargs.items()
    }
    if faults:
        raise _misfit(function, signature, faults)
    return ProcedureInput(*args, **kwargs)


def override(
    signature: inspect.Signature | None, given: ProcedureInput, other: ProcedureInput
) -> ProcedureInput:
    """Return arguments of a call in which others replace some: all by position together, one by name each.

    Where the signature of the function says which parameter a value is for, it does not matter whether it
    was given by position or by name.

    :param signature: signature of the function, None if that is not known
    :param given: the arguments
    :param other: those that replace them, or are added
    """
    parameters = [] if signature is None else list(signature.parameters.values())
    names = [p.name if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD else None for p in parameters]
    if other.args:
        placed = names[: len(other.args)]
        kept = {name: value for name, value in given.kwargs.items() if name not in placed}
        return ProcedureInput(*other.args, **{**kept, **other.kwargs})
    args, left = list(given.args), dict(other.kwargs)
    for place, name in enumerate(names[: len(args)]):
        if name in left:
            args[place] = left.pop(name)
    return ProcedureInput(*args, **{**given.kwargs, **left})


def _by_position(signature: inspect.Signature) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the parameter that each positional argument is for, with its name in messages."""
    for parameter in signature.parameters.values():
        if parameter.kind in _POSITIONAL:
            yield parameter.name, parameter
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            yield from ((f"{parameter.name}[{index}]", parameter) for index in itertools.count())


def _misfit(function: str, signature: inspect.Signature, faults: list[str]) -> ArgumentsError:
    return ArgumentsError(
        f"the arguments of {function}() do not fit: {'; '.join(faults)}; "
        f"the script defines {function}{_show(signature)}"
    )


def _show(signature: inspect.Signature) -> str:
    """Return a signature as a script writes it, with abbreviated defaults."""
    return str(
        signature.replace(
            parameters=[
                p if p.default is inspect.Parameter.empty else p.replace(default=Default(shown(p.default)))
                for p in signature.parameters.values()
            ]
        )
    )


# As JSON, from the worker that has loaded the script


def to_json(signature: inspect.Signature) -> list[list[Any]]:
    """Return parameters as ``[name, kind, text of the default, annotation, default?]``.

    The text is null where there is no default. The annotation is its text, and null where it accepts any
    value.
    """
    return [
        [
            p.name,
            p.kind.name,
            None if p.default is inspect.Parameter.empty else shown(p.default),
            p.annotation.text if isinstance(p.annotation, Annotation) and p.annotation.adapter else None,
            *_known_default(p.name, p.default),
        ]
        for p in signature.parameters.values()
    ]


def _known_default(name: str, default: Any) -> list[int]:
    """Return the default of a parameter, if it is one that has to be known: that of the subarray."""
    return [default] if name == PARAMETER and type(default) is int else []


def from_json(parameters: list[list[Any]]) -> inspect.Signature:
    """Return the signature from the list of `to_json`. The types of its annotations are not known."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                _PARAMETER_KINDS[kind],
                default=inspect.Parameter.empty if text is None else (default or [Default(text)])[0],
                annotation=inspect.Parameter.empty if annotation is None else Annotation(annotation),
            )
            for name, kind, text, annotation, *default in parameters
        ]
    )


def is_annotated(signature: inspect.Signature) -> bool:
    """Return whether the values of arguments are checked, in addition to their names."""
    return any(isinstance(p.annotation, Annotation) for p in signature.parameters.values())
