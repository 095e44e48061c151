"""One procedure: a script, its state, and the worker that runs it."""

import asyncio
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ska_oso_oet.model import ProcedureState

from .channel import WorkerChannel
from .output import OutputLog
from .scripts import ExecutableScript, FileSystemScript, ProcedureInput

_LIVE = frozenset(state for state in ProcedureState if not state.is_final)

# Which states may follow which. A stop or a failure may come at any time.
_ENDS = frozenset({ProcedureState.STOPPED, ProcedureState.FAILED})
_NEXT: dict[ProcedureState, frozenset[ProcedureState]] = {
    ProcedureState.CREATING: frozenset({ProcedureState.IDLE}),
    ProcedureState.IDLE: frozenset(
        {ProcedureState.PREP_ENV, ProcedureState.LOADING, ProcedureState.RUNNING, ProcedureState.READY}
    ),
    ProcedureState.PREP_ENV: frozenset({ProcedureState.IDLE}),
    ProcedureState.LOADING: frozenset({ProcedureState.IDLE}),
    ProcedureState.READY: frozenset({ProcedureState.RUNNING, ProcedureState.COMPLETE}),
    ProcedureState.RUNNING: frozenset({ProcedureState.READY}),
}


class Call(NamedTuple):
    """A call of a script's function."""

    function: str
    arguments: ProcedureInput


class ProcedureRequest(NamedTuple):
    """What a procedure is to run.

    :param script: the script, as the user named it
    :param path: the script's file, found and checked, if it is one
    :param init: arguments of ``init``
    :param main: arguments of ``main``, if they are known already
    """

    script: ExecutableScript
    path: Path | None
    init: ProcedureInput
    main: ProcedureInput | None

    def loadable(self) -> ExecutableScript:
        """Return the script in the form in which a worker can load it."""
        return self.script if self.path is None else FileSystemScript(self.path.as_uri())


class Procedure:
    """State of one procedure. Belongs to the message loop: nobody else may touch it.

    :param procedure_id: its number
    :param request: what it is to run
    :param output: keeps its output
    :param directory: its working directory
    :param on_state: called with every new state, and the stack trace if there is one
    """

    def __init__(
        self,
        procedure_id: int,
        request: ProcedureRequest,
        output: OutputLog,
        directory: Path,
        on_state: Callable[["Procedure", str | None], None],
    ) -> None:
        self.id = procedure_id
        self.request = request
        self.state = ProcedureState.CREATING
        self.signatures: dict[str, inspect.Signature | None] = {}
        self.channel: WorkerChannel | None = None
        self.output = output
        self.directory = directory
        self.main: Call | None = None
        """The call that has been asked for, beside that of init."""
        self.main_called = False
        self.stopped: asyncio.Future[None] | None = None
        """Done when a stop that was asked for is complete."""
        self.successor: Procedure | None = None
        """Starts at once when this one has been stopped: what runs the abort script."""
        self.verdict: str | None = None
        """Why it is FAILED as soon as its process is gone: it has not failed by itself."""
        self.init_timer: asyncio.TimerHandle | None = None
        self.asked: float | None = None
        """When a PING was sent that has not been answered."""
        self.unresponsive = False
        self._on_state = on_state

    def begin(self) -> None:
        """Enter the first state."""
        self.output.open()
        self._on_state(self, None)

    def move(self, state: ProcedureState, stacktrace: str | None = None) -> None:
        """Enter another state.

        :raises ValueError: if that state cannot follow the present one; nothing has changed then
        """
        if state not in _NEXT.get(self.state, frozenset()) and not (state in _ENDS and self.state in _LIVE):
            raise ValueError(f"procedure {self.id} cannot go from {self.state} to {state}")
        self.state = state
        if state in (ProcedureState.READY, *_ENDS) and self.init_timer is not None:
            self.init_timer.cancel()
        self._on_state(self, stacktrace)

    def ask(self) -> bool:
        """Note that its worker is being asked for a sign of life. False if it still owes an answer."""
        if self.asked is not None:
            self.unresponsive = True
            return False
        self.asked = time.monotonic()
        return True

    def answered(self) -> None:
        """Note a sign of life."""
        self.asked = None
        self.unresponsive = False
