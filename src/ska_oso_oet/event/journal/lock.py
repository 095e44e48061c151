"""One server per state directory: a lock that a process holds and that is gone with it."""

import contextlib
import fcntl
import json
import os
import socket
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .protocol import JournalLocked

_FILE_NAME: Final = "journal.lock"


class DirectoryLock:
    """An exclusive lock on a directory, from construction until `release` or the end of the process.

    It is no part of what child processes inherit: programs that are executed do not get the
    descriptor, and a forked child closes it at once.

    :param directory: what to lock; a lock file is made in it, which says who holds the lock
    :raises JournalLocked: if another holds it
    :raises OSError: if the lock file can't be opened
    """

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory / _FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._read_holder()
            self._close()
            raise JournalLocked(
                f"the state directory {directory} is in use by {holder}: stop that server,"
                " or give this one a StateDirectory of its own"
            ) from None
        except OSError:
            self._close()
            raise
        _held.add(self)
        # Who holds it is a courtesy to the second one: a full disk does not unmake the lock.
        with contextlib.suppress(OSError):
            self._write_holder()

    def release(self) -> None:
        """Let another process have the lock. Does nothing if that was done before."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
        self._close()

    def _close(self) -> None:
        _held.discard(self)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _write_holder(self) -> None:
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(holder).encode(), 0)

    def _read_holder(self) -> str:
        try:
            holder = json.loads(os.pread(self._descriptor, 4096, 0))
            return f"process {holder['pid']} on host {holder['host']}, which took it at {holder['started']}"
        except (OSError, ValueError, LookupError, TypeError):
            return "another process"


_held: "weakref.WeakSet[DirectoryLock]" = weakref.WeakSet()


def _forget_in_child() -> None:
    """Close the descriptors in a forked child: a lock lasts as long as any process has it open."""
    for lock in list(_held):
        lock._close()  # noqa: SLF001


os.register_at_fork(after_in_child=_forget_in_child)
