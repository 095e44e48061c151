"""Control characters do not reach a terminal."""

import json

import pytest

from ska_oso_oet.cli.text import printable_json

OBEYED = ["\u009b31m", "\u202eevil", "\u2066", "\x7f", "\u200b", "\U000e0001"]


@pytest.mark.parametrize("control", OBEYED)
def test_json_on_a_terminal_means_the_same_and_controls_nothing(control: str) -> None:
    value = {f"key{control}": [f"é {control} 漢"]}
    shown = printable_json(json.dumps(value, ensure_ascii=False))
    assert shown.isprintable()
    assert "é" in shown
    assert json.loads(shown) == value
