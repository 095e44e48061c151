"""A client of the SKA long-running-command protocol, versions 1 and 2.

It does what clients of SKA devices do: it reads which versions the device speaks, subscribes **before**
it sends a command, expects exactly one number and one text back, and matches events to the command's
ID. Events may come before the answer does.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import tango
from tests.support.events import settle
from tests.support.patience import wait_until

from oet_devices.ska.enums import ResultCode, TaskStatus

_ATTRIBUTES = {
    1: ("longRunningCommandStatus", "longRunningCommandProgress", "longRunningCommandResult"),
    2: ("_lrcEvent",),
}
"""Attributes that a client of each version subscribes to."""


class Update(NamedTuple):
    """Content of one event about a command; None for fields that it does not have."""

    status: TaskStatus | None = None
    progress: int | None = None
    result: list[Any] | None = None


class CommandRefusedError(Exception):
    """The device did not take the command. The text is the reason it gave."""


class LrcListener:
    """Events of all commands of a device, as a client receives them.

    :param proxy: the device
    :param version: version of the protocol
    """

    def __init__(self, proxy: tango.DeviceProxy, version: int) -> None:
        self.proxy = proxy
        self.version = version
        self.changed = threading.Condition(threading.RLock())
        self.errors: list[str] = []
        self._updates: dict[str, list[Update]] = defaultdict(list)
        self._subscriptions: list[int] = []

    def updates(self, command_id: str) -> list[Update]:
        """Return what has been heard of a command, in order."""
        with self.changed:
            return list(self._updates.get(command_id, ()))

    def send(self, command: str, argument: Any = None) -> "LrcCall":
        """Send a command, after `subscribe`.

        :raises CommandRefusedError: if the device refuses it
        """
        [code], [text] = self.proxy.command_inout(command, argument)
        if ResultCode(int(code)) not in (ResultCode.STARTED, ResultCode.QUEUED):
            raise CommandRefusedError(text)
        return LrcCall(self, text, ResultCode(int(code)))

    def subscribe(self) -> None:
        """Subscribe to the attributes of the protocol, and wait until that is in effect."""
        for name in _ATTRIBUTES[self.version]:
            # The name that an event brings along is in lower case.
            callback = self._callback(name)
            self._subscriptions.append(
                self.proxy.subscribe_event(name, tango.EventType.CHANGE_EVENT, callback)
            )
        settle(self.proxy)

    def unsubscribe(self) -> None:
        """End the subscriptions."""
        while self._subscriptions:
            self.proxy.unsubscribe_event(self._subscriptions.pop())

    def _callback(self, attribute: str) -> Callable[[tango.EventData], None]:
        def on_event(event: tango.EventData) -> None:
            with self.changed:
                if event.err:
                    self.errors.extend(error.desc for error in event.errors)
                else:
                    flat = list(event.attr_value.value)
                    for command_id, text in zip(flat[::2], flat[1::2], strict=True):
                        self._read(attribute, self._updates[command_id], text)
                self.changed.notify_all()

        return on_event

    @staticmethod
    def _read(attribute: str, updates: list[Update], text: str) -> None:
        """Note what an event says of a command, if it is new."""
        if attribute == "_lrcEvent":
            event = json.loads(text)
            status = TaskStatus(event["status"]) if "status" in event else None
            updates.append(Update(status, event.get("progress"), event.get("result")))
        elif attribute == "longRunningCommandStatus":
            # These list every command, over and over: only what is new is an update.
            if TaskStatus[text] not in _reported(updates, "status")[-1:]:
                updates.append(Update(status=TaskStatus[text]))
        elif attribute == "longRunningCommandProgress":
            if int(text) not in _reported(updates, "progress")[-1:]:
                updates.append(Update(progress=int(text)))
        elif text:
            updates.append(Update(result=json.loads(text)))


class LrcCall:
    """One command that was sent to a device, and what has been heard of it.

    :param listener: hears of it
    :param command_id: its ID
    :param code: what the device answered
    """

    def __init__(self, listener: LrcListener, command_id: str, code: ResultCode) -> None:
        self._listener = listener
        self.id = command_id
        self.code = code

    @property
    def updates(self) -> list[Update]:
        """All that has been heard of the command, in order."""
        return self._listener.updates(self.id)

    @property
    def statuses(self) -> list[TaskStatus]:
        """The statuses that the command has gone through."""
        return _reported(self.updates, "status")

    @property
    def progress(self) -> list[int]:
        """The progress that the command has reported."""
        return _reported(self.updates, "progress")

    @property
    def result(self) -> list[Any] | None:
        """The result of the command; None if there is none yet."""
        return next(iter(_reported(self.updates, "result")), None)

    def wait_until(self, condition: Callable[["LrcCall"], Any]) -> "LrcCall":
        """Wait until what has been heard fulfils a condition.

        :param condition: is given this object
        :raises AssertionError: if it is not fulfilled in time
        """
        wait_until(
            lambda: condition(self),
            f"update of {self.id}",
            self._listener.changed,
            lambda: (self.updates, self._listener.errors),
        )
        return self

    def wait_for_end(self) -> "LrcCall":
        """Wait until the command has ended.

        :raises AssertionError: if it has not ended in time
        """
        return self.wait_until(lambda call: call.statuses and call.statuses[-1].is_final)


def _reported(updates: list[Update], what: str) -> list[Any]:
    """Return the values of one field in updates."""
    return [value for update in updates if (value := getattr(update, what)) is not None]


@contextmanager
def listen_to_commands(proxy: tango.DeviceProxy, version: int | None = None) -> Iterator[LrcListener]:
    """Listen to all commands of a device as long as the context lasts.

    :param proxy: the device
    :param version: version of the protocol; by default the highest that the device speaks
    """
    lowest, highest = proxy.read_attribute("lrcProtocolVersions").value
    chosen = min(int(highest), 2) if version is None else version
    assert lowest <= chosen <= highest, f"the device speaks versions {lowest} to {highest}, not {chosen}"
    listener = LrcListener(proxy, chosen)
    try:
        listener.subscribe()
        yield listener
    finally:
        listener.unsubscribe()


@contextmanager
def invoke(
    proxy: tango.DeviceProxy, command: str, argument: Any = None, *, version: int | None = None
) -> Iterator[LrcCall]:
    """Send a long-running command, and listen to it as long as the context lasts.

    :param proxy: the device
    :param command: name of the command
    :param argument: its argument
    :param version: version of the protocol; by default the highest that the device speaks
    :raises CommandRefusedError: if the device refuses the command
    """
    with listen_to_commands(proxy, version) as listener:
        yield listener.send(command, argument)
