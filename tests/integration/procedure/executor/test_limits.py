"""The machine, or a script, takes away what the executor needs: it may refuse, and nothing else."""

import os
import resource
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, takewhile
from pathlib import Path

import pytest
from tests.support.leftovers import guardian
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.domain import ProcedureState
from ska_oso_oet.procedure.execution import pool


@contextmanager
def descriptors_left(number: int) -> Iterator[None]:
    """Let this process open just so many descriptors more, as long as the context lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    with ExitStack() as fillers:
        while (filler := os.open(os.devnull, os.O_RDONLY)) < highest:
            fillers.callback(os.close, filler)
        os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(filler, highest + 1) + number, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_server_without_descriptors_refuses_with_the_reason_and_recovers(
    make_bench: Callable[..., ScriptBench],
) -> None:
    bench = make_bench(standby_workers=0)
    running = bench.run_until_said(script("say('up')\nwait()"))
    with descriptors_left(0):
        ids = [bench.create(script()) for _ in range(3)]
        for procedure_id in ids:
            assert "Too many open files" in bench.failure_of(procedure_id)
        assert "Too many open files" in str(bench.manager.fault)
    bench.wait_for(lambda: bench.manager.fault is None)
    bench.stop(running)
    bench.assert_works()


def test_server_that_runs_out_of_descriptors_while_it_makes_a_process_ends_no_script(
    make_bench: Callable[..., ScriptBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_FIRST_RETRY_DELAY", 0.01)
    bench = make_bench(standby_workers=0)
    running = bench.run_until_said(script("say('up')\nwait()"))
    before = guardian()
    refusals = list(takewhile(lambda free: _is_refused_with(bench, free), range(60)))
    assert 5 < len(refusals) < 60, "there was no moment at which the descriptors were just too few"
    assert guardian() == before
    assert bench.states(running)[-1] == "RUNNING"
    bench.stop(running)
    bench.assert_works()


def _is_refused_with(bench: ScriptBench, descriptors: int) -> bool:
    """Return whether no script can be prepared with so many descriptors left."""
    with descriptors_left(descriptors):
        procedure_id = bench.create(script(init="raise ValueError('it could be prepared')"))
        reason = bench.failure_of(procedure_id)
    bench.wait_for(lambda: bench.manager.fault is None)
    return "it could be prepared" not in reason


def test_machine_that_grants_no_more_threads_does_not_matter(
    bench: ScriptBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ids = [bench.create(script()) for _ in range(4)]
    for procedure_id in ids:
        bench.wait_for_state(procedure_id, ProcedureState.READY)
        bench.stop(procedure_id)
    bench.assert_works()


def test_it_recovers_however_often_a_process_could_not_be_started(
    make_bench: Callable[..., ScriptBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night of attempts, in short."""
    monkeypatch.setattr(pool, "_MAX_RETRY_DELAY", 0.0)
    monkeypatch.setattr(pool, "_FIRST_RETRY_DELAY", 0.0)
    bench = make_bench(standby_workers=0)
    attempts = count(1)
    with descriptors_left(0):
        bench.failure_of(bench.create(script()))
        # It is looked at after every attempt, for each is news of health.
        bench.wait_for(lambda: next(attempts) > 1200)
    bench.wait_for(lambda: bench.manager.fault is None)
    bench.assert_works()


def test_script_runs_where_there_is_no_place_for_its_files(
    make_bench: Callable[..., ScriptBench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench()
    (tmp_path / "state").write_text("no folder")
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "state"))
        procedure_id = bench.run_until_said(script("print(os.getcwd())\nsay('up')\nwait()"))
    assert bench.service.output(procedure_id).tail()[-1] == "/"
    bench.stop(procedure_id)
    bench.service.shutdown()
    assert Path("/").exists()


def test_folders_nested_beyond_measure_are_removed_at_the_latest_by_the_next_server(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    try:
        first = make_bench()
        procedure_id = first.run(script("for _ in range(1100):\n    os.mkdir('d')\n    os.chdir('d')"))
        first.wait_for_state(procedure_id, ProcedureState.COMPLETE)
        first.service.shutdown()
        make_bench()
        assert not (tmp_path / "state" / "run").exists()
    finally:
        # Nor could pytest remove them.
        subprocess.run(["rm", "-rf", tmp_path / "state" / "run"], check=True)


@pytest.mark.parametrize("end", ["wait()", "os._exit(3)", "pass"])
def test_script_that_suspends_the_server_of_all_processes_blocks_nobody(bench: ScriptBench, end: str) -> None:
    other = bench.ready(script())
    procedure_id = bench.run_until_said(script(f"os.kill(os.getppid(), signal.SIGSTOP)\nsay('up')\n{end}"))
    if end == "wait()":
        assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    elif end == "pass":
        bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    else:
        assert "exit status 3" in bench.failure_of(procedure_id)
    bench.stop(other)
    bench.assert_works()


def test_forged_news_of_its_end_does_not_let_another_run_beside_a_script(bench: ScriptBench) -> None:
    forgery = r"""
        for fd in range(3, 30):
            try:
                os.set_blocking(fd, False)
                os.write(fd, b'["1", "LIFECYCLE", {"state": "COMPLETE"}]\n')
            except OSError:
                pass
        print("still here")
        say("up")
        wait()
    """
    procedure_id = bench.run_until_said(script(forgery))
    other = bench.ready(script())
    with pytest.raises(RuntimeError, match="is running"):
        bench.start(other)
    assert bench.lines(procedure_id) == ["still here"]
    bench.stop(procedure_id)
    assert bench.states(procedure_id)[-2:] == ["RUNNING", "STOPPED"]
