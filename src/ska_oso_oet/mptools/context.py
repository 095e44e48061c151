"""The parent of a set of worker processes."""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any, Self

from .forkserver import forkserver_context
from .proc import Proc as _Proc
from .queues import MPQueue as _MPQueue
from .shared_event import SharedEvent
from .workers import ProcWorker

LOGGER = logging.getLogger(__name__)


class MainContext:
    """Parent context of a set of worker processes: makes them and their queues, and ends them.

    As a context manager it stops all on leaving.

    :param mp_ctx: multiprocessing context, by default one whose children come from a forkserver
    """

    STOP_WAIT_SECS = 3.0

    def __init__(self, mp_ctx: BaseContext | None = None) -> None:
        self.mp_ctx = mp_ctx if mp_ctx is not None else forkserver_context()
        self.shutdown_event = SharedEvent()
        # Workers may be started and released by several threads.
        self._lock = threading.Lock()
        self.procs: list[_Proc] = []
        self.queues: list[_MPQueue] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        failed, terminated = self.stop_procs()
        if failed or terminated:
            LOGGER.warning("%d workers failed, %d had to be terminated", failed, terminated)
        self.stop_queues()
        self.close()

    def close(self) -> None:
        """Let go of this context's own descriptor. No worker can be made afterwards."""
        self.shutdown_event.close()

    def MPQueue(self, *args: Any, **kwargs: Any) -> _MPQueue:  # noqa: N802
        """Create a message queue that this context closes in the end.

        :param args: arguments of `MPQueue`
        """
        made = _MPQueue(*args, ctx=self.mp_ctx, **kwargs)
        with self._lock:
            self.queues.append(made)
        return made

    def drop(self, queue: _MPQueue) -> None:
        """Close a queue, and forget it."""
        queue.safe_close()
        with self._lock:
            self.queues.remove(queue)

    def Proc(self, name: str, worker_class: type[ProcWorker], *args: Any, **kwargs: Any) -> _Proc:  # noqa: N802
        """Start a worker process that this context stops in the end. It has an event queue of its own.

        :param name: name of the worker
        :param worker_class: class of the worker
        :param args: further arguments of the worker's class
        :raises StartupError: if the worker did not complete its start-up
        """
        event_q = _MPQueue(ctx=self.mp_ctx)
        try:
            proc = _Proc(self.mp_ctx, name, worker_class, self.shutdown_event, event_q, *args, **kwargs)
        except BaseException:
            event_q.safe_close()
            raise
        with self._lock:
            self.procs.append(proc)
        return proc

    def release(self, proc: _Proc) -> None:
        """Let go of a worker that has ended, and of its descriptors."""
        proc.close()
        with self._lock:
            self.procs.remove(proc)
            self.queues = [known for known in self.queues if known not in proc.inboxes]

    def messages(self, timeout: float | None = None) -> Iterator[Any]:
        """Yield the messages of all workers as they come, until `timeout` seconds bring none or all ended.

        :param timeout: seconds to wait for a message; None waits for ever
        """
        open_queues = [proc.event_q for proc in self.procs]
        while open_queues:
            ready: list[Any] = wait(open_queues, timeout)  # type: ignore[arg-type]
            if not ready:
                return
            for event_q in list(open_queues):
                if event_q in ready:
                    yield from event_q.drain()
                    try:
                        yield event_q.get(block=False)
                    except EOFError:
                        open_queues.remove(event_q)
                    except (queue.Empty, ValueError):
                        pass

    def stop_procs(self) -> tuple[int, int]:
        """Stop all workers: ask all by the shutdown event, then end by force those that go on.

        All of them together are given `STOP_WAIT_SECS` to end by themselves.

        :returns: how many workers had a non-zero exit status, and how many had to be terminated
        """
        self.shutdown_event.set()
        deadline = time.monotonic() + self.STOP_WAIT_SECS
        failed = terminated = 0
        for proc in list(self.procs):
            proc.proc.join(max(0.0, deadline - time.monotonic()))
            if proc.is_alive():
                terminated += 1
                proc.terminate()
            elif proc.exitcode:
                failed += 1
            proc.kill_orphans()
            self.release(proc)
        return failed, terminated

    def stop_queues(self) -> int:
        """Drain and close all queues.

        :returns: how many messages were removed
        """
        removed = sum(known.safe_close() for known in self.queues)
        self.queues.clear()
        return removed
