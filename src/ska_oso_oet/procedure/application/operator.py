"""Requests of operators to running scripts: pauses, answers, messages, and the context of all scripts."""

from collections.abc import Mapping
from typing import Any

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.summaries import SummaryStore
from ska_oso_oet.journal.document_view import DocumentView
from ska_oso_oet.model import (
    AnswerRequest,
    AtCheckpoint,
    CheckpointReply,
    CheckpointRequest,
    ProcedureState,
    Question,
    SendReply,
    SendRequest,
)

from ..domain.errors import QuestionClosedError, QuestionNotFoundError
from ..execution.conversations import Conversations, Standing
from ..execution.manager import ProcessManager
from . import request_events
from .commands import Origin


class OperatorService:
    """Carries out requests of operators to running scripts.

    :param bus: where requests are announced
    :param manager: runs the scripts
    :param questions: the questions of all scripts
    """

    def __init__(self, bus: EventBus, manager: ProcessManager, questions: SummaryStore[Question]) -> None:
        self._bus = bus
        self._manager = manager
        self._questions = questions

    def recall(self) -> None:
        """Load the records of previous servers from a journal that could not be read at the start.

        :raises JournalUnavailableError: if it still cannot be read
        """
        self._questions.recall()

    # Pauses

    def pause(self, request: CheckpointRequest, origin: Origin | None = None) -> CheckpointReply:
        """Pause a script at its next checkpoint.

        :param request: the procedure
        :param origin: origin of the request
        :raises StateForbidsError: if it does not run
        :raises ProcedureNotFoundError: if it is not live
        """
        return self._request("pause", Conversations.pause, request, origin)

    def resume(self, request: CheckpointRequest, origin: Origin | None = None) -> CheckpointReply:
        """Let a script continue, and withdraw a pause or stop at its next checkpoint; see `pause`."""
        return self._request("resume", Conversations.resume, request, origin)

    def step(self, request: CheckpointRequest, origin: Origin | None = None) -> CheckpointReply:
        """Let a script continue to its next checkpoint, and wait there; see `pause`."""
        return self._request("step", Conversations.step, request, origin)

    def _request(
        self, verb: str, ask: Any, request: CheckpointRequest, origin: Origin | None
    ) -> CheckpointReply:
        origin = origin or Origin(requested_by=request.requested_by)
        self._announce(verb, origin, {"pid": request.pid})
        standing: Standing = self._manager.converse(ask, request.pid, None)
        self._bus.committed().result()
        return CheckpointReply(
            pid=standing.procedure_id,
            state=standing.state,
            at_checkpoint=standing.at_checkpoint,
            message=_message(verb, standing),
        )

    # Questions

    @property
    def questions(self) -> DocumentView:
        """The documents of questions."""
        return self._questions.view

    @property
    def question(self) -> Question | None:
        """The question that was asked first of those that wait for an answer, None if there is none."""
        return next((document.value for document in self.questions.all() if document.live), None)

    def answer(self, request: AnswerRequest, origin: Origin | None = None) -> Question:
        """Answer a question, and return it as it is then.

        :param request: the question and the answer
        :param origin: origin of the request
        :raises QuestionNotFoundError: if there is no such question
        :raises QuestionClosedError: if it does not wait for an answer; the message says how it ended
        :raises AnswerError: if the answer does not fit; the message says which answers are valid
        """
        origin = origin or Origin(requested_by=request.requested_by)
        fields = {"question": request.question, "answer": request.answer}
        self._announce("answer", origin, fields)
        try:
            self._manager.converse(
                Conversations.answer, request.question, request.answer, origin.requested_by
            )
        except QuestionClosedError:
            # Its end may not be in the journal yet.
            self._bus.committed().result()
            if (closed := self._questions.get(request.question)) is None:
                raise QuestionNotFoundError(
                    f"there is no question {request.question}: see the attribute 'question' for the one that "
                    "waits for an answer"
                ) from None
            raise QuestionClosedError(f"question {closed.id} ({closed.text}) {closed.outcome()}") from None
        self._bus.committed().result()
        answered = self._questions.get(request.question)
        assert answered is not None, "it has just been answered"  # noqa: S101
        return answered

    # Messages

    def send(self, request: SendRequest, origin: Origin | None = None) -> SendReply:
        """Send a message to the listeners of a script.

        :param request: the procedure and the message
        :param origin: origin of the request
        :raises StateForbidsError: if the script is not loaded yet, or none runs
        :raises ProcedureNotFoundError: if the procedure is not live
        """
        origin = origin or Origin(requested_by=request.requested_by)
        self._announce("send", origin, {"pid": request.pid, "topic": request.topic, "fields": request.fields})
        pid = self._manager.converse(Conversations.send, request.pid, request.topic, request.fields)
        self._bus.committed().result()
        return SendReply(pid=pid, topic=request.topic)

    def set_context(self, context: Mapping[str, Any]) -> None:
        """Set the context of all scripts. Does not wait.

        :param context: a JSON object
        """
        self._manager.converse(Conversations.set_context, context)

    def _announce(self, verb: str, origin: Origin, cmd: dict[str, Any]) -> None:
        self._bus.publish(request_events.request(verb, origin, cmd))


def _message(verb: str, standing: Standing) -> str:
    """Describe the effect of a request about checkpoints, for people."""
    name = f"Procedure {standing.procedure_id}"
    if verb == "resume":
        return f"{name} continues."
    if standing.at_checkpoint is None:
        return f"{name} is paused."
    if standing.at_checkpoint is AtCheckpoint.STOP:
        return f"{name} is stopped at its next checkpoint."
    pauses = "continues to its next checkpoint" if verb == "step" else "pauses at its next checkpoint"
    if standing.checkpoints or standing.state is ProcedureState.PAUSED:
        return f"{name} {pauses}."
    return (
        f"{name} {pauses}. It has reached none so far: a script without checkpoints never pauses. "
        "Resume withdraws this."
    )
