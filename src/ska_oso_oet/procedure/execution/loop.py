"""Script execution in the message loop: owner of all live procedures, which decides about their states.

All of this runs in the thread of the message loop, so that nothing here needs a lock.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools import EventMessage, WorkerContext

from ..domain.errors import ArgumentsError, StopWithdrawnError
from ..domain.settings import ExecutorSettings
from ..preparation.service import PreparationService
from ..worker.messages import FromWorker, ToWorker
from . import script_events
from .asked_call import AskedCall
from .channel import WorkerChannel, run_in_background
from .conversations import Conversations
from .ending import ProcedureEnding
from .environment_records import EnvironmentRecords
from .kept_output import OldOutput
from .live_procedures import LiveProcedures
from .loading import ScriptLoading
from .observer import ProcedureObserver
from .output_faults import OutputFaults
from .pool import WorkerPool
from .procedure import Accepted, Call, Hold, Procedure, ProcedurePlan
from .ready_limit import ReadyLimits
from .starter import WorkerStarter
from .watchdog import Watchdog
from .working_directories import WorkingDirectories

_CLEAN_TIME = 0.5  # seconds that removing working directories may delay the end


class ProcedureLoop:
    """Owner of all live procedures: creates, runs and stops them, and handles what their workers send.

    :param context: starts worker processes
    :param settings: how scripts are executed
    :param observer: called with all that happens; it must not raise
    :param on_pubsub: called with every event that a script publishes; they must not raise
    :param first_id: ID of the first procedure
    :param first_question_id: ID of the first question
    """

    def __init__(
        self,
        context: WorkerContext,
        settings: ExecutorSettings,
        observer: ProcedureObserver,
        on_pubsub: Sequence[Callable[[EventMessage], None]],
        first_id: int,
        first_question_id: int = 1,
    ) -> None:
        self._observer = observer
        self._on_pubsub = on_pubsub
        self._next_id = first_id
        self._procedures = LiveProcedures(observer.idle)
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self.watchdog = Watchdog(settings.watchdog_period, observer.health_changed)
        self.output_faults = OutputFaults(settings.state_directory / "output", observer.health_changed)
        self._workplaces = WorkingDirectories(settings.state_directory, settings.files_limit)
        self._environments = EnvironmentRecords(settings.state_directory)
        self._old_output = OldOutput(settings, self._procedures.ids, self._workplaces.do_later)
        self._starter = WorkerStarter(context)
        self.pool = WorkerPool(self._starter, settings.standby_workers, observer.health_changed)
        self.pool.refill()
        self.preparations = PreparationService(self._starter, settings, self._workplaces.remove_folder)
        self._ending = ProcedureEnding(
            self._procedures,
            settings.stop_grace_period,
            self._workplaces,
            self._old_output,
            self.watchdog,
            observer,
            self._reserve,
            lambda procedure, state: self.conversations.ending(procedure, state),
        )
        self.conversations = Conversations(self._procedures, observer, self._stop_now, first_question_id)
        self._ready_limits = ReadyLimits(settings, self._procedures, self._stop_because)
        self._loading = ScriptLoading(
            settings,
            self.preparations,
            observer,
            self._on_load,
            self._ending.give_up,
            lambda: self.conversations.context,
        )

    # Requests of others

    def live(self, procedure_id: int) -> Procedure:
        """Return a procedure that has not ended.

        :raises ProcedureNotFoundError: if there is none with this ID
        """
        return self._procedures.live(procedure_id)

    @property
    def running(self) -> int | None:
        """ID of the procedure that runs, or has reserved that it will."""
        running = self._procedures.running
        return running.id if running is not None else None

    def create(self, plan: ProcedurePlan, origin: Any) -> Accepted:
        """Create a procedure."""
        if self._closing:
            raise RuntimeError("script execution is being shut down: no further procedures can be created")
        self._ready_limits.require_room(plan)
        output = self.output_faults.new_log(self._next_id)
        directory = self._workplaces.make(self._next_id)
        procedure = Procedure(self._next_id, plan, output, directory, self._on_state)
        self._next_id += 1
        self._procedures.add(procedure)
        self._observer.created(procedure.id, plan.script, plan.arguments, origin)
        self._note(procedure, subarray_id=procedure.subarray)
        procedure.begin()
        self._old_output.created()
        accepted = Accepted(procedure.id, self._observer.committed())
        self.watchdog.watch(procedure)
        worker = self.pool.take()
        if worker.done():
            self._assign(procedure, worker)
        else:
            worker.add_done_callback(lambda done: self._assign(procedure, done))
        return accepted

    def run(self, procedure_id: int, call: Call, force: bool, origin: Any, release: bool = False) -> Accepted:
        """Call a function of a procedure, now or as soon as it is READY. See `ProcessManager.call`."""
        procedure = self.live(procedure_id)
        self._procedures.require_startable(procedure, force, release)
        call = procedure.fit(call)
        self._loading.release(procedure)
        if procedure.state is ProcedureState.READY and procedure.plan.depends_on_values(call):
            return Accepted(procedure.id, self._ask(procedure, call, origin))
        self._observer.requested(procedure.id, origin)
        self._reserve(procedure, call)
        return Accepted(procedure.id, self._observer.committed())

    def _ask(self, procedure: Procedure, call: Call, origin: Any) -> "Future[None]":
        """Send a call whose arguments the script's process checks: only it knows their types.

        :returns: done when the call is in the journal; has an ArgumentsError if it was refused
        """
        procedure.main, procedure.main_called = call, True
        self._procedures.running = procedure

        def called() -> None:
            self._observer.requested(procedure.id, origin)
            self._note_call(procedure, call)

        def refused() -> None:
            procedure.main, procedure.main_called = None, False
            self._procedures.running = None

        procedure.asked = AskedCall(self._loop, called, refused, self._observer.committed)
        procedure.send(ToWorker.RUN, {**call.to_json(), "confirm": True})
        return procedure.asked.accepted

    def _reserve(self, procedure: Procedure, call: Call) -> None:
        """Make a procedure the one that runs, now or as soon as it is READY."""
        procedure.main = call
        self._procedures.running = procedure
        if procedure.state is ProcedureState.READY:
            self._call(procedure, call)

    def stop(
        self,
        procedure_id: int,
        on_stopped: Callable[[], None],
        successor_id: int | None = None,
        origin: Any = None,
        reason: str | None = None,
    ) -> int | None:
        """Begin to stop a procedure; several requests are one. Returns the ID of the one that follows it."""
        procedure = self.live(procedure_id)
        if (deferred := self.conversations.take_stop(procedure)) is not None:
            successor_id = deferred.successor_id or successor_id
        if procedure.stopped is None and reason is not None:
            procedure.stop_reason = reason
        if procedure.successor is None and successor_id is not None:
            # A successor that has ended already, because it failed to load, does not follow; the stop
            # continues.
            procedure.successor = self._procedures.get(successor_id)
        if procedure.stopped is None:
            procedure.settle_call()
            if origin is not None:
                self._observer.requested(procedure.id, origin)
            procedure.stopped = self._loop.create_future()
            run_in_background(self._ending.stop(procedure), f"Stopping procedure {procedure.id}")
        procedure.stopped.add_done_callback(lambda _: on_stopped())
        return procedure.successor.id if procedure.successor is not None else None

    def stop_at_checkpoint(
        self,
        procedure_id: int,
        on_withdrawn: Callable[[StopWithdrawnError], None],
        successor_id: int | None,
        origin: Any,
    ) -> int | None:
        """Stop a procedure at its next checkpoint, and at once if it is not RUNNING."""
        procedure = self.live(procedure_id)
        if procedure.stopped is None and procedure.state is ProcedureState.RUNNING:
            return self.conversations.stop_at_checkpoint(procedure, on_withdrawn, successor_id, origin)
        return self.stop(procedure_id, lambda: None, successor_id, origin)

    def _stop_now(self, procedure_id: int, successor_id: int | None, origin: Any) -> None:
        if (procedure := self._procedures.get(procedure_id)) is not None and not procedure.state.is_final:
            self.stop(procedure_id, lambda: None, successor_id, origin)

    def _stop_because(self, procedure_id: int, reason: str | None) -> None:
        self.stop(procedure_id, lambda: None, reason=reason)

    async def close(self, timeout: float, reason: str | None = None) -> None:
        """Stop everything; scripts are given `timeout` seconds to end by themselves.

        :param reason: why, for those that are not being stopped already
        """
        self._closing = True
        self.watchdog.close()
        self.output_faults.close()
        procedures = self._procedures.all()
        for procedure in procedures:
            if not procedure.state.is_final:
                self._stop_because(procedure.id, reason)
        # This is the grace period of all stops now, also of earlier ones.
        impatience = self._loop.call_later(timeout, self._procedures.kill_all)
        for procedure in procedures:
            if procedure.stopped is not None:
                await procedure.stopped
            elif procedure.channel is not None:
                procedure.channel.kill()
                await procedure.channel.ended
        impatience.cancel()
        await self.preparations.close()
        await self.pool.close()
        self._starter.close()
        self._workplaces.close(_CLEAN_TIME)

    # Loading

    def _assign(self, procedure: Procedure, worker: "asyncio.Future[WorkerChannel]") -> None:
        """Give a procedure its worker."""
        if (error := worker.exception()) is not None:
            if not procedure.state.is_final:
                self._ending.finish(procedure, ProcedureState.FAILED, str(error))
            return
        channel = worker.result()
        if procedure.state.is_final or procedure.stopped is not None:
            # It was stopped while it waited.
            self.pool.give_back(channel)
            return
        procedure.channel = channel
        channel.hand_over(_Owner(self, procedure, self._observer))
        procedure.move(ProcedureState.IDLE)
        self._loading.begin(procedure)

    def _on_load(self, procedure: Procedure) -> None:
        # The call need not wait until the script is loaded, unless its arguments depend on that.
        if procedure.plan.hold is not Hold.INIT and not procedure.plan.needs_signatures:
            self._call(procedure, Call("init", procedure.plan.init))

    def _call(self, procedure: Procedure, call: Call) -> None:
        procedure.main_called = call is procedure.main
        # The script first, because it need not wait: its answer comes after this step in any case.
        procedure.send(ToWorker.RUN, call.to_json())
        self._note_call(procedure, call)

    def _note_call(self, procedure: Procedure, call: Call) -> None:
        """Publish a call that the worker has got."""
        self._observer.function_called(procedure.id, call.function, call.arguments)
        self._note(procedure, subarray_id=procedure.subarray)
        if procedure.main_called:
            # The worker has the call, and does nothing else from now on. Of init only the worker knows
            # whether the script has one.
            procedure.move(ProcedureState.RUNNING)

    # What workers send

    def on_message(self, procedure: Procedure, message: EventMessage) -> None:
        """Handle a message of a procedure's worker."""
        self.watchdog.heard(procedure)
        if procedure.state.is_final:
            return
        payload = message.msg
        match message.msg_type:
            case FromWorker.PUBSUB:
                self._publish(procedure, payload)
            case FromWorker.LIFECYCLE:
                self._on_lifecycle(procedure, payload)
            case FromWorker.CALL:
                self._on_answer(procedure, payload["refusal"])
            case FromWorker.PONG:
                pass
            case _ if not self.conversations.handle(procedure, message):
                raise ValueError(f"unknown kind of message: {message.msg_type}")

    def _publish(self, procedure: Procedure, payload: dict[str, Any]) -> None:
        event = script_events.checked(procedure.id, payload)
        self._observer.published(procedure.id, event.topic, event.msg_src, event.fields)
        for callback in self._on_pubsub:
            callback(EventMessage(str(procedure.id), FromWorker.PUBSUB, event._asdict()))

    def _on_lifecycle(self, procedure: Procedure, payload: dict[str, Any]) -> None:
        state = ProcedureState(payload["state"])
        if procedure.stopped is not None or procedure.verdict is not None:
            # Other reports of a script that is being ended are ignored.
            self._ending.reported(procedure, state)
            return
        waits_for_signatures = procedure.plan.needs_signatures
        if (found := payload.get("signatures")) is not None:
            procedure.learn(found, has_initialised=state is ProcedureState.READY)
            self._note(procedure, subarray_id=procedure.subarray)
        if (environment := payload.get("environment")) is not None:
            digest = self._environments.keep(environment)
            self._note(procedure, environment=digest)
        self._note(procedure, **payload.get("facts", {}))
        if state.is_final:
            procedure.distrust_environment()
            self._ending.finish(procedure, state, payload.get("stacktrace"))
            return
        if procedure.state is ProcedureState.PREP_ENV:
            self._loading.resume(procedure)
            return
        self.conversations.entering(procedure, state, payload.get("request", 0))
        procedure.move(state)
        if found is not None and waits_for_signatures:
            self._call_init(procedure)
        if state is ProcedureState.READY and procedure.main is not None and not procedure.main_called:
            try:
                procedure.main = procedure.plan.fit(procedure.main)
            except ArgumentsError as error:
                self._ending.give_up(procedure, str(error))
            else:
                self._call(procedure, procedure.main)

    def _on_answer(self, procedure: Procedure, refusal: str | None) -> None:
        """Handle the answer to a call whose arguments the script's process has checked."""
        asked = procedure.asked
        if asked is not None and not asked.is_settled:
            asked.settle(refusal)
        elif refusal is not None and procedure.stopped is None:
            # It arrived so late that the call counts as accepted.
            self._ending.give_up(procedure, refusal)

    def _call_init(self, procedure: Procedure) -> None:
        """Call init of a script whose arguments could not be fitted before it was loaded."""
        try:
            procedure.plan = procedure.plan.fitted()
        except ArgumentsError as error:
            self._ending.give_up(procedure, str(error))
        else:
            self._on_load(procedure)

    def on_output(self, procedure: Procedure, data: bytes) -> None:
        """Keep what a script has written."""
        procedure.output.feed(data)
        self._observer.output_written(procedure.id)

    def on_exit(self, procedure: Procedure, how: str) -> None:
        """Conclude a procedure whose worker has ended."""
        self._ending.on_exit(procedure, how)

    def _note(self, procedure: Procedure, **facts: Any) -> None:
        """Publish fields of a procedure's summary with its next state."""
        self._observer.noted(procedure.id, facts)

    def _on_state(self, procedure: Procedure, stacktrace: str | None) -> None:
        self._observer.state_changed(procedure.id, procedure.state, stacktrace)
        self._ready_limits.on_state(procedure)


class _Owner:
    """Passes what a procedure's worker sends to the message loop."""

    def __init__(self, loop: ProcedureLoop, procedure: Procedure, observer: ProcedureObserver) -> None:
        self._loop = loop
        self._procedure = procedure
        self._observer = observer

    def received(self, message: EventMessage) -> None:
        self._loop.on_message(self._procedure, message)

    def together(self) -> AbstractContextManager[object]:
        return self._observer.together()

    def congestion(self) -> "Future[None] | None":
        return self._observer.congestion()

    def wrote(self, data: bytes) -> None:
        self._loop.on_output(self._procedure, data)

    def exited(self, how: str) -> None:
        self._loop.on_exit(self._procedure, how)
