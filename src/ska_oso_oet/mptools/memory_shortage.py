"""Order in which the kernel ends processes when memory runs short: see ``oom_score_adj`` in proc(5)."""

import os
from contextlib import suppress
from pathlib import Path

FIRST_VICTIM = 1000
"""The highest score: the process is ended before all others."""


def be_first_victim() -> None:
    """Let the kernel end this process, and later children, before the server when memory runs short."""
    _set_score(FIRST_VICTIM)


def be_second_victim() -> None:
    """Let the kernel end this process after the first victims, but still before the server.

    The score is half-way between theirs and that of the parent, the forkserver, which has the server's.
    """
    with suppress(OSError, ValueError):
        parent = int(Path(f"/proc/{os.getppid()}/oom_score_adj").read_text())
        _set_score((parent + FIRST_VICTIM) // 2)


def _set_score(score: int) -> None:
    # A system without this file, or that does not allow the change, keeps its own order.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score))
