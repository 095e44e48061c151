"""The list of scripts, and the distinction of scripts and their helper modules."""

import threading
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest
from tests.support.patience import patience

from ska_oso_oet.procedure.application.script_list import ScriptList, is_script
from ska_oso_oet.procedure.domain.roots import ScriptRoots
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


def test_lists_of_the_same_folders_share_one_watch(tmp_path: Path) -> None:
    script = tmp_path / "observe.py"
    script.write_text("def main(): ...")
    roots = ScriptRoots.of([tmp_path])
    news: list[SimpleQueue[None]] = [SimpleQueue(), SimpleQueue(), SimpleQueue()]
    first, second = (ScriptList(roots, LONG, partial(each.put, None)) for each in news[:2])
    try:
        for scripts, shown in zip((first, second), news, strict=False):
            shown.get(timeout=patience(10))
            assert scripts.uris == (script.as_uri(),)
        assert sum(thread.name == "oet-script-watch" for thread in threading.enumerate()) == 1
        # What one list no longer needs, the other one still does.
        first.close()
        (tmp_path / "point.py").write_text("def main(): ...")
        while len(second.uris) < 2:
            news[1].get(timeout=patience(10))
    finally:
        first.close()
        second.close()
    assert not any(thread.name == "oet-script-watch" for thread in threading.enumerate())
    # One that begins later reads the folders again.
    script.unlink()
    third = ScriptList(roots, LONG, partial(news[2].put, None))
    try:
        news[2].get(timeout=patience(10))
        assert third.uris == ((tmp_path / "point.py").as_uri(),)
    finally:
        third.close()
