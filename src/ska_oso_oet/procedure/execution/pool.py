"""Standby workers: processes that are started before a procedure needs them."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ska_oso_oet.model import Backoff
from ska_oso_oet.mptools import EventMessage

from ..worker.script_worker import ScriptWorker
from .channel import WorkerChannel
from .starter import WorkerStarter

LOGGER = logging.getLogger(__name__)

_FIRST_RETRY_DELAY = 0.2
_MAX_RETRY_DELAY = 30.0


class WorkerPool:
    """Pool of standby workers. All methods are called in the message loop's thread.

    :param starter: starts the workers
    :param size: how many to keep on standby; with 0, each is started when it is asked for
    :param on_change: called when the number of standby workers or `fault` has changed
    """

    def __init__(self, starter: WorkerStarter, size: int, on_change: Callable[[], None]) -> None:
        self._starter = starter
        self._size = size
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._standby: list[WorkerChannel] = []
        self._leaving: set[WorkerChannel] = set()
        self._wanted: deque[asyncio.Future[WorkerChannel]] = deque()
        self._starting: set[asyncio.Task[WorkerChannel]] = set()
        self._retries = Backoff(_FIRST_RETRY_DELAY, _MAX_RETRY_DELAY)
        self._made = 0
        self._closing = False
        self.fault: str | None = None

    @property
    def standby(self) -> int:
        """How many workers are on standby."""
        return len(self._standby)

    def take(self) -> "asyncio.Future[WorkerChannel]":
        """Return a future for a worker; it is done at once if one is on standby.

        The future raises `StartupError` if workers cannot be started.
        """
        future: asyncio.Future[WorkerChannel] = self._loop.create_future()
        if (worker := self._pop_standby()) is not None:
            future.set_result(worker)
            # Refilled only after the caller has used the worker: the new one takes processor time.
            self._loop.call_later(0.05, self.refill)
        else:
            self._wanted.append(future)
            self.refill()
        return future

    def _pop_standby(self) -> WorkerChannel | None:
        while self._standby:
            worker = self._standby.pop()
            if worker.is_alive:
                # Another process may have suspended it.
                worker.resume()
                return worker
            # It was killed a moment ago: its channel has not noticed yet.
            self._leaving.add(worker)
        return None

    def refill(self) -> None:
        """Start as many workers as are missing."""
        if self._closing:
            return
        self._wanted = deque(future for future in self._wanted if not future.done())
        missing = len(self._wanted) + self._size - len(self._standby) - len(self._starting)
        if self.fault is not None and not self._starting:
            # Even if no worker is needed: only a start shows that the fault is over.
            missing = max(missing, 1)
        for _ in range(missing):
            self._made += 1
            start = self._loop.create_task(self._starter.start(f"worker-{self._made}", ScriptWorker))
            self._starting.add(start)
            start.add_done_callback(self._on_started)

    def _on_started(self, start: "asyncio.Task[WorkerChannel]") -> None:
        self._starting.discard(start)
        if (error := start.exception()) is not None:
            self._on_failure(error)
            return
        channel = start.result()
        channel.open(_Standby(self, channel))
        self._retries.reset()
        self.fault = None
        while self._wanted:
            future = self._wanted.popleft()
            if not future.done():
                future.set_result(channel)
                break
        else:
            self.give_back(channel)
        self._on_change()

    def _on_failure(self, error: BaseException) -> None:
        """Fail the request that waits for this worker, and try again later."""
        LOGGER.error("A worker could not be started: %s", error)
        self.fault = f"Scripts cannot be run: no process could be started for them ({error})"
        while len(self._wanted) > len(self._starting):
            future = self._wanted.popleft()
            if not future.done():
                future.set_exception(error)
        self._retry_later()
        self._on_change()

    def _retry_later(self) -> None:
        """Try again to be complete, each time after a longer delay."""
        self._loop.call_later(next(self._retries), self.refill)

    def standby_ended(self, channel: WorkerChannel, how: str) -> None:
        """Replace a worker that has ended while on standby."""
        self._leaving.discard(channel)
        if channel not in self._standby:
            return
        self._standby.remove(channel)
        if not self._closing:
            LOGGER.warning("A standby worker has ended. %s", how)
            self._retry_later()
        self._on_change()

    def give_back(self, channel: WorkerChannel) -> None:
        """Take back a worker that was not used."""
        channel.hand_over(_Standby(self, channel))
        if self._closing or len(self._standby) >= self._size:
            self._discard(channel)
        else:
            self._standby.append(channel)
            self._on_change()

    def _discard(self, channel: WorkerChannel) -> None:
        """End a worker that is not needed."""
        self._leaving.add(channel)
        channel.kill()

    async def close(self) -> None:
        """End the standby workers, and wait until all have ended."""
        self._closing = True
        # Those that are being started come too late to be of use, and are discarded when they are ready.
        await asyncio.gather(*self._starting, return_exceptions=True)
        for channel in self._standby:
            self._discard(channel)
        await asyncio.gather(*(channel.ended for channel in self._leaving))


class _Standby:
    """Owner of a worker while it is on standby."""

    def __init__(self, pool: WorkerPool, channel: WorkerChannel) -> None:
        self._pool = pool
        self._channel = channel

    def received(self, message: EventMessage) -> None:
        LOGGER.warning("A standby worker says %s", message.msg_type)

    def together(self) -> AbstractContextManager[object]:
        return nullcontext()

    def congestion(self) -> None:
        return None

    def wrote(self, data: bytes) -> None:
        # Output without a procedure: it belongs into the server's log.
        LOGGER.info("A standby worker writes: %s", data.decode("utf-8", "replace").rstrip(os.linesep))

    def exited(self, how: str) -> None:
        self._pool.standby_ended(self._channel, how)
