"""Signals that end the device server: the first one in order, the second one at once.

Tango has handlers of its own: they end the server in order, hear of no other signal meanwhile, and SIGHUP is
lost on them. So they are replaced. As the main thread is in Tango's loop, where no Python is executed, a
signal wakes a thread that knows what to do, by a pipe.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator

import tango

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PATIENCE = 10.0
"""Seconds that an end in order may take: longer than it ever should."""


class EndSignals:
    """Ends this process when it is told to by a signal. To be made before Tango sets its handlers."""

    def __init__(self) -> None:
        # Whoever starts a server with nohup wants it to outlive the terminal.
        self._numbers = {number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN}
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def watch(self) -> None:
        """Begin to heed signals. To be called in the main thread, when Tango has set its handlers."""
        threading.Thread(target=self._wait, name="oet-signals", daemon=True).start()
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._numbers:
            signal.signal(number, lambda *_: None)

    def _wait(self) -> None:
        told = self._received()
        next(told)
        impatience = threading.Timer(_PATIENCE, _end_at_once, [f"It has not ended within {_PATIENCE:g} s", 1])
        impatience.daemon = True
        impatience.start()
        with tango.EnsureOmniThread():
            tango.Util.instance().get_dserver_device().kill()
        second = next(told)
        _end_at_once(f"A second signal, {signal.Signals(second).name}, was received", 128 + second)

    def _received(self) -> Iterator[int]:
        """Yield the signals that come, as they come."""
        while True:
            yield from (number for number in os.read(self._reader, 64) if number in self._numbers)


def _end_at_once(why: str, status: int) -> None:
    """End this process, and with it the processes of all scripts, which die with their server."""
    sys.stderr.write(f"{why}: ending at once\n")
    sys.stderr.flush()
    os._exit(status)
