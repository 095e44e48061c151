"""What the message loop does: the rules by which procedures live.

All of this runs in the thread of the message loop, so that nothing here needs a lock.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools import EventMessage, MainContext

from . import signatures, tasks
from .channel import WorkerChannel
from .errors import AnotherRuns, ProcedureNotFound, StateForbids
from .observer import ProcedureObserver
from .output import OutputLog
from .pool import WorkerPool
from .preparation import Preparation, Preparations
from .procedure import Call, PreparationAudience, Procedure, ProcedureRequest
from .protocol import FromWorker, ToWorker
from .scripts import GitScript, ProcedureInput
from .settings import ExecutorSettings
from .watchdog import Watchdog
from .workplaces import Workplaces

LOGGER = logging.getLogger(__name__)

_CLEAN_TIME = 0.5  # seconds that removing working directories may delay the end


class Supervisor:
    """Live procedures, and what may happen to them.

    :param context: makes worker processes
    :param settings: how scripts are executed
    :param observer: told of everything
    :param first_id: ID of the first procedure
    """

    def __init__(
        self, context: MainContext, settings: ExecutorSettings, observer: ProcedureObserver, first_id: int
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._next_id = first_id
        self._procedures: dict[int, Procedure] = {}
        self._running: Procedure | None = None
        self._grace = settings.stop_grace_period
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._watchdog = Watchdog(settings.watchdog_period, observer.health_changed)
        self._workplaces = Workplaces(settings.state_directory)
        self._pool = WorkerPool(context, settings.standby_workers, observer.health_changed)
        self._pool.refill()
        self._preparations = Preparations(context, settings)

    # What others may ask

    def live(self, procedure_id: int) -> Procedure:
        """Return a procedure that has not ended.

        :raises ProcedureNotFound: if there is none with this ID
        """
        procedure = self._procedures.get(procedure_id)
        if procedure is None or procedure.state.is_final:
            raise ProcedureNotFound(f"no procedure with ID {procedure_id} is live")
        return procedure

    @property
    def running(self) -> int | None:
        """ID of the procedure that runs, or has reserved that it will."""
        running = self._running
        return running.id if running is not None else None

    @property
    def fault(self) -> str | None:
        """Why scripts cannot be run."""
        return self._pool.fault

    @property
    def standby_workers(self) -> int:
        """How many workers are on standby."""
        return self._pool.standby

    @property
    def unresponsive(self) -> list[int]:
        """IDs of procedures whose process does not answer."""
        return self._watchdog.mute

    def create(self, request: ProcedureRequest, origin: Any) -> int:
        """Begin a procedure and return its ID."""
        if self._closing:
            raise RuntimeError("script execution is being shut down: nothing can be created any more")
        output = OutputLog(self._settings.state_directory / "output", self._next_id)
        directory = self._workplaces.make(self._next_id)
        procedure = Procedure(self._next_id, request, output, directory, self._on_state)
        self._next_id += 1
        self._procedures[procedure.id] = procedure
        self._observer.created(procedure.id, request.script, request.arguments, origin)
        procedure.begin()
        self._watchdog.watch(procedure)
        worker = self._pool.take()
        if worker.done():
            self._assign(procedure, worker)
        else:
            worker.add_done_callback(lambda done: self._assign(procedure, done))
        return procedure.id

    def run(self, procedure_id: int, call: Call, force: bool, origin: Any) -> None:
        """Have a procedure call a function, now or as soon as it is READY. See `ProcessManager.run`."""
        procedure = self.live(procedure_id)
        self._require_startable(procedure, force)
        if (signature := procedure.signatures.get(call.function)) is not None:
            signatures.check(call.function, signature, call.arguments)
        self._observer.requested(procedure.id, origin)
        self._reserve(procedure, call)

    def _reserve(self, procedure: Procedure, call: Call) -> None:
        """Let a procedure be the one that runs, now or as soon as it is READY."""
        procedure.main = call
        self._running = procedure
        if procedure.state is ProcedureState.READY:
            self._call(procedure, call)

    def _require_startable(self, procedure: Procedure, force: bool) -> None:
        if procedure.stopped is not None:
            raise StateForbids(f"procedure {procedure.id} is being stopped: create it anew")
        if procedure.main is not None:
            raise StateForbids(f"procedure {procedure.id} has been started already")
        if self._running is not None:
            raise AnotherRuns(
                f"procedure {self._running.id} ({self._running.request.script.name}) is running: "
                "wait until it has ended, or stop it"
            )
        if procedure.state is not ProcedureState.READY and not force:
            raise StateForbids(f"procedure {procedure.id} is {procedure.state}: wait until it is READY")

    def stop(
        self,
        procedure_id: int,
        on_stopped: Callable[[], None],
        successor_id: int | None = None,
        origin: Any = None,
    ) -> int | None:
        """Begin to stop a procedure; several requests are one. Returns the ID of what will follow it."""
        procedure = self.live(procedure_id)
        if procedure.successor is None and successor_id is not None:
            # One that has ended already, because it failed to load, follows nobody; the stop goes on.
            procedure.successor = self._procedures.get(successor_id)
        if procedure.stopped is None:
            if origin is not None:
                self._observer.requested(procedure.id, origin)
            procedure.stopped = self._loop.create_future()
            tasks.begin(self._end(procedure), f"Stopping procedure {procedure.id}")
        procedure.stopped.add_done_callback(lambda _: on_stopped())
        return procedure.successor.id if procedure.successor is not None else None

    async def close(self, timeout: float) -> None:
        """Stop everything; scripts are given `timeout` seconds to end by themselves."""
        self._closing = True
        self._watchdog.close()
        procedures = list(self._procedures.values())
        for procedure in procedures:
            if not procedure.state.is_final:
                self.stop(procedure.id, lambda: None)
        # Whatever grace period stops were begun with, also earlier ones: this is how long they have now.
        impatience = self._loop.call_later(timeout, _kill_all, procedures)
        for procedure in procedures:
            if procedure.stopped is not None:
                await procedure.stopped
            elif procedure.channel is not None:
                procedure.channel.kill()
                await procedure.channel.ended
        impatience.cancel()
        await self._preparations.close()
        await self._pool.close()
        self._workplaces.close(_CLEAN_TIME)

    # Preparing

    def _assign(self, procedure: Procedure, worker: "asyncio.Future[WorkerChannel]") -> None:
        """Give a procedure its worker."""
        if (error := worker.exception()) is not None:
            if not procedure.state.is_final:
                self._finish(procedure, ProcedureState.FAILED, str(error))
            return
        channel = worker.result()
        if procedure.state.is_final or procedure.stopped is not None:
            # It was stopped while it waited.
            self._pool.give_back(channel)
            return
        procedure.channel = channel
        channel.hand_over(_Owner(self, procedure, self._observer))
        procedure.move(ProcedureState.IDLE)
        script = procedure.request.script
        if isinstance(script, GitScript):
            self._prepare(procedure, script)
        else:
            self._load(procedure)

    def _prepare(self, procedure: Procedure, script: GitScript) -> None:
        """Have prepared what a script from git needs."""
        procedure.move(ProcedureState.PREP_ENV)
        audience = PreparationAudience(procedure, self._observer)
        procedure.preparation = self._preparations.begin(script, audience)
        procedure.preparation.add_done_callback(lambda done: self._on_prepared(procedure, done))

    def _on_prepared(self, procedure: Procedure, preparation: Preparation) -> None:
        if procedure.state.is_final or procedure.stopped is not None:
            return
        try:
            path, python = preparation.result()
        except Exception as error:  # whatever it is, the procedure must not stay where it is
            self._give_up(procedure, str(error))
            return
        procedure.request = procedure.request._replace(path=path)
        if python is None:
            self._arrive(procedure)
        else:
            # It is IDLE again when it runs there.
            procedure.tell(ToWorker.ENVIRONMENT, {"python": str(python)})

    def _arrive(self, procedure: Procedure) -> None:
        """Go on where the script is to run."""
        procedure.move(ProcedureState.IDLE)
        self._load(procedure)

    def _load(self, procedure: Procedure) -> None:
        if self._settings.init_timeout > 0:
            procedure.init_timer = self._loop.call_later(
                self._settings.init_timeout, self._on_init_timeout, procedure
            )
        procedure.load(self._settings.environment)
        self._call(procedure, Call("init", procedure.request.init))

    def _call(self, procedure: Procedure, call: Call) -> None:
        procedure.main_called = call is procedure.main
        payload = {"function": call.function, "args": call.arguments.args, "kwargs": call.arguments.kwargs}
        # The script first, for it need not wait: what it answers comes after this step in any case.
        procedure.tell(ToWorker.RUN, payload)
        self._observer.function_called(procedure.id, call.function, call.arguments)

    def _on_init_timeout(self, procedure: Procedure) -> None:
        reason = (
            f"Loading the script and its init() took longer than {self._settings.init_timeout:g} s "
            "(property InitTimeout). The script's process was ended."
        )
        if procedure.stopped is None:
            self._give_up(procedure, reason)

    # What workers say

    def on_message(self, procedure: Procedure, message: EventMessage) -> None:
        """Handle a message of a procedure's worker."""
        self._watchdog.heard(procedure)
        if procedure.state.is_final:
            return
        payload = message.msg
        match message.msg_type:
            case FromWorker.PUBSUB:
                self._observer.published(
                    procedure.id, payload["topic"], payload["msg_src"], payload["fields"]
                )
            case FromWorker.LIFECYCLE:
                self._on_lifecycle(procedure, payload)
            case FromWorker.PONG:
                pass
            case _:
                raise ValueError(f"unknown kind of message: {message.msg_type}")

    def _on_lifecycle(self, procedure: Procedure, payload: dict[str, Any]) -> None:
        state = ProcedureState(payload["state"])
        if procedure.stopped is not None or procedure.verdict is not None:
            # A script that is being ended has no say in how it ended.
            return
        for function, told in payload.get("signatures", {}).items():
            procedure.signatures[function] = None if told is None else signatures.from_json(told)
        if state.is_final:
            procedure.distrust_environment()
            self._finish(procedure, state, payload.get("stacktrace"))
            return
        if procedure.state is ProcedureState.PREP_ENV:
            self._arrive(procedure)
            return
        procedure.move(state)
        if state is ProcedureState.READY and procedure.main is not None and not procedure.main_called:
            self._call(procedure, procedure.main)

    def on_output(self, procedure: Procedure, data: bytes) -> None:
        """Keep what a script has written."""
        procedure.output.feed(data)
        self._observer.output_written(procedure.id)

    # Ending

    async def _end(self, procedure: Procedure) -> None:
        """Stop a procedure: ask its script, and after the grace period kill its process."""
        channel = procedure.channel
        if channel is not None:
            channel.signal(signal.SIGTERM)
            await asyncio.wait([channel.ended], timeout=self._grace)
            if not channel.ended.done():
                LOGGER.warning("Procedure %d does not end within %g s: killing it", procedure.id, self._grace)
                channel.kill()
                await channel.ended
        elif not procedure.state.is_final:
            self._finish(procedure, ProcedureState.STOPPED, None)

    def on_exit(self, procedure: Procedure, how: str) -> None:
        """Conclude a procedure whose worker has ended."""
        if not procedure.state.is_final:
            if procedure.stopped is not None:
                self._finish(procedure, ProcedureState.STOPPED, None)
            else:
                self._finish(procedure, ProcedureState.FAILED, procedure.verdict or how)
        self._forget(procedure)

    def _finish(self, procedure: Procedure, state: ProcedureState, stacktrace: str | None) -> None:
        """Enter a final state. The worker, if there is one, is on its way out or about to be killed.

        :raises ValueError: if that state cannot follow the present one; nothing has changed then
        """
        procedure.require_next(state)
        if self._running is procedure:
            self._running = None
        # Now, so that who hears of the end finds all of the output.
        if procedure.channel is not None:
            procedure.channel.drain_output()
        procedure.output.close()
        procedure.move(state, stacktrace)
        if procedure.successor is not None:
            self._follow(procedure.successor)
        if procedure.channel is None:
            self._forget(procedure)
        else:
            self._loop.call_later(self._grace, procedure.channel.kill)

    def _give_up(self, procedure: Procedure, reason: str) -> None:
        """End a procedure that has not failed by itself."""
        if not procedure.state.is_final:
            procedure.verdict = reason
            if procedure.channel is not None:
                procedure.channel.kill()
            else:
                self._finish(procedure, ProcedureState.FAILED, reason)

    def _follow(self, successor: Procedure) -> None:
        """Start what follows a procedure that has been stopped, in the same step in which it stopped."""
        if successor.state.is_final or successor.stopped is not None or successor is self._running:
            return
        if self._running is not None:
            self._give_up(successor, f"It could not be started: procedure {self._running.id} is running.")
            return
        self._reserve(successor, Call("main", successor.request.main or ProcedureInput()))

    def _forget(self, procedure: Procedure) -> None:
        """Let go of a procedure of which no process is left."""
        self._procedures.pop(procedure.id, None)
        self._watchdog.forget(procedure)
        self._workplaces.remove(procedure.directory)
        try:
            procedure.clean_up()
        except Exception:  # those who wait for the end must learn of it all the same
            LOGGER.exception("What procedure %d has used could not be let go of", procedure.id)
        if procedure.stopped is not None and not procedure.stopped.done():
            procedure.stopped.set_result(None)

    def _on_state(self, procedure: Procedure, stacktrace: str | None) -> None:
        self._observer.state_changed(procedure.id, procedure.state, stacktrace)


class _Owner:
    """Owner of a procedure's worker."""

    def __init__(self, supervisor: Supervisor, procedure: Procedure, observer: ProcedureObserver) -> None:
        self._supervisor = supervisor
        self._procedure = procedure
        self._observer = observer

    def received(self, message: EventMessage) -> None:
        self._supervisor.on_message(self._procedure, message)

    def congestion(self) -> "Future[None] | None":
        return self._observer.congestion()

    def wrote(self, data: bytes) -> None:
        self._supervisor.on_output(self._procedure, data)

    def exited(self, how: str) -> None:
        self._supervisor.on_exit(self._procedure, how)


def _kill_all(procedures: list[Procedure]) -> None:
    for procedure in procedures:
        if procedure.channel is not None:
            procedure.channel.kill()
