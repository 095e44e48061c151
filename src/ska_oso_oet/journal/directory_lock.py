"""One server per state directory: a lock that ends with the process that holds it."""

import contextlib
import fcntl
import json
import logging
import os
import socket
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .protocol import JournalLockedError

LOGGER = logging.getLogger(__name__)

LOCK_FILE: Final = "journal.lock"


class DirectoryLock:
    """An exclusive lock on a directory, from construction until `release` or the end of the process.

    Child processes do not inherit it: programs that are executed do not get the descriptor, and a forked
    child closes it at once.

    The directory itself is locked, which a clean-up of files cannot remove, and a file in it, which names the
    holder. A network file system that does not lock directories has the file alone.

    :param directory: the directory to lock
    :raises JournalLockedError: if another holds it
    :raises OSError: if the directory or the lock file cannot be opened
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / LOCK_FILE
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._descriptor = -1
        try:
            self._descriptor = self._open_file()
            self._lock_directory()
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._read_holder()
            self._close()
            raise JournalLockedError(
                f"the state directory {directory} is in use by {holder}: stop that server,"
                " or give this one a StateDirectory of its own"
            ) from None
        except OSError:
            self._close()
            raise
        _held.add(self)
        # The name of the holder is only for messages: the lock holds although the disk is full.
        with contextlib.suppress(OSError):
            self._write_holder()

    def _open_file(self) -> int:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._identity = os.fstat(descriptor)
        return descriptor

    def _lock_directory(self) -> None:
        try:
            fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            LOGGER.debug("%s is locked by its file alone: %s", self._file.parent, error)

    def renew_file(self) -> str | None:
        """Create the lock file again if it has been removed or replaced.

        :returns: what has happened, for an operator; None if nothing has
        :raises OSError: if it cannot be created
        """
        try:
            # Each transaction asks for this: what the descriptor is of is looked up once.
            if os.path.samestat(os.stat(self._file), self._identity):
                return None
        except FileNotFoundError:
            pass
        removed, self._descriptor = self._descriptor, self._open_file()
        os.close(removed)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return (
                f"{self._file} was removed, and {self._read_holder()} has locked it since: two servers use "
                "this state directory. Stop one of them, and give it a StateDirectory of its own"
            )
        except OSError as error:
            LOGGER.debug("%s cannot be locked: %s", self._file, error)
        with contextlib.suppress(OSError):
            self._write_holder()
        return (
            f"{self._file} was removed while this server uses it, and was created again: exclude the state "
            "directory from clean-ups"
        )

    def release(self) -> None:
        """Release the lock. Does nothing if it was released before."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
        self._close()

    def _close(self) -> None:
        _held.discard(self)
        for descriptor in (self._descriptor, self._directory):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._directory = -1

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


def _close_in_child() -> None:
    """Close the descriptors in a forked child: a lock lasts as long as any process has it open."""
    for lock in list(_held):
        lock._close()  # noqa: SLF001


os.register_at_fork(after_in_child=_close_in_child)
