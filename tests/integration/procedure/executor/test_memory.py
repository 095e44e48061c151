"""Memory that runs short costs the scripts that do not run first, the device server last."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.memory_group import memory_group
from tests.support.patience import patience
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.mptools import forkserver, posix

_SCORE = """
child = subprocess.run(["cat", "/proc/self/oom_score_adj"], capture_output=True, text=True)
print(open("/proc/self/oom_score_adj").read(), child.stdout, sep="")
"""


def score(pid: int | str = "self") -> int:
    """Return the score of a process that the kernel chooses its victims by."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_those_that_do_not_run_are_ended_before_the_script_that_does_and_the_server_last(
    bench: ScriptBench,
) -> None:
    procedure_id = bench.run_until_said(script(f"{_SCORE}\nsay('up')\nwait()", init=_SCORE))
    running = (score() + 1000) // 2
    bench.wait_for(lambda: len(bench.lines(procedure_id)) >= 4)
    scores = [int(line) for line in bench.lines(procedure_id) if line]
    assert scores == [1000, 1000, running, running]
    bench.wait_for(lambda: bench.manager.standby_workers == 1)
    guardian = forkserver.guardian_pid()
    assert guardian is not None
    assert score(guardian) == score() < running
    assert sorted(score(pid) for pid in posix.children(guardian)) == [running, 1000]
    bench.stop(procedure_id)


def test_created_script_that_uses_all_memory_does_not_end_the_one_that_runs(tmp_path: Path) -> None:
    with memory_group(500 << 20) as join:
        program = f'echo $$ > {join} && exec "$@"'
        command = [sys.executable, "-m", "tests.support.memory_group", str(tmp_path)]
        done = subprocess.run(
            ["sh", "-c", program, "sh", *command],
            stdout=subprocess.PIPE,
            check=True,
            timeout=patience(20.0),
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
    assert json.loads(done.stdout) == ["RUNNING", "FAILED"]
