"""Requests that take effect at a script's next checkpoint. Belongs to the message loop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ska_oso_oet.model import AtCheckpoint, ProcedureState

from ..domain.errors import StateForbidsError, StopWithdrawnError
from ..worker.messages import ToWorker
from .observer import ProcedureObserver
from .procedure import Procedure

PASSED_TOPIC = "procedure.checkpoint.passed"
PENDING_TOPIC = "procedure.checkpoint.pending"


@dataclass
class DeferredStop:
    """A stop that takes effect at the next checkpoint.

    :param origin: origin of the request
    :param successor_id: the procedure that runs the abort script afterwards, None if there is none
    :param on_withdrawn: called with the reason if there will be no stop
    """

    origin: Any
    successor_id: int | None
    on_withdrawn: list[Callable[[StopWithdrawnError], None]] = field(default_factory=list)


class CheckpointRequests:
    """Pauses procedures, and lets them continue.

    :param observer: called with all changes
    :param stop: begins to stop a procedure: its ID, the procedure that follows it, and the origin of the stop
    """

    def __init__(self, observer: ProcedureObserver, stop: Callable[[int, int | None, Any], object]) -> None:
        self._observer = observer
        self._stop = stop
        self._stops: dict[int, DeferredStop] = {}

    def pause(self, procedure: Procedure) -> None:
        """Pause a procedure at its next checkpoint.

        :raises StateForbidsError: if it does not run
        """
        _require_running(procedure, "paused")
        is_there = procedure.state is ProcedureState.PAUSED and not procedure.has_unheard_request
        if not is_there and procedure.at_checkpoint is None:
            self._hold(procedure, AtCheckpoint.PAUSE)

    def step(self, procedure: Procedure) -> None:
        """Let a procedure continue to its next checkpoint, and wait there.

        :raises StateForbidsError: if it does not run, or is to be stopped at that checkpoint
        """
        _require_running(procedure, "stepped")
        if procedure.at_checkpoint is AtCheckpoint.STOP:
            raise StateForbidsError(
                f"procedure {procedure.id} is stopped at its next checkpoint: Resume withdraws that"
            )
        procedure.request(ToWorker.STEP)
        self._set(procedure, AtCheckpoint.PAUSE)

    def resume(self, procedure: Procedure) -> None:
        """Let a procedure continue, and withdraw a pause or stop at its next checkpoint.

        :raises StateForbidsError: if it is not paused, and nothing is to happen
        """
        if procedure.stopped is not None:
            raise StateForbidsError(f"procedure {procedure.id} is being stopped: it cannot be resumed")
        if procedure.state is not ProcedureState.PAUSED and procedure.at_checkpoint is None:
            raise StateForbidsError(
                f"procedure {procedure.id} is {procedure.state}, and nothing happens at its next checkpoint: "
                "there is nothing to resume"
            )
        procedure.request(ToWorker.RELEASE)
        self._set(procedure, None)
        self._withdraw(
            procedure, f"The stop of procedure {procedure.id} at its next checkpoint was withdrawn by Resume."
        )

    def stop(
        self,
        procedure: Procedure,
        on_withdrawn: Callable[[StopWithdrawnError], None],
        successor_id: int | None,
        origin: Any,
    ) -> int | None:
        """Stop a procedure at its next checkpoint. Several requests are one.

        :param procedure: the procedure, which is RUNNING
        :param on_withdrawn: called with the reason if there will be no stop
        :param successor_id: the procedure that is to run the abort script afterwards
        :param origin: origin of the request
        :returns: ID of the procedure that will follow
        """
        deferred = self._stops.setdefault(procedure.id, DeferredStop(origin, successor_id))
        deferred.successor_id = deferred.successor_id or successor_id
        deferred.on_withdrawn.append(on_withdrawn)
        if procedure.at_checkpoint is not AtCheckpoint.STOP:
            self._hold(procedure, AtCheckpoint.STOP)
        return deferred.successor_id

    def take_stop(self, procedure: Procedure) -> DeferredStop | None:
        """Return and forget the stop that was to take effect at the next checkpoint."""
        return self._stops.pop(procedure.id, None)

    def passed(self, procedure: Procedure, label: str | None, number: int) -> None:
        """A procedure has reached a checkpoint, and continues.

        :param procedure: the procedure
        :param label: label of the checkpoint, None if it has none
        :param number: how many checkpoints it has reached
        """
        procedure.checkpoints = number
        if label is not None:
            self._observer.announced(
                procedure.id, {"checkpoint": label}, PASSED_TOPIC, {"checkpoint": label, "number": number}
            )

    def stop_here(self, procedure: Procedure, label: str | None) -> None:
        """A procedure waits at the checkpoint where it is to be stopped."""
        if label is not None:
            self._observer.noted(procedure.id, {"checkpoint": label})
        if (deferred := self._stops.get(procedure.id)) is not None and procedure.stopped is None:
            self._stop(procedure.id, deferred.successor_id, deferred.origin)

    def paused(self, procedure: Procedure, request: int) -> None:
        """A procedure is about to be PAUSED: the request has taken effect.

        :param procedure: the procedure
        :param request: number of the newest request that its process knew of
        """
        procedure.heard_request = request
        if not procedure.has_unheard_request:
            procedure.at_checkpoint = None
            self._observer.noted(procedure.id, {"at_checkpoint": None})

    def ending(self, procedure: Procedure, state: ProcedureState) -> None:
        """A procedure is about to enter a final state: its requests about checkpoints end."""
        self._withdraw(
            procedure,
            f"Procedure {procedure.id} has ended {state} before it reached another checkpoint: "
            "it was not stopped.",
        )

    def _hold(self, procedure: Procedure, what: AtCheckpoint) -> None:
        procedure.request(ToWorker.HOLD, what=what)
        self._set(procedure, what)

    def _set(self, procedure: Procedure, what: AtCheckpoint | None) -> None:
        """Publish what happens at the next checkpoint."""
        if procedure.at_checkpoint is not what:
            procedure.at_checkpoint = what
            fact = {"at_checkpoint": what}
            self._observer.announced(procedure.id, fact, PENDING_TOPIC, dict(fact))

    def _withdraw(self, procedure: Procedure, reason: str) -> None:
        if (deferred := self.take_stop(procedure)) is None:
            return
        error = StopWithdrawnError(reason)
        for on_withdrawn in deferred.on_withdrawn:
            on_withdrawn(error)
        if deferred.successor_id is not None:
            self._stop(deferred.successor_id, None, deferred.origin)


def _require_running(procedure: Procedure, what: str) -> None:
    if procedure.stopped is not None:
        raise StateForbidsError(f"procedure {procedure.id} is being stopped: it cannot be {what}")
    if not procedure.state.is_executing:
        raise StateForbidsError(
            f"procedure {procedure.id} is {procedure.state}: only a script that runs can be {what}"
        )
