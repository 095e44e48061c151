"""The first line of Status: the present activity of the controller, from the documents of procedures."""

import threading
import time
from textwrap import shorten
from typing import NamedTuple

from tango import DevState

from oet_devices.ska.operation_commands import way_out
from ska_oso_oet.journal import Document
from ska_oso_oet.model import AtCheckpoint, ProcedurePhase, ProcedureState, ProcedureSummary, Question

_LONGEST_STEP = 60
"""Characters of a script's own text: more cannot be read at a glance."""

_AT_CHECKPOINT: dict[AtCheckpoint | None, str] = {
    AtCheckpoint.PAUSE: ", pausing at the next checkpoint",
    AtCheckpoint.STOP: ", stopping at the next checkpoint",
}

_NOTHING_TO_ADD = frozenset({DevState.ON, DevState.FAULT})
"""States in which a start is possible, or in which Status already says what prevents it."""


class Brief(NamedTuple):
    """Short form of a procedure.

    :param id: its number
    :param name: short name of its script
    :param state: the state it is in
    :param since: when it entered that state, seconds since 1970
    :param changes: how many states it has been in
    :param phase: the part of its life that it is in
    :param progress: percentage done, as the script has reported
    :param step: what it is doing, as the script has reported with its progress
    :param checkpoint: label of the checkpoint that it has reached last
    :param at_checkpoint: what happens at its next checkpoint
    """

    id: int
    name: str
    state: ProcedureState
    since: float
    changes: int
    phase: ProcedurePhase
    progress: int | None = None
    step: str | None = None
    checkpoint: str | None = None
    at_checkpoint: AtCheckpoint | None = None

    @property
    def main_runs(self) -> bool:
        """Whether its ``main`` is running, or is paused."""
        return self.phase is ProcedurePhase.MAIN and self.state.is_executing


def brief(document: Document) -> Brief:
    """Return the document of a procedure in brief."""
    summary: ProcedureSummary = document.value
    uri = summary.script.uri
    return Brief(
        id=summary.id,
        name="embedded script" if uri is None else uri.rpartition("/")[2],
        state=summary.state,
        since=summary.history.process_states[-1][1],
        changes=len(summary.history.process_states),
        phase=summary.phase,
        checkpoint=summary.checkpoint,
        at_checkpoint=summary.at_checkpoint,
    )


def summary_of(current: Brief | None) -> str:
    """Return the current procedure in a few words, empty if there is none."""
    return "" if current is None else f"#{current.id} {current.name} {current.state}"


class Now(NamedTuple):
    """Present activity of a controller.

    :param last: ID of the procedure that was created last, 0 if there is none
    :param running: ID of the procedure that runs ``main``, 0 if there is none
    :param current: that procedure, else the one that has entered a state last
    """

    last: int
    running: int
    current: Brief | None


class StatusLine:
    """The live procedures and the last one. The thread of the bus writes, any thread may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._briefs: dict[int, Brief] = {}
        self._last = 0
        self._changed = 0  # the procedure that has entered a state last

    def clear(self) -> None:
        """Forget all procedures."""
        with self._lock:
            self._briefs.clear()
            self._last = self._changed = 0

    def show(self, document: Document) -> None:
        """Store a document, unless a newer one of the procedure is known."""
        shown = brief(document)
        with self._lock:
            before = self._briefs.get(shown.id)
            if before is not None and before.changes > shown.changes:
                return
            if before is not None and shown.main_runs:
                shown = shown._replace(progress=before.progress, step=before.step)
            self._last, self._changed = max(self._last, shown.id), shown.id
            self._briefs[shown.id] = shown
            ended = {known.id for known in self._briefs.values() if known.state.is_final}
            for old in ended - {self._last, self._changed}:
                del self._briefs[old]

    def show_checkpoint(self, procedure_id: int, label: str) -> bool:
        """Store the checkpoint that a script has reached. Returns whether it has changed."""
        with self._lock:
            known = self._briefs.get(procedure_id)
            if known is None or known.checkpoint == label:
                return False
            self._briefs[procedure_id] = known._replace(checkpoint=label)
            return True

    def show_progress(self, procedure_id: int, percent: int, step: str | None = None) -> bool:
        """Store a script's progress and its text. Returns whether they have changed."""
        with self._lock:
            known = self._briefs.get(procedure_id)
            if known is None or (known.progress, known.step) == (percent, step):
                return False
            self._briefs[procedure_id] = known._replace(progress=percent, step=step)
            return True

    def now(self) -> Now:
        """Return the present activity."""
        with self._lock:
            for known in self._briefs.values():
                if known.main_runs:
                    return Now(self._last, known.id, known)
            return Now(self._last, 0, self._briefs.get(self._changed))

    @property
    def running(self) -> int:
        """ID of the procedure that runs ``main``, 0 if there is none."""
        return self.now().running

    def progress(self) -> float:
        """Return the progress that the script that runs ``main`` has reported, in percent.

        It is 0 if no script runs, or if the script has reported none.
        """
        now = self.now()
        return float(now.current.progress or 0) if now.running and now.current is not None else 0.0

    @property
    def last(self) -> int:
        """ID of the procedure that was created last, 0 if there is none."""
        return self._last

    @property
    def current(self) -> Brief | None:
        """The procedure that runs ``main``, else the one that has entered a state last."""
        return self.now().current

    def summary(self) -> str:
        """Return the current procedure in a few words, empty before the first."""
        return summary_of(self.current)

    def describe(self) -> str:
        """Return a line about the present activity."""
        with self._lock:
            briefs = list(self._briefs.values())
        running = [known for known in briefs if known.main_runs]
        sentences = [_describe_running(running[0])] if running else ["No script is running."]
        ready = sum(known.phase is ProcedurePhase.READY for known in briefs)
        preparing = sum(known.phase is ProcedurePhase.PREPARING for known in briefs)
        if ready:
            sentences.append(f"{ready} ready.")
        if preparing:
            sentences.append(f"{preparing} in preparation.")
        return " ".join(sentences)

    def status(self, standby_workers: int, state: DevState, question: Question | None = None) -> str:
        """Return a line about the present activity, and one about what to do if nothing can be started.

        :param standby_workers: how many processes are kept warm
        :param state: the state of the device
        :param question: the question that waits for an answer, None if there is none
        """
        workers = "1 standby worker." if standby_workers == 1 else f"{standby_workers} standby workers."
        asks = "" if question is None else f" #{question.procedure_id} asks: {_short(question.text)}"
        line = f"{self.describe()}{asks} {workers}"
        if state in _NOTHING_TO_ADD:
            return line
        return f"{line}\nNothing can be created or started in state {state}. {way_out(state)}"


def _describe_running(running: Brief) -> str:
    # A clock that was put back has no time to show.
    seconds = max(0.0, time.time() - running.since)
    duration = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    name = f"#{running.id} {running.name}"
    where = "" if running.checkpoint is None else f" at checkpoint {_short(running.checkpoint)}"
    progress = "" if running.progress is None else f" ({running.progress} %)"
    if running.state is ProcedureState.PAUSED:
        return f"Paused {name} for {duration}{where}{progress}. Send Resume to continue."
    step = "" if running.step is None else f", {_short(running.step)}"
    sentence = f"Running {name} for {duration}{where}{step}{progress}"
    return f"{sentence}{_AT_CHECKPOINT.get(running.at_checkpoint, '')}."


def _short(text: str) -> str:
    return shorten(text, _LONGEST_STEP, placeholder="...")
