"""An operator of the queue, at work while others run procedures by hand."""

import random
import threading
from contextlib import suppress

import orjson
from tests.support.queue_order import FINAL, OrderReplay

from ska_oso_oet.activity.application import ActivityService
from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import Batch
from ska_oso_oet.model import (
    OetError,
    QueueAddRequest,
    QueueClearRequest,
    QueueMoveRequest,
    QueueRemoveRequest,
    QueueState,
    QueueUpdateRequest,
)
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.queue import QueueService

from .kinds import KINDS

_ENDING = ("does nothing", "prints and logs", "publishes", "takes a while", "fails in main", "fails in init",
           "fails in loading", "exits", "leaves files", "never ends", "is stuck in init")  # fmt: skip
"""Kinds of scripts that entries run: also such as have to be stopped."""

_FEWEST = 5
"""How many entries there are at least while the operator is at work."""

_LONGEST_RUN = 1.0
"""Seconds after which what runs is stopped."""

_PATIENCE = 20.0
"""Seconds in which the queue must come to its end."""


class QueueOperator:
    """Fills a queue, changes it and keeps it running, as long as others are at work.

    :param bus: what the queue publishes on
    :param service: runs its scripts
    :param seed: decides what is done
    """

    def __init__(self, bus: EventBus, service: ScriptExecutionService, seed: str) -> None:
        self._bus = bus
        self._random = random.Random(seed)
        self._activities = ActivityService(service, bus=bus)
        self._replay = OrderReplay()
        self._changed = threading.Condition()
        self._over = threading.Event()
        self.complaints: list[str] = []
        bus.subscribe(self._on_batch)
        self._queue = QueueService(service, self._activities)
        self._thread = threading.Thread(target=self._work, name="queue-operator")
        self._thread.start()

    @property
    def entries(self) -> int:
        """How many entries have begun."""
        return self._replay.begun

    def _on_batch(self, batch: Batch) -> None:
        events = [
            orjson.loads(event.text) for event in batch.events if event.topic.startswith("queue.entry.")
        ]
        with self._changed:
            self.complaints += self._replay.breaches(events)
            self._changed.notify_all()

    def _work(self) -> None:
        while not self._over.is_set():
            for _ in range(self._random.randint(1, 3)):
                # It may come too late for what it is about.
                with suppress(OetError):
                    self._change()
            self._let_one_run(_LONGEST_RUN)

    def _change(self) -> None:
        ids = list(self._replay.live)
        if len(ids) < _FEWEST:
            self._add()
            return
        entry_id = self._random.choice(ids)
        position = self._random.choice(["back", "front", {"before": self._random.choice(ids)}])
        change = self._random.choice(["add", "move", "move", "update", "remove"])
        if change == "add":
            self._add()
        elif change == "move":
            request = {"id": entry_id, "position": position}
            self._queue.move(QueueMoveRequest.model_validate(request))
        elif change == "update":
            changes = {"id": entry_id, "prepare": self._preparation()}
            self._queue.update(QueueUpdateRequest.model_validate(changes))
        else:
            self._queue.remove(QueueRemoveRequest(id=entry_id))

    def _preparation(self) -> str:
        return self._random.choice(["early", "init", "late"])

    def _add(self) -> None:
        entries = [
            {
                "procedure": {"script": {"script_type": "embedded", "script": KINDS[kind]}},
                "prepare": self._preparation(),
            }
            for kind in self._random.choices(_ENDING, k=self._random.randint(1, 4))
        ]
        self._queue.add(QueueAddRequest.model_validate({"entries": entries}))

    def _let_one_run(self, seconds: float) -> bool:
        """Have the queue run until an entry has ended, or stop that. Returns whether the queue is empty."""
        if self._queue.view.condition.state is QueueState.STOPPED:
            self._queue.start()
        with self._changed:
            left = len(self._replay.live)
            has_ended = self._changed.wait_for(lambda: len(self._replay.live) < left, seconds)
        if not has_ended:
            self._queue.stop(now=True)
        return not self._replay.live

    def finish(self) -> None:
        """Run what is left, end the queue, and see whether all is as it should be."""
        self._over.set()
        self._thread.join()
        for _ in range(len(self._replay.live) * 2):
            if self._let_one_run(_LONGEST_RUN):
                break
        self._queue.clear(QueueClearRequest())
        with self._changed:
            if not self._changed.wait_for(lambda: not self._replay.live, _PATIENCE):
                self.complaints.append(f"entries do not end: {list(self._replay.live.values())}")
        for entry in self._replay.last.values():
            if entry["state"] not in FINAL:
                self.complaints.append(f"entry {entry['id']} is {entry['state']} in the end")
        self._queue.halt()
        self._activities.close()
        self._queue.close()
        self._bus.unsubscribe(self._on_batch)
