"""Prints events and output as they come, with a progress bar where a script announces progress."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from ska_oso_oet.model import Event

from .event_lines import event_line
from .events import event_text
from .output import CommandOutput
from .stream import Received

PROGRESS_TOPIC = "user.script.progress"
_DONE = 100.0


@dataclass(frozen=True)
class Shown:
    """Options for what is shown of a running script."""

    in_full: bool = False
    """Whether events are shown as the documentation of the OET 5.2.0 shows them, and not as one line."""
    output: bool | None = None
    """Whether its output is shown; None: for people, and not for programs."""


class EventPrinter:
    """Prints the events of one script; on a terminal its progress is a bar below them.

    :param output: output of the command
    :param name: what to call the script
    :param in_full: whether to print all fields of events
    :param on_event: called with each event once it is printed
    """

    def __init__(
        self,
        output: CommandOutput,
        name: str,
        in_full: bool = False,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._on_event = on_event
        self._output = output
        self._name = name
        self._in_full = in_full
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the bar at the last reported progress."""
        if self._bar is not None:
            self._bar[0].stop()

    def show(self, received: Received) -> None:
        """Print an event."""
        progress = _progress(received.event) if self._output.terminal and not self._output.as_json else None
        if progress is None:
            print_event(self._output, received, self._in_full)
        else:
            self._show_progress(progress)
        self._on_event(received.event)

    def _show_progress(self, progress: float) -> None:
        if self._bar is None:
            bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=self._output.console,
            )
            self._bar = bar, bar.add_task(self._name, total=_DONE)
            bar.start()
        bar, task = self._bar
        bar.update(task, completed=progress)
        bar.refresh()


def print_event(output: CommandOutput, received: Received, in_full: bool) -> None:
    """Print an event, for people or for programs.

    :param output: output of the command
    :param received: the event
    :param in_full: whether to print all of its fields for people
    """
    if output.as_json:
        output.json_text(received.text)
    else:
        output.rich(event_text(received.event) if in_full else event_line(received.event))


def _progress(event: Event) -> float | None:
    """Return the progress that an event announces, 0 to 100; None if it announces none."""
    value = event.fields.get("progress")
    if event.topic != PROGRESS_TOPIC or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value):
        return None
    return min(max(float(value), 0.0), _DONE)
