"""Starter of worker processes: a few threads that are started in advance and serve all controllers."""

import asyncio
import functools
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from ska_oso_oet.mptools import PipeQueue, QueueProcWorker, WorkerContext, WorkerProcess
from ska_oso_oet.mptools.thread_pool import SharedPool

from .channel import WorkerChannel

_STARTS = 2
"""How many processes are started at the same time: that is work for the processor, and takes milliseconds."""

_STARTING_THREADS = 2 * _STARTS
"""Threads of all controllers of this process: starts of one that hang do not delay the others."""

_CLEANING_THREADS = 2
"""Threads for cleaning up after workers that have ended, which must not wait for the start of others."""


class WorkerEnds(NamedTuple):
    """The server's ends of a worker.

    :param proc: its process
    :param inbox: queue of messages to it
    :param output: pipe that its standard output comes from
    """

    proc: WorkerProcess
    inbox: PipeQueue
    output: Connection


def start_worker(
    context: WorkerContext, name: str, worker_class: type[QueueProcWorker], *args: Any
) -> WorkerEnds:
    """Start a worker whose output is captured. Takes milliseconds, the first time much longer.

    :param context: starts the worker
    :param name: name of the worker
    :param worker_class: its class, which takes an ``output``
    :param args: further arguments of its class
    :raises StartupError: if it cannot be started
    """
    with ExitStack() as undo:
        output, worker_output = context.mp_ctx.Pipe(duplex=False)
        undo.callback(output.close)
        with worker_output:
            inbox = context.make_queue()
            undo.callback(context.drop, inbox)
            proc = context.start(name, worker_class, inbox, *args, output=worker_output)
        undo.pop_all()
    return WorkerEnds(proc, inbox, output)


class WorkerStarter:
    """Starts workers for the message loop, and provides the threads for their clean-up.

    Its threads run from the beginning: scripts can be started and stopped on a machine that grants no more.

    :param context: starts the worker processes
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._starting = SharedPool(_STARTING_THREADS, "oet-starts")
        self._cleaning = SharedPool(_CLEANING_THREADS, "oet-ends")
        self._starts = asyncio.Semaphore(_STARTS)

    async def start(self, name: str, worker_class: type[QueueProcWorker], *args: Any) -> WorkerChannel:
        """Start a worker, and return the connection to it.

        :param name: name of the worker
        :param worker_class: its class, which takes an ``output``
        :param args: further arguments of its class
        :raises StartupError: if it cannot be started
        """
        start = functools.partial(start_worker, self._context, name, worker_class, *args)
        async with self._starts:
            ends = await asyncio.get_running_loop().run_in_executor(self._starting, start)
        return WorkerChannel(self._context, *ends, self._cleaning)

    def close(self) -> None:
        """Begin no further jobs. The threads end after their present jobs, unless others use them."""
        self._starting.shutdown(wait=False)
        self._cleaning.shutdown(wait=False)
