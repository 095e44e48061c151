"""The parent's view of one child process."""

import logging
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

from . import forkserver, posix
from .pipe_queue import MessageQueue, PipeQueue
from .shared_event import SharedEvent
from .workers import ProcWorker, proc_worker_wrapper

LOGGER = logging.getLogger(__name__)


class StartupError(RuntimeError):
    """A worker did not complete its start-up."""


class WorkerProcess:
    """A child process, and the worker that runs in it: starts it, and ends it.

    Constructing an instance starts the child and waits until the worker has completed its start-up.

    :param mp: multiprocessing context that starts the process
    :param name: name of the worker
    :param worker_class: class of the worker, in a module that the child can import
    :param shutdown_event: event that asks the worker to end; one event may be given to many workers
    :param event_q: queue for messages from the worker; a PipeQueue is for one worker only
    :param args: further arguments of the worker's class; a PipeQueue among them carries messages to it
    :param logging_config: configuration in the form of `logging.config.dictConfig`
    :raises StartupError: if the worker did not complete its start-up
    """

    STARTUP_WAIT_SECS = 30.0
    SHUTDOWN_WAIT_SECS = 3.0

    def __init__(
        self,
        mp: BaseContext,
        name: str,
        worker_class: type[ProcWorker],
        shutdown_event: SharedEvent,
        event_q: MessageQueue,
        *args: Any,
        logging_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name
        self.shutdown_event = shutdown_event
        self.startup_event = SharedEvent()
        self.event_q = event_q
        self._guardian: int | None = None
        inboxes = [argument for argument in args if isinstance(argument, PipeQueue)]
        outboxes = [event_q] if isinstance(event_q, PipeQueue) else []
        self.pipes = [*outboxes, *inboxes]
        self.proc = mp.Process(  # type: ignore[attr-defined]
            target=proc_worker_wrapper,
            name=name,
            args=(worker_class, name, self.startup_event, shutdown_event, event_q, *args),
            kwargs={"logging_config": logging_config, **kwargs},
            # A parent that exits without having stopped its children must not wait for them.
            daemon=True,
        )
        failure = self._start() or self._await_startup()
        if failure is not None:
            self.proc.close()
            self.startup_event.close()
            raise StartupError(f"{self.name} {failure}")
        self.startup_event.close()  # a descriptor less while the worker lives
        for outbox in outboxes:
            outbox.close_writer()
        for inbox in inboxes:
            inbox.close_reader()

    def _start(self) -> str | None:
        """Start the child. Returns why that failed: an exception would keep its descriptors open."""
        try:
            forkserver.start(self.proc)
        except (EOFError, ConnectionError):
            return (
                "could not be started: the system refuses a process, because it has too many or lacks memory"
            )
        except OSError as error:
            return f"could not be started: {error}"
        self._guardian = forkserver.guardian_pid()
        return None

    def _await_startup(self) -> str | None:
        """Wait until the worker has completed its start-up. Returns why it did not."""
        wait([self.startup_event, self.proc.sentinel], self.STARTUP_WAIT_SECS)  # type: ignore[list-item]
        if self.startup_event.is_set():
            return None
        how = "ended" if not self.proc.is_alive() else f"was silent for {self.STARTUP_WAIT_SECS:g} s"
        self.terminate()
        self.kill_orphans()
        return f"{how} during its start-up (exit status {self.proc.exitcode})"

    @property
    def pid(self) -> int:
        """Process ID of the child."""
        pid = self.proc.pid
        assert pid is not None, "the constructor has started the process"  # noqa: S101
        return int(pid)

    @property
    def sentinel(self) -> int:
        """Descriptor that becomes readable when the child has ended."""
        return int(self.proc.sentinel)

    @property
    def exitcode(self) -> int | None:
        """Exit status of the child, minus the signal's number if one ended it, None while it lives."""
        status: int | None = self.proc.exitcode
        return status

    @property
    def has_lost_guardian(self) -> bool:
        """Whether the forkserver that the child came from has ended, and the child with it."""
        return self._guardian is not None and posix.is_gone(self._guardian)

    def is_alive(self) -> bool:
        """Return whether the child is running."""
        return bool(self.proc.is_alive())

    def full_stop(self, wait_time: float | None = None) -> None:
        """End the worker: ask it to by the shutdown event, then by signals.

        :param wait_time: seconds that it is given to end by itself; by default `SHUTDOWN_WAIT_SECS`
        """
        self.shutdown_event.set()
        self.proc.join(self.SHUTDOWN_WAIT_SECS if wait_time is None else wait_time)
        if self.proc.is_alive():
            self.terminate()

    def terminate(self, max_retries: int = 3, timeout: float = 0.1) -> bool:
        """End the child by SIGTERM, and by SIGKILL if that has no effect.

        :param max_retries: how many times SIGTERM is sent
        :param timeout: seconds to wait after each
        :returns: whether the child has ended
        """
        for _ in range(max_retries):
            if not self.proc.is_alive():
                return True
            self.proc.terminate()
            self.proc.join(timeout)
        if self.proc.is_alive():
            LOGGER.warning("%s (process %s) did not end after SIGTERM: killing it", self.name, self.proc.pid)
            self.kill()
            self.proc.join()
        return True

    def kill(self) -> None:
        """Send SIGKILL to the child and to all that descends from it."""
        posix.kill_tree(self.pid)

    def forget(self) -> bool:
        """Return whether a child that has ended is certain to have left no process behind.

        Takes microseconds. If it is not certain, call `kill_orphans`, which may wait.
        """
        return forkserver.forget(self.pid)

    def kill_orphans(self) -> None:
        """Kill what a child that has ended has left behind."""
        forkserver.kill_orphans(self.pid)

    def close(self) -> None:
        """Close the descriptors of a child that has ended, and its own queues."""
        self.proc.close()
        self.startup_event.close()
        for pipe in self.pipes:
            pipe.safe_close()
