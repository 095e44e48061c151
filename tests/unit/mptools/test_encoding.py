"""Any value of a user's code arrives, as the JSON nearest to it."""

import collections
import dataclasses
import datetime
import decimal
import enum
import itertools
import json
import threading
import types
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.mptools import EventMessage, MessageTooLargeError
from ska_oso_oet.mptools.encoding import MAX_MESSAGE, decode, encode

Pair = collections.namedtuple("Pair", "x y")


class Degrees(float):
    """A number of a class of its own."""


class Colour(enum.Enum):
    """JSON has no enumerations."""

    RED = "red"


@dataclasses.dataclass
class Pointing:
    """JSON has no records."""

    ra: float
    name: str


class Dish:
    """An object with parts that JSON does not know."""

    def __init__(self) -> None:
        self.azimuth = np.arange(4)[::2]
        self.gain = decimal.Decimal("1.50")
        self.log = Path("/var/log/dish")
        self.on_done = print
        self.me = self


class Malicious:
    """An object of which every method raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("leave me alone")

    __repr__ = __str__ = __getattribute__  # type: ignore[assignment]
    __hash__ = object.__hash__


def crossed(value: Any) -> Any:
    line = encode(value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    json.loads(line)
    return decode(line)


def test_an_event_message_arrives_as_one() -> None:
    message = EventMessage("worker-1", "PUBSUB", {"topic": "a.b", "fields": {"msg": "Größe 🚀\n"}})
    assert crossed(message) == message


class _Kind(StrEnum):
    CALL = "CALL"


def test_a_message_of_json_alone_is_not_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    # To import what rebuilds a value takes tens of milliseconds, for which each new script would wait.
    monkeypatch.setattr("ska_oso_oet.mptools.rendering.Plain", None)
    message = decode(encode(EventMessage("1", _Kind.CALL, {"refusal": None})))
    assert (message.msg_src, message.msg_type, message.msg) == ("1", "CALL", {"refusal": None})


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "", [], [1, 2, 3], ["a"], {"a": {"b": [None]}}])
def test_json_arrives_as_it_is(value: Any) -> None:
    assert crossed(value) == value


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        (float("nan"), "NaN"),
        ({"rms": [1.5, float("inf"), None]}, {"rms": [1.5, "Infinity", None]}),
        (-float("inf"), "-Infinity"),
        ({float("nan"): 1, None: 2, True: 3}, {"NaN": 1, "null": 2, "true": 3}),
        (Pointing(float("nan"), "Vega"), {"ra": "NaN", "name": "Vega"}),
        (Path("/data/scan 1.h5"), "/data/scan 1.h5"),
        ({PurePosixPath("a"): {Path("b")}}, {"a": ["b"]}),
        (
            {"at": datetime.date(2026, 1, 2), "colour": Colour.RED, "rms": float("nan")},
            {"at": "2026-01-02", "colour": "red", "rms": "NaN"},
        ),
        (Degrees("nan"), "NaN"),
        (Degrees("1.5"), 1.5),
        (2**64 - 1, 2**64 - 1),
        (2**70, str(2**70)),
        ({"n": [-(2**63) - 1]}, {"n": [str(-(2**63) - 1)]}),
        ("a\ud800b", "a\\ud800b"),
        ({"\udcff": 1}, {"\\udcff": 1}),
        ({(1, 2): 3, None: 4, 5: 6}, {"(1, 2)": 3, "null": 4, "5": 6}),
        ({5: 6}, {"5": 6}),
        ((1, 2), [1, 2]),
        (Pair(1, 2), [1, 2]),
        ({7}, [7]),
        (frozenset([7]), [7]),
        (collections.deque([1, Colour.RED]), [1, "red"]),
        ({"set": frozenset([7]), "nan": float("nan")}, {"set": [7], "nan": "NaN"}),
        (types.MappingProxyType({"a": frozenset([1])}), {"a": [1]}),
        (types.SimpleNamespace(gains=collections.deque([1.5])), {"gains": [1.5]}),
        (Colour.RED, "red"),
        (Pointing(1.5, "Vega"), {"ra": 1.5, "name": "Vega"}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.5"), "Decimal('1.5')"),
        (b"ab\xff", "b'ab\\xff'"),
        (ValueError("too hot"), "ValueError('too hot')"),
        (1j, "1j"),
        (range(3), "range(0, 3)"),
        (print, "<built-in function print>"),
    ],
)
def test_what_is_no_json_arrives_as_what_is_nearest(value: Any, rendered: Any) -> None:
    assert crossed(value) == rendered


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        (np.float32(1.5), 1.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.arange(3), [0, 1, 2]),
        (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (np.arange(6)[::2], [0, 2, 4]),
        (np.arange(3, dtype=">i4"), [0, 1, 2]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1j]), ["1j"]),
        (np.complex64(1j), "np.complex64(1j)"),
        ({"a": [np.arange(2)]}, {"a": [[0, 1]]}),
        (np.float64("nan"), "NaN"),
        (np.array([[1.0, np.nan], [np.inf, 2.0]]), [[1.0, "NaN"], ["Infinity", 2.0]]),
    ],
)
def test_numpy_arrives_as_numbers(value: Any, rendered: Any) -> None:
    assert crossed(value) == rendered


def test_an_object_arrives_as_its_attributes_and_none_of_them_as_null() -> None:
    dish = crossed({"dish": Dish()})["dish"]
    assert dish["azimuth"] == [0, 2]
    assert dish["gain"] == "Decimal('1.50')"
    assert dish["log"] == "/var/log/dish"
    assert dish["on_done"] == "<built-in function print>"
    assert "Dish object" in dish["me"]


def test_an_object_beside_something_that_spoils_the_whole_keeps_its_attributes() -> None:
    assert crossed([2**70, Dish()])[1]["azimuth"] == [0, 2]


@pytest.mark.parametrize(
    "hide", [lambda it: it, lambda it: {"a": it}, lambda it: {it: 1}, lambda it: [2**70, it]]
)
def test_an_object_whose_methods_raise_does_no_harm(hide: Callable[[Any], Any]) -> None:
    assert "Malicious" in json.dumps(crossed(hide(Malicious())))


def test_an_iterator_is_not_used_up() -> None:
    numbers = itertools.count()
    assert crossed(numbers) == "count(0)"
    assert next(numbers) == 0


def _loop() -> Any:
    loop: dict[str, Any] = {}
    loop.update(left=loop, right=loop, other=1)
    return loop


def _web(size: int) -> Any:
    """Everything holds everything: there are more ways through it than anyone can go."""
    nodes: list[dict[str, Any]] = [{} for _ in range(size)]
    for node in nodes:
        node.update({str(index): other for index, other in enumerate(nodes)})
    return nodes[0]


def _deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [_loop(), _web(30), _deep(10_000), {"x": _web(30), "o": Dish()}], ids=range(4)
)
def test_what_holds_itself_is_encoded_within_a_bound(value: Any) -> None:
    done = threading.Event()

    def run() -> None:
        decode(encode(value, limit=None))
        done.set()

    threading.Thread(target=run, daemon=True).start()
    assert done.wait(PATIENCE)


def test_a_circle_is_shown_as_far_as_it_is_none() -> None:
    assert crossed(_loop()) == {"left": "<dict ...>", "right": "<dict ...>", "other": 1}


def test_a_message_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(MessageTooLargeError, match="send less") as raised:
        encode("x" * MAX_MESSAGE)
    assert raised.value.size == MAX_MESSAGE + 4
    assert len(encode("x" * MAX_MESSAGE, limit=None)) == MAX_MESSAGE + 5


@pytest.mark.parametrize("line", [b"", b"nonsense", b"{}", b"[1,2]", b"[]", b"\xff", b"[NaN]"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode(line)
