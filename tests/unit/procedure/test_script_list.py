"""Distinction of scripts and their helper modules."""

from pathlib import Path

import pytest

from ska_oso_oet.procedure.application.script_list import is_script
from ska_oso_oet.procedure.domain.source import LONG

PADDING = LONG * "#" + "\n"

SCRIPTS = [
    "def main(): ...",
    "async def main(): ...",
    "def init():\n    yield",
    "x = 1\ndef init(subarray_id): ...",
    "if True:\n    def main(): ...",
    "from shared.observing import main",
    "from shared.observing import (\n    point,\n    main,\n)",
    "from shared.observing import *",
    "from functools import partial\nimport shared\nmain = partial(shared.observe, 1)",
    "def main(:",
    PADDING + "def main(): ...",
]
HELPERS = [
    "",
    "def observe(): ...",
    "# main and init are elsewhere",
    "class Receiver:\n    def init(self): ...\n    def main(self): ...",
    "def observe():\n    main = 1\n    return main",
    "x = 'main'",
    "def observe(:",
    PADDING + "def observe(): ...",
]


@pytest.mark.parametrize(("texts", "expected"), [(SCRIPTS, True), (HELPERS, False)])
def test_a_script_has_a_main_or_an_init(tmp_path: Path, texts: list[str], expected: bool) -> None:
    path = tmp_path / "a.py"
    for text in texts:
        path.write_text(text)
        assert is_script(path) is expected, text


def test_a_file_that_cannot_be_read_or_is_too_large_is_not_a_script(tmp_path: Path) -> None:
    assert not is_script(tmp_path / "gone.py")
    (tmp_path / "large.py").write_text("def main(): ...")
    assert not is_script(tmp_path / "large.py", size_limit=3)
