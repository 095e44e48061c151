"""A device server that counts what its controller does with summaries: models, texts, parsing."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from pydantic import BaseModel
from tango.server import command, run

CLASS = "CountingController"

_counts: Counter[str] = Counter()
_written: set[str] = set()
"""Texts that this process has made of values."""


def _text(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, bytes | bytearray | memoryview) else str(value)


def _holds_summary(value: Any) -> bool:
    """Return whether a value holds a summary that is about to be written as JSON."""
    match value:
        case dict():
            return "process_states" in value or any(map(_holds_summary, value.values()))
        case list() | tuple():
            return any(map(_holds_summary, value))
    return False


def _count_writing(owner: Any, name: str) -> None:
    write = getattr(owner, name)

    def counted(value: Any, *args: Any, **kwargs: Any) -> Any:
        written = write(value, *args, **kwargs)
        if type(value).__name__ == "ProcedureSummary" or _holds_summary(value):
            _counts["summaries written"] += 1
        _written.add(_text(written))
        return written

    setattr(owner, name, counted)


def _count_parsing(parse: Callable[..., Any]) -> Callable[..., Any]:
    def counted(text: Any, *args: Any, **kwargs: Any) -> Any:
        if _text(text) in _written:
            _counts["own texts parsed"] += 1
        return parse(text, *args, **kwargs)

    return counted


def _count() -> None:
    def new(cls: type[BaseModel], *args: Any, **kwargs: Any) -> BaseModel:
        _counts["models"] += 1
        return object.__new__(cls)

    validate = BaseModel.model_validate_json.__func__  # type: ignore[attr-defined]

    def validate_json(cls: type[BaseModel], /, text: Any, **kwargs: Any) -> Any:
        return _count_parsing(lambda given: validate(cls, given, **kwargs))(text)

    BaseModel.__new__ = new  # type: ignore[method-assign, assignment]
    BaseModel.model_validate_json = classmethod(validate_json)  # type: ignore[assignment]
    for owner, name in ((BaseModel, "model_dump_json"), (BaseModel, "model_dump")):
        _count_writing(owner, name)
    for module in (json, orjson):
        _count_writing(module, "dumps")
        parse = getattr(module, "loads")  # noqa: B009 - the two modules have no common type
        setattr(module, "loads", _count_parsing(parse))  # noqa: B010


def _count_transactions() -> None:
    from ska_oso_oet.journal.durable import DurableJournal

    append = DurableJournal.append

    def counted(self: DurableJournal, *entries: Any) -> None:
        _counts["transactions"] += 1
        append(self, *entries)

    DurableJournal.append = counted  # type: ignore[method-assign, assignment]


def main() -> None:
    """Run the server."""
    _count()
    _count_transactions()
    from oet_devices.controller import OETController

    class CountingController(OETController):
        """A controller that says what was counted."""

        @command(dtype_out="DevString")
        def TakeCounts(self) -> str:
            """Return what was counted since the last call, as JSON."""
            taken = dict(_counts)
            _counts.clear()
            return json.dumps(taken)

    run((CountingController,), args=[CLASS, *sys.argv[1:]])


if __name__ == "__main__":
    main()
