"""Pipes by which a library wakes its own threads: every forked child needs new ones.

omniORB, for example, creates such pipes when PyTango is imported. A child that is forked later has the same
pipes as its siblings: if one writes to wake itself up, another one would read that.
"""

import fcntl
import os
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple


class SelfPipe(NamedTuple):
    """Descriptors of both ends of a pipe."""

    readers: tuple[int, ...]
    writers: tuple[int, ...]


def find() -> list[SelfPipe]:
    """Return the pipes of which this process has both ends."""
    ends: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the descriptor by which the folder is read is closed by now
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("pipe:"):
                fd = int(name)
                writes = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
                ends[target][writes].append(fd)
    return [
        SelfPipe(tuple(readers), tuple(writers)) for readers, writers in ends.values() if readers and writers
    ]


def renew(pipe: SelfPipe) -> None:
    """Put a pipe of this process's own in the place of one that it has in common with others.

    :param pipe: as found before this process was forked
    """
    reader, writer = os.pipe()
    for fresh, known in ((reader, pipe.readers), (writer, pipe.writers)):
        for fd in known:
            status = fcntl.fcntl(fd, fcntl.F_GETFL)
            inheritable = os.get_inheritable(fd)
            os.dup2(fresh, fd, inheritable)
            fcntl.fcntl(fd, fcntl.F_SETFL, status)
        os.close(fresh)
