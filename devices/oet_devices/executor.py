"""Script execution as one device has it: journal, event bus and service, made and ended together."""

from collections.abc import Callable
from dataclasses import dataclass

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.journal import MemoryJournal
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.procedure.domain import ExecutableScript, ExecutorSettings
from ska_oso_oet.procedure.domain.repositories import Repositories
from ska_oso_oet.procedure.domain.roots import ScriptRoots


@dataclass(frozen=True)
class ExecutorConfig:
    """What script execution follows from; two that are equal need no new executor.

    :param script_roots: folders that scripts may be run from
    :param git_repositories: patterns of git repositories that scripts may be run from
    :param abort_script: what a stop may run afterwards
    :param history_length: how many ended procedures clients see
    :param event_retention: how many events to keep
    :param settings: how scripts are executed
    """

    script_roots: tuple[str, ...]
    git_repositories: tuple[str, ...]
    abort_script: ExecutableScript
    history_length: int
    event_retention: int
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
    :raises OSError: if the state directory cannot be used
    """

    def __init__(self, config: ExecutorConfig, listeners: Listeners) -> None:
        self.config = config
        self.roots = ScriptRoots.of(config.script_roots)
        repositories = Repositories.of(config.git_repositories)
        config.settings.state_directory.mkdir(parents=True, exist_ok=True)
        self.bus = EventBus(MemoryJournal(config.event_retention))
        self.service = ScriptExecutionService(
            abort_script=config.abort_script,
            bus=self.bus,
            settings=config.settings,
            script_roots=self.roots,
            repositories=repositories,
            history_length=config.history_length,
            on_output=listeners.on_output,
            on_health=listeners.on_health,
        )

    @property
    def busy(self) -> bool:
        """Whether any procedure is live."""
        return any(document.live for document in self.service.view.all())

    def close(self) -> None:
        """Stop all procedures, end all processes, and write what is left to write."""
        self.service.shutdown()
        self.bus.close()
