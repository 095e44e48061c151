"""The procedures that have not been forgotten yet, and which of them runs. Belongs to the message loop."""

from collections.abc import Callable

from ska_oso_oet.model import ProcedureState

from ..domain.errors import AnotherProcedureRunsError, ProcedureNotFoundError, StateForbidsError
from .procedure import Hold, Procedure


class LiveProcedures:
    """The procedures that may have a process, and the one that runs.

    :param on_idle: called when none runs
    """

    def __init__(self, on_idle: Callable[[], None]) -> None:
        self._by_id: dict[int, Procedure] = {}
        self._on_idle = on_idle
        self._running: Procedure | None = None

    @property
    def running(self) -> Procedure | None:
        """The procedure that runs, or has reserved that it will."""
        return self._running

    @running.setter
    def running(self, procedure: Procedure | None) -> None:
        self._running = procedure
        if procedure is None:
            self._on_idle()

    def live(self, procedure_id: int) -> Procedure:
        """Return a procedure that has not ended.

        :raises ProcedureNotFoundError: if there is none with this ID
        """
        procedure = self._by_id.get(procedure_id)
        if procedure is None or procedure.state.is_final:
            raise ProcedureNotFoundError(f"no procedure with ID {procedure_id} is live")
        return procedure

    def get(self, procedure_id: int) -> Procedure | None:
        """Return a procedure, which may have ended; None if there is none with this ID."""
        return self._by_id.get(procedure_id)

    def all(self) -> list[Procedure]:
        """Return all procedures; some may have ended."""
        return list(self._by_id.values())

    def ids(self) -> list[int]:
        """Return the IDs of all procedures; some may have ended. Any thread may call it."""
        return list(self._by_id)

    def add(self, procedure: Procedure) -> None:
        """Add a procedure."""
        self._by_id[procedure.id] = procedure

    def remove(self, procedure: Procedure) -> None:
        """Remove a procedure, if it is there."""
        self._by_id.pop(procedure.id, None)

    def kill_all(self) -> None:
        """Kill the processes of all procedures."""
        for procedure in self.all():
            if procedure.channel is not None:
                procedure.channel.kill()

    def require_startable(self, procedure: Procedure, force: bool, release: bool = False) -> None:
        """Check that a procedure can be started now.

        :param procedure: one of these procedures
        :param force: whether it may be started before it is READY
        :param release: whether it may be one that is held
        :raises StateForbidsError: if its state, or another procedure that runs, forbids it
        """
        if procedure.stopped is not None:
            raise StateForbidsError(f"procedure {procedure.id} is being stopped: create it again")
        if procedure.main is not None:
            raise StateForbidsError(f"procedure {procedure.id} has been started already")
        if procedure.plan.hold is not Hold.NOTHING and not release:
            raise StateForbidsError(
                f"procedure {procedure.id} is prepared for an entry of the queue, which starts it when its "
                "turn comes: send QueueStart, or create a procedure of your own"
            )
        if self.running is not None:
            raise AnotherProcedureRunsError(
                f"procedure {self.running.id} ({self.running.plan.script.name}) is running: "
                "wait until it has ended, or stop it"
            )
        if procedure.state is not ProcedureState.READY and not force:
            raise StateForbidsError(f"procedure {procedure.id} is {procedure.state}: wait until it is READY")
