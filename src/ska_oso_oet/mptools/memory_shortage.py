"""Order in which the kernel ends processes when memory runs short: see ``oom_score_adj`` in proc(5)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

FIRST_VICTIM = 1000
"""The highest score: the process is ended before all others."""

_LONGEST = 16
"""Characters of a score, at most."""


def be_first_victim() -> None:
    """Let the kernel end this process, and later children, before the server when memory runs short."""
    _set_score(FIRST_VICTIM)


def be_second_victim() -> None:
    """Let the kernel end this process after the first victims, but still before the server.

    The score is half-way between theirs and that of the parent, the forkserver, which has the server's.
    """
    with suppress(OSError, ValueError), _score_of(os.getppid(), os.O_RDONLY) as file:
        parent = int(os.read(file, _LONGEST))
        _set_score((parent + FIRST_VICTIM) // 2)


def _set_score(score: int) -> None:
    # A system without this file, or that does not allow the change, keeps its own order.
    with suppress(OSError), _score_of("self", os.O_WRONLY) as file:
        os.write(file, str(score).encode())


@contextmanager
def _score_of(process: int | str, mode: int) -> Iterator[int]:
    """Open the score of a process; by descriptors, because each start of a script waits for this."""
    file = os.open(f"/proc/{process}/oom_score_adj", mode | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)
