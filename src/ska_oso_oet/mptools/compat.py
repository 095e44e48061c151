"""The documented interface of this package, as far as the OET itself does not need it.

The OET gives each of its workers pipes of its own. Users of this package may share one queue between many
workers, wait for any kind of event, and stop all that a context has started. They pay for it with locks
that workers share: a worker that is killed while it uses a queue may block the others.
"""

import logging
import multiprocessing
import queue
import threading
import time
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from multiprocessing.queues import Queue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .pipe_queue import MessageQueue
from .shared_event import Event, SharedEvent
from .worker_context import WorkerContext
from .worker_process import WorkerProcess
from .workers import ProcWorker

if TYPE_CHECKING:
    _Queue = Queue[Any]
else:
    _Queue = Queue

LOGGER = logging.getLogger(__name__)

_EVENT_PERIOD = 0.02
"""Seconds between two checks of an event that has no descriptor to wait for."""

_ARRIVAL_TIME = 0.02
_MAX_ARRIVAL_TIME = 1.0
"""Seconds in which a message arrives that another thread or process is still writing."""


class MPQueue(_Queue):
    """A `multiprocessing.Queue` with methods that return booleans or None where others raise.

    Any number of processes may write to it and read from it.

    :param maxsize: how many messages may wait, 0 for any number
    :param ctx: multiprocessing context that the processes come from
    """

    def __init__(self, maxsize: int = 0, *, ctx: BaseContext) -> None:
        # Locks of a fork context cannot be handed to children of another kind; those of others can.
        forks = ctx.get_start_method() == "fork"
        super().__init__(maxsize, ctx=multiprocessing.get_context("forkserver") if forks else ctx)

    def fileno(self) -> int:
        """Return the descriptor to wait at for messages."""
        return int(self._reader.fileno())  # type: ignore[attr-defined]

    def safe_put(self, item: Any, timeout: float | None = 0.02) -> bool:
        """Add a message if there is space for it.

        :param timeout: seconds to wait for space; None does not wait
        :returns: whether it was added
        """
        try:
            self.put(item, block=timeout is not None, timeout=timeout)
        except (queue.Full, ValueError):
            return False
        return True

    def safe_get(self, timeout: float | None = 0.02) -> Any:
        """Remove and return the next message, or None if there is none.

        :param timeout: seconds to wait for a message; None does not wait
        """
        try:
            return self.get(block=timeout is not None, timeout=timeout)
        except (queue.Empty, EOFError, OSError, ValueError):
            return None

    def drain(self) -> Iterator[Any]:
        """Remove all messages that are there or about to arrive, yielding each."""
        deadline = time.monotonic() + _MAX_ARRIVAL_TIME
        while True:
            try:
                item = self.get(timeout=_ARRIVAL_TIME)
            except queue.Empty:
                # Messages pass through a thread of the process that has put them.
                if self.empty() and (self.qsize() <= 0 or time.monotonic() > deadline):
                    return
            except (EOFError, OSError, ValueError):
                return
            else:
                yield item
                deadline = time.monotonic() + _MAX_ARRIVAL_TIME

    def close(self) -> None:
        """Close this process's ends of the queue; what it has put is still written."""
        super().close()
        if self._thread is None:  # type: ignore[attr-defined]
            # Otherwise, the thread that writes closes them in the end.
            self._reader.close()  # type: ignore[attr-defined]
            self._writer.close()  # type: ignore[attr-defined]

    def safe_close(self) -> int:
        """Remove all messages and close this process's ends of the queue.

        :returns: how many messages were removed
        """
        removed = sum(1 for _ in self.drain())
        self.close()
        self.join_thread()
        return removed


