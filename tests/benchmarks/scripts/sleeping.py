"""Sleeps, as an observation does for most of its time."""

import time


def main() -> None:
    """Sleep for longer than anybody waits."""
    time.sleep(3600)
