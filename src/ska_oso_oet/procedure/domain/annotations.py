"""Annotations of parameters: pydantic checks and converts arguments by them."""

import inspect
import json
import reprlib
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from annotated_types import DocInfo, Unit
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ska_oso_oet.model import OetError

from .defaults import UNKNOWN_VALUE, Default

UNKNOWN = object()
"""Stands for a type that only the script's own process knows."""

_CONFIG = ConfigDict(strict=True, extra="forbid")

_NOT_JSON = frozenset({"generator", "callable", "is-subclass"})
"""Kinds of pydantic's schemas for values that JSON cannot express, or that checking would consume."""

_CATCH_ALL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

_BY_DECORATOR = Default(UNKNOWN_VALUE)
"""Default of a parameter whose value a decorator may supply."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


class Annotation:
    """The annotation of a parameter.

    :param text: the annotation as the script has it
    :param kind: the type that it stands for, `UNKNOWN` if that is not known in this process
    """

    def __init__(self, text: str, kind: Any = UNKNOWN) -> None:
        self.text = text
        self.kind = kind

    def __repr__(self) -> str:
        return self.text

    @cached_property
    def adapter(self) -> "TypeAdapter[tuple[Any]] | None":
        """The pydantic adapter of a tuple with one such value; None if any value is accepted."""
        # Within a tuple, the configuration counts for dataclasses too.
        if self.kind is UNKNOWN:
            return None
        try:
            within: Any = types.GenericAlias(tuple, (self.kind,))
            adapter: TypeAdapter[tuple[Any]] = TypeAdapter(within, config=_CONFIG)
            checkable = not any(kind in _NOT_JSON for kind in _kinds(adapter.core_schema))
        except Exception:  # pydantic does not know the type, or the script's own code for it fails
            return None
        return adapter if checkable else None

    @property
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the values that are accepted, with ``unit`` and definitions in ``$defs``.

        Empty if any value is accepted.
        """
        if self.adapter is None:
            return {}
        try:
            schema = self.adapter.json_schema()
        except Exception:  # JSON Schema has no form for the type
            return {}
        own: dict[str, Any] = schema["prefixItems"][0] | _described(self.kind)
        return own | ({"$defs": schema["$defs"]} if "$defs" in schema else {})

    def convert(self, value: Any) -> Any:
        """Return an argument as the function is to get it.

        A value that fits is returned as it is, but an integer where a float is meant as a float. One that
        JSON has no type for, and that is given in the form that JSON has for it, is converted: text to an
        Enum or a date and time, a list to a tuple.

        :param value: the argument
        :raises MisfitError: if it does not fit
        """
        if self.adapter is None:
            return value
        try:
            try:
                return _unless_equal(value, self.adapter.validate_python((value,))[0])
            except ValidationError:
                # It may fit in the form that it has in JSON.
                return self._from_json(value)
        except ValidationError as error:
            raise MisfitError(_faults(value, error)) from None
        except Exception as error:  # the script's own code refuses it
            raise MisfitError(
                [("", f"is {_SHORT.repr(value)}, which the script refuses: {error!r}")]
            ) from None

    def _from_json(self, value: Any) -> Any:
        assert self.adapter is not None, "there is something to check"  # noqa: S101
        try:
            text = json.dumps([value])
        except (TypeError, ValueError):  # a value of Python, of a caller in the same process
            return self.adapter.validate_python((value,))[0]
        try:
            return self.adapter.validate_json(text)[0]
        except ValidationError:
            # JSON of other programs may have 3.0 where an integer is meant.
            whole = _with_whole_numbers(value)
            if whole is value:
                raise
            return self.adapter.validate_json(json.dumps([whole]))[0]


class MisfitError(OetError, ValueError):
    """A value does not fit an annotation.

    :ivar faults: the place within the value, such as ``[1].name``, empty for all of it; and the fault there,
        as the rest of a sentence
    """

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{place} {what}".strip() for place, what in faults))
        self.faults = faults


