"""What the clients of a controller have seen of it."""

import json
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class Verb(StrEnum):
    """Commands about a procedure, as the topics of their requests call them."""

    CREATE = "create"
    START = "start"
    STOP = "stop"


class Accepted(NamedTuple):
    """A command that the device has accepted."""

    verb: Verb
    procedure_id: int
    command_id: str


class Sightings:
    """Takes note of all that any client sees between two starts of a server. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: dict[int, dict[str, Any]] = {}
        self.last_number = 0
        self.summaries: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.accepted: list[Accepted] = []
        self.outputs: dict[int, list[str]] = defaultdict(list)
        self.shown_lines: set[str] = set()
        self.contradictions: list[str] = []

    def event(self, text: str) -> None:
        """Take note of an event, in whatever way it came."""
        event = json.loads(text)
        if not event:
            return  # there has been none yet
        with self._lock:
            known = self.events.setdefault(event["seq"], event)
            if known != event:
                self.contradictions.append(f"event {event['seq']} was seen as {known} and as {event}")

    def event_number(self, number: int) -> None:
        """Take note of the number of the newest event."""
        with self._lock:
            self.last_number = max(self.last_number, number)

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Take note of the summary of a procedure."""
        with self._lock:
            known = self.summaries[summary["id"]]
            if summary not in known:
                known.append(dict(summary))

    def accept(self, verb: Verb, procedure_id: int, command_id: str) -> None:
        """Take note that the device has accepted a command."""
        with self._lock:
            self.accepted.append(Accepted(verb, procedure_id, command_id))

    def output(self, procedure_id: int, lines: Sequence[str]) -> None:
        """Take note of the first lines of a procedure's output."""
        with self._lock:
            known = self.outputs[procedure_id]
            common = min(len(known), len(lines))
            if known[:common] != list(lines[:common]):
                self.contradictions.append(f"the output of procedure {procedure_id} has changed")
            known += lines[common:]

    def shown(self, lines: Sequence[str]) -> None:
        """Take note of lines of output that were shown."""
        with self._lock:
            self.shown_lines.update(lines)

    def contradiction(self, what: str) -> None:
        """Take note of something that should not be."""
        with self._lock:
            self.contradictions.append(what)
