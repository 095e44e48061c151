"""Clients that do at random what clients do, as fast as they are served."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango
from tests.support.controller_site import Controller

from oet_devices.ska.enums import ResultCode

from .queue_client import QueueClient
from .sightings import By, Sightings, Verb

ACTOR = Path(__file__).parent / "scripts" / "actor.py"
_BLOCK = ACTOR.with_name("block.json")

_PARTS = {
    "quiet": 2,
    "steady": 4,
    "chatty": 2,
    "fails": 2,
    "fails_early": 1,
    "vanishes": 1,
    "mutters": 2,
    "deaf": 1,
    "family": 3,
    "leaves": 1,
}
"""Parts that scripts play, and how often."""

_LOOKED_AT = ("lastEventId", "events", "procedures", "activities", "lrcFinished")

_PAUSE = 0.05
"""Longest pause between two acts of a client, in seconds."""


class Procedures:
    """The procedures that the clients of a server know of. Any thread may use it."""

    def __init__(self) -> None:
        self._known: list[int] = []

    def add(self, procedure_id: int) -> None:
        """Let all clients know of a procedure."""
        self._known.append(procedure_id)

    def one_of_the_newest(self, choose: random.Random) -> int:
        """Return a procedure, mostly one that still lives; 0, which is the last one, if there is none."""
        return choose.choice(self._known[-4:] or [0])


class Client:
    """A client that creates, starts, stops and looks at random, until its server is dead.

    :param proxy: the device
    :param sightings: where it records its observations
    :param choose: makes its choices
    :param procedures: the procedures that it and others know of
    :param name: begins the tokens of its scripts
    """

    def __init__(
        self,
        proxy: tango.DeviceProxy,
        sightings: Sightings,
        choose: random.Random,
        procedures: Procedures,
        name: str,
    ) -> None:
        self._proxy = proxy
        self._sightings = sightings
        self._choose = choose
        self._procedures = procedures
        self._name = name
        self._created = 0
        self._over = threading.Event()

    def stop(self) -> None:
        """Let `act` return soon."""
        self._over.set()

    def act(self) -> None:
        """Do one thing after the other."""
        acts: dict[Callable[[], None], int] = {
            self._create: 2,
            self._run_activity: 1,
            self._start: 12,
            self._stop: 2,
            self._describe: 8,
            self._describe_activity: 2,
            self._read_attributes: 8,
            self._get_output: 8,
        }
        while not self._over.wait(self._choose.uniform(0, _PAUSE)):
            [act] = self._choose.choices(list(acts), list(acts.values()))
            try:
                act()
            except tango.DevFailed as failure:
                if not self._is_refusal(failure):
                    return

    def _is_refusal(self, failure: tango.DevFailed) -> bool:
        """Whether the device has refused something; else there is no device any more."""
        reason = failure.args[0].reason
        if reason.startswith("API_"):
            return False
        if not reason.startswith("OET_"):
            self._sightings.contradiction(f"{reason}: {failure.args[0].desc}")
        return True

    def _create(self) -> None:
        request = {"script": {"script_uri": ACTOR.as_uri()}, "script_args": self.casting()}
        command_id = self._send("Create", json.dumps(request))
        if command_id is not None:
            procedure_id = _id_in(command_id)
            self._sightings.accept(Verb.CREATE, procedure_id, command_id)
            self._procedures.add(procedure_id)

    def _run_activity(self) -> None:
        request = {
            "activity_name": "act",
            "sbd_uri": _BLOCK.as_uri(),
            "script_args": self.casting(),
            "prepare_only": self._choose.random() < 0.2,
        }
        command_id = self._send("RunActivity", json.dumps(request))
        if command_id is not None:
            self._sightings.accept(Verb.RUN, _id_in(command_id), command_id)

    def casting(self) -> dict[str, Any]:
        """Return the arguments that give a script its part."""
        [part] = self._choose.choices(list(_PARTS), list(_PARTS.values()))
        self._created += 1
        return {"init": {"kwargs": {"token": f"{self._name}.{self._created}", "part": part}}}

    def _start(self) -> None:
        self._request(Verb.START, "Start", {})

    def _stop(self) -> None:
        self._request(Verb.STOP, "Stop", {"abort": self._choose.random() < 0.3})

    def _request(self, verb: Verb, command: str, more: dict[str, bool]) -> None:
        procedure_id = self._procedures.one_of_the_newest(self._choose)
        if procedure_id == 0:
            return
        command_id = self._send(command, json.dumps({"pid": procedure_id, **more}))
        if command_id is not None:
            self._sightings.accept(verb, procedure_id, command_id)

    def _send(self, command: str, argument: str) -> str | None:
        """Return the ID of a command that was accepted."""
        [code], [text] = self._proxy.command_inout(command, argument)
        return str(text) if code == ResultCode.STARTED else None

    def _describe(self) -> None:
        procedure_id = self._procedures.one_of_the_newest(self._choose)
        self._sightings.summary(json.loads(self._proxy.DescribeProcedure(procedure_id)))

    def _describe_activity(self) -> None:
        self._sightings.summary(json.loads(self._proxy.DescribeActivity(0)))

    def _read_attributes(self) -> None:
        for attribute in self._proxy.read_attributes(_LOOKED_AT):
            match attribute.name:
                case "lastEventId":
                    self._sightings.event_number(attribute.value)
                case "events":
                    self._sightings.event(attribute.value, By.QUERY)
                case "procedures" | "activities":
                    for summary in json.loads(attribute.value):
                        self._sightings.summary(summary)
                case _:
                    self._see_finished(attribute.value or ())

    def _see_finished(self, entries: tuple[str, ...]) -> None:
        for entry in entries:
            code, result = json.loads(entry)["result"]
            if code == ResultCode.OK and isinstance(result, dict):
                self._sightings.summary(result)

    def _get_output(self) -> None:
        procedure_id = self._procedures.one_of_the_newest(self._choose)
        query = {"pid": procedure_id or None, "limit": 10_000}
        answer = json.loads(self._proxy.GetOutput(json.dumps(query)))
        if procedure_id and not answer["dropped"]:
            self._sightings.output(procedure_id, answer["lines"])


def _id_in(command_id: str) -> int:
    """Return the ID of what a command is about."""
    return int(command_id.split("_")[1])


@contextmanager
def busy_clients(
    controller: Controller, sightings: Sightings, choose: random.Random, name: str, count: int = 3
) -> Iterator[None]:
    """Let clients do what clients do, as long as the context lasts or their server lives.

    :param controller: the device
    :param sightings: where they record their observations
    :param choose: makes their choices
    :param name: begins the tokens of their scripts
    :param count: how many clients
    """
    procedures = Procedures()
    clients = [
        Client(
            tango.DeviceProxy(controller.name),
            sightings,
            random.Random(choose.random()),
            procedures,
            f"{name}.{number}",
        )
        for number in range(count)
    ]
    script = {"script": {"script_uri": ACTOR.as_uri()}}
    queued = QueueClient(
        tango.DeviceProxy(controller.name),
        sightings,
        random.Random(choose.random()),
        lambda: {"procedure": {**script, "script_args": clients[0].casting()}},
    )
    busy: list[Client | QueueClient] = [*clients, queued]
    threads = [threading.Thread(target=client.act, name="busy client") for client in busy]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for client in busy:
            client.stop()
        for thread in threads:
            thread.join()
