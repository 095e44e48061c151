"""The order of a queue, followed by its events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

FINAL = ("DONE", "FAILED", "STOPPED", "SKIPPED", "UNKNOWN", "REMOVED")


class OrderReplay:
    """Follows the live entries of a queue by the events ``queue.entry.*``.

    :param live: the entries that are live before the first event, by ID
    """

    def __init__(self, live: Mapping[int, dict[str, Any]] | None = None) -> None:
        self.live: dict[int, dict[str, Any]] = dict(live or {})
        self.last: dict[int, dict[str, Any]] = {}
        """The newest version of each entry that events were about."""
        self.begun = 0
        """How many entries have begun."""

    def breaches(self, events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Follow events, and return what should not be: entries that have begun before others.

        :param events: in their order; those on other topics are ignored
        """
        for event in events:
            if not event["topic"].startswith("queue.entry."):
                continue
            entry = event["result"]
            yield from self._check(entry)
            self.last[entry["id"]] = entry
            if entry["state"] in FINAL:
                self.live.pop(entry["id"], None)
            else:
                self.live[entry["id"]] = entry

    def _check(self, entry: dict[str, Any]) -> Iterator[str]:
        known = self.live.get(entry["id"])
        if entry["state"] != "PREPARING" or known is None or known["state"] != "WAITING":
            return
        self.begun += 1
        place = (entry["rank"], entry["id"])
        for other in self.live.values():
            if other["id"] != entry["id"] and other["state"] != "WAITING":
                yield f"entry {entry['id']} has begun while entry {other['id']} was {other['state']}"
            if (other["rank"], other["id"]) < place:
                yield f"entry {entry['id']} has begun before entry {other['id']}, which was in front of it"
