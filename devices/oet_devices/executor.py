"""Script execution as one device has it: journal, event bus and services, made and ended together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ska_oso_oet.activity.application import ActivityService, open_oda
from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.journal import (
    EventsNoLongerKept,
    Journal,
    JournalEvent,
    JournalUnavailable,
    open_journal,
)
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.procedure.domain import ExecutableScript, ExecutorSettings
from ska_oso_oet.procedure.domain.repositories import Repositories
from ska_oso_oet.procedure.domain.roots import ScriptRoots

KEPT_DOCUMENTS = 1_000
"""How many ended procedures, and activities, are kept for who asks for one by its ID."""

_SCRIPTS_END_TIME = 1.5
"""Seconds that scripts are given to end by themselves when the server ends, which is to take less than 5."""


@dataclass(frozen=True)
class ExecutorConfig:
    """What script execution follows from; two that are equal need no new executor.

    :param script_roots: folders that scripts may be run from
    :param git_repositories: git repositories that scripts may be run from
    :param abort_script: what a stop may run afterwards
    :param history_length: how many ended procedures, and activities, clients see
    :param oda_time_limit: seconds that the ODA's REST service is given to answer
    :param record_executions: whether the ODA is told what is executed
    :param event_retention: how many events to keep
    :param journal_url: PostgreSQL database for the journal; None for a file in the state directory
    :param journal_namespace: schema of that database, of this controller alone
    :param settings: how scripts are executed
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


@dataclass(frozen=True)
class Listeners:
    """Who wants to hear of what.

    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    :param on_recall: called when the journal of former servers, unreadable at first, has been read
    """

    on_output: Callable[[int], None]
    on_health: Callable[[], None]
    on_recall: Callable[[], None]


class Executor:
    """Journal, event bus, script execution service and activity service.

    :param config: what to make them of
    :param listeners: who wants to hear of what
    :raises JournalLocked: if another server uses the same journal
    :raises JournalTooNew: if a newer version of the OET has written it
    :raises JournalUnavailable: if it cannot be opened, nor the last numbers be known
    """

    def __init__(self, config: ExecutorConfig, listeners: Listeners) -> None:
        self.config = config
        self.roots = config.script_roots
        self._listeners = listeners
        self._acknowledged: str | None = None
        self.bus = EventBus(self._open_journal())
        try:
            self.service = self._make_service()
            self.activities = self._make_activities()
        except BaseException:
            # Or the journal's lock would keep out whoever tries again.
            if "service" in self.__dict__:
                self.service.shutdown()
            self.bus.close()
            raise

    def _make_service(self) -> ScriptExecutionService:
        return ScriptExecutionService(
            abort_script=self.config.abort_script,
            bus=self.bus,
            settings=self.config.settings,
            script_roots=self.roots,
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
            sb_roots=self.roots.folders,
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
        )

    def _on_journal_fault(self, fault: str | None) -> None:
        """Take note that the journal has got, or lost, a fault. Runs in a thread of the journal."""
        try:
            if fault is None and "activities" in self.__dict__:
                # What former servers have left may be readable only now.
                self.service.recall()
                self.activities.recall()
                self._listeners.on_recall()
        finally:
            self._listeners.on_health()

    @property
    def newest_event(self) -> JournalEvent | None:
        """The newest event, None if there is none, or it cannot be read."""
        journal = self.bus.journal
        try:
            return next(iter(journal.read_events(max(0, journal.last_seq - 1), 1)), None)
        except (EventsNoLongerKept, JournalUnavailable):
            return None

    @property
    def warning(self) -> str | None:
        """What an operator should know of the journal, None if all is well."""
        journal = self.bus.journal
        if journal.fault is not None:
            return journal.fault
        return journal.recovery if journal.recovery != self._acknowledged else None

    def acknowledge(self) -> None:
        """Warn no more of a damage that the journal has recovered from."""
        self._acknowledged = self.bus.journal.recovery

    @property
    def busy(self) -> bool:
        """Whether any procedure or activity is live."""
        documents = [*self.service.view.all(), *self.activities.view.all()]
        return any(document.live for document in documents)

    def close(self) -> None:
        """Stop all activities and procedures, end all processes, and write what is left to write."""
        self.activities.close()
        self.service.shutdown(_SCRIPTS_END_TIME)
        self.bus.close()
