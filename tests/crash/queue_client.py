"""A client that fills the observing queue, changes it, and starts and stops it, at random."""

import json
import random
import threading
from collections.abc import Callable
from typing import Any

import tango

from .sightings import Sightings

_PAUSE = 0.05
"""Longest pause between two acts, in seconds."""


class QueueClient:
    """Uses the queue until its server is dead.

    :param proxy: the device
    :param sightings: where it records its answers
    :param choose: makes its choices
    :param casting: returns the request for an entry
    """

    def __init__(
        self,
        proxy: tango.DeviceProxy,
        sightings: Sightings,
        choose: random.Random,
        casting: Callable[[], dict[str, Any]],
    ) -> None:
        self._proxy = proxy
        self._sightings = sightings
        self._choose = choose
        self._casting = casting
        self._known: list[int] = []
        self._over = threading.Event()

    def stop(self) -> None:
        """Let `act` return soon."""
        self._over.set()

    def act(self) -> None:
        """Do one thing after the other."""
        acts: dict[Callable[[], None], int] = {
            self._add: 6,
            self._move: 3,
            self._remove: 2,
            self._start: 6,
            self._stop: 1,
            self._read: 3,
        }
        while not self._over.wait(self._choose.uniform(0, _PAUSE)):
            [act] = self._choose.choices(list(acts), list(acts.values()))
            try:
                act()
            except tango.DevFailed as failure:
                reason = failure.args[0].reason
                if not reason.startswith("OET_Queue"):
                    if not reason.startswith("API_"):
                        self._sightings.contradiction(f"{reason}: {failure.args[0].desc}")
                    return

    def _send(self, command: str, **argument: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._proxy.command_inout(command, json.dumps(argument)))
        for entry in answer.get("entries", ()):
            self._sightings.entry(entry)
        return answer

    def _position(self) -> Any:
        if self._known and self._choose.random() < 0.5:
            return {self._choose.choice(["before", "after"]): self._choose.choice(self._known[-6:])}
        return self._choose.choice(["back", "front"])

    def _add(self) -> None:
        entries = [self._casting() for _ in range(self._choose.randint(1, 3))]
        for entry in entries:
            entry["prepare"] = self._choose.choice(["early", "init", "late"])
        added = self._send("QueueAdd", entries=entries, position=self._position())
        self._known += [entry["id"] for entry in added["entries"]]

    def _move(self) -> None:
        if self._known:
            self._send("QueueMove", id=self._choose.choice(self._known[-6:]), position=self._position())

    def _remove(self) -> None:
        if self._known:
            self._send("QueueRemove", id=self._choose.choice(self._known[-6:]))

    def _start(self) -> None:
        self._send("QueueStart")

    def _stop(self) -> None:
        self._send("QueueStop", now=self._choose.random() < 0.5)

    def _read(self) -> None:
        self._sightings.queue(json.loads(self._proxy.queue))
