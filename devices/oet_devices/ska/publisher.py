"""Publisher: pushes the events of one device, in order, from a thread of its own.

A push takes the device's monitor, which a command or a read of an attribute holds while it runs. So code that
publishes an event only submits it here, and does not wait.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import tango
from tango.server import Device

from .alarms import has_alarm_levels

LOGGER = logging.getLogger(__name__)

Update = tuple[str, Any]
"""Name and new value of an attribute."""

_STALL_TIME = 0.25
"""Seconds without a push, though there is something to push, that mean that the monitor is not free."""

_MAX_AT_ONCE = 1000
"""Submissions that are taken at once: more may come while they are taken."""

_UNKNOWN = object()
"""Marker for the value of an attribute that has not been submitted yet."""

_STATE = "State"
_STATUS = "Status"
_OF_DEVICE = (_STATE, _STATUS)
_NOBODY = (False, False)
_ON_OR_ALARM = (tango.DevState.ON, tango.DevState.ALARM)


class _Latest(NamedTuple):
    """An update that a later one of the same attribute replaces."""

    name: str
    value: Any


class EventPublisher:
    """Pushes change and archive events in the order of their submission.

    An event means a change: a value that equals the one submitted before it is not pushed. A function that
    gives a value is called only where somebody has subscribed to the attribute.

    Where an attribute has alarm levels, every change may put a device that is ON into ALARM or out of it:
    that is computed again after each. It concerns the state that was submitted last, not the present one of
    the device, whose event has its place later in the order.

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
        self._values: dict[str, Any] = {}  # the newest value of each attribute that was handled
        # Functions that give the values of attributes that nobody had subscribed to.
        self._not_found: dict[str, Callable[[], Any]] = {}
        # Whether an attribute has subscribers, as found since the last read of the queue.
        self._known_subscribed: dict[str, tuple[bool, bool]] = {}
        self._was_alarm = False
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
        """Push an event. Any thread may call this; it does not wait.

        :param name: name of the attribute
        :param value: its new value
        """
        self.submit_all(((name, value),))

    def submit_all(self, updates: Sequence[Update]) -> None:
        """Push several events, with none of another submission in between.

        :param updates: names and values, in order; not to be changed afterwards
        """
        with self._lock:
            if not self._closed:
                self._queue.put(updates)

    def submit_latest(self, name: str, value: Any | Callable[[], Any]) -> None:
        """Push an event, unless a later value is submitted before.

        For an attribute of which only the latest value matters.

        :param name: name of the attribute
        :param value: its new value, or a function that gives it when the event is about to be pushed
        """
        with self._lock:
            if not self._closed:
                self._latest[name] = latest = _Latest(name, value)
                self._queue.put(latest)

    def close(self) -> None:
        """Accept no more submissions. The thread ends when it has pushed what was submitted before."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)

    def finish(self, timeout: float) -> None:
        """Wait until the thread has ended, after `close`.

        If the caller holds the device's monitor, the thread cannot continue: then this gives up, and the
        thread pushes the rest when the monitor is free.

        :param timeout: seconds that pushing the rest may take; the rest is dropped then
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
            goes_on = True
            while goes_on:
                items, goes_on = self._take_all()
                changed = False
                for item in items:
                    for name, value in self._latest_update(item) if isinstance(item, _Latest) else item:
                        changed |= self._push(name, value)
                if changed and (self._was_alarm or has_alarm_levels(self._device)):
                    self._compute_alarm()

    def _take_all(self) -> tuple[list[Sequence[Update] | _Latest], bool]:
        """Wait for a submission, and take all that are there. The flag is False if there will be no more.

        A client that subscribes from now on reads a value that is not older than what was taken.
        """
        items: list[Sequence[Update] | _Latest] = []
        item = self._queue.get()
        self._known_subscribed.clear()
        while item is not None:
            items.append(item)
            if len(items) == _MAX_AT_ONCE:
                return items, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return items, True
        return items, False

    def _latest_update(self, item: _Latest) -> Sequence[Update]:
        with self._lock:
            if self._latest.get(item.name) is not item:
                return ()
            del self._latest[item.name]
        return ((item.name, item.value),)

    def _push(self, name: str, value: Any) -> bool:
        """Push an event. Returns whether a change may have put the device into ALARM, or out of it."""
        self._pushed += 1
        if self._dropping:
            return False
        try:
            # The check costs a tenth of a push without subscribers, and most attributes have none.
            subscribed = self._known_subscribed.get(name)
            if subscribed is None:
                subscribed = self._known_subscribed[name] = self._subscribed(name)
            if callable(value):
                if subscribed == _NOBODY:
                    # To find the value takes longer than all the rest; see `on_read`.
                    self._values.pop(name, None)
                    self._not_found[name] = value
                    return name not in _OF_DEVICE
                self._not_found.pop(name, None)
                value = value()
            if name == _STATE and value == tango.DevState.ON and self._is_in_alarm():
                value = tango.DevState.ALARM
            if value == self._values.get(name, _UNKNOWN):
                return False
            if subscribed != _NOBODY:
                self._push_events(name, value, *subscribed)
            self._values[name] = value
            if name == _STATE and self._was_alarm != (value == tango.DevState.ALARM):
                self._was_alarm = not self._was_alarm
                self.submit_latest(_STATUS, self._device.dev_status)
        except Exception:
            # A value that cannot be sent must not prevent the later events.
            LOGGER.exception("Could not push an event of the attribute %s", name)
            return False
        return name not in _OF_DEVICE

    def _compute_alarm(self) -> None:
        """Announce ALARM or its end, if the state that was submitted last is ON."""
        if self._values.get(_STATE) in _ON_OR_ALARM:
            self._push(_STATE, tango.DevState.ON)

    def _is_in_alarm(self) -> bool:
        """Return whether the device is in ALARM if it is ON; that reads attributes, as a client does."""
        if not has_alarm_levels(self._device):
            return False
        with tango.AutoTangoMonitor(self._device):
            self._device.set_state(tango.DevState.ON)
            # Tango's own: that of the device starts from its present state.
            state: tango.DevState = Device.dev_state(self._device)
        return bool(state == tango.DevState.ALARM)

    def on_read(self, name: str) -> None:
        """Take into account that a client reads an attribute, as each does when it subscribes.

        The client needs no event of that value. Any thread may call this.

        :param name: name of the attribute
        """
        find = self._not_found.pop(name, None)
        if find is not None:
            with suppress(Exception):  # the read itself reports it
                self._values[name] = find()

    def is_wanted(self, name: str) -> bool:
        """Return whether an attribute has subscribers. Any thread may call this.

        :param name: name of the attribute
        """
        return any(self._subscribed(name))

    def _subscribed(self, name: str) -> tuple[bool, bool]:
        """Return whether an attribute has subscribers of change events, and of archive events."""
        subscribed = self._device.is_there_subscriber
        return (
            subscribed(name, tango.EventType.CHANGE_EVENT),
            name not in self._change_only and subscribed(name, tango.EventType.ARCHIVE_EVENT),
        )

    def _push_events(self, name: str, value: Any, change: bool, archive: bool) -> None:
        # For these two, Tango ignores the given value and pushes the one that the device has set.
        if name == _STATE:
            # A client that reads the state meanwhile would set another one.
            with tango.AutoTangoMonitor(self._device):
                self._device.set_state(value)
                self._push_value(name, (), change, archive)
        elif name == _STATUS:
            self._device.set_status(value)
            self._push_value(name, (), change, archive)
        else:
            self._push_value(name, (value,), change, archive)

    def _push_value(self, name: str, value: tuple[Any, ...], change: bool, archive: bool) -> None:
        if change:
            self._device.push_change_event(name, *value)
        if archive:
            self._device.push_archive_event(name, *value)
