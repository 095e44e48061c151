"""The server's end of the connection to one worker.

Everything here runs in the thread of the message loop, but for the clean-up after a worker's end.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

from ska_oso_oet.mptools import EventMessage, PipeQueue, WorkerContext, WorkerProcess, posix
from ska_oso_oet.mptools.encoding import MAX_MESSAGE, decode, encode

from ..worker.messages import DISCONNECTED_STATUS

LOGGER = logging.getLogger(__name__)

# Bytes that are read from one pipe before the others are read.
_CHUNK = 1 << 18
# Bytes that a worker that has ended may still have in its pipes: a generous bound.
_MAX_REST = 1 << 23
# How many faulty messages of one worker are logged; all are counted.
_MAX_LOGGED = 10
# Seconds between a worker's pipe being closed and its end, if the end closed the pipe.
_END_DELAY = 1.0
_DISCONNECTED = (
    "The script has closed the connection between its process and the OET. Its process was ended, because "
    "it could no longer be observed. Close only descriptors that the script has opened."
)
_GUARDIAN_LOST = (
    "The server of all scripts' processes was ended from outside, and the script's process with it. "
    "Another one is started: create the procedure again."
)


class WorkerOwner(Protocol):
    """Callback interface for the messages, the output and the end of a worker."""

    def received(self, message: EventMessage) -> None:
        """The worker has sent a message."""

    def together(self) -> AbstractContextManager[object]:
        """Return a context for messages that are received at the same time."""

    def congestion(self) -> "Future[None] | None":
        """Return a future to wait for before more is read from the worker, None if reading may continue.

        It may be done in any thread.
        """

    def wrote(self, data: bytes) -> None:
        """The worker's script has written output."""

    def exited(self, how: str) -> None:
        """The worker has ended; nothing more will come from it, or from what it started.

        :param how: a sentence, for people, that says how its process has ended
        """


