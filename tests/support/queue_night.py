"""A night of an observing queue: entries of all kinds, people who change the queue, kills of the server."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango
from tests.support.controllers import CLASS, MODULE, controller_proxy, register_controller
from tests.support.patience import wait_until
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_server

DEVICE = "test/night/1"

NIGHT = """\
import time
def note(text):
    with open({log!r}, "ab", buffering=0) as log:
        log.write(text.encode() + b"\\n")
def init(*args, **kwargs): ...
def main(name="", seconds=0.0, fail=False, sb_json=None):
    note("begin " + name)
    if fail:
        raise RuntimeError("no beam")
    time.sleep(seconds)
    note("end " + name)
"""


class Night:
    """A controller whose server is killed now and then, and what its clients know of the queue.

    :param tango_host: the database's ``host:port``
    :param folder: for everything
    :param seed: for what happens
    """

    def __init__(self, tango_host: str, folder: Path, seed: int) -> None:
        self._tango_host = tango_host
        self._random = random.Random(seed)
        self.kills = 0
        self.names: dict[int, str] = {}
        """Names of the entries that were added, by ID."""
        self.refused = Counter[str]()
        """How often changes were refused, by reason."""
        self.log = folder / "runs"
        scripts = folder / "scripts"
        scripts.mkdir()
        script = scripts / "night.py"
        script.write_text(NIGHT.format(log=str(self.log)))
        self._script = script.as_uri()
        block = {
            "sbd_id": "sbd-night",
            "telescope": "ska_mid",
            "metadata": {"version": 1},
            "activities": {"observe": {"kind": "filesystem", "path": self._script}},
        }
        (scripts / "block.json").write_text(json.dumps(block))
        self._block = (scripts / "block.json").as_uri()
        register_controller(
            tango_host,
            DEVICE,
            folder / "state",
            instance="night",
            ScriptRoots=[str(scripts)],
            HistoryLength=["1000"],
        )
        self._server: ServerProcess | None = None

    # The server

    @contextmanager
    def server(self) -> Iterator[None]:
        """Have a server, until it is killed or the context ends."""
        with device_server(self._tango_host, MODULE, "night") as self._server:
            self.controller: tango.DeviceProxy = controller_proxy(self._tango_host, DEVICE)
            assert self.controller.info().dev_class == CLASS
            yield

    def kill(self) -> None:
        """Kill the server at some moment of the next few hundred events."""
        last = self.controller.lastEventId + self._random.randint(1, 60)
        running = "RUNNING"
        wait_until(
            lambda: self.controller.lastEventId >= last or self.queue()["state"] != running, "a few events"
        )
        assert self._server is not None
        self._server.kill()
        self._server.wait()
        self.kills += 1

    # The queue

    def send(self, command: str, **argument: Any) -> dict[str, Any]:
        """Send a command, and return its answer."""
        answer: dict[str, Any] = json.loads(self.controller.command_inout(command, json.dumps(argument)))
        return answer

    def queue(self) -> dict[str, Any]:
        """Return the whole queue."""
        return self.send("GetQueue", limit=10_000)

    def waiting(self) -> list[int]:
        """Return the IDs of the entries that have not begun, in their order."""
        return [entry["id"] for entry in self.queue()["entries"] if entry["state"] == "WAITING"]

    def add(self, count: int) -> None:
        """Add entries of all kinds somewhere."""
        entries = []
        names = [f"n{len(self.names) + number}" for number in range(count)]
        for name in names:
            arguments: dict[str, Any] = {"name": name, "seconds": self._random.choice([0, 0, 0, 0.02, 0.2])}
            if self._random.random() < 0.06:
                arguments["fail"] = True
            script_args = {"main": {"kwargs": arguments}}
            if self._random.random() < 0.3:
                activity = {"activity_name": "observe", "sbd_uri": self._block, "script_args": script_args}
                entry: dict[str, Any] = {"activity": activity}
            else:
                script = {"script_type": "filesystem", "script_uri": self._script}
                entry = {"procedure": {"script": script, "script_args": script_args}}
            entries.append({**entry, "prepare": self._random.choice(["early", "early", "init", "late"])})
        waiting = self.waiting()
        position: Any = self._random.choice(["back", "front"])
        if waiting and self._random.random() < 0.5:
            position = {self._random.choice(["before", "after"]): self._random.choice(waiting)}
        if (answer := self._try("QueueAdd", entries=entries, position=position)) is not None:
            self.names.update(zip([entry["id"] for entry in answer["entries"]], names, strict=True))

    def move(self) -> None:
        """Move an entry."""
        waiting = self.waiting()
        if len(waiting) > 1:
            moved, beside = self._random.sample(waiting, 2)
            side = self._random.choice(["before", "after"])
            self._try("QueueMove", id=moved, position={side: beside})

    def remove(self) -> None:
        """Remove an entry."""
        if waiting := self.waiting():
            self._try("QueueRemove", id=self._random.choice(waiting[:5]))

    def update(self) -> None:
        """Change an entry that is about to begin."""
        if waiting := self.waiting():
            self._try("QueueUpdate", id=waiting[0], note="clouds", prepare="late")

    def stop_now(self) -> None:
        """Stop the queue and the entry that runs."""
        self._try("QueueStop", now=True)

    def stop_by_hand(self) -> None:
        """Stop what runs without saying anything to the queue."""
        self.controller.Stop("")

    def _try(self, command: str, **argument: Any) -> dict[str, Any] | None:
        """Send a command that may come too late for what it is about."""
        try:
            return self.send(command, **argument)
        except tango.DevFailed as error:
            self.refused[error.args[0].reason] += 1
            return None

    def go_on(self) -> None:
        """Have the queue run, and wait until an entry has ended, or it stops."""
        if self.queue()["state"] == "STOPPED":
            self.send("QueueStart")
        left = self.controller.queueLength
        wait_until(
            lambda: self.controller.queueLength < left or self.queue()["state"] == "STOPPED" or left == 0,
            "the end of an entry",
        )

    def live_for(self, steps: int) -> None:
        """Let entries run, and change the queue."""
        changes: list[Callable[[], None]] = [self.move] * 4 + [self.update] * 2 + [self.remove]
        changes += [self.stop_now, self.stop_by_hand]
        for _ in range(steps):
            self._random.choice(changes)()
            self.go_on()

    def run_to_the_end(self) -> None:
        """Let all that is left run."""
        while self.controller.queueLength:
            self.go_on()

    # What is left of it

    def events(self) -> list[dict[str, Any]]:
        """Return all events about entries."""
        found: list[dict[str, Any]] = []
        after = 0
        while page := json.loads(
            self.controller.GetEvents(json.dumps({"after": after, "limit": 1000, "topic": "queue.entry."}))
        ):
            found += page
            after = page[-1]["seq"]
        return found

    def outcome(self) -> dict[str, str]:
        """Return the states of all entries, by name."""
        return {
            name: json.loads(self.controller.DescribeQueueEntry(number))["state"]
            for number, name in self.names.items()
        }

    def runs(self, what: str) -> Counter[str]:
        """Return how many times entries have come to the begin, or the end, of ``main``."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return Counter(name for kind, name in lines if kind == what)
