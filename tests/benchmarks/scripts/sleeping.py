"""Sleeps, as an observation does for most of its time."""

import time

from pubsub import pub


def main() -> None:
    """Sleep for longer than anybody waits."""
    pub.sendMessage("user.script.announce", msg="sleeping")
    time.sleep(3600)
