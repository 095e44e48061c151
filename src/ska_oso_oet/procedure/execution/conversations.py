"""Conversations of operators and scripts, on the server's side. Belongs to the message loop."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ska_oso_oet.model import AtCheckpoint, ProcedureState, Requester
from ska_oso_oet.mptools import EventMessage

from ..domain.errors import StateForbidsError, StopWithdrawnError
from ..worker.messages import FromWorker, ToWorker
from .checkpoints import CheckpointRequests
from .live_procedures import LiveProcedures
from .observer import ProcedureObserver
from .procedure import Procedure
from .questions import OpenQuestions


class Standing(NamedTuple):
    """A procedure after a request about checkpoints.

    :param procedure_id: its ID
    :param state: its state
    :param at_checkpoint: what happens at its next checkpoint, None if nothing does
    :param checkpoints: how many checkpoints it has reached, as far as that is known
    """

    procedure_id: int
    state: ProcedureState
    at_checkpoint: AtCheckpoint | None
    checkpoints: int


class Conversations:
    """Pauses, questions and messages of all live procedures.

    :param procedures: the procedures
    :param observer: called with all changes
    :param stop: begins to stop a procedure: its ID, the procedure that follows it, and the origin of the stop
    :param first_question_id: ID of the first question
    """

    def __init__(
        self,
        procedures: LiveProcedures,
        observer: ProcedureObserver,
        stop: Callable[[int, int | None, Any], object],
        first_question_id: int,
    ) -> None:
        self._procedures = procedures
        self._observer = observer
        self._checkpoints = CheckpointRequests(observer, stop)
        self._questions = OpenQuestions(observer, first_question_id)
        self.context: Mapping[str, Any] = {}
        """The context: values that operators have set for all scripts."""
        self.take_stop = self._checkpoints.take_stop
        self.stop_at_checkpoint: Callable[
            [Procedure, Callable[[StopWithdrawnError], None], int | None, Any], int | None
        ] = self._checkpoints.stop

    # What operators ask for

    def pause(self, procedure_id: int | None, origin: Any) -> Standing:
        """Pause a procedure at its next checkpoint; see `CheckpointRequests.pause`."""
        return self._request(self._checkpoints.pause, procedure_id, origin)

    def resume(self, procedure_id: int | None, origin: Any) -> Standing:
        """Let a procedure continue; see `CheckpointRequests.resume`."""
        return self._request(self._checkpoints.resume, procedure_id, origin)

    def step(self, procedure_id: int | None, origin: Any) -> Standing:
        """Let a procedure continue to its next checkpoint; see `CheckpointRequests.step`."""
        return self._request(self._checkpoints.step, procedure_id, origin)

    def _request(
        self, request: Callable[[Procedure], None], procedure_id: int | None, origin: Any
    ) -> Standing:
        procedure = self._named(procedure_id)
        if origin is not None:
            self._observer.requested(procedure.id, origin)
        request(procedure)
        return Standing(procedure.id, procedure.state, procedure.at_checkpoint, procedure.checkpoints)

    def answer(self, question_id: int, answer: Any, by: Requester | None) -> None:
        """Answer a question; see `OpenQuestions.answer`."""
        self._questions.answer(question_id, answer, by)

    def send(self, procedure_id: int | None, topic: str, fields: Mapping[str, Any]) -> int:
        """Send a message to the listeners of a script. Returns the ID of its procedure.

        :raises StateForbidsError: if the script is not loaded yet
        """
        procedure = self._named(procedure_id)
        if procedure.channel is None or not (
            procedure.state.is_executing or procedure.state is ProcedureState.READY
        ):
            raise StateForbidsError(
                f"procedure {procedure.id} is {procedure.state}: its script receives messages only after its "
                "init has begun"
            )
        procedure.send(ToWorker.OPERATOR, {"topic": topic, "fields": dict(fields)})
        return procedure.id

    def set_context(self, context: Mapping[str, Any]) -> None:
        """Send the context to all scripts."""
        self.context = context
        for procedure in self._procedures.all():
            if procedure.channel is not None and not procedure.state.is_final:
                procedure.send(ToWorker.CONTEXT, dict(context))

    def _named(self, procedure_id: int | None) -> Procedure:
        """Return the procedure that a request names; by default the one that runs.

        :raises StateForbidsError: if none runs
        :raises ProcedureNotFoundError: if the one that is named is not live
        """
        if procedure_id is not None:
            return self._procedures.live(procedure_id)
        if self._procedures.running is None:
            raise StateForbidsError("no script is running: name the procedure, e.g. 2")
        return self._procedures.running

    # What scripts send

    def handle(self, procedure: Procedure, message: EventMessage) -> bool:
        """Handle a message of a procedure's worker. Returns whether it was for this."""
        payload = message.msg
        match message.msg_type:
            case FromWorker.CHECKPOINT:
                self._checkpoints.passed(procedure, payload["label"], payload["number"])
            case FromWorker.STOP_HERE:
                self._checkpoints.stop_here(procedure, payload["label"])
            case FromWorker.QUESTION if payload["question"] is None:
                self._questions.withdraw(procedure, payload["number"])
            case FromWorker.QUESTION:
                self._questions.ask(procedure, payload["number"], payload["question"])
            case _:
                return False
        return True

    def entering(self, procedure: Procedure, state: ProcedureState, request: int) -> None:
        """A script's process reports a new state.

        :param procedure: its procedure
        :param state: the state
        :param request: with PAUSED, number of the newest request that the process knew of
        """
        if state is ProcedureState.PAUSED:
            self._checkpoints.paused(procedure, request)

    def ending(self, procedure: Procedure, state: ProcedureState) -> None:
        """A procedure is about to end: close its questions, and its requests about checkpoints.

        :param procedure: the procedure
        :param state: the final state that it enters next
        """
        self._questions.withdraw(procedure)
        self._checkpoints.ending(procedure, state)
