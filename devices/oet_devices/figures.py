"""Figures of a controller, for monitoring."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from oet_devices.executor import Executor
from oet_devices.executor_keeper import ExecutorKeeper
from ska_oso_oet import __version__
from ska_oso_oet.activity.application.register import KIND as ACTIVITY
from ska_oso_oet.journal import Batch
from ska_oso_oet.model import (
    ActivityState,
    ActivitySummary,
    ControllerFigures,
    DurationCounter,
    ProcedurePhase,
    ProcedureState,
    ProcedureSummary,
    QueueEntry,
    QueueEntryState,
    QueueState,
)
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.queue import ENTRY_KIND

from .samples import Samples

_ENDS = tuple(state for state in ProcedureState if state.is_final)
_ACTIVITY_ENDS = tuple(state for state in ActivityState if state.is_final)
_ENTRY_ENDS = tuple(state for state in QueueEntryState if state.is_final)
_PARTS = ("load", "init", "main", "ready")


class Figures:
    """Counts committed changes, and measures resources. Any thread may read the figures.

    :param device: returns the name of the device
    :param keeper: keeps the executor
    """

    def __init__(self, device: Callable[[], str], keeper: ExecutorKeeper) -> None:
        self._device = device
        self._keeper = keeper
        self._samples = Samples()
        self._lock = threading.Lock()
        self._started = time.time()
        self._ended: Counter[str] = Counter()
        self._activities: Counter[str] = Counter()
        self._entries: Counter[str] = Counter()
        self._builds: Counter[str] = Counter()
        self._durations = {part: DurationCounter() for part in _PARTS}
        self._lag, self._wait = DurationCounter(), DurationCounter()
        self._events = self._requests = 0
        self._running_entry = 0
        self._count: Mapping[str, Callable[[Any], None]] = {
            PROCEDURE: self._count_procedure,
            ACTIVITY: self._count_activity,
            ENTRY_KIND: self._count_entry,
        }

    def on_batch(self, batch: Batch) -> None:
        """Count committed changes. Runs in the thread of the bus."""
        if not batch.versions:
            self._events += len(batch.events)
            return
        with self._lock:
            self._events += len(batch.events)
            for document in batch.versions:
                if (count := self._count.get(document.kind)) is not None:
                    count(document.value)

    def on_request(self) -> None:
        """Count a request."""
        with self._lock:
            self._requests += 1

    def _count_procedure(self, procedure: ProcedureSummary) -> None:
        states = procedure.history.process_states
        state, when = states[-1]
        self._lag.add(time.time() - when)
        if len(states) > 1 and states[-2][0] is ProcedureState.PREP_ENV:
            self._builds["failure" if state.is_final else "success"] += 1
        if state is ProcedureState.READY and procedure.phase is ProcedurePhase.READY:
            self._durations["ready"].add(when - procedure.created)
            for (entered, since), (_, until) in itertools.pairwise(states):
                if entered is ProcedureState.LOADING:
                    self._durations["load"].add(until - since)
                elif entered is ProcedureState.RUNNING:
                    self._durations["init"].add(until - since)
        if state.is_final:
            self._ended[state] += 1
            if procedure.main_began_at is not None:
                self._durations["main"].add(when - procedure.main_began_at)

    def _count_activity(self, activity: ActivitySummary) -> None:
        if activity.state.is_final:
            self._activities[activity.state] += 1

    def _count_entry(self, entry: QueueEntry) -> None:
        if entry.state is QueueEntryState.RUNNING and entry.id != self._running_entry:
            self._running_entry = entry.id
            self._wait.add(entry.states[-1][1] - max(entry.added, entry.not_before or 0.0))
        elif entry.state is QueueEntryState.WAITING and entry.id == self._running_entry:
            self._running_entry = 0  # it is repeated
        if entry.state.is_final:
            self._entries[entry.state] += 1

    def read(self) -> str:
        """Return the present figures as JSON; those that take long to read are a few seconds old."""
        executor = self._keeper.executor
        # Outside of the lock: the thread of the bus must not wait for it.
        present = {} if executor is None else _present(executor)
        directory = None if executor is None else executor.config.settings.state_directory
        sampled = self._samples.newest(directory)
        with self._lock:
            figures = ControllerFigures(
                device=self._device(),
                version=__version__,
                started=self._started,
                ended={state: self._ended[state] for state in _ENDS},
                activities_ended={state: self._activities[state] for state in _ACTIVITY_ENDS},
                queue_ended={state: self._entries[state] for state in _ENTRY_ENDS},
                environment_builds={result: self._builds[result] for result in ("success", "failure")},
                durations={part: counted.distribution for part, counted in self._durations.items()},
                event_lag=self._lag.distribution,
                queue_wait=self._wait.distribution,
                events=self._events,
                requests=self._requests,
                **{**_ABSENT, **present},
                **sampled,
            )
        return figures.model_dump_json()


_ABSENT: Mapping[str, Any] = {
    "queue_length": 0,
    "queue_state": QueueState.STOPPED,
    "standby_workers": 0,
    "procedures_ready": 0,
    "procedures_live": 0,
    "backlog": 0,
}
"""Figures of a controller that has no executor."""


def _present(executor: Executor) -> dict[str, Any]:
    live = [document.value for document in executor.service.view.all() if document.live]
    return {
        "queue_length": executor.queue.view.length,
        "queue_state": executor.queue.view.condition.state,
        "standby_workers": executor.service.manager.standby_workers,
        "procedures_ready": sum(each.phase is ProcedurePhase.READY for each in live),
        "procedures_live": len(live),
        "backlog": executor.bus.backlog,
    }
