"""A message queue on a pipe: one process writes, another reads."""

import os
import queue
import select
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, Protocol, Self

from .encoding import MessageTooLargeError, decode, encode

_CHUNK = 1 << 16


class MessageQueue(Protocol):
    """Interface of all message queues, as far as workers use it."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is a message."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a message."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Remove and return the next message."""

    def safe_put(self, item: Any, timeout: float | None = 0.02) -> bool:
        """Add a message if there is space for it, and return whether it was added."""

    def safe_get(self, timeout: float | None = 0.02) -> Any:
        """Remove and return the next message, or None if there is none."""

    def drain(self) -> Iterator[Any]:
        """Remove all messages that are there, yielding each."""


def put_all(target: MessageQueue, items: Iterable[Any]) -> None:
    """Add messages to a queue of any kind; a `PipeQueue` takes them together.

    :param target: the queue
    :param items: the messages, in order
    """
    if isinstance(target, PipeQueue):
        target.put_all(items)
        return
    for item in items:
        target.put(item)


class PipeQueue:
    """A queue of messages between two processes, with methods that return booleans where others raise.

    It is a pipe: one process writes, one reads, and within each any thread may. It has no lock that a
    process could take with it when it is killed. When the writing process has ended, in any way, the
    reader gets `EOFError` at the end of what was written; so each side closes its copy of the other's end
    (`close_writer`, `close_reader`).

    :param maxsize: how many messages may wait, 0 for as many as the pipe holds
    :param ctx: multiprocessing context that makes the pipe
    """

    def __init__(self, maxsize: int = 0, *, ctx: BaseContext) -> None:
        reader, writer = ctx.Pipe(duplex=False)
        self._reader: Connection = reader
        self._writer: Connection = writer
        os.set_blocking(reader.fileno(), False)
        os.set_blocking(writer.fileno(), False)
        # Free slots are counted in the kernel, so that no lock is shared by the two processes.
        self._slots = os.eventfd(maxsize, os.EFD_NONBLOCK | os.EFD_SEMAPHORE) if maxsize > 0 else -1
        self._init_local()

    @classmethod
    def on(cls, *, reader: int | None = None, writer: int | None = None) -> Self:
        """Return the queue that this process has inherited from before it executed a program.

        :param reader: descriptor of the reading end, None where that belongs to another process
        :param writer: descriptor of the writing end, likewise
        """
        left = cls.__new__(cls)
        left.__setstate__((_end(reader, readable=True), _end(writer, readable=False), None))
        return left

    def _init_local(self) -> None:
        """Make what belongs to one process alone."""
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._lines: deque[bytes] = deque()
        self._partial = b""

    def fileno(self) -> int:
        """Return the descriptor to wait at for messages.

        Messages may also be waiting inside the queue: after it was readable, `get` until there are no more.
        """
        return self._reader.fileno()

    @property
    def reader(self) -> Connection:
        """The end that messages come out of."""
        return self._reader

    @property
    def writer(self) -> Connection:
        """The end that messages go into."""
        return self._writer

    def close_reader(self) -> None:
        """Close this process's copy of the reading end."""
        self._reader.close()

    def close_writer(self) -> None:
        """Close this process's copy of the writing end."""
        self._writer.close()

    # Writing

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add a message.

        :param item: an EventMessage or any value; see `encoding`
        :param block: wait for space
        :param timeout: seconds to wait at most for space to begin in; None waits forever. What has been
            begun is finished: of a message larger than the pipe, all but the end waits for the reader.
        :raises queue.Full: if there was no space in time; nothing was added
        :raises BrokenPipeError: if the reader has ended
        :raises MessageTooLargeError: if it is too large to be sent
        """
        self.put_line(encode(item), block, timeout)

    def put_all(self, items: Iterable[Any]) -> None:
        """Add messages, by one write unless their number is limited: the reader gets them together.

        See `put` for the exceptions.
        """
        lines = list(map(encode, items))
        for part in lines if self._slots >= 0 else [b"".join(lines)]:
            self.put_line(part)

    def put_line(self, line: bytes, block: bool = True, timeout: float | None = None) -> None:
        """Add messages that are encoded already: lines, each with its newline. See `put`."""
        deadline = _deadline(block, timeout)
        if not self._write_lock.acquire(timeout=_remaining(deadline, forever=-1)):
            raise queue.Full
        try:
            with self._slot(deadline):
                self._write(line, deadline)
        finally:
            self._write_lock.release()

    @contextmanager
    def _slot(self, deadline: float | None) -> Iterator[None]:
        """Take a slot; it stays free if nothing is put there."""
        if self._slots < 0:
            yield
            return
        if not _wait(self._slots, select.POLLIN, deadline):
            raise queue.Full
        os.eventfd_read(self._slots)
        try:
            yield
        except queue.Full:
            os.eventfd_write(self._slots, 1)
            raise

    def _write(self, line: bytes, deadline: float | None) -> None:
        fd = self._writer.fileno()
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[os.write(fd, rest) :]
            except BlockingIOError:
                # Once a part of it is in the pipe, it must be finished.
                untouched = len(rest) == len(line)
                if not _wait(fd, select.POLLOUT, deadline if untouched else None):
                    raise queue.Full from None

    def safe_put(self, item: Any, timeout: float | None = 0.02) -> bool:
        """Add a message if there is space for it.

        :param timeout: seconds to wait for space; None does not wait
        :returns: whether it was added; one that is too large is not
        """
        try:
            self.put(item, block=timeout is not None, timeout=timeout)
        except (queue.Full, OSError, MessageTooLargeError):
            return False
        return True

    # Reading

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Remove and return the next message.

        :param block: wait for a message
        :param timeout: seconds to wait at most; None waits forever
        :raises queue.Empty: if there was none in time
        :raises EOFError: if there is none and the writer has ended
        :raises ValueError: if the line is not a message; it is removed, and reading can continue
        """
        deadline = _deadline(block, timeout)
        if not self._read_lock.acquire(timeout=_remaining(deadline, forever=-1)):
            raise queue.Empty
        try:
            while not self._lines:
                if not _wait(self.fileno(), select.POLLIN, deadline):
                    raise queue.Empty
                self._fill()
            line = self._lines.popleft()
        finally:
            self._read_lock.release()
        if self._slots >= 0:
            os.eventfd_write(self._slots, 1)
        return decode(line)

    def _fill(self) -> None:
        try:
            data = os.read(self.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if not data:
            raise EOFError("the writer of this queue has ended")
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._lines.extend(lines)

    def safe_get(self, timeout: float | None = 0.02) -> Any:
        """Remove and return the next message, or None if there is none, or the line is not a message.

        :param timeout: seconds to wait for a message; None does not wait
        """
        try:
            return self.get(block=timeout is not None, timeout=timeout)
        except (queue.Empty, EOFError, OSError, ValueError):
            return None

    # Ending

    def drain(self) -> Iterator[Any]:
        """Remove all messages that are there, yielding each."""
        while True:
            try:
                yield self.get(block=False)
            except ValueError:
                continue  # not a message, but removed
            except (queue.Empty, EOFError, OSError):
                return

    def safe_close(self) -> int:
        """Remove all messages and close this process's ends of the queue.

        :returns: how many messages were removed
        """
        removed = 0 if self._reader.closed else sum(1 for _ in self.drain())
        self.close_reader()
        self.close_writer()
        if self._slots >= 0:
            os.close(self._slots)
            self._slots = -1
        return removed

    # Handing over to a child that is being started

    def __getstate__(self) -> Any:
        from multiprocessing import reduction

        slots = reduction.DupFd(self._slots) if self._slots >= 0 else None
        return self._reader, self._writer, slots

    def __setstate__(self, state: Any) -> None:
        self._reader, self._writer, slots = state
        self._slots = slots.detach() if slots is not None else -1
        self._init_local()


def _end(descriptor: int | None, *, readable: bool) -> Connection:
    """Return an end of a pipe; one that this process does not have is closed."""
    fd = os.open(os.devnull, os.O_RDWR) if descriptor is None else descriptor
    os.set_inheritable(fd, False)
    end = Connection(fd, readable=readable, writable=not readable)
    if descriptor is None:
        end.close()
    return end


def _deadline(block: bool, timeout: float | None) -> float | None:
    if not block:
        return time.monotonic()
    return None if timeout is None else time.monotonic() + timeout


def _remaining(deadline: float | None, *, forever: float) -> float:
    """Return the seconds left until a deadline, with the callee's value for "no limit"."""
    return forever if deadline is None else max(0.0, deadline - time.monotonic())


def _wait(fd: int, what: int, deadline: float | None) -> bool:
    """Wait for a descriptor until a deadline. A hung-up pipe counts as ready: using it raises the reason."""
    poll = select.poll()
    poll.register(fd, what)
    return bool(poll.poll(None if deadline is None else _remaining(deadline, forever=0) * 1000))
