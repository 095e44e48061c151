"""Processes that exchange messages: well-behaved children, one private pipe per direction each.

The names follow Pamela McA'Nulty's article on multiprocessing, which the OET has used from its
beginning: a `MainContext` owns a `Proc` for each child process, in which a `ProcWorker` runs. What
differs is what lies beneath. Children come from a forkserver, for a multi-threaded parent must not
be forked. No queue, lock or semaphore is shared between two children, so that a child that is
killed at any instruction can block nobody else. Messages are JSON text, one line each.

Nothing here knows of scripts.
"""

from .context import MainContext
from .encoding import MessageTooLarge
from .forkserver import forkserver_context
from .messages import EventMessage
from .proc import Proc, StartupError
from .queues import MPQueue
from .shared_event import SharedEvent
from .signals import SignalObject, TerminateInterrupt, default_signal_handler, init_signals
from .workers import ProcWorker, QueueProcWorker, TimerProcWorker, proc_worker_wrapper

__all__ = [
    "EventMessage",
    "MPQueue",
    "MainContext",
    "MessageTooLarge",
    "Proc",
    "ProcWorker",
    "QueueProcWorker",
    "SharedEvent",
    "SignalObject",
    "StartupError",
    "TerminateInterrupt",
    "TimerProcWorker",
    "default_signal_handler",
    "forkserver_context",
    "init_signals",
    "proc_worker_wrapper",
]
