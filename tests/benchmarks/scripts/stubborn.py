"""Ignores the signal by which it is asked to end."""

import signal
import time

from pubsub import pub


def main() -> None:
    """Sleep for longer than anybody waits."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pub.sendMessage("user.script.announce", msg="deaf from now on")
    while True:
        time.sleep(3600)
