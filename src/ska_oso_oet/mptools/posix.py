"""What Linux offers so that no process outlives those it belongs to."""

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# From linux/prctl.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "prctl")


def die_with_parent() -> None:
    """Have this process killed when its parent ends, however that comes about.

    The parent is the thread that has started this process, not all of its process: see prctl(2).
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def outlive_parent() -> None:
    """Take back `die_with_parent`."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def become_subreaper() -> None:
    """Have descendants whose parents end become children of this process, rather than of init."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    """Return the process IDs of the children of a process; none if there is no such process."""
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        # It ended meanwhile; or the kernel was built without the list of children.
        return [child for child, parent in _parents() if parent == pid]


def _parents() -> Iterator[tuple[int, int]]:
    """Yield every process with its parent."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The name in the second field may hold blanks and parentheses: count from its end.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                yield int(entry.name), int(fields[1])


def descendants(pid: int) -> list[int]:
    """Return the process IDs of all descendants of a process, nearest first."""
    found: list[int] = []
    generation = [pid]
    while generation:
        generation = [child for parent in generation for child in children(parent)]
        found += generation
    return found


def send_signal(pid: int, signal_number: int) -> None:
    """Send a signal to a process; to one that has ended, nothing is sent."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal_number)


def kill_tree(pid: int) -> None:
    """Send SIGKILL to a process and to all its descendants, whatever group or session they moved to."""
    family = [pid, *descendants(pid)]
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for member in family:
        send_signal(member, signal.SIGKILL)
