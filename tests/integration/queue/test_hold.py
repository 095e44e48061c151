"""Procedures that are prepared ahead of their turn, without a queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE, wait_until

from ska_oso_oet.model import EmbeddedStringScript, ProcedureInput, ProcedureState, ProcedureSummary
from ska_oso_oet.procedure.application import (
    Hold,
    PrepareProcessCommand,
    ScriptExecutionService,
    StartProcessCommand,
)
from ska_oso_oet.procedure.domain import ExecutorSettings

RETURNS = "def init(): ...\ndef main(): ...\n"
STUCK = "import threading\ndef init(): threading.Event().wait()\ndef main(): ...\n"
INIT_TIMEOUT = 1.0
READY_TIMEOUT = 0.3


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ScriptExecutionService]:
    service = ScriptExecutionService(
        settings=ExecutorSettings(
            tmp_path,
            stop_grace_period=1.0,
            init_timeout=INIT_TIMEOUT,
            ready_timeout=READY_TIMEOUT,
            preload=(),
        )
    )
    try:
        yield service
    finally:
        service.shutdown()


def prepared(service: ScriptExecutionService, text: str, hold: Hold) -> ProcedureSummary:
    """Return a procedure once it is loaded."""
    cmd = PrepareProcessCommand(EmbeddedStringScript(text), ProcedureInput(), hold=hold)
    number = service.prepare(cmd).id
    wait_until(lambda: service.summary(number).script_sha256 is not None, "the script loaded")
    return service.summary(number)


def ended(service: ScriptExecutionService, number: int) -> ProcedureSummary:
    """Wait until a procedure has ended, and return it."""
    summary: ProcedureSummary = service.view.ended(number).result(PATIENCE).value
    return summary


def release(service: ScriptExecutionService, number: int) -> None:
    """Start a procedure that is held."""
    main = ProcedureInput()
    service.start(StartProcessCommand(number, "main", main, force_start=True, release=True))


def test_init_has_its_time_from_when_it_is_called(service: ScriptExecutionService) -> None:
    first, second = (prepared(service, text, Hold.INIT) for text in (RETURNS, STUCK))
    # What is not held, and was prepared later, has run out of time by then.
    impatient = prepared(service, STUCK, Hold.NOTHING)
    assert "InitTimeout" in (ended(service, impatient.id).failure_line or "")
    assert service.summary(first.id).state is ProcedureState.IDLE
    release(service, first.id)
    assert ended(service, first.id).state is ProcedureState.COMPLETE
    release(service, second.id)
    assert "InitTimeout" in (ended(service, second.id).failure_line or "")
    assert service.manager.running is None


def test_what_is_held_may_be_ready_for_any_time(service: ScriptExecutionService) -> None:
    held = prepared(service, RETURNS, Hold.MAIN)
    # What is not held, and was prepared later, has run out of time by then.
    impatient = prepared(service, RETURNS, Hold.NOTHING)
    assert "ReadyTimeout" in (ended(service, impatient.id).failure_line or "")
    assert service.summary(held.id).state is ProcedureState.READY
    release(service, held.id)
    assert ended(service, held.id).state is ProcedureState.COMPLETE
