"""Procedures that wait to be started are bounded, in number and in time: they take memory and descriptors."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import StartProcessCommand
from ska_oso_oet.procedure.domain import (
    FileSystemScript,
    ProcedureInput,
    ProcedureState,
    StateForbidsError,
)

OBSERVES = script(top="def main(subarray_id=1):\n    say('up')\n    wait()\n\n").replace(
    "def main():\n    pass\n", ""
)


def test_one_more_than_may_wait_is_refused_until_one_is_started_or_stopped(
    make_bench: Callable[..., ScriptBench],
) -> None:
    bench = make_bench(ready_limit=2)
    first, second = bench.ready(script("say('up')\nwait()")), bench.ready(script())
    with pytest.raises(StateForbidsError, match=rf"ReadyLimit allows 2.*{first} .*READY.*{second} .*READY"):
        bench.create(script())
    bench.start(first)
    third = bench.ready(script())
    with pytest.raises(StateForbidsError, match=f"{second} .*{third} "):
        bench.create(script())
    bench.stop(second)
    bench.ready(script())


def test_abort_script_is_run_however_many_wait(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    (tmp_path / "abort.py").write_text("def main(subarray_id): print('aborting', subarray_id)\n")
    abort = FileSystemScript((tmp_path / "abort.py").as_uri())
    bench = make_bench(ready_limit=1, service={"abort_script": abort})
    running = bench.run_until_said(OBSERVES)
    bench.ready(script())
    outcome = bench.stop(running, abort=True)
    assert outcome.abort is not None
    assert outcome.abort.state is ProcedureState.COMPLETE


def test_procedure_that_waits_takes_few_descriptors(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(standby_workers=0)
    bench.ready(script())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        bench.ready(script())
    assert len(os.listdir("/proc/self/fd")) - before <= 5 * 6


def test_one_that_waits_for_too_long_is_stopped_with_the_reason(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    (tmp_path / "waits.py").write_text("def main(): ...\n")
    bench = make_bench(ready_timeout=0.3)
    # One that is started in time goes on for longer than one may wait.
    running = bench.create(script("say('up')\nwait()"))
    bench.service.start(StartProcessCommand(running, "main", ProcedureInput(), force_start=True))
    bench.wait_for(lambda: bench.said(running))
    late = bench.create(tmp_path / "waits.py")
    summary = bench.wait_for_state(late, ProcedureState.STOPPED)
    assert summary.history.stacktrace == (
        "It was READY for 0.3 s without being started, and the property ReadyTimeout allows no longer. "
        "Create it again when it is to be started, or raise ReadyTimeout."
    )
    assert bench.states(running)[-1] == "RUNNING"
