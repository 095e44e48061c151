"""Pushes the events of one device, in order, from a thread of their own.

A push takes the device's monitor, which a command or a read of an attribute holds while it runs. So
whoever wants an event pushed only leaves a note here, and waits for nothing.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import tango
from tango.server import Device

LOGGER = logging.getLogger(__name__)

Update = tuple[str, Any]
"""Name and new value of an attribute."""

_STALL_TIME = 0.25
"""Seconds without a push, though there is something to push, that mean that the monitor is not free."""

_STATE = "State"
_STATUS = "Status"


class _Latest(NamedTuple):
    """An update that is of no interest once there is a later one of the same attribute."""

    name: str
    value: Any


class EventPublisher:
    """Pushes change and archive events in the order of their submission.

    :param device: whose events to push. ``State`` and ``Status`` can be submitted like any attribute.
    :param change_only: names of attributes that have no archive events
    """

    def __init__(self, device: Device, change_only: Collection[str] = ()) -> None:
        self._device = device
        self._change_only = frozenset(change_only)
        self._queue: queue.SimpleQueue[Sequence[Update] | _Latest | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._latest: dict[str, _Latest] = {}
        self._closed = True
        self._dropping = False
        self._pushed = 0
        self._status: str | None = None  # the text that subscribers were told last
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start to push. After a close, what was submitted before that is pushed first."""
        with self._lock:
            if self._closed:
                self._closed = self._dropping = False
                self._thread = threading.Thread(
                    target=self._run, args=(self._thread,), name="tango-event-publisher", daemon=True
                )
                self._thread.start()

    def submit(self, name: str, value: Any) -> None:
        """Have an event pushed. Any thread may call this; it does not wait.

        :param name: name of the attribute
        :param value: its new value
        """
        self.submit_all(((name, value),))

    def submit_all(self, updates: Sequence[Update]) -> None:
        """Have several events pushed, with none of another submission in between.

        :param updates: names and values, in order; not to be changed afterwards
        """
        with self._lock:
            if not self._closed:
                self._queue.put(updates)

    def submit_latest(self, name: str, value: Any | Callable[[], Any]) -> None:
        """Have an event pushed, unless a later value is submitted before it could be.

        For an attribute of which only the latest value is of interest, however often it changes.

        :param name: name of the attribute
        :param value: its new value, or a function that gives it when the event is about to be pushed
        """
        with self._lock:
            if not self._closed:
                self._latest[name] = latest = _Latest(name, value)
                self._queue.put(latest)

    def close(self) -> None:
        """Take no more submissions. The thread ends when it has pushed what was submitted before."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)

    def finish(self, timeout: float) -> None:
        """Wait until the thread has ended, after `close`.

        If the caller holds the device's monitor, the thread cannot go on: then this gives up, and the
        thread pushes the rest when the monitor is free.

        :param timeout: seconds that pushing the rest may take; what is left by then is dropped
        """
        thread, deadline = self._thread, time.monotonic() + timeout
        while thread is not None and thread.is_alive():
            pushed = self._pushed
            thread.join(_STALL_TIME)
            if self._pushed == pushed:
                return
            self._dropping = time.monotonic() > deadline

    def _run(self, predecessor: threading.Thread | None) -> None:
        if predecessor is not None:
            predecessor.join()
        with tango.EnsureOmniThread():
            while (item := self._queue.get()) is not None:
                for name, value in self._latest_update(item) if isinstance(item, _Latest) else item:
                    self._push(name, value)

    def _latest_update(self, item: _Latest) -> Sequence[Update]:
        with self._lock:
            if self._latest.get(item.name) is not item:
                return ()
            del self._latest[item.name]
        return ((item.name, item.value),)

    def _push(self, name: str, value: Any) -> None:
        self._pushed += 1
        if self._dropping:
            return
        try:
            # Asking costs a tenth of a push that nobody gets, and most attributes have no subscribers.
            # One that comes this moment reads the value itself, as every subscriber begins with.
            change, archive = self._subscribed(name)
            if change or archive:
                self._push_events(name, value() if callable(value) else value, change, archive)
            elif name == _STATUS:
                self._status = None
        except Exception:
            # One value that cannot be sent must not cost the events that come after it.
            LOGGER.exception("Could not push an event of the attribute %s", name)

    def is_wanted(self, name: str) -> bool:
        """Return whether anybody has subscribed to events of an attribute. Any thread may call this.

        :param name: name of the attribute
        """
        return any(self._subscribed(name))

    def _subscribed(self, name: str) -> tuple[bool, bool]:
        """Return whether anybody has subscribed to change events of an attribute, and to archive events."""
        subscribed = self._device.is_there_subscriber
        return (
            subscribed(name, tango.EventType.CHANGE_EVENT),
            name not in self._change_only and subscribed(name, tango.EventType.ARCHIVE_EVENT),
        )

    def _push_events(self, name: str, value: Any, change: bool, archive: bool) -> None:
        device = self._device
        # Tango pushes of these two what the device has set, whatever value it is given.
        if name == _STATE:
            device.set_state(value)
        elif name == _STATUS:
            if value == self._status:
                return
            device.set_status(value)
            self._status = value
        arguments = () if name in (_STATE, _STATUS) else (value,)
        if change:
            device.push_change_event(name, *arguments)
        if archive:
            device.push_archive_event(name, *arguments)
