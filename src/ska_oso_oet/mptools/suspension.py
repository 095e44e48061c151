"""Undoes suspensions of a forkserver by scripts: only it starts children, and reports their ends.

The kernel reports to a parent that a child was stopped, so one thread waits for that. It runs as long as this
process does, for whichever forkserver there is.
"""

import errno
import os
import queue
import signal
import threading
from contextlib import suppress

from . import posix

_forkservers: queue.SimpleQueue[int] = queue.SimpleQueue()
_newest: int | None = None
_thread: threading.Thread | None = None


def undo_suspensions(pid: int | None) -> None:
    """Let a forkserver continue whenever it is suspended. One thread at a time may call this.

    :param pid: process ID of the forkserver, a child of this process; None if there is none yet
    :raises OSError: if the system refuses the thread that does so, which the first call starts
    """
    global _newest, _thread
    if _thread is None:
        thread = threading.Thread(target=_run, name="oet-forkserver", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, "the system refuses a thread") from error
        _thread = thread
    if pid is not None and pid != _newest:
        _newest = pid
        _forkservers.put(pid)


def _run() -> None:
    while True:
        pid = _forkservers.get()
        # Another thread reaps it: then the child no longer exists.
        with suppress(ChildProcessError):
            while _waits_until_stopped(pid):
                posix.send_signal(pid, signal.SIGCONT)


def _waits_until_stopped(pid: int) -> bool:
    """Wait until a child is suspended. False if it has ended instead."""
    changed = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return changed is not None and changed.si_code == os.CLD_STOPPED
