"""A client of the SKA long-running-command protocol, versions 1 and 2.

It does what clients of SKA devices do: it reads which versions the device speaks, subscribes **before**
it sends the command, expects exactly one number and one text back, and matches events to the command's
ID. Events may come before the answer does.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import tango
from tests.support.events import settle

from oet_devices.ska.enums import ResultCode, TaskStatus


class Update(NamedTuple):
    """What one event said of a command; None for what it did not mention."""

    status: TaskStatus | None = None
    progress: int | None = None
    result: list[Any] | None = None


class CommandRefusedError(Exception):
    """The device did not take the command. The text is the reason it gave."""


class LrcCall:
    """One command that was sent to a device, and what has been heard of it.

    :param proxy: the device
    :param version: version of the protocol
    """

    def __init__(self, proxy: tango.DeviceProxy, version: int) -> None:
        self._proxy = proxy
        self._changed = threading.Condition()
        self._early: list[tuple[str, list[str]]] = []
        self._subscriptions: list[int] = []
        self.version = version
        self.id = ""
        self.code: ResultCode | None = None
        self.updates: list[Update] = []
        self.errors: list[str] = []

    @property
    def statuses(self) -> list[TaskStatus]:
        """The statuses that the command has gone through."""
        with self._changed:
            return [update.status for update in self.updates if update.status is not None]

    @property
    def progress(self) -> list[int]:
        """The progress that the command has told."""
        with self._changed:
            return [update.progress for update in self.updates if update.progress is not None]

    @property
    def result(self) -> list[Any] | None:
        """The result of the command; None if there is none yet."""
        with self._changed:
            return next((update.result for update in self.updates if update.result is not None), None)

    def wait_until(self, condition: Callable[["LrcCall"], Any], timeout: float = 10.0) -> "LrcCall":
        """Wait until what has been heard fulfils a condition.

        :param condition: is given this object
        :param timeout: seconds
        :raises AssertionError: if it is not fulfilled in time
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition(self):
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{self.id}: not within {timeout} s; {self.updates} {self.errors}")
        return self

    def wait_for_end(self, timeout: float = 10.0) -> "LrcCall":
        """Wait until the command has ended.

        :param timeout: seconds
        :raises AssertionError: if it has not ended in time
        """
        return self.wait_until(lambda call: call.statuses and call.statuses[-1].is_final, timeout)

    def send(self, command: str, argument: Any = None) -> None:
        """Send the command. To be called once, after `subscribe`.

        :raises CommandRefusedError: if the device refuses it
        """
        [code], [text] = self._proxy.command_inout(command, argument)
        self.code = ResultCode(int(code))
        if self.code not in (ResultCode.STARTED, ResultCode.QUEUED):
            raise CommandRefusedError(text)
        with self._changed:
            self.id = text
            for attribute, value in self._early:
                self._read(attribute, value)
            self._early.clear()
            self._changed.notify_all()

    def subscribe(self) -> None:
        """Subscribe to the attributes of the protocol, and wait until that is in effect."""
        names = ["_lrcEvent"]
        if self.version == 1:
            names = ["longRunningCommandStatus", "longRunningCommandProgress", "longRunningCommandResult"]
        for name in names:
            # The name that an event brings along is in lower case.
            callback = self._callback(name)
            self._subscriptions.append(
                self._proxy.subscribe_event(name, tango.EventType.CHANGE_EVENT, callback)
            )
        settle(self._proxy)

    def unsubscribe(self) -> None:
        """End the subscriptions."""
        while self._subscriptions:
            self._proxy.unsubscribe_event(self._subscriptions.pop())

    def _callback(self, attribute: str) -> Callable[[tango.EventData], None]:
        def on_event(event: tango.EventData) -> None:
            with self._changed:
                if event.err:
                    self.errors.extend(error.desc for error in event.errors)
                elif self.id:
                    self._read(attribute, list(event.attr_value.value))
                else:
                    self._early.append((attribute, list(event.attr_value.value)))
                self._changed.notify_all()

        return on_event

    def _read(self, attribute: str, value: list[str]) -> None:
        """Note what an event says of this command, if anything."""
        if self.id not in value[::2]:
            return
        text = value[value.index(self.id) + 1]
        if attribute == "_lrcEvent":
            event = json.loads(text)
            status = TaskStatus(event["status"]) if "status" in event else None
            self.updates.append(Update(status, event.get("progress"), event.get("result")))
        elif attribute == "longRunningCommandStatus":
            # These list every command, over and over: only what is new is an update.
            if TaskStatus[text] not in self.statuses[-1:]:
                self.updates.append(Update(status=TaskStatus[text]))
        elif attribute == "longRunningCommandProgress":
            if int(text) not in self.progress[-1:]:
                self.updates.append(Update(progress=int(text)))
        else:
            self.updates.append(Update(result=json.loads(text)))


@contextmanager
def invoke(
    proxy: tango.DeviceProxy, command: str, argument: Any = None, *, version: int | None = None
) -> Iterator[LrcCall]:
    """Send a long-running command, and listen to what becomes of it as long as the context lasts.

    :param proxy: the device
    :param command: name of the command
    :param argument: its argument
    :param version: version of the protocol; by default the highest that the device speaks
    :raises CommandRefusedError: if the device refuses the command
    """
    lowest, highest = proxy.read_attribute("lrcProtocolVersions").value
    chosen = min(int(highest), 2) if version is None else version
    assert lowest <= chosen <= highest, f"the device speaks versions {lowest} to {highest}, not {chosen}"
    call = LrcCall(proxy, chosen)
    try:
        call.subscribe()
        call.send(command, argument)
        yield call
    finally:
        call.unsubscribe()
