"""Watchdog: detects processes that do not answer. They are not ended: the observation may be fine."""

import asyncio
import logging
from collections.abc import Callable

from ..worker.messages import ToWorker
from .procedure import Procedure

LOGGER = logging.getLogger(__name__)


class Watchdog:
    """Sends PINGs to the processes of procedures, as long as there are any, and notes which do not answer.

    All but `mute` belongs to the thread of the message loop.

    :param period: seconds between two PINGs, 0 to send none
    :param on_change: called when `mute` has changed
    """

    def __init__(self, period: float, on_change: Callable[[], None]) -> None:
        self._period = period
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._watched: set[Procedure] = set()
        self._asked: set[Procedure] = set()
        self._mute: set[Procedure] = set()

    @property
    def mute(self) -> list[int]:
        """IDs of procedures whose process has not answered before the next PING was due."""
        return sorted(procedure.id for procedure in list(self._mute))

    def watch(self, procedure: Procedure) -> None:
        """Watch a procedure, too."""
        self._watched.add(procedure)
        self._schedule()

    def heard(self, procedure: Procedure) -> None:
        """Note that a process has sent a message, of any kind."""
        self._asked.discard(procedure)
        if procedure in self._mute:
            LOGGER.info("Procedure %d answers again", procedure.id)
            self._mute.discard(procedure)
            self._on_change()

    def forget(self, procedure: Procedure) -> None:
        """Stop watching a procedure whose process has ended."""
        self._watched.discard(procedure)
        self._asked.discard(procedure)
        if procedure in self._mute:
            self._mute.discard(procedure)
            self._on_change()

    def close(self) -> None:
        """Stop watching all procedures."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._timer is None and self._watched and self._period > 0:
            self._timer = self._loop.call_later(self._period, self._ask_all)

    def _ask_all(self) -> None:
        self._timer = None
        owing = self._asked & self._watched
        for procedure in self._watched - owing:
            if procedure.channel is not None:
                self._asked.add(procedure)
                procedure.send(ToWorker.PING)
        if not owing <= self._mute:
            self._mute |= owing
            self._on_change()
        self._schedule()
