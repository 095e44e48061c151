"""Checkpoints in the process of a script, without a server."""

import threading

import pytest

from ska_oso_oet.model import AtCheckpoint, ProcedureState
from ska_oso_oet.procedure.worker.checkpoints import Checkpoints
from ska_oso_oet.procedure.worker.labels import Labels


class _NoLabels(Labels):
    """Labels that nobody is to see."""

    def __init__(self) -> None:
        super().__init__(lambda label, number: None)

    def add(self, label: str | None, number: int) -> None:
        """Forget a label."""


class Script:
    """A script at its checkpoints, and what it has reported."""

    def __init__(self) -> None:
        self.is_stopped = False
        self.reports: list[tuple[ProcedureState, str | None, int]] = []
        self.stops: list[str | None] = []
        self.checkpoints = Checkpoints(
            _NoLabels(), self._report, self.stops.append, is_stopped=lambda: self.is_stopped
        )
        self.when_paused = lambda: self.checkpoints.release(0)

    def _report(self, state: ProcedureState, label: str | None, request: int) -> None:
        self.reports.append((state, label, request))
        if state is ProcedureState.PAUSED:
            threading.Timer(0.01, self.when_paused).start()


def test_a_pause_is_reported_with_the_request_that_it_follows_from() -> None:
    script = Script()
    script.checkpoints.hold(AtCheckpoint.PAUSE, 7)
    script.checkpoints.passed("scan 1")
    assert script.reports == [
        (ProcedureState.PAUSED, "scan 1", 7),
        (ProcedureState.RUNNING, None, 0),
    ]
    script.checkpoints.passed("scan 2")
    assert len(script.reports) == 2


def test_the_clean_up_of_a_stopped_script_waits_nowhere() -> None:
    """Also if the signal of the stop has come before the message that announces it."""
    script = Script()
    script.checkpoints.hold(AtCheckpoint.PAUSE, 1)
    script.is_stopped = True
    script.checkpoints.passed("clean-up")
    assert script.reports == []


def test_no_checkpoint_counts_once_a_stop_is_announced() -> None:
    script = Script()
    script.checkpoints.end(let_go=False)
    script.checkpoints.hold(AtCheckpoint.PAUSE, 1)
    script.checkpoints.passed("clean-up")
    assert script.reports == []


def test_an_exception_that_interrupts_a_pause_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = threading.Event.wait

    def interrupt(self: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return wait(self, timeout)

    script = Script()
    script.when_paused = lambda: None
    script.checkpoints.hold(AtCheckpoint.PAUSE, 1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            script.checkpoints.passed("scan 1")
    assert [state for state, _, _ in script.reports] == [ProcedureState.PAUSED, ProcedureState.RUNNING]


def test_a_step_goes_to_the_next_checkpoint() -> None:
    script = Script()
    script.when_paused = lambda: script.checkpoints.step(2)
    script.checkpoints.hold(AtCheckpoint.PAUSE, 1)
    script.checkpoints.passed("scan 1")
    script.when_paused = lambda: script.checkpoints.release(3)
    script.checkpoints.passed("scan 2")
    assert [label for state, label, _ in script.reports if state is ProcedureState.PAUSED] == [
        "scan 1",
        "scan 2",
    ]


def test_other_threads_pass() -> None:
    script = Script()
    script.checkpoints.hold(AtCheckpoint.PAUSE, 1)
    thread = threading.Thread(target=script.checkpoints.passed, args=["scan 1"])
    thread.start()
    thread.join()
    assert script.reports == []
