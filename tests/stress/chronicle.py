"""Chronicle of procedures, from events: only the facts that can be kept of thousands."""

import threading
from collections import Counter, defaultdict

import orjson

from ska_oso_oet.journal import Batch

_STATE_CHANGE = "procedure.lifecycle.statechange"
_LIFECYCLE = ("procedure.lifecycle.created", "procedure.lifecycle.started", "procedure.lifecycle.complete",
              "procedure.lifecycle.failed", "procedure.lifecycle.stopped", "procedure.lifecycle.paused",
              "procedure.lifecycle.resumed")  # fmt: skip


class Chronicle:
    """States and lifecycle events of all procedures, from events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.states: dict[int, list[str]] = defaultdict(list)
        self.topics: dict[int, list[str]] = defaultdict(list)
        self.late: list[str] = []
        """Events of scripts that came after their end was published."""
        self.events = 0
        self._ended: set[str] = set()

    def on_batch(self, batch: Batch) -> None:
        """Record a batch; a subscriber of the bus."""
        with self._lock:
            self.events += len(batch.events)
            for event in batch.events:
                self._note(event.topic, event.text)

    def _note(self, topic: str, text: str) -> None:
        if topic == _STATE_CHANGE:
            event = orjson.loads(text)
            self.states[int(event["msg_src"])].append(event["new_state"])
        elif topic in _LIFECYCLE:
            source = orjson.loads(text)["msg_src"]
            self.topics[int(source)].append(topic)
            if topic in _LIFECYCLE[2:]:
                self._ended.add(source)
        elif topic.startswith("user.") and (source := orjson.loads(text)["msg_src"]) in self._ended:
            self.late.append(f"{topic} of procedure {source}")

    def ends(self) -> Counter[str]:
        """Return how many procedures ended in which state."""
        with self._lock:
            return Counter(states[-1] for states in self.states.values())
