"""The server is killed, or the forkserver that all workers come from."""

import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.leftovers import guardian, marked
from tests.support.patience import PATIENCE
from tests.support.preloaded_programs import TEST_MARK
from tests.support.processes import ServerProcess
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.mptools.posix import children, is_gone, wait_until_gone
from ska_oso_oet.procedure.domain import ProcedureState

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


@contextmanager
def script_host(folder: Path, sources: Sequence[str]) -> Iterator[tuple[ServerProcess, str]]:
    """Run a process that hosts scripts, with folders of its own; return it and its mark."""
    paths = [folder / f"{number}.py" for number in range(len(sources))]
    for path, source in zip(paths, sources, strict=True):
        path.write_text(source)
    (folder / "tmp").mkdir()
    mark = uuid.uuid4().hex
    project = str(Path(__file__).parents[4])
    places = os.pathsep.join([project, *filter(None, [os.environ.get("PYTHONPATH")])])
    server = ServerProcess(
        [sys.executable, "-m", "tests.support.script_host", str(folder / "state"), *map(str, paths)],
        {TEST_MARK: mark, "PYTHONPATH": places, "TMPDIR": str(folder / "tmp")},
    )
    try:
        server.wait_for_output("^up$")
        yield server, mark
    finally:
        server.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_nothing_is_left_of_a_server_that_was_killed(short_folder: Path, how: signal.Signals) -> None:
    sources = [script(init="detach()", top=DETACH)] * 2
    sources.append(script(f"detach()\nsay('up')\n{STUBBORN}", top=DETACH))
    with script_host(short_folder, sources) as (server, mark):
        family = marked(mark)
        # The server, its guardian and resource tracker, three scripts, and three that have detached.
        assert len(family) >= 9
        server.send_signal(how)
        wait_until_gone([process.pid for process in family], timeout=PATIENCE)
        assert marked(mark) == []
    assert list((short_folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("does", [STUBBORN, "ctypes.PyDLL(None).sleep(60)"])
def test_scripts_end_when_server_and_forkserver_are_killed_together(short_folder: Path, does: str) -> None:
    """Also one that stays in C code, where no thread of its process can do anything about it."""
    with script_host(short_folder, [script(), script(f"say('up')\n{does}")]) as (server, mark):
        family = [process.pid for process in marked(mark)]
        server.send_signal(signal.SIGSTOP)
        [forkserver] = [pid for pid in family if len(children(pid)) > 1 and pid != server.pid]
        os.kill(forkserver, signal.SIGKILL)
        server.send_signal(signal.SIGKILL)
        wait_until_gone(family, timeout=PATIENCE)
        assert marked(mark) == []


def test_worker_that_was_being_started_by_a_forkserver_that_dies_is_started_by_the_next(
    make_bench: Callable[..., ScriptBench],
) -> None:
    bench = make_bench(standby_workers=0)
    pid = guardian()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    procedure_id = bench.create(script())
    os.kill(pid, signal.SIGKILL)
    bench.wait_for_state(procedure_id, ProcedureState.READY)


def test_death_of_the_forkserver_fails_all_scripts_and_the_next_one_runs(bench: ScriptBench) -> None:
    ready = bench.ready(script())
    running = bench.run_until_said(
        script("say('up')\nwait()", init="pub.sendMessage('user.pid', pid=os.getpid())")
    )
    workers = kill_guardian()
    for procedure_id in (ready, running):
        assert "server of all scripts' processes" in bench.failure_of(procedure_id)
    assert is_gone(bench.wait_for_event("user.pid")["pid"])
    wait_until_gone(workers, timeout=PATIENCE)
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
    wait_until_gone(workers, timeout=PATIENCE)
    bench.assert_works()
