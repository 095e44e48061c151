"""The abort script: it follows a stop at once, and for any result of it, the stop stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import PATIENCE
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import StopOutcome, StopProcessCommand
from ska_oso_oet.procedure.domain import ArgumentsError, FileSystemScript, ProcedureInput, ProcedureState


def with_subarray(source: str) -> str:
    """Return a script that uses subarray 1, by the default of ``main``."""
    return source.replace("def main()", "def main(subarray_id=1)")


RUNNING = with_subarray(script("say('up')\nwait()"))
STUBBORN = with_subarray(script("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()"))
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
    source = RUNNING.replace("subarray_id=1", "**kwargs")
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
        ("def main(:", "is not valid Python"),
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
    assert outcome.aborted_subarray is None
    assert "was not" in outcome.message
    assert reason in outcome.message
    bench.assert_works()


def test_missing_subarray_is_reported_and_the_stop_stands(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("def main(subarray_id): pass\n")
    outcome = run_and_stop(bench)
    assert outcome.abort is None
    assert outcome.message.endswith(
        "Abort was not sent: it is not known which subarray the script used. "
        "Send Abort to the subarray yourself."
    )
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
    assert "ended STOPPED" in stopping.result(PATIENCE).message
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
    assert stopping.result(PATIENCE).message.endswith("and aborted subarray activity")


def test_second_stop_with_abort_brings_no_second_abort(bench_with_abort: Callable[..., ScriptBench]) -> None:
    bench = bench_with_abort("def main():\n    print('aborting')\n")
    procedure_id = bench.run_until_said(STUBBORN)
    stops = [bench.service.request_stop(StopProcessCommand(procedure_id, True)) for _ in range(3)]
    aborts = {stop.result(PATIENCE).abort.id for stop in stops}  # type: ignore[union-attr]
    assert len(aborts) == 1
    completed = [event["msg_src"] for event in bench.of("procedure.lifecycle.complete")]
    assert completed == [str(next(iter(aborts)))]
    assert len(bench.of("procedure.lifecycle.stopped", procedure_id)) == 1


def test_abort_can_be_asked_for_after_the_stop(bench_with_abort: Callable[..., ScriptBench]) -> None:
    bench = bench_with_abort("def main(): pass\n")
    procedure_id = bench.run_until_said(STUBBORN)
    first = bench.service.request_stop(StopProcessCommand(procedure_id, False))
    second = bench.service.request_stop(StopProcessCommand(procedure_id, True))
    assert first.result(PATIENCE).abort is None
    assert second.result(PATIENCE).message.endswith("and aborted subarray activity")


def test_abort_beside_another_script_that_runs_is_refused_with_the_reason(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("def main(): pass\n")
    bystander = bench.ready(with_subarray(script()))
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
    source = script(init="signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('up')\nwait()")
    stubborn = bench.create(with_subarray(source))
    bench.wait_for(lambda: bench.said(stubborn))
    stopping = bench.service.request_stop(StopProcessCommand(stubborn, True))
    abort_id = stubborn + 1
    bench.bus.committed().result()
    bench.wait_for_state(abort_id, ProcedureState.READY)
    bench.start(abort_id)
    assert bench.states(stubborn)[-1] == "RUNNING"
    assert stopping.result(PATIENCE).message.endswith("and aborted subarray activity")
    assert bench.states(abort_id)[-1] == "COMPLETE"


def test_abort_script_that_dies_before_the_stop_does_not_prevent_it(bench: ScriptBench) -> None:
    """The abort script may fail faster than the stop is asked for: it is the stop that matters."""
    procedure_id = bench.run_until_said(RUNNING)
    failed = bench.create("raise OSError\ndef main(): pass\n")
    bench.failure_of(failed)
    bench.manager.request_stop(procedure_id, successor=failed)
    bench.wait_for_state(procedure_id, ProcedureState.STOPPED)


BY_DEFAULT_OF_INIT = "def init(subarray_id=4): ...\ndef main(subarray_id=None):"
BY_POSITION = "def init(label, subarray_id): ...\ndef main():"
CONTRADICTORY = "def init(subarray_id=4): ...\ndef main(subarray_id=5):"
OUT_OF_SIGHT = "exec('def init(subarray_id=4): ...')\ndef main():"


@pytest.mark.parametrize(
    ("head", "init", "main", "subarray"),
    [
        (BY_DEFAULT_OF_INIT, [], [], 4),
        (BY_DEFAULT_OF_INIT, [3], [], 3),
        (BY_DEFAULT_OF_INIT, [3], [6], 6),
        (BY_POSITION, ["x", 2], [], 2),
        (CONTRADICTORY, [], [], None),
        (CONTRADICTORY, [5], [], 5),
        (CONTRADICTORY, [3], [], None),
        (OUT_OF_SIGHT, [], [], 4),
        (OUT_OF_SIGHT, [3], [], 3),
    ],
)
def test_the_subarray_follows_from_positions_and_defaults(
    bench_with_abort: Callable[..., ScriptBench],
    head: str,
    init: list[Any],
    main: list[Any],
    subarray: int | None,
) -> None:
    bench = bench_with_abort("def main(subarray_id):\n    print(f'aborting {subarray_id}')\n")
    procedure_id = bench.ready(f"{head}\n    import signal\n    signal.pause()", ProcedureInput(*init))
    bench.start(procedure_id, ProcedureInput(*main))
    outcome = bench.stop(procedure_id, abort=True)
    assert (outcome.aborted_subarray, outcome.stopped.subarray_id) == (subarray, subarray)
    if outcome.abort is not None:
        assert bench.lines(outcome.abort.id) == [f"aborting {subarray}"]


@pytest.mark.parametrize(
    "source",
    [
        "def init(subarray_id): print('aborting', subarray_id)\ndef main(): ...",
        "def main(**kwargs): print('aborting', kwargs['subarray_id'])",
        "exec(\"def main(subarray_id): print('aborting', subarray_id)\")",
    ],
)
def test_an_abort_script_gets_the_subarray_where_it_takes_one(
    bench_with_abort: Callable[..., ScriptBench], source: str
) -> None:
    outcome = run_and_stop(bench := bench_with_abort(source), subarray_id=3)
    assert outcome.abort is not None
    assert bench.lines(outcome.abort.id) == ["aborting 3"]


@pytest.mark.parametrize(
    ("source", "main", "printed"),
    [
        ("def main(subarray_id): print(subarray_id)", [], ["2"]),
        ("def main(subarray_id=1): print(subarray_id)", [2], ["2"]),
        ("def init(subarray_id, *labels): print(subarray_id)\ndef main(): ...", [], ["2"]),
        ("def main(subarray_id=9, /): print(subarray_id)", [], ["2"]),
        ("exec('def init(subarray_id): print(subarray_id)')\ndef main(): ...", [], ["2"]),
        ("exec('def main(subarray_id): print(subarray_id)')", [], ["2"]),
        ("def init(): ...\ndef main(**kwargs): print(kwargs)", [], ["{}"]),
    ],
)
def test_a_function_that_takes_the_subarray_gets_that_of_the_controller(
    make_bench: MakeBench, source: str, main: list[Any], printed: list[str]
) -> None:
    bench = make_bench(subarray_id=2)
    procedure_id = bench.ready(source)
    bench.start(procedure_id, ProcedureInput(*main))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == printed


@pytest.mark.parametrize("given", [ProcedureInput(3), ProcedureInput(subarray_id=3)])
@pytest.mark.parametrize("function", ["init", "main"])
def test_a_call_for_another_subarray_is_refused(
    make_bench: MakeBench, given: ProcedureInput, function: str
) -> None:
    bench = make_bench(subarray_id=2)
    source = "def init(subarray_id): ...\ndef main(subarray_id): ..."
    named_both = pytest.raises(ArgumentsError, match=r"subarray_id 3.* for subarray 2 only")
    if function == "init":
        with named_both:
            bench.create(source, given)
        return
    procedure_id = bench.ready(source)
    with named_both:
        bench.start(procedure_id, given)
    assert bench.states(procedure_id)[-1] == "READY"
    bench.start(procedure_id)
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)


def test_a_call_for_another_subarray_that_is_seen_late_fails_before_init(make_bench: MakeBench) -> None:
    bench = make_bench(subarray_id=2)
    source = "exec('def init(subarray_id): print(subarray_id)')\ndef main(): ..."
    procedure_id = bench.create(source, ProcedureInput(3))
    assert "for subarray 2 only" in bench.failure_of(procedure_id)
    assert bench.lines(procedure_id) == []


def test_a_script_that_talks_to_nothing_aborts_the_subarray_of_its_controller(
    bench_with_abort: Callable[..., ScriptBench],
) -> None:
    bench = bench_with_abort("def main(subarray_id):\n    print(f'aborting {subarray_id}')\n", subarray_id=3)
    procedure_id = bench.run_until_said(script("say('up')\nwait()"))
    outcome = bench.stop(procedure_id, abort=True)
    assert outcome.aborted_subarray == 3
    assert outcome.abort is not None
    assert bench.lines(outcome.abort.id) == ["aborting 3"]
