"""One procedure: a script, its state, and the worker that runs it."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ska_oso_oet.model import (
    AtCheckpoint,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureInput,
    ProcedureState,
    script_to_json,
)
from ska_oso_oet.mptools import EventMessage
from ska_oso_oet.traces import TraceParent, of_procedure

from ..domain import signatures, subarrays
from ..domain.errors import StateForbidsError
from ..domain.requirements import ScriptHeader
from ..preparation.prepared import Preparation
from ..worker.messages import ToWorker
from .asked_call import AskedCall
from .channel import WorkerChannel
from .observer import ProcedureObserver
from .output import OutputLog

_LIVE = frozenset(state for state in ProcedureState if not state.is_final)

_ENDS = frozenset({ProcedureState.STOPPED, ProcedureState.FAILED})
NEXT_STATES: dict[ProcedureState, frozenset[ProcedureState]] = {
    ProcedureState.CREATING: frozenset({ProcedureState.IDLE}),
    ProcedureState.IDLE: frozenset(
        {ProcedureState.PREP_ENV, ProcedureState.LOADING, ProcedureState.RUNNING, ProcedureState.READY}
    ),
    ProcedureState.PREP_ENV: frozenset({ProcedureState.IDLE}),
    ProcedureState.LOADING: frozenset({ProcedureState.IDLE}),
    ProcedureState.READY: frozenset({ProcedureState.RUNNING, ProcedureState.COMPLETE}),
    ProcedureState.RUNNING: frozenset({ProcedureState.READY, ProcedureState.PAUSED}),
    ProcedureState.PAUSED: frozenset({ProcedureState.RUNNING}),
}
"""Allowed successors of each state. STOPPED and FAILED may follow each state that is not final."""


class Hold(Enum):
    """Steps that a procedure postpones until it is released: it is prepared ahead of its turn."""

    NOTHING = "nothing"
    INIT = "init"
    """``init`` is not called before."""
    MAIN = "main"
    """``main`` is not called before."""


class Call(NamedTuple):
    """A call of a script's function."""

    function: str
    arguments: ProcedureInput

    def to_json(self) -> dict[str, Any]:
        """Return the call in the form in which a worker gets it."""
        return {"function": self.function, **self.arguments.to_json()}


class Accepted(NamedTuple):
    """A request that was accepted.

    :param procedure_id: the procedure that it is about
    :param committed: done when the immediate effects of the request are in the journal; None if there is no
        journal
    """

    procedure_id: int
    committed: "Future[None] | None"

    def announce(self, answer: "Future[int]") -> None:
        """Set the result of a future when the immediate effects of the request are in the journal.

        :param answer: gets the ID of the procedure, or an ArgumentsError if the script's process has refused
            the arguments of a call
        """

        def finish(committed: "Future[None]") -> None:
            if (error := committed.exception()) is not None:
                answer.set_exception(error)
            else:
                answer.set_result(self.procedure_id)

        if self.committed is None:
            answer.set_result(self.procedure_id)
        else:
            self.committed.add_done_callback(finish)


