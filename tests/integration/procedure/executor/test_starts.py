"""Starts: one at a time; a refused one is reported and loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import StartProcessCommand
from ska_oso_oet.procedure.domain import ProcedureInput, ProcedureState, StateForbidsError


def test_of_starts_at_the_same_moment_exactly_one_runs(bench: ScriptBench) -> None:
    ids = [bench.ready(script("wait()")) for _ in range(6)]

    def start(procedure_id: int) -> bool:
        try:
            bench.start(procedure_id)
        except StateForbidsError:
            return False
        return True

    with ThreadPoolExecutor(len(ids)) as pool:
        started = list(pool.map(start, ids))
    assert started.count(True) == 1
    running = ids[started.index(True)]
    bench.wait_for_state(running, ProcedureState.RUNNING)
    assert [bench.states(other)[-1] for other in ids if other != running] == ["READY"] * 5


def test_starts_of_the_same_procedure_at_the_same_moment_are_one_start(bench: ScriptBench) -> None:
    procedure_id = bench.ready(script("say('up')\nwait()"))
    with ThreadPoolExecutor(6) as pool:
        attempts = [pool.submit(bench.start, procedure_id) for _ in range(6)]
        refusals = [attempt for attempt in attempts if attempt.exception() is not None]
    assert len(refusals) == 5
    bench.wait_for(lambda: bench.said(procedure_id))
    assert bench.states(procedure_id).count("RUNNING") == 1


def test_refused_start_leaves_a_procedure_that_can_be_started_later(bench: ScriptBench) -> None:
    running = bench.run_until_said(script("say('up')\nwait()"))
    other = bench.ready(script())
    with pytest.raises(StateForbidsError, match=f"procedure {running} .* is running"):
        bench.start(other)
    assert bench.states(other)[-1] == "READY"
    bench.stop(running)
    bench.start(other)
    bench.wait_for_state(other, ProcedureState.COMPLETE)


def test_ready_procedure_starts_while_another_is_in_its_init(bench: ScriptBench) -> None:
    slow = bench.create(script(init="say('up')\nwait()"))
    bench.wait_for(lambda: bench.said(slow))
    bench.assert_works()


def test_start_before_ready_follows_init_at_once(bench: ScriptBench) -> None:
    procedure_id = bench.create(script("print('main')", init="print('init')"))
    bench.service.start(StartProcessCommand(procedure_id, "main", ProcedureInput(), force_start=True))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["init", "main"]


@pytest.mark.parametrize("init", ["raise ValueError", "os._exit(1)"])
def test_start_before_ready_frees_its_place_if_init_fails(bench: ScriptBench, init: str) -> None:
    procedure_id = bench.create(script(init=init))
    bench.service.start(StartProcessCommand(procedure_id, "main", ProcedureInput(), force_start=True))
    bench.failure_of(procedure_id)
    bench.assert_works()


def test_start_of_a_function_that_is_not_there_fails_and_frees_its_place(bench: ScriptBench) -> None:
    procedure_id = bench.ready(script())
    bench.service.start(StartProcessCommand(procedure_id, "no_such_function", ProcedureInput()))
    assert "no_such_function" in bench.failure_of(procedure_id)
    bench.assert_works()


def test_complete_and_failed_are_told_with_the_stack_trace_after_it(bench: ScriptBench) -> None:
    completed = bench.run(script())
    bench.wait_for_event("procedure.lifecycle.complete", completed)
    failed = bench.run(script("raise ValueError('x')"))
    bench.wait_for_event("procedure.lifecycle.stacktrace", failed)
    topics = [event["topic"] for event in bench.events if event["msg_src"] == str(failed)][-3:]
    assert topics == [f"procedure.lifecycle.{end}" for end in ("statechange", "failed", "stacktrace")]


def test_coroutine_as_main_is_run_and_stopped(bench: ScriptBench) -> None:
    source = script(top="import asyncio").replace(
        "def main():\n    pass", "async def main():\n    say('up')\n    await asyncio.Event().wait()"
    )
    procedure_id = bench.run_until_said(source)
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED


def test_arguments_larger_than_a_pipe_arrive_whole(bench: ScriptBench) -> None:
    procedure_id = bench.ready(
        "import hashlib\ndef main(text):\n    print(len(text), hashlib.sha256(text.encode()).hexdigest())\n"
    )
    text = "".join(map(str, range(150_000)))
    bench.start(procedure_id, ProcedureInput(text))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == [f"{len(text)} {sha256(text.encode()).hexdigest()}"]
