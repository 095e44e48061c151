"""A step of a preparation in progress: its process, and the preparations that wait for it."""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from ska_oso_oet.model import OetError
from ska_oso_oet.mptools import EventMessage

from ..execution.channel import WorkerChannel
from .steps import StepMessage

_MAX_OUTPUT = 16_000
"""Bytes of a tool's output that a failure quotes: its end, which says what happened."""


class PreparationError(OetError, RuntimeError):
    """The preparation of a git script has failed. The message quotes the output of the tools."""


class PreparationListener(Protocol):
    """Callback interface for the progress of a preparation."""

    def progressed(self, text: str) -> None:
        """The preparation has progressed.

        :param text: the progress
        """

    def wrote(self, data: bytes) -> None:
        """A tool has written output."""


class StepProcess:
    """One step, done by one process for all preparations that need it.

    :param timeout: seconds that it may take, 0 for any time
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._channel: WorkerChannel | None = None
        self._progress: str | None = None
        self._tail = b""
        self._failure: str | None = None
        self._listeners: list[PreparationListener] = []
        self.result: str | None = None
        """The result of the step, None until there is one."""
        self.cancelled = False
        self.done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    # Preparations that wait

    def join(self, listener: PreparationListener) -> None:
        """Add a listener, and report the progress up to now to it."""
        self._listeners.append(listener)
        if self._progress is not None:
            listener.progressed(self._progress)

    def leave(self, listener: PreparationListener) -> None:
        """Remove a listener. The step is cancelled when there is none left."""
        self._listeners.remove(listener)
        if not self._listeners and not self.done.done():
            self.cancel()

    def cancel(self) -> None:
        """End the step: its result is no longer needed."""
        self.cancelled = True
        if self._channel is not None:
            self._channel.kill()

    # The process

    async def follow(self, channel: WorkerChannel) -> None:
        """Receive the messages of the process until it has ended."""
        self._channel = channel
        channel.open(self)
        if self.cancelled:
            channel.kill()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._timeout, self._time_out) if self._timeout > 0 else None
        await channel.ended
        if timer is not None:
            timer.cancel()

    def _time_out(self) -> None:
        assert self._channel is not None, "the timer is set when there is one"  # noqa: S101
        self._fail(
            f"The preparation took longer than {self._timeout:g} s (property EnvironmentTimeout) and was "
            f"ended. {self._last_progress}"
        )
        self._channel.kill()

    @property
    def _last_progress(self) -> str:
        return f"Its last progress: {self._progress or 'none yet'}."

    def received(self, message: EventMessage) -> None:
        """Handle a message of the process."""
        match message.msg_type:
            case StepMessage.PROGRESS:
                self._progress = str(message.msg)
                for listener in self._listeners:
                    listener.progressed(self._progress)
            case StepMessage.RESULT:
                self.result = str(message.msg)
            case StepMessage.FAILURE:
                self._fail(str(message.msg))

    def together(self) -> AbstractContextManager[object]:
        """Return a context for messages that are received at the same time: nothing is published here."""
        return nullcontext()

    def congestion(self) -> None:
        """Never let the process wait: it sends few messages."""

    def wrote(self, data: bytes) -> None:
        """Keep the end of the tools' output."""
        self._tail = (self._tail + data)[-_MAX_OUTPUT:]
        for listener in self._listeners:
            listener.wrote(data)

    def exited(self, how: str) -> None:
        """Note that the process has ended."""
        if self.result is None:
            self._fail(f"The process that prepared the script has vanished. {how} {self._last_progress}")

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason

    def conclude(self, error: Exception | None = None) -> None:
        """Complete `done`: with the result of the step, or with the reason why it failed.

        :param error: why the step could not be begun
        """
        if self.done.done():
            return
        if self._failure is None and error is None and self.result is not None:
            self.done.set_result(self.result)
            return
        tail = self._tail.decode("utf-8", "replace").strip()
        output = f"\nOutput of the tools:\n{tail}" if tail else ""
        self.done.set_exception(PreparationError(f"{self._failure or error}{output}"))
        # If no preparation is waiting, the exception is not read, which is fine.
        self.done.exception()
