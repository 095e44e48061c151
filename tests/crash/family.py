"""The processes that belong to a server, and how long they outlive it."""

import os
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from ska_oso_oet.mptools.posix import descendants


class Family:
    """All processes that belong to a server: its descendants, and all that bear its mark.

    :param server: process ID of the server
    :param mark: an environment variable that the server was started with, as ``NAME=value``, and nobody else
    """

    def __init__(self, server: int, mark: str) -> None:
        self._server = server
        self._mark = mark.encode()
        self._known: set[int] = set()

    def meet(self) -> int:
        """Record those who live now, while the server lives. Returns how many they are."""
        self._known.update(descendants(self._server))
        self._known.update(pid for pid in self._marked() if pid != self._server)
        return len(self._known)

    def survivors(self, patience: float) -> list[str]:
        """Wait for all of them to end, once the server has ended.

        :param patience: seconds
        :returns: command lines of those who live on
        """
        deadline = time.monotonic() + patience
        while True:
            left = _await_ends(self._known | set(self._marked()), deadline)
            # One of them may have had a child in its last moment.
            if left or not (set(self._marked()) - self._known):
                return [f"{pid} {_command_line(pid)}" for pid in left]
            self._known.update(self._marked())

    def _marked(self) -> Iterator[int]:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if self._mark in (entry / "environ").read_bytes().split(b"\0"):
                        yield int(entry.name)


def _await_ends(pids: set[int], deadline: float) -> list[int]:
    """Wait until processes have ended, reaped or not; return those that have not."""
    left = []
    with ExitStack() as opened:
        for pid in pids:
            with suppress(ProcessLookupError):
                descriptor = os.pidfd_open(pid)
                opened.callback(os.close, descriptor)
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                    left.append(pid)
    return left


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
