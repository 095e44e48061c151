"""Connection of a script to its operator, on the worker's side."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ska_oso_oet.interaction import link
from ska_oso_oet.model import AtCheckpoint, ProcedureState, QuestionRequest
from ska_oso_oet.mptools import EventMessage

from .checkpoints import Checkpoints
from .labels import Labels
from .messages import FromWorker, ToWorker
from .operator_messages import OperatorMessages
from .questions import PendingAnswer, Questions

_NOT_HERE = "only the script's own process can ask the operator, not a process that the script has started"


class OperatorLink:
    """The link that `ska_oso_oet.interaction` uses in the process of a script.

    :param send: sends a message to the server
    :param announce: sends a new state to the server, with details
    :param relay: the listener that sends to the server what the script publishes
    :param is_stopped: returns whether a stop has interrupted the script
    """

    def __init__(
        self,
        send: Callable[[FromWorker, Any], None],
        announce: Callable[[ProcedureState, Mapping[str, Any]], None],
        relay: Callable[..., None],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._send = send
        self._announce = announce
        self._labels = Labels(lambda label, number: send(FromWorker.CHECKPOINT, _passed(label, number)))
        self._checkpoints = Checkpoints(
            self._labels,
            self._report,
            lambda label: send(FromWorker.STOP_HERE, {"label": label}),
            is_stopped,
        )
        self.checkpoint = self._checkpoints.passed
        self.checkpoint_async = self._checkpoints.passed_async
        self._questions = Questions(self._send_question)
        self._messages = OperatorMessages(relay)
        self._context: Mapping[str, Any] = {}

    def connect(self) -> None:
        """Connect the script's functions to this link."""
        link.connect(self)

    def disown(self) -> None:
        """Called in a process that the script has forked: it is not the one that the operator talks to."""
        link.connect(_Foreign(self._context))

    # What the script uses

    def ask(self, request: QuestionRequest) -> PendingAnswer:
        """Ask a question of the operator."""
        return self._questions.ask(request)

    def context(self) -> Mapping[str, Any]:
        """Return the context of all scripts at present."""
        return self._context

    # What the worker uses

    def flush(self) -> None:
        """Send the waiting labels of checkpoints: the next messages follow them."""
        self._labels.flush()

    def handle(self, message: EventMessage) -> bool:
        """Handle a message of the server in the thread that reads them. Returns whether it was for this."""
        payload = message.msg
        match message.msg_type:
            case ToWorker.HOLD:
                self._checkpoints.hold(AtCheckpoint(payload["what"]), payload["request"])
            case ToWorker.STEP:
                self._checkpoints.step(payload["request"])
            case ToWorker.RELEASE:
                self._checkpoints.release(payload["request"])
            case ToWorker.ANSWER:
                self._questions.answered(payload)
            case ToWorker.CONTEXT:
                self.set_context(payload)
            case ToWorker.OPERATOR:
                self._messages.deliver(payload["topic"], payload["fields"])
            case _:
                return False
        return True

    def set_context(self, context: Mapping[str, Any]) -> None:
        """Store the context of all scripts."""
        self._context = context

    def end(self, *, let_go: bool) -> None:
        """The script is being stopped; see `Checkpoints.end`."""
        self._checkpoints.end(let_go=let_go)

    def _report(self, state: ProcedureState, label: str | None, request: int) -> None:
        facts = {} if label is None else {"checkpoint": label}
        self._announce(state, {"facts": facts, "request": request})

    def _send_question(self, number: int, request: Mapping[str, Any] | None) -> None:
        self.flush()
        self._send(FromWorker.QUESTION, {"number": number, "question": request})


class _Foreign:
    """The link in a process that the script has forked.

    :param context: the context of all scripts, as it was at the fork
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._context = context

    def checkpoint(self, label: str | None) -> None:
        """Pass the checkpoint."""

    async def checkpoint_async(self, label: str | None) -> None:
        """Pass the checkpoint."""

    def ask(self, request: QuestionRequest) -> NoReturn:
        """Refuse to ask.

        :raises RuntimeError: always
        """
        raise RuntimeError(_NOT_HERE)

    def context(self) -> Mapping[str, Any]:
        """Return the context at the time of the fork."""
        return self._context


def _passed(label: str | None, number: int) -> dict[str, Any]:
    return {"label": label, "number": number}
