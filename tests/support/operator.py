"""A client of a controller that receives all of its events and can wait for one."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tango
from tests.support.events import EventLog, listen

from oet_devices.ska.enums import ResultCode


class RefusedError(Exception):
    """The controller has rejected a command. The text is its reason."""


class Operator:
    """A client of a controller, subscribed to its events.

    :param controller: the device
    :param log: the events of its attributes, those of ``events`` among them
    """

    def __init__(self, controller: tango.DeviceProxy, log: EventLog) -> None:
        self.controller = controller
        self.log = log

    def events(self, pid: int | None = None) -> list[dict[str, Any]]:
        """Return the events that have been heard: those of a procedure, or all."""
        # The first one of a subscription has the present value.
        reported = [json.loads(text) for text in self.log.of("events")[1:]]
        return [event for event in reported if pid is None or event["msg_src"] == str(pid)]

    def states(self, pid: int) -> list[str]:
        """Return the states of a procedure that have been heard of."""
        topic = "procedure.lifecycle.statechange"
        return [event["new_state"] for event in self.events(pid) if event["topic"] == topic]

    def topics(self, pid: int) -> list[str]:
        """Return the topics that a procedure has been heard on, its changes of state left out."""
        topics = [str(event["topic"]) for event in self.events(pid)]
        return [topic for topic in topics if topic != "procedure.lifecycle.statechange"]

    def wait_for_state(self, pid: int, state: str, count: int = 1) -> None:
        """Wait until a procedure has entered a state.

        :param count: how many times
        :raises AssertionError: if it does not in time
        """
        self.log.wait_until(lambda _: self.states(pid).count(state) >= count)

    def wait_for_topic(self, pid: int, topic: str) -> None:
        """Wait for an event of a procedure.

        :raises AssertionError: if it does not come in time
        """
        self.log.wait_until(lambda _: topic in self.topics(pid))

    def send(self, command: str, argument: Any) -> str:
        """Send a command that may take long, and return its ID.

        :param argument: a text, or what is to be sent as JSON
        :raises RefusedError: if it is rejected
        :raises tango.DevFailed: if its argument is not valid
        """
        text = argument if isinstance(argument, str) else json.dumps(argument)
        [code], [reported] = self.controller.command_inout(command, text)
        if code == ResultCode.REJECTED:
            raise RefusedError(reported)
        assert code == ResultCode.STARTED
        return str(reported)

    def create(self, argument: Any) -> int:
        """Create a procedure, and return its ID at once."""
        return int(self.send("Create", argument).split("_")[1])

    def prepare(self, argument: Any) -> int:
        """Create a procedure, and return its ID when it is READY."""
        pid = self.create(argument)
        self.wait_for_state(pid, "READY")
        return pid

    def start(self, pid: int, *args: Any, **kwargs: Any) -> None:
        """Start a procedure, with arguments for its ``main``."""
        self.send("Start", {"pid": pid, "script_args": {"main": {"args": args, "kwargs": kwargs}}})

    def run(self, argument: Any, *args: Any, state: str = "COMPLETE", **kwargs: Any) -> int:
        """Create and start a procedure, and return its ID when it has entered a state."""
        pid = self.prepare(argument)
        self.start(pid, *args, **kwargs)
        self.wait_for_state(pid, state)
        return pid

    def stop(self, pid: int) -> None:
        """Stop a procedure, and wait until it has."""
        self.send("Stop", str(pid))
        self.wait_for_topic(pid, "procedure.lifecycle.stopped")

    def describe(self, pid: int = 0) -> dict[str, Any]:
        """Return the summary of a procedure, by default of the last one."""
        summary: dict[str, Any] = json.loads(self.controller.DescribeProcedure(pid))
        return summary

    def get_events(self, **query: Any) -> list[dict[str, Any]]:
        """Return events that have happened."""
        events: list[dict[str, Any]] = json.loads(self.controller.GetEvents(json.dumps(query)))
        return events

    def get_output(self, **query: Any) -> dict[str, Any]:
        """Return lines that a script has written."""
        output: dict[str, Any] = json.loads(self.controller.GetOutput(json.dumps(query)))
        return output

    def listed(self) -> list[int]:
        """Return the IDs that the attribute ``procedures`` lists."""
        return [summary["id"] for summary in json.loads(self.controller.procedures)]


@contextmanager
def operate(controller: tango.DeviceProxy, attributes: Sequence[str] = ()) -> Iterator[Operator]:
    """Be a client of a controller as long as the context lasts.

    :param controller: the device
    :param attributes: what to subscribe to, beside ``events``
    """
    with listen(controller, ["events", *attributes]) as log:
        yield Operator(controller, log)
