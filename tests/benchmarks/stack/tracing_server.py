"""A device server that notes when each event with a stamp comes to each stage of its way.

It writes that to the file that the environment variable `TRACE_FILE` names, when it ends.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.stack.stamp import stamp_of

from oet_devices.server import main
from oet_devices.ska.publisher import EventPublisher
from ska_oso_oet.journal.durable import DurableJournal
from ska_oso_oet.procedure.execution.channel import WorkerChannel

TRACE_FILE: Final = "OET_BENCH_TRACE"

_passed: list[tuple[str, str, int]] = []
"""Stage, text of an event, and time, of all that has passed."""


def _traced(
    owner: type, method: str, texts: Callable[..., Iterable[str]], before: str, after: str | None = None
) -> None:
    """Have a method note the events that it is called with.

    :param owner: its class
    :param method: its name
    :param texts: returns the texts of the events from its arguments
    :param before: the stage that they come to when it is called
    :param after: the stage that they come to when it returns, if that is one
    """
    original = getattr(owner, method)

    def traced(self: Any, *args: Any) -> Any:
        called = time.monotonic_ns()
        result = original(self, *args)
        returned = time.monotonic_ns()
        for text in texts(*args):
            _passed.append((before, text, called))
            if after is not None:
                _passed.append((after, text, returned))
        return result

    setattr(owner, method, traced)


def _write(path: Path) -> None:
    stamped = [(stage, text, at) for stage, text, at in _passed if "@" in text]
    path.write_text(json.dumps([(stage, stamp_of(text), at) for stage, text, at in stamped]))


if __name__ == "__main__":
    _traced(WorkerChannel, "_forward_message", lambda line: [line.decode()], "received")
    _traced(
        DurableJournal, "append", lambda events, _: [event.text for event in events], "numbered", "committed"
    )
    _traced(EventPublisher, "_push", lambda name, value: [value] if name == "events" else [], "taken")
    try:
        main()
    finally:
        _write(Path(os.environ[TRACE_FILE]))
