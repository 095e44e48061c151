"""The abort script: it follows a stop at once, and whatever becomes of it, the stop stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import StopOutcome, StopProcessCommand
from ska_oso_oet.procedure.domain import FileSystemScript, ProcedureInput, ProcedureState

RUNNING = script("say('up')\nwait()")
MakeBench = Callable[..., ScriptBench]


@pytest.fixture
def bench_with_abort(make_bench: MakeBench, tmp_path: Path) -> Callable[..., ScriptBench]:
    """Make a service whose abort script has a certain text; None for a file that is not there."""

    def make(source: str | None, **settings: Any) -> ScriptBench:
        path = tmp_path / "abort.py"
        if source is not None:
            path.write_text(source)
        return make_bench(service={"abort_script": FileSystemScript(path.as_uri())}, **settings)

    return make


def run_and_stop(bench: ScriptBench, **main: Any) -> StopOutcome:
    """Run a script with these arguments, and stop it with abort."""
    source = RUNNING.replace("def main()", "def main(**kwargs)")
    procedure_id = bench.ready(source)
    bench.start(procedure_id, ProcedureInput(**main))
    bench.wait_for(lambda: bench.said(procedure_id))
    outcome = bench.stop(procedure_id, abort=True)
    assert outcome.stopped.state is ProcedureState.STOPPED
    assert bench.told_states(procedure_id)[-1] == "STOPPED"
    return outcome


def test_abort_script_follows_the_stop_with_the_subarray_of_the_stopped(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("def main(subarray_id):\n    print(f'aborting {subarray_id}')\n")
    outcome = run_and_stop(bench, subarray_id=7)
    assert outcome.abort is not None
    assert outcome.abort.state is ProcedureState.COMPLETE
    assert outcome.message.endswith("and aborted subarray activity")
    assert bench.lines(outcome.abort.id) == ["aborting 7"]
    order = [
        (event["topic"], event["msg_src"])
        for event in bench.events
        if event["topic"] == "procedure.lifecycle.stopped"
        or (event["topic"] == "procedure.lifecycle.started" and event["msg_src"] == str(outcome.abort.id))
    ]
    stopped, started = str(outcome.stopped.id), str(outcome.abort.id)
    assert order == [("procedure.lifecycle.stopped", stopped), ("procedure.lifecycle.started", started)]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "cannot be read"),
        ("def main(:", "no valid Python"),
        ("def work(): pass", "no function main"),
        ("import no_such_module\ndef main(subarray_id): pass", "no_such_module"),
        ("def main(subarray_id):\n    raise OSError('no telescope')", "no telescope"),
        ("import os\ndef main(subarray_id):\n    os._exit(3)", "exit status 3"),
        ("import os\nos._exit(3)\ndef main(subarray_id): pass", "exit status 3"),
        ("def main(subarray_id, other): pass", "other"),
    ],
)
def test_failure_of_the_abort_script_is_reported_and_the_stop_stands(
    bench_with_abort: Callable[..., ScriptBench], source: str | None, reason: str
) -> None:
    bench = bench_with_abort(source)
    outcome = run_and_stop(bench, subarray_id=1)
    assert "not aborted" in outcome.message
    assert reason in outcome.message
    bench.assert_works()


def test_missing_subarray_is_reported_and_the_stop_stands(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("def main(subarray_id): pass\n")
    outcome = run_and_stop(bench)
    assert "not aborted" in outcome.message
    assert "subarray_id" in outcome.message
    bench.assert_works()


def test_slow_abort_script_delays_neither_the_stop_nor_what_can_be_seen(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("import threading\ndef main():\n    threading.Event().wait()\n")
    procedure_id = bench.run_until_said(RUNNING)
    stopping = bench.service.request_stop(StopProcessCommand(procedure_id, True))
    bench.wait_for_state(procedure_id, ProcedureState.STOPPED)
    abort_id = procedure_id + 1
    bench.wait_for(lambda: bench.states(abort_id)[-2:] == ["READY", "RUNNING"])
    assert not stopping.done()
    bench.stop(abort_id)
    assert "ended STOPPED" in stopping.result(5).message
    bench.assert_works()


def test_abort_script_that_is_slow_to_load_holds_the_place_until_it_has_run(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("import time\ntime.sleep(0.3)\ndef main(): pass\n")
    other = bench.ready(script())
    procedure_id = bench.run_until_said(RUNNING)
    stopping = bench.service.request_stop(StopProcessCommand(procedure_id, True))
    bench.wait_for_state(procedure_id, ProcedureState.STOPPED)
    with pytest.raises(RuntimeError, match="is running"):
        bench.start(other)
    assert stopping.result(5).message.endswith("and aborted subarray activity")


def test_second_stop_with_abort_brings_no_second_abort(bench_with_abort: Callable[..., ScriptBench]) -> None:
    bench = bench_with_abort("def main():\n    print('aborting')\n")
    procedure_id = bench.run_until_said(
        script("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()")
    )
    stops = [bench.service.request_stop(StopProcessCommand(procedure_id, True)) for _ in range(3)]
    aborts = {stop.result(5).abort.id for stop in stops}  # type: ignore[union-attr]
    assert len(aborts) == 1
    completed = [event["msg_src"] for event in bench.of("procedure.lifecycle.complete")]
    assert completed == [str(next(iter(aborts)))]
    assert len(bench.of("procedure.lifecycle.stopped", procedure_id)) == 1


def test_abort_can_be_asked_for_after_the_stop(bench_with_abort: Callable[..., ScriptBench]) -> None:
    bench = bench_with_abort("def main(): pass\n")
    procedure_id = bench.run_until_said(
        script("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()")
    )
    first = bench.service.request_stop(StopProcessCommand(procedure_id, False))
    second = bench.service.request_stop(StopProcessCommand(procedure_id, True))
    assert first.result(5).abort is None
    assert second.result(5).message.endswith("and aborted subarray activity")


def test_abort_beside_another_script_that_runs_is_refused_with_the_reason(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("def main(): pass\n")
    bystander = bench.ready(script())
    running = bench.run_until_said(RUNNING)
    outcome = bench.stop(bystander, abort=True)
    assert outcome.stopped.state is ProcedureState.STOPPED
    assert f"procedure {running} is running" in outcome.message
    assert bench.states(running)[-1] == "RUNNING"


def test_abort_script_that_an_operator_has_started_is_not_ended_by_the_stop(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    """It is the procedure that was created last, which a Start without a number means."""
    bench = bench_with_abort(
        "import threading\ndef main():\n    threading.Event().wait(0.5)\n", stop_grace_period=0.3
    )
    stubborn = bench.create(script(init="signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()"))
    bench.wait_for(lambda: bench.said(stubborn))
    stopping = bench.service.request_stop(StopProcessCommand(stubborn, True))
    abort_id = stubborn + 1
    bench.wait_for_state(abort_id, ProcedureState.READY)
    bench.start(abort_id)
    assert bench.states(stubborn)[-1] == "RUNNING"
    assert stopping.result(5).message.endswith("and aborted subarray activity")
    assert bench.states(abort_id)[-1] == "COMPLETE"


def test_abort_script_that_dies_before_the_stop_does_not_prevent_it(bench: ScriptBench) -> None:
    """The abort script may fail faster than the stop is asked for: it is the stop that matters."""
    procedure_id = bench.run_until_said(RUNNING)
    failed = bench.create("raise OSError\ndef main(): pass\n")
    bench.failure_of(failed)
    bench.manager.request_stop(procedure_id, successor=failed)
    bench.wait_for_state(procedure_id, ProcedureState.STOPPED)
