"""Workers as the documentation of `ska_oso_oet.mptools` describes them. Children import this module."""

import signal
from typing import Any

from ska_oso_oet.mptools import EventMessage, MPQueue, ProcWorker, QueueProcWorker, TimerProcWorker


class StatusWorker(TimerProcWorker):
    """Puts its status on the event queue, over and over."""

    INTERVAL_SECS = 0.01

    def main_func(self) -> None:
        """Send the status."""
        self.event_q.put(EventMessage(self.name, "STATUS", "OKAY"))


class SendWorker(QueueProcWorker):
    """Sends what it receives to the event queue, each with its name."""

    def main_func(self, item: Any) -> None:
        """Send a message on; fail at the one that says so."""
        if item == "fail":
            raise RuntimeError("it was asked for")
        self.event_q.put(EventMessage(self.name, "SENT", item))


class RelayWorker(QueueProcWorker):
    """Sends what it receives to the work queue of another worker."""

    def init_args(self, next_q: MPQueue) -> None:
        """Receive the other's work queue."""
        self.next_q = next_q

    def main_func(self, item: Any) -> None:
        """Send a message on."""
        self.next_q.safe_put([self.name, item])


class StopWorker(ProcWorker):
    """Asks all workers to end, itself included."""

    def main_loop(self) -> None:
        """Set the shutdown event."""
        self.shutdown_event.set()


class StubbornWorker(ProcWorker):
    """Does not look at its shutdown event."""

    def main_loop(self) -> None:
        """Wait for signals."""
        while True:
            signal.pause()