class ProcedurePlan(NamedTuple):
    """Plan of a procedure: its script and arguments.

    :param script: the script, as the user named it
    :param path: the script's file, found and checked, if it is one
    :param init: arguments of ``init``
    :param main: arguments of ``main``, if they are known already
    :param subarray: the subarray that its functions get where they take one; None if there is none
    :param signatures: signatures of its functions, as far as they are certain before the script runs
    :param header: header of the script, if it names packages that it needs
    :param urgent: whether it is created although too many procedures wait to be started, and does not count
        as one of these
    :param hold: the steps that it postpones until its creator releases it
    :param trace: place in its trace of the request that creates it, None if it has none
    :param overridden: functions of which arguments by name replace those by position for the same parameter
    """

    script: ExecutableScript
    path: Path | None
    init: ProcedureInput
    main: ProcedureInput | None
    subarray: int | None = None
    signatures: subarrays.Signatures = MappingProxyType({})
    header: ScriptHeader | None = None
    urgent: bool = False
    hold: Hold = Hold.NOTHING
    overridden: frozenset[str] = frozenset()
    trace: TraceParent | None = None

    def loadable(self) -> ExecutableScript:
        """Return the script in the form in which a worker can load it."""
        return self.script if self.path is None else FileSystemScript(self.path.as_uri())

    @property
    def needs_preparation(self) -> bool:
        """Whether files or packages have to be fetched before the script can be loaded."""
        return isinstance(self.script, GitScript) or self.header is not None

    @property
    def arguments(self) -> dict[str, ProcedureInput]:
        """The arguments that are known already, by the name of the function that they are for."""
        return {"init": self.init} if self.main is None else {"init": self.init, "main": self.main}

    @property
    def needs_signatures(self) -> bool:
        """Whether the parameters of init are known only when the script is loaded."""
        depends_on_them = self.subarray is not None or "init" in self.overridden
        return depends_on_them and "init" not in self.signatures

    def fit(self, call: Call) -> Call:
        """Return a call of one of its functions with the subarray, if the function is known to take one.

        :raises ArgumentsError: if the arguments do not fit the function, or are for another subarray
        """
        signature, arguments = self.signatures.get(call.function), call.arguments
        if call.function in self.overridden:
            by_name = ProcedureInput(**arguments.kwargs)
            arguments = signatures.override(signature, ProcedureInput(*arguments.args), by_name)
        filled = subarrays.fill(call.function, signature, arguments, self.subarray)
        if signature is not None:
            # Unchanged: the script's process converts them.
            signatures.check(call.function, signature, filled)
        return Call(call.function, filled)

    def depends_on_values(self, call: Call) -> bool:
        """Whether only the script's process can check the arguments of a call: annotations count for them."""
        signature = self.signatures.get(call.function)
        has_arguments = bool(call.arguments.args or call.arguments.kwargs)
        return has_arguments and signature is not None and signatures.is_annotated(signature)

    def fitted(self) -> "ProcedurePlan":
        """Return the plan with the arguments that are known already as `fit` makes them.

        :raises ArgumentsError: if the arguments do not fit a function, or are for another subarray
        """
        init = self.fit(Call("init", self.init)).arguments
        main = None if self.main is None else self.fit(Call("main", self.main)).arguments
        return self._replace(init=init, main=main)


