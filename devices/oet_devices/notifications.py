"""Notifications of failures, questions and poor health, sent to people by the library apprise.

A thread of its own sends them from a bounded queue: no observation waits for a mail server.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tango

from oet_devices.ska.enums import HealthState
from ska_oso_oet.journal import Batch
from ska_oso_oet.model import failure_line

LOGGER = logging.getLogger(__name__)

EXTRA = "ska-oso-oet-tango[notify]"
"""The extra that has to be installed."""

_LIMIT = 100
"""How many notifications may wait to be sent."""

_LONGEST = 1000
"""Characters of a notification."""

_CLOSE_TIME = 1.0
_NOT_WELL = (HealthState.DEGRADED, HealthState.FAILED)


class _Targets(NamedTuple):
    """New targets of notifications."""

    urls: tuple[str, ...]


class Notifications:
    """Sends notifications: a procedure FAILED, the queue stopped, a question waits, health is not OK.

    Without targets it does nothing.

    :param status: returns the Status of the device
    :param on_fault: called by the thread that sends when `fault` has changed
    :ivar fault: why nothing is sent, None if there is no fault
    """

    def __init__(self, status: Callable[[], str], on_fault: Callable[[], None]) -> None:
        self.fault: str | None = None
        self._status = status
        self._on_fault = on_fault
        self._title = ""
        self._targets: tuple[str, ...] = ()
        self._notify: Callable[[str, str], bool] | None = None
        self._queue: queue.Queue[str | _Targets | None] = queue.Queue(_LIMIT)
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._is_failing = False
        self._health = HealthState.UNKNOWN

    def configure(self, device: str, targets: Sequence[str]) -> None:
        """Set the targets of notifications. Returns at once: apprise takes seconds to be imported.

        :param device: name of the device, which they begin with
        :param targets: URLs as apprise takes them; they may contain secrets, and are not shown
        """
        self._title = f"OET {device}"
        given = tuple(target.strip() for target in targets if target.strip())
        if given == self._targets:
            return
        self._targets = given
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="oet-notifier", daemon=True)
            self._thread.start()
        self._queue.put(_Targets(given))

    def on_batch(self, batch: Batch) -> None:
        """Notify of committed changes. Called by the thread of the bus; returns at once."""
        if not self._targets:
            return
        for event, fields in zip(batch.events, batch.fields, strict=True):
            if (text := _text(event.topic, fields)) is not None:
                self._put(text)

    def on_health(self, health: HealthState) -> None:
        """Notify of a change of health. Any thread may call this; it returns at once."""
        before, self._health = self._health, health
        if not self._targets or health == before:
            return
        if health in _NOT_WELL:
            self._put(f"healthState is {health.name}")
        elif health == HealthState.OK and before in _NOT_WELL:
            self._put("healthState is OK again")

    def _put(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Send the waiting notifications, if that takes only a moment."""
        if self._thread is not None:
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                return
            self._thread.join(_CLOSE_TIME)

    def _run(self) -> None:
        with tango.EnsureOmniThread():
            while (item := self._queue.get()) is not None:
                try:
                    if isinstance(item, _Targets):
                        self._choose(item)
                    else:
                        self._send(item)
                except Exception:  # a failed notification must not prevent the others
                    LOGGER.exception("A notification could not be sent")

    def _choose(self, targets: _Targets) -> None:
        """Change the targets; note if that is not possible."""
        before = self.fault
        try:
            self._notify = _sender(targets.urls) if targets.urls else None
            self.fault = None
        except ValueError as error:
            self._notify, self.fault = None, str(error)
            LOGGER.warning("No notifications are sent: %s", error)
        if self.fault != before:
            self._on_fault()

    def _send(self, text: str) -> None:
        if self._notify is None:
            return
        if dropped := self._dropped:
            self._dropped -= dropped
            text = f"{text}\n({dropped} notifications before this were dropped: there were too many)"
        body = f"{text}\n\n{self._status()}"[:_LONGEST]
        is_sent = self._notify(self._title, body)
        if not is_sent and not self._is_failing:
            LOGGER.warning(
                "A notification could not be sent to all targets of the property Notify. Further failures "
                "are not logged until one is sent again"
            )
        self._is_failing = not is_sent


def _sender(targets: Sequence[str]) -> Callable[[str, str], bool]:
    """Return a function that sends a title and a text to all targets, and returns whether all have got it.

    :raises ValueError: if a target is not understood, or apprise is not installed
    """
    try:
        import apprise
    except ImportError:
        raise ValueError(
            f"property Notify: apprise is not installed: pip install '{EXTRA}', then restart the server"
        ) from None
    # It logs every failure, with the target.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    sender = apprise.Apprise()
    for number, target in enumerate(targets, start=1):
        if not sender.add(target):
            # Without the target, which may contain a secret.
            raise ValueError(
                f"property Notify: apprise does not understand target {number}: see its documentation for "
                "the form that the service needs, fix it, then send Reset"
            )

    def send(title: str, body: str) -> bool:
        return bool(sender.notify(body=body, title=title))

    return send


def _text(topic: str, fields: Mapping[str, Any]) -> str | None:
    """Return the notification of an event, None if there is none."""
    match topic, fields:
        case "procedure.lifecycle.stacktrace", {"msg_src": pid, "stacktrace": str(trace)}:
            return f"Procedure {pid} FAILED: {failure_line(trace)}"
        case "queue.state", {"new_state": "STOPPED", "reason": str(reason)}:
            return f"The queue is STOPPED: {reason}"
        case "procedure.question.asked", {"question": {"id": number, "text": text, "procedure_id": pid}}:
            return f"Procedure {pid} asks (question {number}): {text}"
    return None
