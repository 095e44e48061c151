"""Pause, Resume, Step, Answer and SendToScript; and the attributes question and scriptContext."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from oet_devices.ska.publisher import EventPublisher
from ska_oso_oet.model import (
    MAX_CONTEXT,
    AnswerRequest,
    CheckpointReply,
    CheckpointRequest,
    Model,
    QuestionReply,
    SendRequest,
    default_context,
    read_context,
)
from ska_oso_oet.procedure.application import Origin

from .arguments import REFUSALS, parse, parse_checkpoint, refuse
from .command_taker import SOURCE, CommandTaker
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .json_text import ascii_json, load_json

_Ask = Callable[[Executor, CheckpointRequest, Origin], CheckpointReply]


class OperatorCommands:
    """The commands that operators send while a script runs, and the question that waits for an answer.

    :param keeper: keeps the executor that runs the scripts
    :param taker: provides the client of a command
    """

    def __init__(self, keeper: ExecutorKeeper, taker: CommandTaker) -> None:
        self._keeper = keeper
        self._taker = taker

    def question(self) -> str:
        """Return the question that waits for an answer as JSON, empty if there is none."""
        executor = self._keeper.executor
        question = None if executor is None else executor.service.operator.question
        return "" if question is None else ascii_json(question.model_dump_json())

    def pause(self, argin: str) -> str:
        """Carry out Pause."""
        return self._request("Pause", argin, lambda oet, it, origin: oet.service.operator.pause(it, origin))

    def resume(self, argin: str) -> str:
        """Carry out Resume."""
        return self._request("Resume", argin, lambda oet, it, origin: oet.service.operator.resume(it, origin))

    def step(self, argin: str) -> str:
        """Carry out Step."""
        return self._request("Step", argin, lambda oet, it, origin: oet.service.operator.step(it, origin))

    def _request(self, name: str, argin: str, ask: _Ask) -> str:
        def carry_out(executor: Executor) -> str:
            request = parse_checkpoint(argin)
            return _text(ask(executor, request, self._origin(request)))

        return self._keeper.answer(name, carry_out)

    def answer(self, argin: str) -> str:
        """Carry out Answer."""

        def answer(executor: Executor) -> str:
            request = parse(AnswerRequest, argin)
            answered = executor.service.operator.answer(request, self._origin(request))
            return _text(QuestionReply(question=answered))

        return self._keeper.answer("Answer", answer)

    def send(self, argin: str) -> str:
        """Carry out SendToScript."""

        def send(executor: Executor) -> str:
            request = parse(SendRequest, argin)
            return _text(executor.service.operator.send(request, self._origin(request)))

        return self._keeper.answer("SendToScript", send)

    def _origin(self, request: Any) -> Origin:
        return Origin(SOURCE, time.time(), requested_by=self._taker.requester(request.requested_by))


class ScriptContext:
    """The context of all scripts, as a JSON object. Tango memorises it.

    :param keeper: keeps the executor whose scripts use it
    :param publisher: pushes its events
    """

    def __init__(self, keeper: ExecutorKeeper, publisher: EventPublisher) -> None:
        self._keeper = keeper
        self._publisher = publisher
        self._context = default_context(os.environ)

    def text(self) -> str:
        """Return the context as JSON."""
        return json.dumps(self._context)

    def write(self, text: str) -> None:
        """Set the context.

        :raises tango.DevFailed: if it is not a JSON object, or too large
        """
        try:
            if len(text) > MAX_CONTEXT:
                raise ValueError(f"the context has {len(text)} characters, {MAX_CONTEXT} are allowed")
            self._context = read_context(load_json(text))
        except REFUSALS as error:
            refuse(error, "scriptContext")
        if (executor := self._keeper.executor) is not None:
            self.on_executor(executor)
        self._publisher.submit("scriptContext", self.text())

    def on_executor(self, executor: Executor) -> None:
        """Send the context to the scripts of an executor."""
        executor.service.operator.set_context(self._context)


def _text(reply: Model) -> str:
    return ascii_json(reply.model_dump_json())
