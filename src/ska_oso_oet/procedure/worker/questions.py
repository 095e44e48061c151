"""Questions of a script, in its process: each waits for the answer that the server sends."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from ska_oso_oet.model import QuestionRequest

Send = Callable[[int, Mapping[str, Any] | None], None]
"""Sends a question to the server; None in its place withdraws it."""


class PendingAnswer:
    """A question that waits for its answer.

    :param request: the question
    :param withdraw: called when the waiting has ended
    """

    def __init__(self, request: QuestionRequest, withdraw: Callable[[], None]) -> None:
        self.request = request
        self.future: Future[Any] = Future()
        self._withdraw = withdraw

    def result(self) -> Any:
        """Wait for the answer.

        :raises TimeoutError: if nobody has answered in time, and there is no default
        """
        return self.future.result()

    async def result_async(self) -> Any:
        """Wait for the answer; see `result`."""
        return await asyncio.shield(asyncio.wrap_future(self.future))

    def withdraw(self) -> None:
        """Withdraw the question."""
        if not self.future.done():
            self._withdraw()


class Questions:
    """The questions of a script that wait for their answers.

    :param send: sends them to the server
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._numbers = itertools.count(1)
        self._pending: dict[int, PendingAnswer] = {}
        self._order = threading.Lock()

    def ask(self, request: QuestionRequest) -> PendingAnswer:
        """Send a question to the server. Any thread may call this."""
        with self._order:
            number = next(self._numbers)
            pending = PendingAnswer(request, lambda: self._withdraw(number))
            self._pending[number] = pending
        self._send(number, request.model_dump())
        return pending

    def _withdraw(self, number: int) -> None:
        if self._pending.pop(number, None) is not None:
            self._send(number, None)

    def answered(self, payload: Mapping[str, Any]) -> None:
        """Pass the end of a question to its waiter. Called by the thread that reads the server's messages."""
        pending = self._pending.pop(payload["number"], None)
        if pending is None:
            return
        if (refusal := payload.get("refusal")) is not None:
            pending.future.set_exception(RuntimeError(refusal))
        elif (answer := payload.get("answer")) is not None:
            # JSON has one kind of number.
            pending.future.set_result(float(answer) if pending.request.type == "number" else answer)
        else:
            text, timeout = pending.request.text, pending.request.timeout
            pending.future.set_exception(TimeoutError(f"nobody has answered {text!r} within {timeout:g} s"))
