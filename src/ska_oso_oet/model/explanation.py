"""Explanations of validation errors, in plain sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from .scripts import SCRIPT_TYPES

# The texts of pydantic for these are written for programmers.
_SENTENCES = {
    "missing": "this field is missing",
    "extra_forbidden": "there is no such field, check its spelling",
    "unexpected_keyword_argument": "there is no such field, check its spelling",
    "model_type": "a JSON object was expected",
    "model_attributes_type": "a JSON object was expected",
    "dict_type": "a JSON object was expected",
    "dataclass_type": "a JSON object was expected",
}


def explain(error: ValidationError) -> str:
    """Return the fault of each field, in one line and without the values.

    :param error: as pydantic raised it
    """
    return explain_items(error.errors(include_url=False, include_input=False))


def explain_items(items: Iterable[Mapping[str, Any]]) -> str:
    """Return the fault of each field, in one line and without the values.

    :param items: location, type, message and context of each fault, as pydantic lists them
    """
    return "; ".join(map(_sentence, items))


def _sentence(item: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in _fields(item["loc"]))
    own = item.get("ctx", {}).get("error")
    what = str(own) if own is not None else _SENTENCES.get(item["type"], item["msg"])
    return f"{where}: {what}" if where else what


def _fields(location: Sequence[int | str]) -> Iterator[int | str]:
    """Yield the parts of a location that are in the JSON.

    Pydantic adds the type of a script after "script", and "[key]" after a key that is not allowed.
    """
    before: int | str | None = None
    for part in location:
        if part != "[key]" and not (before == "script" and part in SCRIPT_TYPES):
            yield part
        before = part
