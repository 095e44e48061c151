"""Signals that end the device server: the first one in order, the second one at once.

Tango has handlers of its own: they end the server in order, but ignore all other signals meanwhile, and
SIGHUP always. So they are replaced. The main thread is in Tango's loop, where no Python is executed: a signal
wakes a thread, by a pipe, which ends the server.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator

import tango

from .expiry import Expiry

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PATIENCE = 10.0
"""Seconds that an end in order may take: longer than it ever should."""

_RETRY = 0.05
"""Seconds after which an end is requested again that the system has not allowed."""

_ending: list[str] = []


def ending_signal() -> str | None:
    """Return the name of the signal that has asked this server to end, None if none has."""
    return _ending[0] if _ending else None


class EndSignals:
    """Ends this process when a signal asks for it. Create it before Tango sets its handlers."""

    def __init__(self) -> None:
        # A server that is started with nohup must outlive the terminal, one in the background a Ctrl-C.
        self._numbers = {number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN}
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def watch(self) -> None:
        """Begin to handle signals. Call it in the main thread, after Tango has set its handlers.

        Starts the threads of this class: a system that refuses threads later does not prevent the end.
        """
        late = Expiry(lambda: _end_at_once(f"It has not ended within {_PATIENCE:g} s", 1), "oet-late-end")
        threading.Thread(target=self._wait, args=[late], name="oet-signals", daemon=True).start()
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in _ENDING:
            # Also those that are to be ignored: Tango heeds them.
            signal.signal(number, (lambda *_: None) if number in self._numbers else signal.SIG_IGN)

    def _wait(self, late: Expiry) -> None:
        received = self._received()
        _ending.append(signal.Signals(next(received)).name)
        late.plan(time.monotonic() + _PATIENCE)
        self._end_in_order()
        second = next(received)
        _end_at_once(f"A second signal, {signal.Signals(second).name}, was received", 128 + second)

    def _end_in_order(self) -> None:
        """Ask Tango to end this server, which takes a thread, until it can or another signal comes."""
        refused = False
        with tango.EnsureOmniThread():
            while True:
                try:
                    tango.Util.instance().get_dserver_device().kill()
                except RuntimeError:
                    if not refused:
                        _write("The system refuses a thread that the shutdown needs: trying again")
                    refused = True
                else:
                    return
                if select.select([self._reader], (), (), _RETRY)[0]:
                    return

    def _received(self) -> Iterator[int]:
        """Yield the signals as they arrive."""
        while True:
            yield from (number for number in os.read(self._reader, 64) if number in self._numbers)


def _end_at_once(why: str, status: int) -> None:
    """End this process, and with it the processes of all scripts, which end with their server."""
    _write(f"{why}: ending at once")
    os._exit(status)


def _write(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
