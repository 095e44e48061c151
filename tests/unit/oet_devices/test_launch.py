"""Commands, as they are started."""

import gc
import sys
from pathlib import Path

import pytest

from oet_devices import launch

_COMMAND = """
import gc

searched = [gc.isenabled()]

def main():
    searched.append(gc.isenabled())
"""


def test_a_command_searches_for_garbage_while_it_runs_but_not_while_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_command.py").write_text(_COMMAND)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        launch._run("a-command", "a_command")
    finally:
        gc.unfreeze()

    assert sys.modules["a_command"].searched == [False, True]