class WorkerChannel:
    """Connection to one worker: sends and receives messages, and reports its end.

    :param context: the context that the worker was made in
    :param proc: the worker's process
    :param inbox: queue of messages to the worker
    :param output: pipe that the worker's standard output comes from
    :param executor: runs what may take a while
    """

    def __init__(
        self,
        context: WorkerContext,
        proc: WorkerProcess,
        inbox: PipeQueue,
        output: Connection,
        executor: Executor,
    ) -> None:
        self._context = context
        self._proc = proc
        self._inbox = inbox
        self._output = output
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._partial = b""
        self._unsent = b""
        self._owner: WorkerOwner | None = None
        self._disconnected = False
        self._exited = False
        self._unhandled = 0
        self.ended: asyncio.Future[None] = self._loop.create_future()
        os.set_blocking(output.fileno(), False)

    @property
    def pid(self) -> int:
        """Process ID of the worker."""
        return self._proc.pid

    @property
    def is_alive(self) -> bool:
        """Whether the worker's process runs."""
        return not posix.is_gone(self.pid)

    @property
    def is_ending(self) -> bool:
        """Whether nothing of the worker can run any more, nor of what it has started; False after its end."""
        return not self._exited and posix.is_ending(self.pid)

    def resume(self) -> None:
        """Let the worker continue if it was suspended."""
        posix.send_signal(self.pid, signal.SIGCONT)

    def open(self, owner: WorkerOwner) -> None:
        """Begin to receive.

        :param owner: called with all that is received
        """
        self._owner = owner
        self._loop.add_reader(self._proc.event_q.fileno(), self._read_messages)
        self._loop.add_reader(self._output.fileno(), self._read_output)
        self._loop.add_reader(self._proc.sentinel, self._on_exit)

    def hand_over(self, owner: WorkerOwner) -> None:
        """Change the owner that is called from now on."""
        self._owner = owner

    # Sending

    def send(self, message: EventMessage) -> None:
        """Send a message, of any size, without ever waiting for the worker to read it."""
        waiting = bool(self._unsent)
        self._unsent += encode(message, limit=None)
        if not waiting:
            self._write()
            if self._unsent:
                self._loop.add_writer(self._inbox.writer.fileno(), self._continue)

    def _continue(self) -> None:
        self._write()
        if not self._unsent:
            self._loop.remove_writer(self._inbox.writer.fileno())

    def _write(self) -> None:
        try:
            sent = os.write(self._inbox.writer.fileno(), self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The worker has ended, or has closed its end: its exit, or the end of its messages, shows that.
            self._unsent = b""
            sent = 0
        self._unsent = self._unsent[sent:]

    def signal(self, number: int) -> None:
        """Send a signal to the worker's process."""
        if not self._exited:
            posix.send_signal(self.pid, number)

    def kill(self) -> None:
        """Kill the worker and all that descends from it."""
        # Its process ID may be another's by the time that all has been cleaned up.
        if not self._exited:
            self._proc.kill()

    # Receiving

    def _read_messages(self) -> None:
        fd = self._proc.event_q.fileno()
        if self._read(fd, self._split) is False:
            self._loop.remove_reader(fd)
            self._loop.call_later(_END_DELAY, self._kill_mute)
            return
        assert self._owner is not None, "reading begins in open()"  # noqa: S101
        if (congestion := self._owner.congestion()) is not None:
            # A script that publishes faster than events can be stored must wait: they would fill the memory.
            self._loop.remove_reader(fd)
            congestion.add_done_callback(self._resume_soon)

    def _resume_soon(self, _: Any) -> None:
        with suppress(RuntimeError):  # the loop may have ended meanwhile
            self._loop.call_soon_threadsafe(self._resume)

    def _resume(self) -> None:
        if not self._exited:
            self._loop.add_reader(self._proc.event_q.fileno(), self._read_messages)

    def _read_output(self) -> None:
        fd = self._output.fileno()
        if self._read(fd, self._forward_output) is False:
            self._loop.remove_reader(fd)

    @staticmethod
    def _read(fd: int, handle: Callable[[bytes], None]) -> bool | None:
        """Read once and handle what came. None if there is nothing now, False if there never will be."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return None
        if data:
            handle(data)
        return bool(data)

    def _split(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_MESSAGE:
            LOGGER.error("Worker %d sends a message that does not end; it is dropped", self.pid)
            self._partial = b""
        assert self._owner is not None, "reading begins in open()"  # noqa: S101
        with self._owner.together():
            for line in lines:
                self._forward_message(line)

    def _forward_message(self, line: bytes) -> None:
        assert self._owner is not None, "reading begins in open()"  # noqa: S101
        try:
            self._owner.received(decode(line))
        except Exception:
            # One message must never end the reading of others: log it, and continue.
            self._unhandled += 1
            if self._unhandled <= _MAX_LOGGED:
                LOGGER.exception("A message of worker %d could not be handled: %r", self.pid, line[:2000])

    def _forward_output(self, data: bytes) -> None:
        assert self._owner is not None, "reading begins in open()"  # noqa: S101
        try:
            self._owner.wrote(data)
        except Exception:
            LOGGER.exception("Output of worker %d could not be handled", self.pid)

    def _kill_mute(self) -> None:
        """Kill a worker that has closed its connection: it can no longer be observed."""
        if not self._exited:
            LOGGER.warning("Worker %d has closed its connection: killing it", self.pid)
            self._disconnected = True
            self.kill()

    # The end

    def _on_exit(self) -> None:
        self._exited = True
        self._loop.remove_reader(self._proc.sentinel)
        self._drain_all()
        run_in_background(self._conclude(), f"Cleaning up after worker {self.pid}")

    def _describe_end(self) -> str:
        if self._proc.has_lost_guardian:
            return _GUARDIAN_LOST
        status = self._proc.exitcode
        return _DISCONNECTED if self._disconnected and status == -signal.SIGKILL else describe_exit(status)

    def drain_output(self) -> None:
        """Read what has been written up to now."""
        self._drain(self._output.fileno(), self._forward_output)

    def _drain(self, fd: int, handle: Callable[[bytes], None]) -> None:
        rounds = _MAX_REST // _CHUNK
        while rounds and self._read(fd, handle):
            rounds -= 1

    def _drain_all(self) -> None:
        """Read what the worker has left in its pipes."""
        self.drain_output()
        self._drain(self._proc.event_q.fileno(), self._split)

    async def _conclude(self) -> None:
        """Clean up after the worker, then report its end to its owner."""
        # Processes of the script may still be writing, until they are killed here.
        try:
            if not self._proc.forget():
                await self._loop.run_in_executor(self._executor, self._proc.kill_orphans)
        except Exception:
            # Remaining processes must not delay the end of the procedure.
            LOGGER.exception("Processes that worker %d has left behind could not be ended", self.pid)
        self._drain_all()
        if self._unhandled > _MAX_LOGGED:
            LOGGER.error("%d messages of worker %d could not be handled", self._unhandled, self.pid)
        assert self._owner is not None, "reading begins in open()"  # noqa: S101
        try:
            self._owner.exited(self._describe_end())
        except Exception:
            LOGGER.exception("The end of worker %d could not be handled", self.pid)
        # The end must be reported after any failure: callers wait for it.
        self._loop.call_soon(self.ended.set_result, None)
        self._close()

    def _close(self) -> None:
        self._loop.remove_writer(self._inbox.writer.fileno())
        self._loop.remove_reader(self._proc.event_q.fileno())
        self._loop.remove_reader(self._output.fileno())
        self._output.close()
        self._context.release(self._proc)


def describe_exit(status: int | None) -> str:
    """Describe for people how a process has ended.

    :param status: exit status, minus the signal's number if one ended it
    """
    if status is None:
        return "The script's process has vanished."
    if status == DISCONNECTED_STATUS:
        return _DISCONNECTED
    if status < 0:
        number = -status
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        hint = "; the kernel also sends SIGKILL when memory runs short" if number == signal.SIGKILL else ""
        return f"The script's process was ended by {name} (signal {number}){hint}."
    return f"The script's process has ended by itself with exit status {status}."


def run_in_background(work: Coroutine[Any, Any, None], what: str) -> None:
    """Run a coroutine as a task of the running loop. If it fails, that is logged.

    :param work: the coroutine
    :param what: what it does, for the log
    """

    def report(task: "asyncio.Task[None]") -> None:
        _background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.error("%s failed", what, exc_info=error)

    task = asyncio.get_running_loop().create_task(work)
    # The loop itself keeps only weak references.
    _background.add(task)
    task.add_done_callback(report)


_background: set["asyncio.Task[None]"] = set()
