"""One procedure: a script, its state, and the worker that runs it."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools import EventMessage

from .channel import WorkerChannel
from .observer import ProcedureObserver
from .output import OutputLog
from .preparation import Preparation
from .protocol import ToWorker
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

    @property
    def arguments(self) -> dict[str, ProcedureInput]:
        """The arguments that are known already, by the name of the function that they are for."""
        return {"init": self.init} if self.main is None else {"init": self.init, "main": self.main}


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
        self.preparation: Preparation | None = None
        """What a script from git needs; kept as long as its process lives."""
        self.init_timer: asyncio.TimerHandle | None = None
        self._on_state = on_state

    def begin(self) -> None:
        """Enter the first state."""
        self.output.open()
        self._on_state(self, None)

    def move(self, state: ProcedureState, stacktrace: str | None = None) -> None:
        """Enter another state.

        :raises ValueError: if that state cannot follow the present one; nothing has changed then
        """
        self.require_next(state)
        self.state = state
        if state in (ProcedureState.READY, *_ENDS) and self.init_timer is not None:
            self.init_timer.cancel()
        self._on_state(self, stacktrace)

    def require_next(self, state: ProcedureState) -> None:
        """Check that a state can follow the present one.

        :raises ValueError: if it cannot
        """
        if state not in _NEXT.get(self.state, frozenset()) and not (state in _ENDS and self.state in _LIVE):
            raise ValueError(f"procedure {self.id} cannot go from {self.state} to {state}")

    def tell(self, kind: ToWorker, payload: Any = None) -> None:
        """Send a message to its worker, which it must have."""
        assert self.channel is not None, "a worker was assigned before"  # noqa: S101
        self.channel.send(EventMessage("ProcessManager", kind, payload))

    def load(self, environment: Mapping[str, str]) -> None:
        """Have its worker load the script, and hold the arguments that are known already against it.

        :param environment: environment variables for the script
        """
        payload = {
            "script": self.request.loadable().to_model().model_dump(),
            "procedure_id": self.id,
            "directory": str(self.directory),
            "environment": dict(environment),
            "arguments": {
                function: {"args": given.args, "kwargs": given.kwargs}
                for function, given in self.request.arguments.items()
            },
        }
        self.tell(ToWorker.LOAD, payload)

    def distrust_environment(self) -> None:
        """Have its environment built anew for the next, if it could not even be entered."""
        if self.state is ProcedureState.PREP_ENV and self.preparation is not None:
            self.preparation.distrust()

    def clean_up(self) -> None:
        """Close its output, and let go of what was prepared for it."""
        self.output.close()
        if self.preparation is not None:
            self.preparation.close()


class PreparationAudience:
    """A procedure that waits for what its script needs.

    :param procedure: the procedure
    :param observer: told of progress
    """

    def __init__(self, procedure: Procedure, observer: ProcedureObserver) -> None:
        self._procedure = procedure
        self._observer = observer

    def progressed(self, text: str) -> None:
        """Publish how far the preparation has come."""
        if self._procedure.stopped is None and not self._procedure.state.is_final:
            self._observer.published(
                self._procedure.id, "procedure.environment.progress", str(self._procedure.id), {"msg": text}
            )

    def wrote(self, data: bytes) -> None:
        """Let what the tools say be seen as output of the procedure."""
        self._procedure.output.feed(data)
        self._observer.output_written(self._procedure.id)
