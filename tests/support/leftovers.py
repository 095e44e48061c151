"""Leftovers of a test: processes, threads, file descriptors, temporary files.

Processes are known by a variable that the forkserver is started with: whatever descends from it,
detached or not, has it in its initial environment.
"""

import os
import sys
import tempfile
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, util
from pathlib import Path

import psutil
from tests.support import preloaded_programs
from tests.support.patience import patience, wait_until
from tests.support.preloaded_programs import TEST_MARK

from ska_oso_oet.mptools import MainContext, ProcWorker, forkserver_context

_PATIENCE = patience(3.0)
"""Seconds in which what is on its way out may go."""


class _Nothing(ProcWorker):
    """A worker that ends at once."""


def start_marked_forkserver(preload: Sequence[str]) -> str:
    """Start a forkserver that has a mark of its own, instead of one that may be there; return the mark.

    :param preload: modules that it imports
    """
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    mark = os.environ[TEST_MARK] = uuid.uuid4().hex
    with MainContext(forkserver_context(preload)) as context:
        context.start("first", _Nothing)
    return mark


def end_forkserver() -> None:
    """End the forkserver, and remove the folder for its socket."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    util._run_finalizers()  # type: ignore[attr-defined]


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that carry a mark, but for this one."""
    entry = f"{TEST_MARK}={mark}".encode()
    found = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.NoSuchProcess):
            if pid != os.getpid() and entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(psutil.Process(pid))
    return found


def guardian() -> int | None:
    """Return the process ID of the forkserver."""
    return forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined,no-any-return]


@dataclass(frozen=True)
class Holdings:
    """Resources of this process, and of those that it has started.

    :param processes: process IDs of those with the mark, but for the forkserver
    :param threads: threads of this process
    :param descriptors: open descriptors of this process, each with what it stands for
    :param files: what is in this process's folder for temporary files
    """

    processes: frozenset[int]
    threads: frozenset[threading.Thread]
    descriptors: frozenset[tuple[int, str]]
    files: frozenset[str]

    @classmethod
    def take(cls, mark: str) -> "Holdings":
        """Return what there is now."""
        return cls(
            # Where a test has killed the forkserver there is another one.
            frozenset(process.pid for process in marked(mark) if process.pid != guardian()),
            frozenset(_threads()),
            frozenset(_descriptors()),
            frozenset(os.listdir(tempfile.gettempdir())),
        )

    def missing_from(self, earlier: "Holdings") -> list[str]:
        """Describe what there was not at an earlier time."""
        found = [f"process {_describe(pid)}" for pid in self.processes - earlier.processes]
        found += [f"thread {thread.name}" for thread in self.threads - earlier.threads if thread.is_alive()]
        # The number of a descriptor may have come to stand for something else: what counts is how many.
        if len(self.descriptors) > len(earlier.descriptors):
            found += [f"descriptor {fd} of {what}" for fd, what in self.descriptors - earlier.descriptors]
        return found + [f"file {name}" for name in self.files - earlier.files]


def _descriptors() -> Iterator[tuple[int, str]]:
    folder = "/proc/self/fd"
    for fd in os.listdir(folder):
        with suppress(OSError):  # the one by which the folder is read
            yield int(fd), os.readlink(f"{folder}/{fd}")


def _describe(pid: int) -> str:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return f"{pid} ({' '.join(process.cmdline())[:200]}, parent {process.ppid()})"
    return str(pid)


@contextmanager
def nothing_left_behind(mark: str) -> Iterator[None]:
    """Fail if, at the end of the context, there is more than at its beginning.

    :param mark: mark of the processes to look at
    :raises AssertionError: naming what is left
    """
    before = Holdings.take(mark)
    yield
    _wait_until_gone(lambda: Holdings.take(mark).missing_from(before), lambda: _where_all_stand(mark))


def _wait_until_gone(left: Callable[[], list[str]], details: Callable[[], str]) -> None:
    """Give what is on its way out the time to go.

    :param left: returns descriptions of what is left
    :param details: returns what helps to find out why, for the message
    """
    wait_until(
        lambda: not left(),
        "the end of what the test has left behind",
        seen=lambda: f"{'; '.join(left())}\n{details()}",
        limit=_PATIENCE,
    )


def _where_all_stand(mark: str) -> str:
    """Describe what each thread of this process, and each process with the mark, does at present."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = []
    for ident, frame in sys._current_frames().items():
        steps = [
            f"{Path(step.filename).name}:{step.lineno} {step.name}" for step in traceback.extract_stack(frame)
        ]
        lines.append(f"thread {names.get(ident)}: {' < '.join(reversed(steps[-6:]))}")
    for process in marked(mark):
        with suppress(psutil.NoSuchProcess, OSError):
            waits_in = Path(f"/proc/{process.pid}/wchan").read_text()
            lines.append(f"process {_describe(process.pid)}: {process.status()}, in {waits_in}")
    return "\n".join(lines)


@contextmanager
def no_thread_or_child_left_behind() -> Iterator[None]:
    """Fail if, at the end of the context, this process has more threads or children than at its beginning.

    For tests of what may keep connections of its own, as Tango does, and starts no scripts.

    :raises AssertionError: naming what is left
    """
    threads, children = _threads(), _children()
    yield

    def left() -> list[str]:
        return [f"thread {thread.name}" for thread in _threads() - threads] + [
            f"process {_describe(pid)}" for pid in _children() - children
        ]

    _wait_until_gone(left, lambda: "")


def _threads() -> set[threading.Thread]:
    """Return the threads that Python has started: one of Tango that a callback was traced in has no end."""
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and thread.name != preloaded_programs.THREAD_NAME
    }


def _children() -> set[int]:
    """Return the children of this process, and instead of those that preload programs, these."""
    preloaders = {psutil.Process(pid) for pid in preloaded_programs.preloaders()}
    parents = [psutil.Process(), *preloaders]
    return {child.pid for parent in parents for child in parent.children() if child not in preloaders}
