"""Arguments whose types only the script's process knows: checked before the call, which changes nothing."""

import psutil
import pytest
from tests.support.script_bench import ScriptBench

from ska_oso_oet.procedure.domain import ArgumentsError, ProcedureInput, ProcedureState

# Its text alone does not say what Band is.
TYPED = """
from enum import Enum
import os, threading

Band = Enum("Band", {"ONE": "1"})

def init(x: Band = None):
    print(x)

def main(band: Band, n: int = 1):
    print(band, n)
"""


def test_refused_values_leave_the_procedure_ready_and_name_what_would_fit(bench: ScriptBench) -> None:
    procedure_id = bench.ready(TYPED)
    for arguments, reason in (
        (ProcedureInput("7"), "band is '7', and should be '1'"),
        (ProcedureInput("1", n="x"), "n is 'x', and should be a valid integer"),
    ):
        with pytest.raises(ArgumentsError, match=reason):
            bench.start(procedure_id, arguments)
        assert bench.states(procedure_id)[-1] == "READY"
        assert bench.manager.running is None
    bench.wait_for(lambda: len(bench.of("request.procedure.start")) == 2)
    bench.start(procedure_id, ProcedureInput("1"))
    summary = bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["None", "Band.ONE 1"]
    # The summary has what was given, as JSON.
    assert summary.arguments["main"] == ProcedureInput("1")
    assert len(bench.of("request.procedure.start")) == 3


def test_init_with_values_that_do_not_fit_fails_the_procedure_with_the_reason(bench: ScriptBench) -> None:
    procedure_id = bench.create(TYPED, ProcedureInput("2"))
    assert bench.failure_of(procedure_id).startswith(
        "the arguments of init() do not fit: x is '2', and should be '1'"
    )
    assert "RUNNING" not in bench.states(procedure_id)


def test_values_that_the_text_alone_tells_wrong_create_nothing(bench: ScriptBench) -> None:
    source = "def init(n: int): ...\ndef main(scans: list[int]): ..."
    with pytest.raises(ArgumentsError, match="n is 'x', and should be a valid integer"):
        bench.create(source, ProcedureInput("x"))
    with pytest.raises(ArgumentsError, match=r"scans\[0\] is 'x', and should be a valid integer"):
        bench.create(source, ProcedureInput(1), ProcedureInput(["x"]))
    assert bench.service.summarise() == []


def test_a_process_that_does_not_answer_is_not_waited_for(bench: ScriptBench) -> None:
    procedure_id = bench.ready(TYPED.replace("print(x)", "print(os.getpid(), flush=True)"))
    process = psutil.Process(int(bench.wait_for(lambda: bench.lines(procedure_id))[0]))
    process.suspend()
    bench.start(procedure_id, ProcedureInput("7"))
    bench.wait_for_state(procedure_id, ProcedureState.RUNNING)
    process.resume()
    assert "band is '7', and should be '1'" in bench.failure_of(procedure_id)
    bench.assert_works()


def test_a_stop_while_the_process_checks_ends_the_procedure(bench: ScriptBench) -> None:
    slow = TYPED + (
        "from pydantic import BaseModel, field_validator\n"
        "class Scan(BaseModel):\n    n: int\n    @field_validator('n')\n"
        "    def f(cls, v):\n        threading.Event().wait()\n"
        "main.__annotations__['band'] = Scan\n"
    )
    procedure_id = bench.ready(slow)
    bench.start(procedure_id, ProcedureInput({"n": 1}))
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    bench.assert_works()
