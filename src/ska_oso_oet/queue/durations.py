"""Expected durations of entries, from earlier runs of the same script or activity."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from ska_oso_oet.activity.application.register import KIND as ACTIVITY
from ska_oso_oet.journal import Batch
from ska_oso_oet.journal.document_view import DocumentView
from ska_oso_oet.model import (
    ActivityState,
    ActivitySummary,
    DurationSource,
    EmbeddedScriptReference,
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureState,
    ProcedureSummary,
    QueueEntry,
)
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE

_RUNS = 9
"""Number of runs in the median: the newest, so that it follows a script that has changed."""

_RECALLED = 500
"""Number of procedures of previous servers that are read."""

_KNOWN = 2_000
"""Number of scripts and activities whose runs are remembered: those that have run last."""


class Expectation:
    """Expected duration of a run.

    :param seconds: the median of earlier runs
    :param source: the runs that it is derived from
    """

    def __init__(self, seconds: float, source: DurationSource) -> None:
        self.seconds = seconds
        self.source = source


class DurationBook:
    """The durations of earlier runs. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, deque[float]] = {}
        self._expected: dict[str, Expectation] = {}

    def expected(self, names: Iterable[str]) -> Expectation | None:
        """Return the expected duration of a run, None if it is not known.

        :param names: its possible names, see `names_of`; the first known one counts
        """
        return next((found for name in names if (found := self._expected.get(name)) is not None), None)

    def learn(self, names: Iterable[str], procedure: ProcedureSummary, *, former: bool = False) -> None:
        """Add a run.

        :param names: the names of its entry
        :param procedure: its procedure, which is COMPLETE
        :param former: whether it is older than all known runs
        """
        seconds = _running_time(procedure)
        if seconds < 0:
            # The clock was put back meanwhile.
            return
        with self._lock:
            for name in names:
                self._add(name, seconds, former)

    def _add(self, name: str, seconds: float, former: bool) -> None:
        # The one that has run last is the last to be forgotten.
        runs = self._runs.pop(name, None) or deque(maxlen=_RUNS)
        self._runs[name] = runs
        if not former:
            runs.append(seconds)
        elif len(runs) < _RUNS:
            runs.appendleft(seconds)
        self._expected[name] = Expectation(median(runs), DurationSource(of=name, runs=len(runs)))
        if len(self._runs) > _KNOWN:
            forgotten = next(iter(self._runs))
            del self._runs[forgotten], self._expected[forgotten]


class DurationLearner:
    """Adds procedures and activities that are COMPLETE to a book.

    :param book: the book
    :param procedures: the documents of procedures
    :param activities: the documents of activities
    """

    def __init__(self, book: DurationBook, procedures: DocumentView, activities: DocumentView) -> None:
        self._book = book
        self._procedures = procedures
        self._activities = activities

    def recall(self) -> None:
        """Read earlier runs from the journal.

        :raises JournalUnavailableError: if it cannot be read at present
        """
        procedures, _ = self._procedures.older(None, _RECALLED)
        activities, _ = self._activities.older(None, _RECALLED)
        known = {document.id: document for document in procedures}
        for document in procedures:
            self._learn_procedure(document.value, former=True)
        for document in activities:
            if (run := known.get(document.value.procedure_id or 0)) is not None:
                self._learn_activity(document.value, run.value, former=True)

    def on_batch(self, batch: Batch) -> None:
        """Add runs that have been committed. Runs in the thread of the bus."""
        for document in batch.documents:
            if document.kind == PROCEDURE and not document.live:
                self._learn_procedure(document.value)
            elif document.kind == ACTIVITY and not document.live:
                activity: ActivitySummary = document.value
                if activity.state is ActivityState.COMPLETE and activity.procedure_id is not None:
                    run = self._procedures.get(activity.procedure_id)
                    if run is not None:
                        self._learn_activity(activity, run.value)

    def _learn_procedure(self, procedure: ProcedureSummary, *, former: bool = False) -> None:
        if procedure.state is ProcedureState.COMPLETE:
            self._book.learn([script_name(procedure.script)], procedure, former=former)

    def _learn_activity(
        self, activity: ActivitySummary, procedure: ProcedureSummary, *, former: bool = False
    ) -> None:
        if activity.state is ActivityState.COMPLETE:
            self._book.learn(activity_names(activity), procedure, former=former)


def names_of(entry: QueueEntry) -> Sequence[str]:
    """Return the names under which durations of an entry may be stored, the most specific first."""
    request = entry.request
    if request.procedure is not None:
        return [script_name(request.procedure.script)]
    activity = request.activity
    assert activity is not None, "a request is for one of the two"  # noqa: S101
    uri = activity.sbd_uri or ""
    sbd_id = activity.sbd_id or uri.removeprefix("oda://").partition("/")[0]
    return _activity_names(activity.activity_name, sbd_id)


def script_name(script: ExecutableScript) -> str:
    """Return the name under which durations of a script are stored: its URI, and its repository."""
    match script:
        case GitScript(script_uri=uri, git_args=place) if place.git_repo is not None:
            return f"{uri} in {place.git_repo}"
        case (
            FileSystemScript(script_uri=uri)
            | GitScript(script_uri=uri)
            | EmbeddedStringScript(script_uri=uri)
            | EmbeddedScriptReference(script_uri=uri)
        ):
            return str(uri)
    return script.name


def activity_names(activity: ActivitySummary) -> Sequence[str]:
    """Return the names under which durations of an activity are stored."""
    return _activity_names(activity.activity_name, activity.sbd_id)


def _activity_names(name: str, sbd_id: str) -> Sequence[str]:
    return [f"activity {name} of {sbd_id}", f"activity {name}"]


def _running_time(procedure: ProcedureSummary) -> float:
    """Return the run time of init and main of a procedure, in seconds."""
    intervals = pairwise(procedure.history.process_states)
    return sum(until - since for (state, since), (_, until) in intervals if state is ProcedureState.RUNNING)
