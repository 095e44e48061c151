"""Processes that exchange messages with their parent.

The names follow Pamela McA'Nulty's article on multiprocessing, which the OET has used from its
beginning: a `MainContext` owns a `Proc` for each child process, in which a `ProcWorker` runs.

The OET itself uses the leaner `WorkerContext` and `WorkerProcess`. Children come from a forkserver,
because a multi-threaded parent must not be forked. Each has its own `PipeQueue` for each direction. No
queue, lock or semaphore is shared between two children, so that a child that is killed at any instruction
cannot block another. Messages are JSON text, one line each.

This package does not depend on scripts.
"""

from .compat import MainContext, MPQueue, Proc
from .encoding import MessageTooLargeError
from .forkserver import forkserver_context
from .messages import EventMessage
from .pipe_queue import PipeQueue
from .shared_event import SharedEvent
from .signals import SignalObject, TerminateInterrupt, default_signal_handler, init_signals
from .worker_context import WorkerContext
from .worker_process import StartupError, WorkerProcess
from .workers import ProcWorker, QueueProcWorker, TimerProcWorker, proc_worker_wrapper

__all__ = [
    "EventMessage",
    "MPQueue",
    "MainContext",
    "MessageTooLargeError",
    "PipeQueue",
    "Proc",
    "ProcWorker",
    "QueueProcWorker",
    "SharedEvent",
    "SignalObject",
    "StartupError",
    "TerminateInterrupt",
    "TimerProcWorker",
    "WorkerContext",
    "WorkerProcess",
    "default_signal_handler",
    "forkserver_context",
    "init_signals",
    "proc_worker_wrapper",
]