def of_function(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function, whose annotations are of the class `Annotation`.

    :raises TypeError: if it has none
    :raises ValueError: if it cannot be known
    """
    signature = inspect.signature(function)
    if hasattr(function, "__wrapped__"):
        signature = _of_decorated(function, signature)
    namespace = _namespace(function)
    return signature.replace(
        parameters=[
            parameter.replace(annotation=_evaluated(parameter, namespace))
            if parameter.annotation is not inspect.Parameter.empty
            else parameter
            for parameter in signature.parameters.values()
        ],
        return_annotation=inspect.Signature.empty,
    )


def _of_decorated(function: Callable[..., Any], of_wrapped: inspect.Signature) -> inspect.Signature:
    """Return the signature of a function that `functools.wraps` has made look like another.

    A decorator may have parameters of its own, and then those count. One that takes all arguments may pass
    them on, or add some: parameters that the function below it requires are optional.
    """
    try:
        own = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):  # it is one of the standard library that passes all arguments on
        return of_wrapped
    if any(parameter.kind not in _CATCH_ALL for parameter in own.parameters.values()):
        return own
    return of_wrapped.replace(
        parameters=[
            parameter.replace(default=_BY_DECORATOR)
            if parameter.default is inspect.Parameter.empty and parameter.kind not in _CATCH_ALL
            else parameter
            for parameter in of_wrapped.parameters.values()
        ]
    )


def _evaluated(parameter: inspect.Parameter, namespace: Mapping[str, Any]) -> Annotation:
    kind = parameter.annotation
    text = kind if isinstance(kind, str) else inspect.formatannotation(kind)
    if isinstance(kind, str):
        try:
            kind = eval(kind, dict(namespace))  # noqa: S307  # the script's own text, in its own process
        except Exception:  # it may be imported for type checkers only
            kind = UNKNOWN
    return Annotation(text, optional(kind) if parameter.default is None else kind)


def optional(kind: Any) -> Any:
    """Return the type that a parameter has whose default is None: None is accepted too."""
    return kind if kind is UNKNOWN else typing.Optional[kind]  # noqa: UP045  # the type may be text


def _namespace(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the namespace in which the annotations of a function are evaluated."""
    plain = inspect.unwrap(function)
    while hasattr(plain, "func"):  # functools.partial
        plain = plain.func
    if not hasattr(plain, "__globals__"):
        # A class, or an object that can be called.
        is_class = isinstance(plain, type)
        plain = getattr(plain if is_class else type(plain), "__init__" if is_class else "__call__")
    module = sys.modules.get(getattr(plain, "__module__", ""))
    names: Mapping[str, Any] = getattr(plain, "__globals__", None) or vars(module or typing)
    return names


def _described(kind: Any) -> dict[str, str]:
    """Return the unit in the metadata of an annotated type: a text, or a `Unit`."""
    found = {}
    for each in getattr(kind, "__metadata__", ()):
        if isinstance(each, str):
            found["unit"] = each
        elif isinstance(each, Unit):
            found["unit"] = each.unit
        elif isinstance(each, DocInfo):
            found["description"] = each.documentation
    return found


def _kinds(schema: Any) -> Iterator[str]:
    """Yield the kinds of all schemas that a schema of pydantic-core is made of."""
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            if isinstance(each.get("type"), str):
                yield each["type"]
            # The expected values of an enumeration, and metadata, are values of the script.
            waiting += [part for key, part in each.items() if key not in ("expected", "members", "metadata")]
        elif isinstance(each, list | tuple):
            waiting += each


def _unless_equal(value: Any, validated: Any) -> Any:
    """Return a value that fits as it is, unless its type makes another of it."""
    if validated is value or (type(value) is int and type(validated) is float):
        return validated
    try:
        return value if bool(validated == value) else validated
    except Exception:  # comparisons of a script's classes may do anything
        return validated


def _faults(value: Any, error: ValidationError) -> list[tuple[str, str]]:
    """Return the faults of a value: the alternatives of a union in one sentence."""
    found: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        place = _place(value, item["loc"][1:])
        sentence = _SENTENCES.get(item["type"], "is {value}, and {what}").format(
            value=_SHORT.repr(item["input"]), what=_should(item["msg"])
        )
        sentences = found.setdefault(place, [])
        if sentence not in sentences:
            sentences.append(sentence)
    return [
        (place, sentences[0] + "".join(f" or {each.partition(', and ')[2]}" for each in sentences[1:]))
        for place, sentences in found.items()
    ]


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of it",
    "unexpected_keyword_argument": "is not a field of it",
}


def _should(message: str) -> str:
    return message.replace("Input should", "should", 1) if message.startswith("Input ") else message


def _place(value: Any, location: Sequence[int | str]) -> str:
    """Return the place of a fault in a value. The location also names the alternatives of unions."""
    place = ""
    for part in location:
        if isinstance(part, int) and isinstance(value, list | tuple):
            place += f"[{part}]"
            value = value[part] if part < len(value) else None
        elif isinstance(value, dict) and (part in value or part == location[-1]):
            place += f".{part}"
            value = value.get(part)
    return place


def _with_whole_numbers(value: Any) -> Any:
    """Return a value with integers for numbers like 3.0; the same object if it has none."""
    if type(value) is float and value.is_integer():
        return int(value)
    if isinstance(value, list):
        items = [_with_whole_numbers(item) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        parts = {key: _with_whole_numbers(item) for key, item in value.items()}
        return parts if any(parts[key] is not value[key] for key in value) else value
    return value
