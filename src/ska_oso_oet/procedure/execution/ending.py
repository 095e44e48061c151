"""Ends procedures: stops, failures, final states, and clean-up. Belongs to the message loop."""

import asyncio
import logging
import signal
from collections.abc import Callable

from ska_oso_oet.model import ProcedureInput, ProcedureState

from ..worker.messages import ToWorker
from .kept_output import OldOutput
from .live_procedures import LiveProcedures
from .observer import ProcedureObserver
from .procedure import Call, Procedure
from .watchdog import Watchdog
from .working_directories import WorkingDirectories

LOGGER = logging.getLogger(__name__)

_LOOKS = 200
"""Number of looks whether a script that has ended can still run; then the end of its process is awaited."""

_BETWEEN_LOOKS = 0.001
"""Seconds between two of them."""


class ProcedureEnding:
    """Ends procedures, and cleans up after them.

    :param procedures: the procedures
    :param grace: seconds between asking a script to end and killing its process
    :param workplaces: working directories of scripts
    :param old_output: the output that is kept of procedures that have ended
    :param watchdog: watches the processes
    :param observer: called with all changes
    :param reserve: called with a procedure that is to run now, and the call of its function
    :param on_end: called with a procedure that is about to enter a final state
    """

    def __init__(
        self,
        procedures: LiveProcedures,
        grace: float,
        workplaces: WorkingDirectories,
        old_output: OldOutput,
        watchdog: Watchdog,
        observer: ProcedureObserver,
        reserve: Callable[[Procedure, Call], None],
        on_end: Callable[[Procedure, ProcedureState], None],
    ) -> None:
        self._procedures = procedures
        self._grace = grace
        self._workplaces = workplaces
        self._old_output = old_output
        self._watchdog = watchdog
        self._observer = observer
        self._reserve = reserve
        self._on_end = on_end

    async def stop(self, procedure: Procedure) -> None:
        """Stop a procedure: ask its script, and after the grace period kill its process."""
        channel = procedure.channel
        if channel is not None:
            procedure.send(ToWorker.STOP)
            channel.signal(signal.SIGTERM)
            await asyncio.wait([channel.ended], timeout=self._grace)
            if not channel.ended.done():
                LOGGER.warning("Procedure %d does not end within %g s: killing it", procedure.id, self._grace)
                channel.kill()
                await channel.ended
        elif not procedure.state.is_final:
            self.finish(procedure, ProcedureState.STOPPED, procedure.stop_reason)

    def reported(self, procedure: Procedure, state: ProcedureState, looks: int = _LOOKS) -> None:
        """Conclude a procedure that is being stopped when its worker has reported the end of the script.

        Once nothing of it can run, nobody has to wait until the kernel has freed the memory of the process.
        """
        if not state.is_final or procedure.stopped is None or procedure.state.is_final or not looks:
            return
        if procedure.channel is not None and procedure.channel.is_ending:
            self.finish(procedure, ProcedureState.STOPPED, procedure.stop_reason)
        else:
            asyncio.get_running_loop().call_later(_BETWEEN_LOOKS, self.reported, procedure, state, looks - 1)

    def on_exit(self, procedure: Procedure, how: str) -> None:
        """Conclude a procedure whose worker has ended."""
        if not procedure.state.is_final:
            if procedure.stopped is not None:
                self.finish(procedure, ProcedureState.STOPPED, procedure.stop_reason)
            else:
                self.finish(procedure, ProcedureState.FAILED, procedure.verdict or how)
        self._forget(procedure)

    def finish(self, procedure: Procedure, state: ProcedureState, stacktrace: str | None) -> None:
        """Enter a final state. The worker, if there is one, is ending or about to be killed.

        :raises ValueError: if that state cannot follow the present one; then nothing is changed
        """
        procedure.require_next(state)
        procedure.settle_call()
        if self._procedures.running is procedure:
            self._procedures.running = None
        # Before the end is reported, so that all of the output can be read then.
        if procedure.channel is not None:
            procedure.channel.drain_output()
        procedure.output.close()
        found = self._workplaces.files(procedure.directory)
        facts = {"files": found.files, "files_omitted": found.omitted, "at_checkpoint": None}
        self._observer.noted(procedure.id, facts)
        self._on_end(procedure, state)
        procedure.move(state, stacktrace)
        if procedure.successor is not None:
            self._follow(procedure.successor)
        if procedure.channel is None:
            self._forget(procedure)
        else:
            asyncio.get_running_loop().call_later(self._grace, procedure.channel.kill)

    def give_up(self, procedure: Procedure, reason: str) -> None:
        """End a procedure that has not failed by itself."""
        if not procedure.state.is_final:
            procedure.verdict = reason
            if procedure.channel is not None:
                procedure.channel.kill()
            else:
                self.finish(procedure, ProcedureState.FAILED, reason)

    def _follow(self, successor: Procedure) -> None:
        """Start the procedure that follows a stopped one, in the same step in which that stopped."""
        if successor.state.is_final or successor.stopped is not None or successor is self._procedures.running:
            return
        if self._procedures.running is not None:
            self.give_up(
                successor, f"It could not be started: procedure {self._procedures.running.id} is running."
            )
            return
        self._reserve(successor, Call("main", successor.plan.main or ProcedureInput()))

    def _forget(self, procedure: Procedure) -> None:
        """Forget a procedure whose process has ended, and clean up after it."""
        self._procedures.remove(procedure)
        self._watchdog.forget(procedure)
        self._workplaces.remove(procedure.id, procedure.directory)
        try:
            procedure.clean_up()
        except Exception:  # requests that wait for the end must still be answered
            LOGGER.exception("Resources of procedure %d could not be cleaned up", procedure.id)
        self._old_output.ended()
        if procedure.stopped is not None and not procedure.stopped.done():
            procedure.stopped.set_result(None)
