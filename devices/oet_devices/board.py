"""What an operator wants to know at one glance, kept up to date from the documents of procedures."""

import threading
import time
from dataclasses import dataclass, replace
from textwrap import shorten

import orjson

from ska_oso_oet.event.journal import Document
from ska_oso_oet.model import ProcedureState

_LONGEST_STEP = 60
"""Characters of what a script says that it is doing: more is not taken in at one glance."""

_PREPARING = frozenset(ProcedureState) - {ProcedureState.READY, *(s for s in ProcedureState if s.is_final)}
"""States on the way to READY; RUNNING is that of ``init`` too."""


@dataclass(frozen=True)
class Brief:
    """A procedure in brief.

    :param id: its number
    :param name: short name of its script
    :param state: the state it is in
    :param since: when it entered that state, seconds since 1970
    :param changes: how many states it has been in
    :param main_runs: whether its ``main`` is running, rather than its ``init``
    :param ready: whether it can be started: it is READY, and its ``main`` has not run
    :param progress: percentage done, as the script has told
    :param step: what it is doing, as the script has told with its progress
    """

    id: int
    name: str
    state: ProcedureState
    since: float
    changes: int
    main_runs: bool
    ready: bool
    progress: int | None = None
    step: str | None = None


def brief(document: Document) -> Brief:
    """Return what the document of a procedure says, in brief."""
    # Not by its model: this is done for every change of state, of a text that was made by that model.
    summary = orjson.loads(document.text)
    states = summary["history"]["process_states"]
    state, since = states[-1]
    uri = summary["script"]["script_uri"]
    times_ready = sum(before == ProcedureState.READY for before, _ in states)
    return Brief(
        id=summary["id"],
        name=uri.rpartition("/")[2] if uri else "embedded script",
        state=ProcedureState(state),
        since=since,
        changes=len(states),
        main_runs=state == ProcedureState.RUNNING and times_ready > 0,
        # When main has returned it is READY for a moment, and then COMPLETE.
        ready=state == ProcedureState.READY and times_ready == 1,
    )


class Board:
    """The live procedures and the last one. The thread of the bus writes, any thread may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._briefs: dict[int, Brief] = {}
        self._last = 0

    def show(self, document: Document) -> Brief:
        """Take note of a document, unless a newer one of the procedure is known. Returns it in brief."""
        shown = brief(document)
        with self._lock:
            before = self._briefs.get(shown.id)
            if before is not None and before.changes > shown.changes:
                return shown
            if before is not None and shown.main_runs:
                shown = replace(shown, progress=before.progress, step=before.step)
            self._last = max(self._last, shown.id)
            self._briefs[shown.id] = shown
            for old in [b.id for b in self._briefs.values() if b.state.is_final and b.id != self._last]:
                del self._briefs[old]
        return shown

    def show_progress(self, procedure_id: int, percent: int, step: str | None = None) -> bool:
        """Take note of a script's progress, and what it is doing. Returns whether that is news."""
        with self._lock:
            known = self._briefs.get(procedure_id)
            if known is None or (known.progress, known.step) == (percent, step):
                return False
            self._briefs[procedure_id] = replace(known, progress=percent, step=step)
            return True

    def progress_of(self, procedure_id: int) -> int | None:
        """Return how far a procedure's ``main`` is, in percent, None if it has not told."""
        with self._lock:
            known = self._briefs.get(procedure_id)
            return known.progress if known is not None else None

    @property
    def running(self) -> int:
        """ID of the procedure that runs ``main``, 0 if there is none."""
        with self._lock:
            return next((known.id for known in self._briefs.values() if known.main_runs), 0)

    @property
    def last(self) -> int:
        """ID of the procedure that was created last, 0 if there is none."""
        return self._last

    @property
    def current(self) -> Brief | None:
        """The procedure that runs ``main``, else the one that was created last."""
        with self._lock:
            running = next((known for known in self._briefs.values() if known.main_runs), None)
            return running or self._briefs.get(self._last)

    def describe(self) -> str:
        """Say in a line what is going on."""
        with self._lock:
            briefs = list(self._briefs.values())
        running = [known for known in briefs if known.main_runs]
        told = [_describe_running(running[0])] if running else ["No script is running."]
        ready = sum(known.ready for known in briefs)
        preparing = sum(known.state in _PREPARING and not known.main_runs for known in briefs)
        if ready:
            told.append(f"{ready} ready.")
        if preparing:
            told.append(f"{preparing} in preparation.")
        return " ".join(told)


def _describe_running(running: Brief) -> str:
    seconds = time.time() - running.since
    duration = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    step = "" if running.step is None else f", {shorten(running.step, _LONGEST_STEP, placeholder='...')}"
    progress = "" if running.progress is None else f" ({running.progress} %)"
    return f"Running #{running.id} {running.name} for {duration}{step}{progress}."
