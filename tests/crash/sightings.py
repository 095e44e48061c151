"""Observations of a controller by its clients."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class Verb(StrEnum):
    """Commands, as the topics of their requests call them."""

    CREATE = "procedure.create"
    START = "procedure.start"
    STOP = "procedure.stop"
    RUN = "activity.run"


class Accepted(NamedTuple):
    """A command that the device has accepted, and the procedure or activity that it is about."""

    verb: Verb
    id: int
    command_id: str


class By(StrEnum):
    """By whom an event was seen."""

    TANGO = "Tango"
    STREAM = "the stream"
    QUERY = "queries"


class Sightings:
    """Records all that any client sees between two starts of a server. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: dict[int, dict[str, Any]] = {}
        self.seen_by: Counter[By] = Counter()
        self.last_number = 0
        self.activities: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.summaries: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.accepted: list[Accepted] = []
        self.outputs: dict[int, list[str]] = defaultdict(list)
        self.shown_lines: set[str] = set()
        self.entries: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.contradictions: list[str] = []

    def event(self, text: str, by: By) -> None:
        """Record an event, in whatever way it came."""
        event = json.loads(text)
        if not event:
            return  # there has been none yet
        with self._lock:
            self.seen_by[by] += 1
            known = self.events.setdefault(event["seq"], event)
            if known != event:
                self.contradictions.append(f"event {event['seq']} was seen as {known} and as {event}")

    def event_number(self, number: int) -> None:
        """Record the number of the newest event."""
        with self._lock:
            self.last_number = max(self.last_number, number)

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Record the summary of a procedure, or of an activity."""
        with self._lock:
            kind = self.activities if "activity_name" in summary else self.summaries
            known = kind[summary["id"]]
            if summary not in known:
                known.append(dict(summary))

    def accept(self, verb: Verb, id_: int, command_id: str) -> None:
        """Record that the device has accepted a command."""
        with self._lock:
            self.accepted.append(Accepted(verb, id_, command_id))

    def output(self, procedure_id: int, lines: Sequence[str]) -> None:
        """Record the first lines of a procedure's output."""
        with self._lock:
            known = self.outputs[procedure_id]
            common = min(len(known), len(lines))
            if known[:common] != list(lines[:common]):
                self.contradictions.append(f"the output of procedure {procedure_id} has changed")
            known += lines[common:]

    def entry(self, entry: Mapping[str, Any]) -> None:
        """Record an entry of the queue."""
        with self._lock:
            known = self.entries[entry["id"]]
            if entry not in known:
                known.append(dict(entry))

    def queue(self, queue: Mapping[str, Any]) -> None:
        """Record the queue."""
        for entry in queue["entries"]:
            self.entry(entry)

    def shown(self, lines: Sequence[str]) -> None:
        """Record lines of output that were shown."""
        with self._lock:
            self.shown_lines.update(lines)

    def absorb(self, other: "Sightings") -> None:
        """Record the events that others have seen, and of what should not be."""
        for event in other.events.values():
            self.event(json.dumps(event), By.STREAM)
        with self._lock:
            self.contradictions += other.contradictions

    def contradiction(self, what: str) -> None:
        """Record something that should not be."""
        with self._lock:
            self.contradictions.append(what)

    def forgotten(self, verb: Verb, summaries: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
        """Find what was created and is not remembered, and IDs that were given out twice.

        :param verb: what commands have created
        :param summaries: what is remembered of what they have created, by ID
        """
        creations = [each for each in self.accepted if each.verb is verb]
        if len({each.id for each in creations}) != len(creations):
            yield f"an ID was given out twice: {creations}"
        for each in creations:
            remembered = summaries.get(each.id, {}).get("command_id")
            if remembered != each.command_id:
                yield f"{each} was accepted, but what is remembered is of {remembered}"
