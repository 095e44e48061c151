"""Templates for code that runs in a child process, with start-up, signals and shutdown."""

import logging
import logging.config
import queue
import signal
import sys
import time
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from .forkserver import settle_child
from .pipe_queue import MessageQueue, PipeQueue
from .shared_event import Event
from .signals import SignalObject, default_signal_handler, init_signals

END = "END"
"""Message on a work queue that ends its worker."""

_SIGNAL_PERIOD = 1.0
"""Seconds after which the handler of a signal is called that did not end the wait for messages."""

_EVENT_PERIOD = 0.02
"""Seconds between two looks at an event that has no descriptor to wait for."""


class ProcWorker:
    """Template for code that runs in a child process: start-up, signals, main loop, shutdown.

    A subclass defines `main_loop`; when that returns, the worker ends.

    :param name: name of this worker
    :param startup_event: set once start-up is complete
    :param shutdown_event: set to ask this worker to end
    :param event_q: outbox for messages to the parent
    :param args: arguments of a subclass, given to `init_args`
    :param logging_config: configuration in the form of `logging.config.dictConfig`
    """

    def __init__(
        self,
        name: str,
        startup_event: Event,
        shutdown_event: Event,
        event_q: MessageQueue,
        *args: Any,
        logging_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name
        self.startup_event = startup_event
        self.shutdown_event = shutdown_event
        self.event_q = event_q
        self.terminate_called = 0
        self.log = logging.getLogger(name)
        if logging_config is not None:
            logging.config.dictConfig(logging_config)
        self.init_args(*args, **kwargs)

    def init_args(self, *args: Any, **kwargs: Any) -> None:
        """Receive the arguments that this class does not know itself.

        :raises ValueError: if there are any, unless a subclass takes them
        """
        if args or kwargs:
            raise ValueError(f"{type(self).__name__} does not take the arguments {args} {kwargs}")

    def init_signals(self) -> SignalObject:
        """Install the signal handlers of this worker, for SIGTERM and SIGINT.

        :returns: the object that the handlers are given
        """
        return init_signals(self.shutdown_event, self.int_handler, self.term_handler)

    @staticmethod
    def int_handler(
        signal_object: SignalObject,
        exception_class: type[BaseException],
        signal_num: int,
        current_stack_frame: FrameType | None,
    ) -> None:
        """Handle SIGINT; see `default_signal_handler`."""
        default_signal_handler(signal_object, exception_class, signal_num, current_stack_frame)

    @staticmethod
    def term_handler(
        signal_object: SignalObject,
        exception_class: type[BaseException],
        signal_num: int,
        current_stack_frame: FrameType | None,
    ) -> None:
        """Handle SIGTERM; see `default_signal_handler`."""
        default_signal_handler(signal_object, exception_class, signal_num, current_stack_frame)

    def startup(self) -> None:
        """Prepare for the main loop; for subclasses."""

    def main_loop(self) -> None:
        """Do the work; for subclasses."""

    def shutdown(self) -> None:
        """Clean up after the main loop; for subclasses."""

    def run(self) -> int:
        """Start up, run the main loop, shut down.

        :returns: exit status of the process: 0 if all went well
        """
        self.init_signals()
        try:
            self.startup()
            self.startup_event.set()
            self.main_loop()
        except KeyboardInterrupt:
            self.log.info("%s was ended by a signal", self.name)
            return 128 + signal.SIGTERM
        except Exception:
            self.log.exception("%s failed", self.name)
            return 1
        finally:
            self.shutdown()
        return 0


class TimerProcWorker(ProcWorker):
    """Calls `main_func` on a fixed cadence, until shutdown."""

    INTERVAL_SECS: float = 10.0
    MAX_SLEEP_SECS: float = 0.02
    """Kept for subclasses that name it: the shutdown event ends a wait at once, for any length."""

    def main_loop(self) -> None:
        """Call `main_func` every `INTERVAL_SECS` seconds; a call that takes longer delays the next one."""
        next_time = time.monotonic() + self.INTERVAL_SECS
        while not self.shutdown_event.wait(max(0.0, next_time - time.monotonic())):
            self.main_func()
            next_time = max(next_time + self.INTERVAL_SECS, time.monotonic())

    def main_func(self) -> None:
        """Do the periodic work; for subclasses."""
        raise TypeError(f"{type(self).__name__} has no main_func")


class QueueProcWorker(ProcWorker):
    """Calls `main_func` with every message received on its work queue.

    :param work_q: inbox of this worker
    """

    def __init__(
        self,
        name: str,
        startup_event: Event,
        shutdown_event: Event,
        event_q: MessageQueue,
        work_q: MessageQueue,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.work_q = work_q
        super().__init__(name, startup_event, shutdown_event, event_q, *args, **kwargs)

    def main_loop(self) -> None:
        """Deliver each message to `main_func`, until shutdown, the message `END`, or the sender's end."""
        while not self.shutdown_event.is_set():
            for item in self.work_q.drain():
                if item == END:
                    return
                self.main_func(item)
            if self._is_readable() and not self._receive():
                return

    def _is_readable(self) -> bool:
        """Wait until there may be a message or a shutdown. Returns whether there may be a message."""
        if hasattr(self.shutdown_event, "fileno"):
            # A signal that another thread gets, or that comes just before this waits, does not end the wait:
            # Python calls its handler afterwards.
            sources: list[Any] = [self.work_q, self.shutdown_event]
            ready: list[Any] = wait(sources, _SIGNAL_PERIOD)
            return self.work_q in ready
        # An event of another kind, where a worker is run by its caller's own process.
        return bool(wait([self.work_q], _EVENT_PERIOD))  # type: ignore[list-item]

    def _receive(self) -> bool:
        """Deliver one message. False if it was the last."""
        try:
            item = self.work_q.get(timeout=0)
        except EOFError:
            return False
        except queue.Empty:
            # Another reader of the same queue was faster.
            return True
        except Exception as error:
            # A message that cannot be read must not end the reader of those after it.
            self.log.warning("%s ignores a message that it cannot read: %s", self.name, error)
            return True
        if item == END:
            return False
        self.main_func(item)
        return True

    def main_func(self, item: Any) -> None:
        """Handle one message; for subclasses.

        :param item: the message
        """
        raise TypeError(f"{type(self).__name__} has no main_func")


def proc_worker_wrapper(
    proc_worker_class: type[ProcWorker],
    name: str,
    startup_evt: Event,
    shutdown_evt: Event,
    event_q: MessageQueue,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Run a worker: this is what a child process executes.

    :param proc_worker_class: class of the worker
    :param name: name of the worker
    :param startup_evt: see `ProcWorker`
    :param shutdown_evt: see `ProcWorker`
    :param event_q: see `ProcWorker`
    :param args: further arguments of the worker's class
    """
    settle_child()
    # Each side closes its copies of the other's ends, so that the end of either is seen by the other.
    if isinstance(event_q, PipeQueue):
        event_q.close_reader()
    for argument in args:
        if isinstance(argument, PipeQueue):
            argument.close_writer()
    worker = proc_worker_class(name, startup_evt, shutdown_evt, event_q, *args, **kwargs)
    sys.exit(worker.run())
