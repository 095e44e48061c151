"""Processes of dead servers are killed, all others are left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.mptools.strays import MARK, kill_strays, mark_descendants

_SLEEP = [sys.executable, "-c", "import sys, time; print(flush=True); time.sleep(60)"]


@contextmanager
def _sleeper(mark: str = "", folder: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process that carries a mark, and works in a folder."""
    with subprocess.Popen(_SLEEP, env={MARK: mark}, cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # until then, its environment may still be that of its parent
        try:
            yield process
        finally:
            process.kill()


def test_only_what_belongs_to_a_dead_server_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, "")
    mark_descendants()
    mine = os.environ[MARK]
    namespace, pid, start = mine.split("-")
    same_id_before = f"{namespace}-{pid}-{int(start) - 1}"
    in_another_container = f"{int(namespace) + 1}-{pid}-{int(start) - 1}"
    with (
        _sleeper(mine) as belongs_to_me,
        _sleeper(same_id_before) as stray,
        _sleeper(in_another_container) as stranger,
        _sleeper("what is this") as enigma,
    ):
        kill_strays()
        assert stray.wait(PATIENCE) < 0
        assert [process.poll() for process in (belongs_to_me, stranger, enigma)] == [None, None, None]


def test_what_works_where_only_the_dead_have_worked_is_killed(tmp_path: Path) -> None:
    (folder := tmp_path / "run" / "7").mkdir(parents=True)
    (beside := tmp_path / "running").mkdir()
    (link := tmp_path / "link").symlink_to(tmp_path / "run")
    with _sleeper(folder=folder) as stray, _sleeper(folder=beside) as neighbour:
        kill_strays(link)
        assert stray.wait(PATIENCE) < 0
        assert neighbour.poll() is None
