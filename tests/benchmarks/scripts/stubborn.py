"""Ignores the signal by which it is asked to end."""

import signal
import time


def main() -> None:
    """Sleep for longer than anybody waits."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)
