"""Values on the command line."""

import warnings
from typing import Any

import pytest

from ska_oso_oet.cli.literals import read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-5", -5),
        ("1.5e3", 1500.0),
        ("true", True),
        ("True", True),
        ("false", False),
        ("null", None),
        ("None", None),
        ("'12'", "12"),
        ('"12"', "12"),
        ("[1, 'a', None]", [1, "a", None]),
        ('{"init": {"kwargs": {"foo": true}}}', {"init": {"kwargs": {"foo": True}}}),
        ("(1, (2,))", [1, [2]]),
        ("", ""),
    ],
)
def test_reads_literals_of_json_and_python(text: str, value: Any) -> None:
    read = read_value(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "bob smith",
        "file:///scripts/sb.json",
        "2020-10-30",
        "007",
        "NaN",
        "Infinity",
        "1e999",
        "{1, 2}",
        "{1: 2}",
        "b'x'",
        "1j",
        "__import__('os')",
        "[" * 100_000,
        "9" * 5000,
        "nested [1",
    ],
)
def test_takes_all_else_as_the_text_that_it_is(text: str) -> None:
    assert read_value(text) == text


def test_does_not_lecture_on_escape_sequences() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_value(r"'\d'") == r"\d"
