"""Faults of the disk for output: reported while lines are lost; writing is tried again."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .output import OutputLog

_RETRY_S = 2.0


class OutputFaults:
    """Creates the logs of procedures, and records which of them lose lines. Belongs to the message loop.

    :param folder: where the logs are
    :param on_change: called when `sentence` has changed
    """

    def __init__(self, folder: Path, on_change: Callable[[], None]) -> None:
        self._folder = folder
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._faulty: dict[int, tuple[OutputLog, str]] = {}

    def new_log(self, procedure_id: int) -> OutputLog:
        """Return the log for a new procedure."""
        log = OutputLog(self._folder, procedure_id, on_fault=lambda reason: note(reason))
        note = partial(self._note, procedure_id, log)
        return log

    @property
    def sentence(self) -> str | None:
        """Description of the faults, None while all output is written. Any thread may read it."""
        faulty = dict(self._faulty)
        if not faulty:
            return None
        numbers = ", ".join(f"#{procedure_id}" for procedure_id in sorted(faulty))
        reason = next(reason for _, reason in faulty.values())
        return (
            f"Output of procedure {numbers} is not written to {self._folder} ({reason}). The lines of this "
            "time are lost, and counted as dropped. Make room there, or make the folder writable."
        )

    def close(self) -> None:
        """Stop trying."""
        if self._timer is not None:
            self._timer.cancel()

    def _note(self, procedure_id: int, log: OutputLog, reason: str | None) -> None:
        if reason is None:
            self._faulty.pop(procedure_id, None)
        else:
            self._faulty[procedure_id] = (log, reason)
            self._schedule()
        self._on_change()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(_RETRY_S, self._retry)

    def _retry(self) -> None:
        self._timer = None
        for log, _ in list(self._faulty.values()):
            log.retry()
        if self._faulty:
            self._schedule()
