"""The executor of one device: journal, event bus and services, created and ended together."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from ska_oso_oet.activity.application import ActivityService, open_oda
from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import (
    EventsNoLongerKeptError,
    Journal,
    JournalEvent,
    JournalUnavailableError,
    open_journal,
)
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.procedure.application.script_list import ScriptList
from ska_oso_oet.procedure.domain import ExecutableScript, ExecutorSettings
from ska_oso_oet.procedure.domain.repositories import Repositories
from ska_oso_oet.procedure.domain.roots import ScriptRoots
from ska_oso_oet.queue import QueueService, QueueSettings

KEPT_DOCUMENTS = 1_000
"""How many ended procedures, and activities, are kept for queries by ID."""

_SCRIPTS_END_TIME = 1.5
"""Seconds that scripts are given to end by themselves when the server ends, which must take less than 5."""


@dataclass(frozen=True)
class ExecutorConfig:
    """Configuration of an executor; if two are equal, the executor need not be replaced.

    :param script_roots: folders that scripts may be run from
    :param git_repositories: git repositories that scripts may be run from
    :param abort_script: script that a stop may run afterwards
    :param history_length: how many ended procedures, and activities, clients see
    :param oda_time_limit: seconds that the ODA's REST service is given to answer
    :param record_executions: whether executions are recorded in the ODA
    :param event_retention: how many events to keep
    :param journal_url: PostgreSQL database for the journal; None for a file in the state directory
    :param journal_namespace: schema of that database, of this controller alone
    :param settings: how scripts are executed
    :param queue: how the queue is run
    """

    script_roots: ScriptRoots
    git_repositories: Repositories
    abort_script: ExecutableScript
    history_length: int
    oda_time_limit: float
    record_executions: bool
    event_retention: int
    journal_url: str | None
    journal_namespace: str
    settings: ExecutorSettings
    queue: QueueSettings


@dataclass(frozen=True)
class Listeners:
    """Callbacks of an executor.

    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    :param on_recall: called when the journal of previous servers, unreadable at first, has been read
    :param on_scripts: called when the scripts that can be run have changed
    :param may_begin: returns whether the queue may begin an entry
    """

    on_output: Callable[[int], None]
    on_health: Callable[[], None]
    on_recall: Callable[[], None]
    on_scripts: Callable[[], None]
    may_begin: Callable[[], bool]


class Executor:
    """Journal, event bus, script execution service, activity service and queue.

    :param config: their configuration
    :param listeners: its callbacks
    :raises JournalLockedError: if another server uses the same journal
    :raises JournalTooNewError: if a newer version of the OET has written it
    :raises JournalUnavailableError: if it cannot be opened, and the last numbers are not known
    """

    def __init__(self, config: ExecutorConfig, listeners: Listeners) -> None:
        self.config = config
        self._listeners = listeners
        self._acknowledged: str | None = None
        self._complete = False
        with ExitStack() as failure:
            self.bus = EventBus(self._open_journal())
            # Otherwise the journal's lock would prevent the creation of the next one.
            failure.callback(self.bus.close)
            self.service = self._make_service()
            failure.callback(self.service.shutdown)
            self.activities = self._make_activities()
            self.queue = QueueService(
                self.service, self.activities, config.queue, may_begin=listeners.may_begin
            )
            failure.pop_all()
        limit = config.settings.script_size_limit
        self.scripts = ScriptList(config.script_roots, limit, self._listeners.on_scripts)
        self._complete = True

    def _make_service(self) -> ScriptExecutionService:
        return ScriptExecutionService(
            abort_script=self.config.abort_script,
            bus=self.bus,
            settings=self.config.settings,
            script_roots=self.config.script_roots,
            repositories=self.config.git_repositories,
            history_length=self.config.history_length,
            on_output=self._listeners.on_output,
            on_health=self._listeners.on_health,
        )

    def _make_activities(self) -> ActivityService:
        return ActivityService(
            self.service,
            bus=self.bus,
            state_directory=self.config.settings.state_directory,
            sb_roots=self.config.script_roots.folders,
            history_length=self.config.history_length,
            connect=partial(open_oda, time_limit=self.config.oda_time_limit),
            record_executions=self.config.record_executions,
        )

    def _open_journal(self) -> Journal:
        config = self.config
        return open_journal(
            config.settings.state_directory,
            config.journal_url,
            namespace=config.journal_namespace,
            event_retention=config.event_retention,
            document_retention=max(KEPT_DOCUMENTS, config.history_length),
            on_fault=self._on_journal_fault,
            on_damage=self._listeners.on_health,
        )

    def _on_journal_fault(self, fault: str | None) -> None:
        """Note the beginning or the end of a fault of the journal. Runs in a thread of the journal."""
        try:
            if fault is None and self._complete:
                # Records of previous servers may be readable only now.
                self.service.recall()
                self.activities.recall()
                self.queue.recall()
                self._listeners.on_recall()
        finally:
            self._listeners.on_health()

    @property
    def newest_event(self) -> JournalEvent | None:
        """The newest event, None if there is none, or it cannot be read."""
        journal = self.bus.journal
        try:
            return next(iter(journal.read_events(max(0, journal.last_seq - 1), 1)), None)
        except (EventsNoLongerKeptError, JournalUnavailableError):
            return None

    @property
    def warning(self) -> str | None:
        """Faults and losses of the journal, for an operator; None if there are none."""
        journal = self.bus.journal
        if journal.fault is not None:
            return journal.fault
        return journal.recovery if journal.recovery != self._acknowledged else None

    def acknowledge(self) -> None:
        """Acknowledge damage from which the journal has recovered."""
        self._acknowledged = self.bus.journal.recovery

    @property
    def busy(self) -> bool:
        """Whether any procedure or activity is live."""
        documents = [*self.service.view.all(), *self.activities.view.all()]
        return any(document.live for document in documents)

    def close(self, why: str | None = None) -> None:
        """Stop all activities and procedures, end all processes, and write the remaining entries.

        :param why: the reason, as a clause
        """
        self.scripts.ask_to_end()
        self.queue.halt()
        self.activities.close()
        self.service.shutdown(_SCRIPTS_END_TIME, None if why is None else f"It was stopped because {why}.")
        self.queue.close()
        self.bus.close()
        self.scripts.close()
