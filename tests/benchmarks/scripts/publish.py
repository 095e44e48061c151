"""Publishes events on request, each with the time of its publication."""

from pathlib import Path

from pubsub import pub
from tests.benchmarks.stack.stamp import stamped


def main(trigger: str, size: int) -> None:
    """Publish until the trigger is closed.

    :param trigger: path of a named pipe; each line says how many events to publish
    :param size: length of the message in an event
    """
    with Path(trigger).open("rb") as triggers:
        for line in triggers:
            for _ in range(int(line)):
                pub.sendMessage("user.script.announce", msg=stamped(size))
