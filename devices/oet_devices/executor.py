"""Script execution as one device has it: journal, event bus and service, made and ended together."""

from collections.abc import Callable
from dataclasses import dataclass

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.journal import Journal, open_journal
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.procedure.domain import ExecutableScript, ExecutorSettings
from ska_oso_oet.procedure.domain.roots import ScriptRoots

KEPT_DOCUMENTS = 1_000
"""How many ended procedures, and activities, are kept for who asks for one by its ID."""


@dataclass(frozen=True)
class ExecutorConfig:
    """What script execution follows from; two that are equal need no new executor.

    :param script_roots: folders that scripts may be run from
    :param abort_script: what a stop may run afterwards
    :param history_length: how many ended procedures clients see
    :param event_retention: how many events to keep
    :param journal_url: PostgreSQL database for the journal; None for a file in the state directory
    :param journal_namespace: schema of that database, of this controller alone
    :param settings: how scripts are executed
    """

    script_roots: tuple[str, ...]
    abort_script: ExecutableScript
    history_length: int
    event_retention: int
    journal_url: str | None
    journal_namespace: str
    settings: ExecutorSettings


@dataclass(frozen=True)
class Listeners:
    """Who wants to hear of what.

    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    """

    on_output: Callable[[int], None]
    on_health: Callable[[], None]


class Executor:
    """Journal, event bus and script execution service.

    :param config: what to make them of
    :param listeners: who wants to hear of what
    :raises ValueError: if the configuration cannot be used; nothing was made then
    :raises JournalLocked: if another server uses the same journal
    :raises JournalTooNew: if a newer version of the OET has written it
    :raises JournalUnavailable: if it cannot be opened, nor the last numbers be known
    """

    def __init__(self, config: ExecutorConfig, listeners: Listeners) -> None:
        self.config = config
        self.roots = ScriptRoots.of(config.script_roots)
        self._on_health = listeners.on_health
        self._acknowledged: str | None = None
        self.bus = EventBus(self._open_journal())
        self.service = ScriptExecutionService(
            abort_script=config.abort_script,
            bus=self.bus,
            settings=config.settings,
            script_roots=self.roots,
            history_length=config.history_length,
            on_output=listeners.on_output,
            on_health=listeners.on_health,
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
        if fault is None and "service" in self.__dict__:
            # What a former server has left alive can be read only now.
            self.service.declare_dead()
        self._on_health()

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
        """Whether any procedure is live."""
        return any(document.live for document in self.service.view.all())

    def close(self) -> None:
        """Stop all procedures, end all processes, and write what is left to write."""
        self.service.shutdown()
        self.bus.close()
