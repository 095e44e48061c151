"""The server is killed, or the forkserver that all workers come from."""

import os
import signal
import sys
import uuid
from pathlib import Path

import pytest
from tests.support.leftovers import MARK, guardian, marked
from tests.support.processes import ServerProcess
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.mptools.posix import children, is_gone, wait_until_gone

DETACH = """
def detach():
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in range(1, 16):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        wait()
    os.waitpid(child, 0)
"""
STUBBORN = "while True:\n    try:\n        wait()\n    except BaseException:\n        pass"


def kill_guardian() -> list[int]:
    """Kill the forkserver, and return the process IDs of its children, which are about to die with it."""
    pid = guardian()
    assert pid is not None
    workers = children(pid)
    os.kill(pid, signal.SIGKILL)
    return workers


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_nothing_is_left_of_a_server_that_was_killed(tmp_path: Path, how: signal.Signals) -> None:
    sources = [script(init="detach()", top=DETACH)] * 2 + [
        script(f"detach()\nsay('up')\n{STUBBORN}", top=DETACH)
    ]
    paths = [tmp_path / f"{number}.py" for number in range(len(sources))]
    for path, source in zip(paths, sources, strict=True):
        path.write_text(source)
    (tmp_path / "tmp").mkdir()
    mark = uuid.uuid4().hex
    server = ServerProcess(
        [sys.executable, "-m", "tests.support.script_host", str(tmp_path / "state"), *map(str, paths)],
        {MARK: mark, "PYTHONPATH": str(Path(__file__).parents[4]), "TMPDIR": str(tmp_path / "tmp")},
    )
    try:
        server.wait_for_output("^up$")
        family = marked(mark)
        # The server, its guardian and resource tracker, three scripts, and three that have detached.
        assert len(family) >= 9
        server.send_signal(how)
        wait_until_gone([process.pid for process in family], timeout=5)
        assert marked(mark) == []
    finally:
        server.kill()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_death_of_the_forkserver_fails_all_scripts_and_the_next_one_runs(bench: ScriptBench) -> None:
    ready = bench.ready(script())
    running = bench.run_until_said(
        script("say('up')\nwait()", init="pub.sendMessage('user.pid', pid=os.getpid())")
    )
    workers = kill_guardian()
    for procedure_id in (ready, running):
        assert "server of all scripts' processes" in bench.failure_of(procedure_id)
    assert is_gone(bench.wait_for_event("user.pid")["pid"])
    wait_until_gone(workers, timeout=5)
    bench.assert_works()


def test_signals_to_the_group_of_the_server_do_not_reach_its_workers(bench: ScriptBench) -> None:
    """A Ctrl-C, or the end of a terminal, is for the server, which ends the others in order."""
    bench.run_until_said(script("say('up')\nwait()", init="pub.sendMessage('user.pid', pid=os.getpid())"))
    worker = bench.wait_for_event("user.pid")["pid"]
    for pid in (guardian(), worker):
        assert pid is not None
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.getsid(pid) != os.getsid(0)


def test_stop_while_the_forkserver_is_gone_ends(bench: ScriptBench) -> None:
    running = bench.run_until_said(script("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()"))
    workers = kill_guardian()
    bench.wait_for_end(running)
    wait_until_gone(workers, timeout=5)
    bench.assert_works()
