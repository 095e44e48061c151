"""Client for pauses, questions and messages of an operator to the scripts of a controller."""

import json
from typing import Any

from ska_oso_oet.model import (
    AnswerRequest,
    CheckpointReply,
    CheckpointRequest,
    Model,
    Question,
    QuestionReply,
    SendReply,
    SendRequest,
    read_context,
)

from .errors import InvalidRequestError
from .link import DeviceLink


class OperatorTalk:
    """Pauses scripts, answers their questions, and sends them messages.

    All methods raise a `ControllerError` that describes the fault.

    :param link: to the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link

    async def pause(self, request: CheckpointRequest | None = None) -> CheckpointReply:
        """Pause a script at its next checkpoint.

        :param request: the procedure; by default the one that runs
        :raises RequestRejectedError: if it does not run
        :raises NotFoundError: if there is no such procedure that is live
        """
        return await self._request("Pause", request)

    async def resume(self, request: CheckpointRequest | None = None) -> CheckpointReply:
        """Let a paused script continue; withdraw a pause, or a stop, at its next checkpoint.

        :param request: the procedure; by default the one that runs
        :raises RequestRejectedError: if it is not paused, and nothing happens at its next checkpoint
        """
        return await self._request("Resume", request)

    async def step(self, request: CheckpointRequest | None = None) -> CheckpointReply:
        """Let a script continue to its next checkpoint, and wait there.

        :param request: the procedure; by default the one that runs
        :raises RequestRejectedError: if it does not run
        """
        return await self._request("Step", request)

    async def question(self) -> Question | None:
        """Return the question that waits for an answer, None if there is none."""
        text: str = await self._link.read("question")
        return Question.model_validate_json(text) if text else None

    async def answer(self, request: AnswerRequest) -> Question:
        """Answer a question, and return it as it is then.

        :param request: the question and the answer
        :raises InvalidRequestError: if the answer does not fit; the message says what would
        :raises RequestRejectedError: if the question no longer waits for an answer
        :raises NotFoundError: if there is no such question
        """
        reply = QuestionReply.model_validate_json(await self._ask("Answer", request))
        assert reply.question is not None, "it was answered"  # noqa: S101
        return reply.question

    async def send(self, request: SendRequest) -> SendReply:
        """Send a message to the listeners of a script.

        :param request: the procedure and the message
        :raises RequestRejectedError: if the script is not loaded, or none runs
        """
        return SendReply.model_validate_json(await self._ask("SendToScript", request))

    async def context(self) -> dict[str, Any]:
        """Return the context of all scripts."""
        context: dict[str, Any] = json.loads(await self._link.read("scriptContext"))
        return context

    async def set_context(self, context: dict[str, Any]) -> None:
        """Set the context of all scripts. It is remembered over restarts of the device.

        :param context: a JSON object of less than 64 KiB
        :raises InvalidRequestError: if it is not that
        """
        try:
            text = json.dumps(read_context(context), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(str(error)) from None
        await self._link.write("scriptContext", text)

    async def _request(self, command: str, request: CheckpointRequest | None) -> CheckpointReply:
        return CheckpointReply.model_validate_json(await self._ask(command, request or CheckpointRequest()))

    async def _ask(self, command: str, request: Model) -> str:
        answer: str = await self._link.command(command, request.model_dump_json(ensure_ascii=True))
        return answer
