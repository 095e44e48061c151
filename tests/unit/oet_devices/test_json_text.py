"""JSON as Tango strings can hold it."""

import json

import pytest

from oet_devices.json_text import ascii_json

TEXTS = [
    "plain",
    "Größe",
    "Δ-sort",
    "🚀 to 𝕊pace",
    "zero\0byte",
    "\ud800 alone",
    "\udcff",
    "e\u0301\u2028\u2029",
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_the_same_json_in_ascii(text: str) -> None:
    raw = json.dumps({text: [text]}, ensure_ascii=False)
    encoded = ascii_json(raw)
    assert encoded.isascii()
    assert json.loads(encoded) == json.loads(raw)


def test_characters_beyond_the_basic_plane_become_surrogate_pairs() -> None:
    assert ascii_json('"🚀"') == '"\\ud83d\\ude80"'


def test_ascii_is_left_as_it_is() -> None:
    raw = '{"a": "\\u00fc"}'
    assert ascii_json(raw) is raw
