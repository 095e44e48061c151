"""Sender of the labels of checkpoints: a thread of its own sends them to the server.

So a checkpoint costs the script only the time to record its label. For a script with very many checkpoints,
at most 1000 labels are sent at once, and then the newest ones, 20 a second. Their numbers show how many there
were.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

_BURST = 1000
"""Number of labels that are sent without a delay."""

_PERIOD = 0.05
"""Seconds between two labels after these."""


class Labels:
    """Sends the labels of checkpoints, in order.

    :param send: sends a label and its number
    """

    def __init__(self, send: Callable[[str | None, int], None]) -> None:
        self._send = send
        self._pending: deque[tuple[str | None, int]] = deque(maxlen=_BURST)
        self._lock = threading.RLock()
        self._wake = threading.Lock()
        self._wake.acquire()
        self._idle = True
        self._started = False
        self._allowed = float(_BURST)
        self._counted = time.monotonic()

    def add(self, label: str | None, number: int) -> None:
        """Add a label. Returns at once.

        :param label: the label; None if the checkpoint has none
        :param number: how many checkpoints the script has reached
        """
        self._pending.append((label, number))
        if self._idle:
            self._idle = False
            if not self._started and not self._start():
                self._idle = True
                self.flush()
                return
            try:
                self._wake.release()
            except RuntimeError:  # the thread is awake, and will find it
                return

    def _start(self) -> bool:
        """Start the thread. Returns False if the system grants no more threads at this moment."""
        try:
            threading.Thread(target=self._run, name="oet-labels", daemon=True).start()
        except RuntimeError:
            return False
        self._started = True
        return True

    def flush(self) -> None:
        """Send all waiting labels: the next messages of the script follow them."""
        if not self._pending:
            return
        with self._lock:
            count = len(self._pending)
            kept = max(1, self._take(count))
            for index in range(count):
                label, number = self._pending.popleft()
                if index >= count - kept:
                    self._send(label, number)

    def _take(self, count: int) -> int:
        """Return how many of so many labels may be sent now."""
        now = time.monotonic()
        self._allowed = min(_BURST, self._allowed + (now - self._counted) / _PERIOD)
        self._counted = now
        taken = min(count, int(self._allowed))
        self._allowed -= taken
        return taken

    def _run(self) -> None:
        while True:
            self._idle = True
            # A label that is added from now on wakes the thread.
            if not self._pending:
                self._wake.acquire()
            self._idle = False
            self.flush()
            if self._allowed < 1:
                time.sleep(_PERIOD)