class _EventLink:
    """Keeps an event and a `SharedEvent` in step: as soon as one of them is set, so is the other.

    :param event: an event that cannot be handed to every process
    """

    def __init__(self, event: Event) -> None:
        self.shared = SharedEvent()
        self._event = event
        self._closed = threading.Event()
        if event.is_set():
            self.shared.set()
        self._thread = threading.Thread(target=self._follow, name="mptools-event", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._closed.is_set():
            if self._event.is_set():
                self.shared.set()
                return
            if self.shared.wait(_EVENT_PERIOD):
                self._event.set()
                return

    def close(self) -> None:
        """Keep them in step no longer."""
        self._closed.set()
        self._thread.join()
        if self.shared.is_set():
            self._event.set()


class Proc(WorkerProcess):
    """A child process, and the worker that runs in it: starts it, and ends it.

    Constructing a Proc starts the child and waits until the worker has completed its start-up.

    :param mp: multiprocessing context that starts the process
    :param name: name of the worker
    :param worker_class: class of the worker, in a module that the child can import
    :param shutdown_event: event that asks the worker to end, of `multiprocessing`, `threading` or this
        package; the worker may set it, too
    :param event_q: queue for messages from the worker; several workers may have the same
    :param args: further arguments of the worker's class
    :param logging_config: configuration in the form of `logging.config.dictConfig`
    :raises StartupError: if the worker did not complete its start-up
    """

    def __init__(
        self,
        mp: BaseContext,
        name: str,
        worker_class: type[ProcWorker],
        shutdown_event: Event,
        event_q: MessageQueue,
        *args: Any,
        logging_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._link: _EventLink | None = None
        if isinstance(shutdown_event, SharedEvent):
            shared = shutdown_event
        else:
            self._link = _EventLink(shutdown_event)
            shared = self._link.shared
        try:
            super().__init__(
                mp, name, worker_class, shared, event_q, *args, logging_config=logging_config, **kwargs
            )
        except BaseException:
            self._unlink()
            raise

    def full_stop(self, wait_time: float | None = None) -> None:
        """End the worker: ask it to by the shutdown event, then by signals.

        :param wait_time: seconds that it is given to end by itself; by default `SHUTDOWN_WAIT_SECS`
        """
        super().full_stop(wait_time)
        self._unlink()

    def close(self) -> None:
        """Close the descriptors of a child that has ended."""
        super().close()
        self._unlink()

    def _unlink(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


class MainContext(WorkerContext):
    """Parent of a set of workers that share an event queue: makes them and their queues, and stops them.

    As a context manager it stops all on leaving.

    :param mp_ctx: multiprocessing context, by default one whose children come from a forkserver
    """

    STOP_WAIT_SECS = 3.0

    def __init__(self, mp_ctx: BaseContext | None = None) -> None:
        super().__init__(mp_ctx)
        self._shared_queues: list[MPQueue] = []
        self.event_queue = self.MPQueue()
        """Holds the messages of all workers that `Proc` starts."""

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

    def MPQueue(self, *args: Any, **kwargs: Any) -> MPQueue:  # noqa: N802
        """Create a message queue that this context closes in the end.

        :param args: arguments of `MPQueue`
        """
        made = MPQueue(*args, ctx=self.mp_ctx, **kwargs)
        with self._lock:
            self._shared_queues.append(made)
        return made

    def Proc(self, name: str, worker_class: type[ProcWorker], *args: Any, **kwargs: Any) -> Proc:  # noqa: N802
        """Start a worker process that this context stops in the end. It writes to `event_queue`.

        :param name: name of the worker
        :param worker_class: class of the worker
        :param args: further arguments of the worker's class
        :raises StartupError: if the worker did not complete its start-up, or this context is closed
        """
        proc = Proc(self.mp_ctx, name, worker_class, self.shutdown_event, self.event_queue, *args, **kwargs)
        self._add(proc)
        return proc

    def stop_procs(self) -> tuple[int, int]:
        """Stop all workers: ask all by the shutdown event, then end by signals those that continue.

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
        removed += sum(known.safe_close() for known in self._shared_queues)
        self.queues.clear()
        self._shared_queues.clear()
        return removed
