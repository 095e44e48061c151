"""Workers for tests of the processes that run them. Children import this module."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ska_oso_oet.mptools import (
    EventMessage,
    ProcWorker,
    QueueProcWorker,
    TerminateInterrupt,
    TimerProcWorker,
    forkserver,
)


class SignalsElsewhere(QueueProcWorker):
    """Has a thread of its own get a signal, as the kernel may choose to."""

    def main_func(self, item: Any) -> None:
        """Start the thread. When the signal comes, this one waits for the next message."""
        threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), item)).start()


class Echo(QueueProcWorker):
    """Sends back what it receives, with its process ID."""

    def startup(self) -> None:
        """Say that it starts."""
        self.event_q.put(EventMessage(self.name, "STARTUP", os.getpid()))

    def main_func(self, item: Any) -> None:
        """Send back a message; die of the one that says so."""
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "raise":
            raise RuntimeError("as requested")
        self.event_q.put(EventMessage(self.name, "ECHO", item))

    def shutdown(self) -> None:
        """Say that it ends."""
        self.event_q.put(EventMessage(self.name, "SHUTDOWN"))


class Ticker(TimerProcWorker):
    """Counts, at a cadence that is given."""

    def init_args(self, interval: float) -> None:
        """Receive the interval, in seconds."""
        self.INTERVAL_SECS = interval
        self.count = 0

    def main_func(self) -> None:
        """Say how often it was called."""
        self.count += 1
        self.event_q.put(EventMessage(self.name, "TICK", self.count))


class Deaf(ProcWorker):
    """Heeds neither the shutdown event nor signals."""

    def main_loop(self) -> None:
        """Wait forever."""
        while True:
            try:
                signal.pause()
            except TerminateInterrupt:
                continue


class Reluctant(ProcWorker):
    """Heeds no shutdown event, and SIGTERM only when it insists."""

    def main_loop(self) -> None:
        """Wait forever."""
        while True:
            signal.pause()


class Busy(ProcWorker):
    """Heeds no shutdown event, but SIGTERM at once."""

    def main_loop(self) -> None:
        """Wait forever."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pause()


class Stillborn(ProcWorker):
    """Starts a process of its own, and then cannot start."""

    def startup(self) -> None:
        """Raise, after reporting the ID of the process it has started."""
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        self.event_q.put(child.pid)
        raise RuntimeError("no start today")


class Silent(ProcWorker):
    """Never completes its start."""

    def startup(self) -> None:
        """Wait forever."""
        signal.pause()


class Slow(Reluctant):
    """Completes its start when it is released."""

    def init_args(self, begun: Path, released: Path) -> None:
        """Receive two named pipes: for its process ID, and for what it waits for."""
        self.begun, self.released = begun, released

    def startup(self) -> None:
        """Report the process ID, and wait."""
        self.begun.write_text(str(os.getpid()))
        self.released.read_text()


class Narrator(ProcWorker):
    """Reports its environment, and ends."""

    def main_loop(self) -> None:
        """Report."""
        self.event_q.put(
            {
                "pid": os.getpid(),
                "session": os.getsid(0),
                "main": getattr(sys.modules["__main__"], "__file__", None),
                "modules": "tests.integration.mptools.test_processes" in sys.modules,
            }
        )


class Suspender(ProcWorker):
    """Suspends the forkserver that it comes from, and ends."""

    def main_loop(self) -> None:
        """Suspend it."""
        os.kill(os.getppid(), signal.SIGSTOP)


class SuspendsForkserver:
    """Interval for `Ticker`. While it is on its way to a child, it suspends the forkserver."""

    def __reduce__(self) -> tuple[type[float], tuple[str]]:
        pid = forkserver.guardian_pid()
        assert pid is not None, "another child was started before"
        os.kill(pid, signal.SIGSTOP)
        return float, ("60",)
