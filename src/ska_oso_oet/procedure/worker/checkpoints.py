"""Checkpoints of a script, in its process: places where it waits on request."""

import asyncio
import threading
from collections.abc import Callable

from ska_oso_oet.model import MAX_LABEL, AtCheckpoint, ProcedureState

from .labels import Labels

Report = Callable[[ProcedureState, str | None, int], None]
"""Reports a new state of the procedure to the server, with the label of the checkpoint, and the number of the
newest request that is known."""


class Checkpoints:
    """Checkpoints of a script. `hold` makes it wait at the next one, and `release` lets it continue.

    They count in the main thread, where the script runs; others pass them.

    :param labels: sends their labels
    :param report: reports a new state to the server
    :param report_stop: reports that the script is where it is to be stopped
    :param is_stopped: returns whether the script has been interrupted by a stop: its clean-up does not wait
    """

    def __init__(
        self,
        labels: Labels,
        report: Report,
        report_stop: Callable[[str | None], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._is_stopped = is_stopped
        self._labels = labels
        self._report = report
        self._report_stop = report_stop
        self._main = threading.main_thread().ident
        self._number = 0
        self._lock = threading.RLock()
        self._asked: AtCheckpoint | None = None
        self._request = 0
        self._gate: _Gate | None = None  # where the script waits
        self._ending = False

    # Called by the script

    def passed(self, label: str | None) -> None:
        """The script has reached a checkpoint. Returns when it may continue."""
        if threading.get_ident() != self._main:
            return
        self._number += 1
        if label is not None:
            label = label[:MAX_LABEL] if type(label) is str else str(label)[:MAX_LABEL]
            self._labels.add(label, self._number)
        elif self._number == 1:
            self._labels.add(None, 1)
        if self._asked is not None and (gate := self._arrive(label)) is not None:
            with gate:
                gate.event.wait()

    async def passed_async(self, label: str | None) -> None:
        """A coroutine has reached a checkpoint. Returns when it may continue."""
        if threading.get_ident() != self._main:
            return
        self._number += 1
        if label is not None:
            self._labels.add(str(label)[:MAX_LABEL], self._number)
        elif self._number == 1:
            self._labels.add(None, 1)
        if self._asked is not None and (gate := self._arrive(label)) is not None:
            with gate:
                await gate.opened_async()

    def _arrive(self, label: str | None) -> "_Gate | None":
        """Return the gate to wait at, None if the script may continue."""
        with self._lock:
            if self._asked is None or self._ending or self._is_stopped():
                return None
            is_first = self._gate is None
            gate = self._gate = self._gate or _Gate(self._leave)
            gate.waiting += 1
            if is_first:
                try:
                    self._report_arrival(gate, label)
                except BaseException:  # of a signal handler
                    self._leave(gate)
                    raise
            return gate

    def _report_arrival(self, gate: "_Gate", label: str | None) -> None:
        self._labels.flush()
        if self._asked is AtCheckpoint.STOP:
            self._report_stop(label)
        else:
            gate.is_reported = True
            self._report(ProcedureState.PAUSED, label, self._request)

    def _leave(self, gate: "_Gate") -> None:
        """Called when a waiting script continues, also after an exception."""
        with self._lock:
            gate.waiting -= 1
            if gate is self._gate and not gate.waiting:
                self._open()

    # Called by the thread that reads the server's messages

    def hold(self, what: AtCheckpoint, request: int) -> None:
        """Make the script wait at its next checkpoint.

        :param what: what it is to wait for
        :param request: number of this request
        """
        with self._lock:
            self._request = request
            self._asked = what

    def step(self, request: int) -> None:
        """Let the script continue to its next checkpoint, and wait there; see `hold`."""
        with self._lock:
            self._request = request
            self._asked = AtCheckpoint.PAUSE
            self._open()

    def release(self, request: int) -> None:
        """Let the script continue, and not wait at checkpoints; see `hold`."""
        with self._lock:
            self._request = request
            self._asked = None
            self._open()

    def _open(self) -> None:
        """Release those that wait."""
        gate, self._gate = self._gate, None
        if gate is None:
            return
        if gate.is_reported and not self._ending:
            self._report(ProcedureState.RUNNING, None, self._request)
        gate.open()

    def end(self, *, let_go: bool) -> None:
        """The script is being stopped: it waits at no further checkpoint.

        :param let_go: whether a waiting script continues; otherwise the stop interrupts it
        """
        with self._lock:
            self._ending = True
            self._asked = None
            if let_go:
                self._open()


class _Gate:
    """A place where the script waits.

    :param on_leave: called when a waiting one continues
    """

    def __init__(self, on_leave: Callable[["_Gate"], None]) -> None:
        self.event = threading.Event()
        self.waiting = 0
        self.is_reported = False
        self._on_leave = on_leave
        self._futures: list[asyncio.Future[None]] = []

    def __enter__(self) -> None:
        """Nothing has to be done."""

    def __exit__(self, *_: object) -> None:
        self._on_leave(self)

    async def opened_async(self) -> None:
        """Wait until the gate is open."""
        future = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        if self.event.is_set():
            return
        await future

    def open(self) -> None:
        """Release those that wait. Any thread may call this."""
        self.event.set()
        for future in tuple(self._futures):
            try:
                future.get_loop().call_soon_threadsafe(_finish, future)
            except RuntimeError:  # its loop has been closed
                continue


def _finish(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