class Procedure:
    """State of one procedure. Belongs to the message loop: no other thread may use it.

    :param procedure_id: its number
    :param plan: what it is to run
    :param output: keeps its output
    :param directory: its working directory
    :param on_state: called with every new state, and the stack trace if there is one
    """

    def __init__(
        self,
        procedure_id: int,
        plan: ProcedurePlan,
        output: OutputLog,
        directory: Path,
        on_state: Callable[["Procedure", str | None], None],
    ) -> None:
        self.id = procedure_id
        self.plan = plan
        self.state = ProcedureState.CREATING
        self.functions: frozenset[str] | None = None
        """Names of those that the script has since init has returned; None until then."""
        self.channel: WorkerChannel | None = None
        self.output = output
        self.directory = directory
        self.main: Call | None = None
        """The requested call, other than that of init."""
        self.main_called = False
        self.loading_began = False
        """Whether its worker has been asked to load the script."""
        self.asked: AskedCall | None = None
        """The call whose arguments its worker checks, or has checked."""
        self.stopped: asyncio.Future[None] | None = None
        """Done when a requested stop is complete."""
        self.stop_reason: str | None = None
        """Why it is stopped, if no client has asked for that."""
        self.successor: Procedure | None = None
        """The procedure that starts at once when this one was stopped: it runs the abort script."""
        self.verdict: str | None = None
        """Why it is FAILED as soon as its process has ended, if it has not failed by itself."""
        self.preparation: Preparation | None = None
        """Files and packages of a script from git; kept as long as its process lives."""
        self.init_timer: asyncio.TimerHandle | None = None
        self.at_checkpoint: AtCheckpoint | None = None
        """Request that takes effect at its next checkpoint."""
        self.checkpoints = 0
        """How many checkpoints it has reached, as far as its process has reported."""
        self.heard_request = 0
        """Number of the newest request about checkpoints that its process knew of when it paused."""
        self._requests = 0
        self._on_state = on_state

    @property
    def subarray(self) -> int | None:
        """The subarray that it uses, None if that is not known."""
        if self.plan.subarray is not None:
            return self.plan.subarray
        calls = self.plan.arguments
        if self.main is not None:
            calls["main"] = self.main.arguments
        return subarrays.used(self.plan.signatures, calls)

    def learn(self, found: Mapping[str, Any], *, has_initialised: bool) -> None:
        """Store the signatures of the script's functions.

        :param found: signatures as JSON, by function; those that init may still change are left out before it
        :param has_initialised: whether init has returned
        """
        if self.plan.hold is Hold.INIT:
            # It is loaded, and the time that it waits does not count.
            self.stop_init_timer()
        known = {
            function: None if signature is None else signatures.from_json(signature)
            for function, signature in found.items()
        }
        if has_initialised:
            self.functions = frozenset(known)
        self.plan = self.plan._replace(signatures={"init": None, **known})

    def settle_call(self) -> None:
        """Consider a call that its worker has not answered as accepted."""
        if self.asked is not None:
            self.asked.settle(None)

    def begin(self) -> None:
        """Enter the first state."""
        self.output.open()
        self._on_state(self, None)

    def move(self, state: ProcedureState, stacktrace: str | None = None) -> None:
        """Enter another state.

        :raises ValueError: if that state cannot follow the present one; then nothing is changed
        """
        self.require_next(state)
        self.state = state
        if state in (ProcedureState.READY, ProcedureState.PAUSED, *_ENDS):
            self.stop_init_timer()
        self._on_state(self, stacktrace)

    def require_next(self, state: ProcedureState) -> None:
        """Check that a state can follow the present one.

        :raises ValueError: if it cannot
        """
        ends = state in _ENDS and self.state in _LIVE
        if not ends and state not in NEXT_STATES.get(self.state, frozenset()):
            raise ValueError(f"procedure {self.id} cannot go from {self.state} to {state}")

    def fit(self, call: Call) -> Call:
        """Return a call with the subarray, if its function takes one, once it is checked.

        :raises StateForbidsError: if the script has no main
        :raises ArgumentsError: if the arguments do not fit what is known of the function's signature
        """
        if call.function == "main" and self.functions is not None and "main" not in self.functions:
            raise StateForbidsError(
                f"procedure {self.id} has no function main(): neither the text of {self.plan.script.name} "
                "nor its init() defines one. Fix the script and create the procedure again"
            )
        return self.plan.fit(call)

    def send(self, kind: ToWorker, payload: Any = None) -> None:
        """Send a message to its worker, which it must have."""
        assert self.channel is not None, "a worker was assigned before"  # noqa: S101
        self.channel.send(EventMessage("ProcessManager", kind, payload))

    @property
    def has_unheard_request(self) -> bool:
        """Whether its process did not know of the newest request about checkpoints when it paused."""
        return self.heard_request != self._requests

    def request(self, kind: ToWorker, **payload: Any) -> None:
        """Send a request about checkpoints to its worker."""
        self._requests += 1
        self.send(kind, {**payload, "request": self._requests})

    def stop_init_timer(self) -> None:
        """Remove the time limit of its init."""
        if self.init_timer is not None:
            self.init_timer.cancel()
            self.init_timer = None

    def load(
        self, environment: Mapping[str, str], size_limit: int, grace: float, context: Mapping[str, Any]
    ) -> None:
        """Make its worker load the script, and check the arguments that are known already against it.

        :param environment: environment variables for the script
        :param size_limit: bytes that the script may have
        :param grace: seconds that the end of the script may take
        :param context: the context of all scripts
        """
        # Others may lack the subarray, or have an argument twice: they are checked when the signature of
        # their function is known.
        own = self.plan.subarray
        checked = {
            function: given
            for function, given in self.plan.arguments.items()
            if function in self.plan.signatures or (own is None and function not in self.plan.overridden)
        }
        payload = {
            "script": script_to_json(self.plan.loadable()),
            "size_limit": size_limit,
            "procedure_id": self.id,
            "directory": str(self.directory),
            "environment": {**environment, **self._trace_variables()},
            "grace": grace,
            "context": context,
            "arguments": {function: given.to_json() for function, given in checked.items()},
        }
        self.send(ToWorker.LOAD, payload)

    def _trace_variables(self) -> dict[str, str]:
        """Return the variable by which programs know the span that they are a part of."""
        trace = self.plan.trace
        return {} if trace is None else {"TRACEPARENT": str(of_procedure(trace, self.id))}

    def distrust_environment(self) -> None:
        """Mark its environment as unusable, if the worker could not even enter it."""
        if self.state is ProcedureState.PREP_ENV and self.preparation is not None:
            self.preparation.distrust()

    def clean_up(self) -> None:
        """Close its output, and release what was prepared for it."""
        self.output.close()
        if self.preparation is not None:
            self.preparation.close()


class PreparationReporter:
    """Reports the progress of a preparation as events and output of its procedure.

    :param procedure: the procedure
    :param observer: called with the events
    """

    def __init__(self, procedure: Procedure, observer: ProcedureObserver) -> None:
        self._procedure = procedure
        self._observer = observer

    def progressed(self, text: str) -> None:
        """Publish the progress of the preparation as an event."""
        if self._procedure.stopped is None and not self._procedure.state.is_final:
            self._observer.published(
                self._procedure.id, "procedure.environment.progress", str(self._procedure.id), {"msg": text}
            )

    def wrote(self, data: bytes) -> None:
        """Add the output of a tool to that of the procedure."""
        self._procedure.output.feed(data)
        self._observer.output_written(self._procedure.id)
