"""Functions of Linux by which no process outlives its server."""

import ctypes
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

# From linux/sched.h.
_PF_EXITING = 0x4

# Fields of `stat_fields`, see proc(5).
STATE, _PARENT, _FLAGS, START_TIME = 0, 1, 6, 19
DEAD = frozenset("ZX")
"""States of a process, or of a thread, that has ended."""

_PAGE = 4096


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "prctl")


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends, in any way.

    The parent is the thread that has started this process, not all of its process: see prctl(2).
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def outlive_parent() -> None:
    """Take back `die_with_parent`."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def become_subreaper() -> None:
    """Adopt descendants whose parents end: they become children of this process, not of init."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """Return the process IDs of the children of a process; none if there is no such process."""
    try:
        folder = f"/proc/{pid}/task"
        return [
            int(child) for task in os.listdir(folder) for child in _read(f"{folder}/{task}/children").split()
        ]
    except OSError:
        # It ended meanwhile; or the kernel was built without the list of children.
        return [child for child, parent in _parents() if parent == pid]


def _read(path: str) -> bytes:
    """Return the content of a file of the kernel. Through `Path` it takes several times as long."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(fd, _PAGE):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def stat_fields(folder: str) -> list[str]:
    """Return the fields of the file ``stat`` behind the name of the program, see proc(5).

    :param folder: ``/proc/PID``, or that of a thread, ``/proc/PID/task/ID``
    :raises OSError: if there is no such process or thread, or the file cannot be read
    """
    # The name may hold blanks and parentheses: what follows begins after the last one.
    return _read(f"{folder}/stat").rpartition(b")")[2].decode().split()


def _parents() -> Iterator[tuple[int, int]]:
    """Yield every process with its parent."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                yield int(entry.name), int(stat_fields(str(entry))[_PARENT])


def descendants(pid: int) -> list[int]:
    """Return the process IDs of all descendants of a process, nearest first."""
    found: list[int] = []
    generation = [pid]
    while generation:
        generation = [child for parent in generation for child in children(parent)]
        found += generation
    return found


def send_signal(pid: int, signal_number: int) -> None:
    """Send a signal to a process; to one that has ended, or belongs to another user, nothing is sent."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal_number)


def is_gone(pid: int) -> bool:
    """Return whether a process has ended; a zombie has."""
    try:
        return stat_fields(f"/proc/{pid}")[STATE] in DEAD
    except OSError:
        return True


def is_ending(pid: int) -> bool:
    """Return whether a process has begun to end so far that nothing of it, or of its descendants, runs.

    What is left is work of the kernel, which frees the memory of the process. That takes milliseconds.
    """
    try:
        tasks = [f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]
        if not all(_is_exiting(task) for task in tasks) or children(pid):
            return False
        # Once all threads have ended, the children that it had are those of another process.
        return not all(_has_ended(task) for task in tasks)
    except OSError:
        return False


def _is_exiting(task: str) -> bool:
    try:
        return bool(int(stat_fields(task)[_FLAGS]) & _PF_EXITING)
    except (FileNotFoundError, ProcessLookupError):
        return True  # this thread has ended


def _has_ended(task: str) -> bool:
    try:
        return stat_fields(task)[STATE] in DEAD
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until_gone(pids: Iterable[int], timeout: float) -> None:
    """Wait until processes have ended, also if they are not children of this one; a zombie has ended.

    :param pids: their process IDs
    :param timeout: seconds to wait at most
    """
    deadline = time.monotonic() + timeout
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            continue  # it has ended
        try:
            select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        finally:
            os.close(fd)


def kill_tree(pid: int) -> None:
    """Send SIGKILL to a process and to all its descendants, also to those in another group or session.

    Resource trackers are spared: they end by themselves, and remove what the others leave.
    """
    family = [pid, *descendants(pid)]
    trackers = [member for member in family if is_tracker(member)]
    if not trackers:
        kill_group(pid)
    for member in family:
        if member not in trackers:
            send_signal(member, signal.SIGKILL)


def is_tracker(pid: int) -> bool:
    """Return whether a process removes the shared memory and semaphores that processes of Python leave.

    It is that of multiprocessing, or one like it. It ends when the last of these processes has ended.
    """
    try:
        return b"resource_tracker import main" in (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False


def kill_group(pid: int) -> None:
    """Send SIGKILL to a process group, if there is one of this ID."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
