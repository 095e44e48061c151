"""What an operator reads at one glance."""

import re
import time

import pytest

from oet_devices.board import Board
from ska_oso_oet.event.journal import Document
from ska_oso_oet.model import History, Procedure, ProcedureState, Script

CREATED = ("CREATING", "IDLE", "LOADING", "IDLE")
PREPARED = (*CREATED, "RUNNING", "READY")
RUNS = (*PREPARED, "RUNNING")
COMPLETE = (*RUNS, "READY", "COMPLETE")

OBSERVE = Script(script_uri="file:///scripts/observe.py")


def document(number: int, *states: str, script: Script = OBSERVE, since: float | None = None) -> Document:
    entered = time.time() if since is None else since
    procedure = Procedure(
        id=number,
        script=script,
        history=History(process_states=[(ProcedureState(state), entered) for state in states]),
        state=ProcedureState(states[-1]),
        created=entered,
    )
    return Document("procedure", number, procedure.model_dump_json(), not procedure.state.is_final)


@pytest.fixture
def board() -> Board:
    """A board that nothing has happened on."""
    return Board()


def test_an_empty_board(board: Board) -> None:
    assert (board.running, board.last, board.current) == (0, 0, None)
    assert board.describe() == "No script is running."


def test_main_counts_as_running_and_init_does_not(board: Board) -> None:
    board.show(document(1, *CREATED, "RUNNING"))
    assert board.running == 0
    assert board.describe() == "No script is running. 1 in preparation."
    board.show(document(1, *PREPARED))
    assert board.describe() == "No script is running. 1 ready."
    board.show(document(1, *RUNS))
    assert board.running == 1
    assert board.describe() == "Running #1 observe.py for 0 s."
    board.show(document(1, *COMPLETE))
    assert (board.running, board.last) == (0, 1)
    assert board.describe() == "No script is running."


def test_the_current_procedure_is_the_one_that_runs_else_the_last(board: Board) -> None:
    board.show(document(1, *RUNS))
    board.show(document(2, *PREPARED))
    board.show(document(3, *CREATED))
    assert board.current is not None
    assert (board.current.id, board.last) == (1, 3)
    assert board.describe() == "Running #1 observe.py for 0 s. 1 ready. 1 in preparation."
    board.show(document(1, *RUNS, "STOPPED"))
    assert board.current.id == 3
    assert board.current.state is ProcedureState.IDLE


def test_a_late_word_of_an_older_procedure_does_not_make_it_the_last(board: Board) -> None:
    board.show(document(1, *PREPARED))
    board.show(document(2, *CREATED, "FAILED"))
    board.show(document(1, *RUNS))
    board.show(document(1, *COMPLETE))
    assert board.last == 2
    assert board.current is not None
    assert (board.current.id, board.current.state) == (2, ProcedureState.FAILED)


def test_progress_is_shown_as_long_as_main_runs(board: Board) -> None:
    assert not board.show_progress(1, 10)
    board.show(document(1, *RUNS))
    assert board.show_progress(1, 40)
    assert not board.show_progress(1, 40)
    assert board.describe() == "Running #1 observe.py for 0 s (40 %)."
    board.show(document(1, *RUNS))
    assert board.describe().endswith("(40 %).")
    board.show(document(1, *COMPLETE))
    assert board.current is not None
    assert board.current.progress is None


def test_the_step_that_a_script_has_told_is_shown_with_its_progress(board: Board) -> None:
    board.show(document(7, *RUNS, since=time.time() - 180))
    assert board.show_progress(7, 40, "scan 2 of 5")
    assert board.describe() == "Running #7 observe.py for 3 min, scan 2 of 5 (40 %)."
    assert not board.show_progress(7, 40, "scan 2 of 5")
    assert board.show_progress(7, 40, "scan 3 of 5"), "another step is news, though the percentage is not"
    assert board.show_progress(7, 60)
    assert board.describe() == "Running #7 observe.py for 3 min (60 %)."


def test_a_step_is_one_short_line(board: Board) -> None:
    board.show(document(1, *RUNS))
    board.show_progress(1, 1, "slewing\n to " + 20 * "the source ")
    told = "slewing to the source the source the source the source..."
    assert board.describe() == f"Running #1 observe.py for 0 s, {told} (1 %)."


def test_a_procedure_whose_main_has_ended_is_not_ready_for_another_start(board: Board) -> None:
    board.show(document(1, *RUNS, "READY"))
    assert board.describe() == "No script is running."


@pytest.mark.parametrize(("seconds", "told"), [(5, "5 s"), (119, "119 s"), (121, "2 min"), (7200, "120 min")])
def test_how_long_a_script_has_been_running(board: Board, seconds: float, told: str) -> None:
    board.show(document(1, *RUNS, since=time.time() - seconds))
    assert re.fullmatch(rf"Running #1 observe.py for {told}\.", board.describe())


def test_an_embedded_script_has_a_name_too(board: Board) -> None:
    board.show(document(1, *RUNS, script=Script(script_type="embedded", script="...")))
    assert board.describe().startswith("Running #1 embedded script for")
