"""The parent of a set of worker processes."""

import threading
from multiprocessing.context import BaseContext
from typing import Any

from .forkserver import forkserver_context
from .pipe_queue import PipeQueue
from .shared_event import SharedEvent
from .worker_process import StartupError, WorkerProcess
from .workers import ProcWorker


class WorkerContext:
    """Starts worker processes, each with an event queue of its own, and creates the queues to them.

    :param mp_ctx: multiprocessing context, by default one whose children come from a forkserver
    """

    def __init__(self, mp_ctx: BaseContext | None = None) -> None:
        self.mp_ctx = mp_ctx if mp_ctx is not None else forkserver_context()
        self.shutdown_event = SharedEvent()
        # Workers may be started and released by several threads.
        self._lock = threading.Lock()
        self.procs: list[WorkerProcess] = []
        self.queues: list[PipeQueue] = []
        self._closed = False

    def close(self) -> None:
        """Close this context's own descriptor, and kill the workers that are left.

        No worker can be started afterwards. One that is being started is killed when its start is complete.
        """
        with self._lock:
            self._closed = True
            for proc in self.procs:
                if proc.is_alive():
                    proc.kill()
        self.shutdown_event.close()

    def make_queue(self) -> PipeQueue:
        """Create a queue for messages to one worker."""
        made = PipeQueue(ctx=self.mp_ctx)
        with self._lock:
            self.queues.append(made)
        return made

    def drop(self, queue: PipeQueue) -> None:
        """Close a queue, and forget it."""
        queue.safe_close()
        with self._lock:
            self.queues.remove(queue)

    def start(self, name: str, worker_class: type[ProcWorker], *args: Any, **kwargs: Any) -> WorkerProcess:
        """Start a worker process that has an event queue of its own.

        :param name: name of the worker
        :param worker_class: class of the worker
        :param args: further arguments of the worker's class
        :raises StartupError: if the worker did not complete its start-up, or this context is closed
        """
        event_q = PipeQueue(ctx=self.mp_ctx)
        try:
            proc = WorkerProcess(
                self.mp_ctx, name, worker_class, self.shutdown_event, event_q, *args, **kwargs
            )
        except BaseException:
            event_q.safe_close()
            raise
        self._add(proc)
        return proc

    def _add(self, proc: WorkerProcess) -> None:
        """Add a worker that has been started.

        :raises StartupError: if this context was closed meanwhile; the worker is ended
        """
        with self._lock:
            if not self._closed:
                self.procs.append(proc)
                return
        proc.kill()
        proc.proc.join()
        proc.kill_orphans()
        proc.close()
        raise StartupError(f"{proc.name} was started too late: what had asked for it has ended")

    def release(self, proc: WorkerProcess) -> None:
        """Close the descriptors of a worker that has ended, and forget it."""
        with self._lock:
            self.procs.remove(proc)
            self.queues = [known for known in self.queues if known not in proc.pipes]
        proc.close()
