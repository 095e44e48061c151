"""One step of a preparation: the process that does it, and those who wait for it."""

import asyncio
from typing import Protocol

from ska_oso_oet.mptools import EventMessage

from .channel import WorkerChannel
from .protocol import FromWorker

_MAX_OUTPUT = 16_000
"""Bytes of a tool's output that a failure quotes: its end, which says what happened."""


class PreparationFailed(RuntimeError):
    """What a git script needs could not be prepared. The message quotes what the tools have said."""


class Audience(Protocol):
    """Whoever waits for a preparation."""

    def progressed(self, text: str) -> None:
        """It has come further."""

    def wrote(self, data: bytes) -> None:
        """A tool has written output."""


class Job:
    """One step, done by one process, and those who wait for it.

    :param timeout: seconds that it may take, 0 for any time
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._channel: WorkerChannel | None = None
        self._progress: str | None = None
        self._tail = b""
        self._failure: str | None = None
        self.result: str | None = None
        """What the process has brought about, None as long as it has not."""
        self._audiences: list[Audience] = []
        self.abandoned = False
        self.done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    # Those who wait

    def join(self, audience: Audience) -> None:
        """Add one who waits; tell where the step is."""
        self._audiences.append(audience)
        if self._progress is not None:
            audience.progressed(self._progress)

    def leave(self, audience: Audience) -> None:
        """Remove one who waits. Without any, the step is abandoned."""
        self._audiences.remove(audience)
        if not self._audiences and not self.done.done():
            self.abandon()

    def abandon(self) -> None:
        """End the step: nobody wants its result."""
        self.abandoned = True
        if self._channel is not None:
            self._channel.kill()

    # The process

    async def attend(self, channel: WorkerChannel) -> None:
        """Listen to the process until it has ended."""
        self._channel = channel
        channel.open(self)
        if self.abandoned:
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
            f"ended. It had come to: {self._progress or 'nothing yet'}."
        )
        self._channel.kill()

    def received(self, message: EventMessage) -> None:
        """Handle a message of the process."""
        match message.msg_type:
            case FromWorker.PROGRESS:
                self._progress = str(message.msg)
                for audience in self._audiences:
                    audience.progressed(self._progress)
            case FromWorker.RESULT:
                self.result = str(message.msg)
            case FromWorker.FAILURE:
                self._fail(str(message.msg))

    def congestion(self) -> None:
        """Let the process go on: it has little to say."""

    def wrote(self, data: bytes) -> None:
        """Keep the end of what the tools say."""
        self._tail = (self._tail + data)[-_MAX_OUTPUT:]
        for audience in self._audiences:
            audience.wrote(data)

    def exited(self, how: str) -> None:
        """Note that the process has ended."""
        if self.result is None:
            self._fail(
                f"The process that prepared the script has vanished. {how} "
                f"It had come to: {self._progress or 'nothing yet'}."
            )

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason

    def conclude(self, error: Exception | None = None) -> None:
        """Tell those who wait how it went.

        :param error: why the step was not even begun
        """
        if self.done.done():
            return
        if self._failure is None and error is None and self.result is not None:
            self.done.set_result(self.result)
            return
        said = self._tail.decode("utf-8", "replace").strip()
        output = f"\nThe tools have said:\n{said}" if said else ""
        self.done.set_exception(PreparationFailed(f"{self._failure or error}{output}"))
        # Those who have left will not look at it, and that is no mistake.
        self.done.exception()
