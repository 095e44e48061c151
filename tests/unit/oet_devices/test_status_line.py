"""The first line of Status."""

import re
import time

import pytest

from oet_devices.status_line import StatusLine
from ska_oso_oet.journal import Document
from ska_oso_oet.model import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    ProcedureHistory,
    ProcedureState,
    ProcedureSummary,
)

CREATED = ("CREATING", "IDLE", "LOADING", "IDLE")
PREPARED = (*CREATED, "RUNNING", "READY")
RUNS = (*PREPARED, "RUNNING")
COMPLETE = (*RUNS, "READY", "COMPLETE")

OBSERVE = FileSystemScript("file:///scripts/observe.py")


def document(
    number: int, *states: str, script: ExecutableScript = OBSERVE, since: float | None = None
) -> Document:
    entered = time.time() if since is None else since
    procedure = ProcedureSummary(
        id=number,
        script=script,
        history=ProcedureHistory(process_states=[(ProcedureState(state), entered) for state in states]),
        state=ProcedureState(states[-1]),
        created=entered,
    )
    return Document("procedure", number, procedure.model_dump_json(), not procedure.state.is_final, procedure)


@pytest.fixture
def status_line() -> StatusLine:
    """A status line that nothing has happened on."""
    return StatusLine()


def test_an_empty_status_line(status_line: StatusLine) -> None:
    assert (status_line.running, status_line.last, status_line.current) == (0, 0, None)
    assert status_line.describe() == "No script is running."


def test_main_counts_as_running_and_init_does_not(status_line: StatusLine) -> None:
    status_line.show(document(1, *CREATED, "RUNNING"))
    assert status_line.running == 0
    assert status_line.describe() == "No script is running. 1 in preparation."
    status_line.show(document(1, *PREPARED))
    assert status_line.describe() == "No script is running. 1 ready."
    status_line.show(document(1, *RUNS))
    assert status_line.running == 1
    assert status_line.describe() == "Running #1 observe.py for 0 s."
    status_line.show(document(1, *COMPLETE))
    assert (status_line.running, status_line.last) == (0, 1)
    assert status_line.describe() == "No script is running."


def test_the_current_procedure_runs_or_has_changed_last(status_line: StatusLine) -> None:
    status_line.show(document(1, *RUNS))
    status_line.show(document(2, *PREPARED))
    status_line.show(document(3, *CREATED))
    assert status_line.current is not None
    assert (status_line.current.id, status_line.last) == (1, 3)
    assert status_line.describe() == "Running #1 observe.py for 0 s. 1 ready. 1 in preparation."
    status_line.show(document(1, *RUNS, "STOPPED"))
    assert (status_line.current.id, status_line.current.state) == (1, ProcedureState.STOPPED)
    status_line.show(document(3, *PREPARED))
    assert (status_line.current.id, status_line.current.state) == (3, ProcedureState.READY)


def test_a_late_word_of_an_older_procedure_does_not_make_it_the_last(status_line: StatusLine) -> None:
    status_line.show(document(1, *PREPARED))
    status_line.show(document(2, *CREATED, "FAILED"))
    status_line.show(document(1, *RUNS))
    status_line.show(document(1, *COMPLETE))
    assert status_line.last == 2
    assert status_line.current is not None
    assert (status_line.current.id, status_line.current.state) == (1, ProcedureState.COMPLETE)


def test_progress_is_shown_as_long_as_main_runs(status_line: StatusLine) -> None:
    assert not status_line.show_progress(1, 10)
    status_line.show(document(1, *RUNS))
    assert status_line.show_progress(1, 40)
    assert not status_line.show_progress(1, 40)
    assert status_line.describe() == "Running #1 observe.py for 0 s (40 %)."
    status_line.show(document(1, *RUNS))
    assert status_line.describe().endswith("(40 %).")
    status_line.show(document(1, *COMPLETE))
    assert status_line.current is not None
    assert status_line.current.progress is None


def test_the_step_that_a_script_has_told_is_shown_with_its_progress(status_line: StatusLine) -> None:
    status_line.show(document(7, *RUNS, since=time.time() - 180))
    assert status_line.show_progress(7, 40, "scan 2 of 5")
    assert status_line.describe() == "Running #7 observe.py for 3 min, scan 2 of 5 (40 %)."
    assert not status_line.show_progress(7, 40, "scan 2 of 5")
    assert status_line.show_progress(7, 40, "scan 3 of 5"), (
        "another step is news, though the percentage is not"
    )
    assert status_line.show_progress(7, 60)
    assert status_line.describe() == "Running #7 observe.py for 3 min (60 %)."


def test_a_step_is_one_short_line(status_line: StatusLine) -> None:
    status_line.show(document(1, *RUNS))
    status_line.show_progress(1, 1, "slewing\n to " + 20 * "the source ")
    reported = "slewing to the source the source the source the source..."
    assert status_line.describe() == f"Running #1 observe.py for 0 s, {reported} (1 %)."


def test_a_procedure_whose_main_has_ended_is_not_ready_for_another_start(status_line: StatusLine) -> None:
    status_line.show(document(1, *RUNS, "READY"))
    assert status_line.describe() == "No script is running."


@pytest.mark.parametrize(
    ("seconds", "reported"),
    [(-3600, "0 s"), (5, "5 s"), (119, "119 s"), (121, "2 min"), (7200, "120 min")],
)
def test_how_long_a_script_has_been_running(status_line: StatusLine, seconds: float, reported: str) -> None:
    status_line.show(document(1, *RUNS, since=time.time() - seconds))
    assert re.fullmatch(rf"Running #1 observe.py for {reported}\.", status_line.describe())


def test_an_embedded_script_has_a_name_too(status_line: StatusLine) -> None:
    status_line.show(document(1, *RUNS, script=EmbeddedStringScript("...")))
    assert status_line.describe().startswith("Running #1 embedded script for")
