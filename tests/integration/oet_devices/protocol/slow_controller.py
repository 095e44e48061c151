"""A controller in which news takes a moment to get from part to part, so that tests see that moment."""

import random
import sys
import time
from typing import Any

from tango.server import run

from oet_devices.controller import OETController
from oet_devices.executor_keeper import ExecutorListener
from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import CommandTracker
from ska_oso_oet.journal import Batch

_MOMENT = 0.02
_LONGEST_GRANT = 0.06


class SlowListener:
    """Passes on what has been committed a moment later.

    :param listener: what it passes it on to
    """

    def __init__(self, listener: ExecutorListener) -> None:
        self._listener = listener
        self.on_executor = listener.on_executor
        self.on_recall = listener.on_recall
        self.on_output = listener.on_output
        self.on_scripts = listener.on_scripts

    def on_batch(self, batch: Batch) -> None:
        """Take a moment, then pass on what has been committed."""
        time.sleep(_MOMENT)
        self._listener.on_batch(batch)


def slow_down(tracker: CommandTracker) -> None:
    """Have commands begin some moments after their requests were granted: a short script may have ended."""
    begin = tracker.begin

    def begin_late(*args: Any, **options: Any) -> CommandHandle:
        time.sleep(random.uniform(0, _LONGEST_GRANT))
        return begin(*args, **options)

    vars(tracker)["begin"] = begin_late


class SlowController(OETController):
    """Knows of what has been committed a moment later than the service that lists procedures."""

    def compose(self) -> None:
        """Put the slow listener before the controller's own, and slow down its commands."""
        super().compose()
        self.listener = SlowListener(self.listener)
        slow_down(self.commands.tracker)


if __name__ == "__main__":
    run((SlowController,), args=["SlowController", *sys.argv[1:]])
