"""Limits of the procedures that wait to be started, and of their time: each takes memory and descriptors."""

import asyncio
from collections.abc import Callable

from ska_oso_oet.model import ProcedureState

from ..domain.errors import StateForbidsError
from ..domain.settings import ExecutorSettings
from .live_procedures import LiveProcedures
from .procedure import Hold, Procedure, ProcedurePlan


class ReadyLimits:
    """Limits of number and time for procedures that wait to be started. Belongs to the message loop.

    What the queue has prepared, and an abort script, are not limited: others start them.

    :param settings: the limits
    :param procedures: the procedures
    :param stop: called with the ID of a procedure that has waited for too long, and the reason for its stop
    """

    def __init__(
        self, settings: ExecutorSettings, procedures: LiveProcedures, stop: Callable[[int, str], object]
    ) -> None:
        self._limit = settings.ready_limit
        self._timeout = settings.ready_timeout
        self._procedures = procedures
        self._stop = stop
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def require_room(self, plan: ProcedurePlan) -> None:
        """Check that one more procedure may be created. The one that runs, or is about to, does not count.

        :param plan: what it is to run
        :raises StateForbidsError: naming those that wait, if the limit is reached
        """
        if plan.urgent or not self._limit:
            return
        running = self._procedures.running
        waiting = [
            each
            for each in self._procedures.all()
            if not each.state.is_final and each is not running and not each.plan.urgent
        ]
        if len(waiting) >= self._limit:
            names = ", ".join(f"{each.id} ({each.plan.script.name}, {each.state})" for each in waiting)
            raise StateForbidsError(
                f"{len(waiting)} procedures wait to be started, and the property ReadyLimit allows "
                f"{self._limit}: start or stop one of them first. They are {names}."
            )

    def on_state(self, procedure: Procedure) -> None:
        """Begin or end the time in which a procedure that is READY must be started."""
        if (timer := self._timers.pop(procedure.id, None)) is not None:
            timer.cancel()
        if procedure.state is ProcedureState.READY and self._timeout and not _is_started_by_others(procedure):
            self._begin(procedure)

    def _begin(self, procedure: Procedure) -> None:
        loop = asyncio.get_running_loop()
        self._timers[procedure.id] = loop.call_later(self._timeout, self._on_timeout, procedure)

    def _on_timeout(self, procedure: Procedure) -> None:
        if procedure.main is not None:
            # It is being started: should its process refuse the arguments, it waits again.
            self._begin(procedure)
            return
        self._stop(
            procedure.id,
            f"It was READY for {self._timeout:g} s without being started, and the property ReadyTimeout "
            "allows no longer. Create it again when it is to be started, or raise ReadyTimeout.",
        )


def _is_started_by_others(procedure: Procedure) -> bool:
    return procedure.plan.urgent or procedure.plan.hold is not Hold.NOTHING
