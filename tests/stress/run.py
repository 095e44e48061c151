"""A stress run: what it needs, what it measures, and what it finds."""

import gc
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.support.leftovers import Holdings, guardian

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import open_journal
from ska_oso_oet.mptools import posix
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.procedure.domain import ExecutorSettings, FileSystemScript

from .chronicle import Chronicle
from .operators import Crew
from .order import breach
from .queue_operator import QueueOperator

STANDBY = 2
MEMORY_GROWTH = 0.1
"""By how much resident memory may have grown since the warm-up."""

_SETTLING_TIME = 10.0


@dataclass(frozen=True)
class Plan:
    """Plan of a run.

    :param procedures: how many procedures to run
    :param seed: decides about their ends
    :param operators: minimum number of live ones
    :param warm_up: how many procedures go before the first measurement
    :param folder: state directory
    """

    procedures: int
    seed: int
    operators: int
    warm_up: int
    folder: Path


@dataclass(frozen=True)
class Resources:
    """Resources in use without any activity.

    :param holdings: processes, threads, descriptors and temporary files
    :param memory: resident memory of server and forkserver, bytes
    :param workers: number of workers
    :param directories: working directories of scripts
    """

    holdings: Holdings
    memory: int
    workers: int
    directories: int


@dataclass
class Report:
    """Result of a run.

    :param seconds: how long it took, after the warm-up
    :param ends: how many procedures ended in which state
    :param entries: how many entries of the queue have begun
    :param events: how many events there were
    :param before: resources after the warm-up
    :param after: resources in the end
    :param complaints: all that is not as it should be
    """

    seconds: float
    ends: dict[str, int]
    entries: int
    events: int
    before: Resources
    after: Resources
    complaints: list[str] = field(default_factory=list)


class StressRun:
    """A service under stress.

    :param plan: what to do
    :param mark: mark of the processes that belong to it
    """

    def __init__(self, plan: Plan, mark: str) -> None:
        self._plan = plan
        self._mark = mark
        self._chronicle = Chronicle()

    def run(self) -> Report:
        """Do it."""
        with self._service() as service:
            Crew(service, f"{self._plan.seed}-warm-up").run(self._plan.warm_up, self._plan.operators)
            before = self._resources(service)
            crew = Crew(service, str(self._plan.seed))
            queue = QueueOperator(service.bus, service, f"{self._plan.seed}-queue")
            begin = time.monotonic()
            crew.run(self._plan.procedures, self._plan.operators)
            seconds = time.monotonic() - begin
            queue.finish()
            after = self._resources(service)
            complaints = [*crew.complaints, *queue.complaints, *self._look(service), *_compare(before, after)]
        ends = dict(self._chronicle.ends())
        return Report(seconds, ends, queue.entries, self._chronicle.events, before, after, complaints)

    @contextmanager
    def _service(self) -> Iterator[ScriptExecutionService]:
        abort = self._plan.folder / "abort.py"
        abort.write_text("def main():\n    print('aborted')\n")
        # All procedures are looked at in the end, and each may have an abort script of its own; the queue has
        # some too.
        kept = 4 * (self._plan.procedures + self._plan.warm_up)
        journal = open_journal(self._plan.folder / "state", event_retention=10_000, document_retention=kept)
        bus = EventBus(journal)
        bus.subscribe(self._chronicle.on_batch)
        service = ScriptExecutionService(
            bus=bus,
            abort_script=FileSystemScript(abort.as_uri()),
            settings=ExecutorSettings(
                self._plan.folder / "state",
                standby_workers=STANDBY,
                stop_grace_period=0.2,
                init_timeout=2.0,
                watchdog_period=0.5,
            ),
        )
        try:
            yield service
        finally:
            service.shutdown()
            bus.close()

    # What is found

    def _resources(self, service: ScriptExecutionService) -> Resources:
        """Measure, once all is quiet."""
        _settle(service)
        gc.collect()
        forkserver = guardian()
        assert forkserver is not None, "there have been procedures"
        memory = [psutil.Process(pid).memory_info().rss for pid in (None, forkserver)]
        run = self._plan.folder / "state" / "run"
        return Resources(
            Holdings.take(self._mark),
            sum(memory),
            len(posix.children(forkserver)),
            len(list(run.iterdir())) if run.exists() else 0,
        )

    def _look(self, service: ScriptExecutionService) -> Iterator[str]:
        """Look at every procedure."""
        for procedure_id, reported in self._chronicle.states.items():
            summary = service.summary(procedure_id)
            history = [str(state) for state, _ in summary.history.process_states]
            wrong = breach(history, reported, self._chronicle.topics[procedure_id])
            if wrong is not None:
                yield f"procedure {procedure_id}: {wrong}"
        yield from (f"after the end: {late}" for late in self._chronicle.late)
        if (question := service.operator.question) is not None:
            yield f"question {question.id} of procedure {question.procedure_id} waits after its end"
        logs = {path.name.split(".")[0] for path in (self._plan.folder / "state" / "output").iterdir()}
        if len(logs) > ExecutorSettings.output_logs:
            yield f"the output of {len(logs)} procedures is on disk"


def _settle(service: ScriptExecutionService) -> None:
    """Wait until no procedure is live any more, and the standby workers are complete."""
    deadline = time.monotonic() + _SETTLING_TIME
    for document in service.view.all():
        service.view.ended(document.id).result(_SETTLING_TIME)
    while time.monotonic() < deadline:
        pid = guardian()
        workers = posix.children(pid) if pid is not None else []
        if service.manager.standby_workers == STANDBY == len(workers):
            return
        # Whatever there is beside the standby workers is about to end.
        posix.wait_until_gone(workers[:-1], timeout=0.1)


def _counted(descriptors: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    # The journal opens a connection when it first needs one, and keeps it: a few, however much happens.
    return {(fd, what) for fd, what in descriptors if "journal.sqlite" not in what}


def _compare(before: Resources, after: Resources) -> Iterator[str]:
    # A standby worker is another process than before: their number is what counts.
    if after.workers != before.workers:
        yield f"{after.workers} workers, after {before.workers}"
    if len(after.holdings.processes) > len(before.holdings.processes):
        yield f"{len(after.holdings.processes)} processes, after {len(before.holdings.processes)}"
    threads = {thread.name for thread in after.holdings.threads - before.holdings.threads}
    if threads:
        yield f"more threads: {', '.join(threads)}"
    descriptors, earlier = _counted(after.holdings.descriptors), _counted(before.holdings.descriptors)
    if (more_fds := len(descriptors) - len(earlier)) > 0:
        left = descriptors - earlier
        yield f"{more_fds} more descriptors, of {sorted(left)}"
    if files := after.holdings.files - before.holdings.files:
        yield f"more temporary files: {', '.join(files)}"
    if after.directories:
        yield f"{after.directories} working directories"
    if after.memory > before.memory * (1 + MEMORY_GROWTH):
        yield f"{after.memory / 2**20:.0f} MiB of memory, after {before.memory / 2**20:.0f} MiB"
