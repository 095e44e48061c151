"""Compares what clients have seen of the observing queue with what the next server remembers."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.support.controller_site import Controller
from tests.support.queue_order import FINAL, OrderReplay

from .sightings import Sightings


class QueueAudit:
    """Audit of the queue that a new server has from the previous one.

    :param controller: the server
    :param events: those that were published since the last audit
    :param procedures: summaries of the procedures that were created since then, by ID
    :param live: the entries that the last audit has found live, by ID
    """

    def __init__(
        self,
        controller: Controller,
        events: Sequence[dict[str, Any]],
        procedures: Mapping[int, dict[str, Any]],
        live: Mapping[int, dict[str, Any]],
    ) -> None:
        self._controller = controller
        self._procedures = procedures
        self._replay = OrderReplay(live)
        self._breaches = list(self._replay.breaches(events))

    @property
    def live(self) -> Mapping[int, dict[str, Any]]:
        """The entries that have not ended, by ID."""
        return self._replay.live

    @property
    def begun(self) -> int:
        """How many entries have begun."""
        return self._replay.begun

    def findings(self, sightings: Sightings) -> Iterator[str]:
        """Return what should not be, in sentences.

        :param sightings: what clients have seen of the server before
        """
        yield from self._breaches
        shown = json.loads(self._controller.proxy.GetQueue('{"limit": 10000}'))
        if shown["state"] != "STOPPED":
            yield f"the queue of a new server is {shown['state']}"
        waiting = [entry for entry in shown["entries"] if entry["state"] not in FINAL]
        order = sorted(self.live.values(), key=lambda entry: (entry["rank"], entry["id"]))
        if [entry["id"] for entry in waiting] != [entry["id"] for entry in order]:
            yield f"the queue has {[entry['id'] for entry in waiting]}, but its events leave {order}"
        for entry in waiting:
            if entry["state"] != "WAITING" or entry["procedure_id"] is not None:
                yield f"entry {entry['id']} is {entry['state']} after the death of its server: {entry}"
        yield from self._check_seen(sightings)
        yield from self._check_runs()

    def _check_seen(self, sightings: Sightings) -> Iterator[str]:
        for entry_id, seen in sightings.entries.items():
            remembered = json.loads(self._controller.proxy.DescribeQueueEntry(entry_id))
            for entry in seen:
                states = entry["states"]
                if remembered["added"] != entry["added"] or remembered["states"][: len(states)] != states:
                    yield f"entry {entry_id} was seen as {entry}, but is {remembered}"
            last = self._replay.last.get(entry_id)
            if last is not None and last["state"] != remembered["state"]:
                yield f"the last event of entry {entry_id} says {last}, but it is {remembered}"

    def _check_runs(self) -> Iterator[str]:
        runs = Counter(
            procedure["queue_entry"]
            for procedure in self._procedures.values()
            if procedure["queue_entry"] is not None and _main_began(procedure)
        )
        for entry_id, times in runs.items():
            if times > 1:
                yield f"entry {entry_id} has run {times} times"


def _main_began(procedure: dict[str, Any]) -> bool:
    states = [state for state, _ in procedure["history"]["process_states"]]
    return "READY" in states and "RUNNING" in states[states.index("READY") :]
