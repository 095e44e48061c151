"""Shared Tango subscriptions: one for each attribute, for any number of observers."""

import atexit
import logging
import threading
from contextlib import suppress
from typing import Any, Protocol

import tango

from ._proxies import DEFAULT_PROXY_FACTORY, ProxyFactory
from ._targets import Attribute

LOGGER = logging.getLogger(__name__)

# Tango clients with subscriptions, which are kept forever. One that is collected as garbage ends its
# subscriptions and waits for their callbacks to return. A collection may happen anywhere, in a callback too:
# the thread that delivers all events would wait for itself.
_subscribed: dict[int, Any] = {}


@atexit.register
def _unsubscribe_all() -> None:
    """End all subscriptions while there is an interpreter for their callbacks."""
    with tango.EnsureOmniThread():
        while _subscribed:
            event_id, proxy = _subscribed.popitem()
            with suppress(Exception):  # the device may have ended, or the proxy may not be one of Tango's
                proxy.unsubscribe_event(event_id)


class EventObserver(Protocol):
    """Receives the events of an attribute."""

    def notify(self, evt: tango.EventData) -> None:
        """Receive an event, or (``evt.err``) a failure that Tango reports as one.

        Runs in the thread that Tango delivers all events in: return soon, and do not wait for
        a thread that registers or unregisters this observer.
        """


class _Registration:
    """An observer, from when it is registered until it is unregistered."""

    def __init__(self, observer: EventObserver) -> None:
        self.observer = observer
        # Reentrant: an observer may unregister itself when it is notified.
        self.lock = threading.RLock()
        self.active = True

    def deliver(self, evt: tango.EventData) -> None:
        """Notify the observer. Its exceptions are logged and do not affect others."""
        with self.lock:
            if not self.active:
                return
            try:
                self.observer.notify(evt)
            except Exception:
                LOGGER.exception("An observer of %s failed; other observers are not affected", evt.attr_name)

    def end(self) -> None:
        """Deliver nothing more, from the moment this returns."""
        with self.lock:
            self.active = False


class Callback:
    """Distributes the Tango events it is called with to the observers registered at that moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registrations: dict[int, _Registration] = {}

    def __call__(self, evt: tango.EventData) -> None:
        """Distribute an event, as Tango asks for."""
        self.notify_observers(evt)

    def notify_observers(self, evt: tango.EventData) -> None:
        """Distribute an event to all registered observers.

        :param evt: event to distribute
        """
        with self._lock:
            registrations = list(self._registrations.values())
        for registration in registrations:
            registration.deliver(evt)

    def register_observer(self, observer: EventObserver) -> None:
        """Notify an observer of all events that come from now on.

        :param observer: observer to register; one that is registered already stays so, once
        """
        # By identity: observers need not be hashable, and equal ones are still two.
        with self._lock:
            self._registrations.setdefault(id(observer), _Registration(observer))

    def unregister_observer(self, observer: EventObserver) -> None:
        """Stop notifying an observer, from the moment this returns.

        :param observer: observer to unregister; one that is not registered is ignored
        """
        with self._lock:
            registration = self._registrations.pop(id(observer), None)
        if registration is not None:
            registration.end()


class _Subscription(Callback):
    """The subscription to one attribute, made when its first observer comes."""

    def __init__(self, attr: Attribute, proxy_factory: ProxyFactory) -> None:
        super().__init__()
        self._attr = attr
        self._proxy_factory = proxy_factory
        # Held while subscribing, so that observers that come at the same time share one subscription.
        self._subscribing = threading.Lock()
        self._subscribed = False
        self._subscriber: int | None = None

    def __call__(self, evt: tango.EventData) -> None:
        """Distribute an event, unless it is the present value that Tango sends on subscribing.

        Tango reads the attribute while it subscribes, and calls this with the value in the thread that
        subscribes. All that the device sends comes in another thread.
        """
        if threading.get_ident() != self._subscriber:
            self.notify_observers(evt)

    def register_observer(self, observer: EventObserver) -> None:
        """Register an observer; it is notified of each event that is received from now on.

        :raises tango.DevFailed: if this is the first observer and the attribute cannot be subscribed to
        """
        with self._subscribing:
            # Registered first: an event may be received before Tango's call has returned.
            super().register_observer(observer)
            if not self._subscribed:
                try:
                    self._subscribe()
                except BaseException:
                    self.unregister_observer(observer)
                    raise
                self._subscribed = True

    def _subscribe(self) -> None:
        proxy = self._proxy_factory(self._attr.device)
        self._subscriber = threading.get_ident()
        try:
            # Tango identifies threads by their omniORB number, which a thread of Python does not have.
            with tango.EnsureOmniThread():
                event_id = proxy.subscribe_event(self._attr.name, tango.EventType.CHANGE_EVENT, self)
        finally:
            self._subscriber = None
        _subscribed[event_id] = proxy


class SubscriptionManager:
    """Manages the subscriptions of observers to attributes: one for each attribute.

    The first observer of an attribute causes the subscription. The subscription then lives until the
    interpreter exits, with or without observers. An observer gets the events that are received
    while it is registered. The attribute's present value is not an event: the one that Tango sends while it
    subscribes is discarded, so `TangoExecutor.read` an attribute whose value is needed now.

    A subscription survives restarts of the device: Tango reports the loss as an event (``evt.err``, reason
    ``API_EventTimeout``) within some 10 s, and the value at the time when it has found the device again,
    after which ordinary events resume. Values that the device passes through between its restart and that
    moment are not reported by Tango.

    May be used from any thread.

    :param proxy_factory: returns the Tango client of a device
    """

    def __init__(self, proxy_factory: ProxyFactory = DEFAULT_PROXY_FACTORY) -> None:
        self._proxy_factory = proxy_factory
        self._lock = threading.Lock()
        self._subscriptions: dict[Attribute, _Subscription] = {}

    def register_observer(self, attr: Attribute, observer: EventObserver) -> None:
        """Notify an observer of each change event of an attribute that is received from now on.

        Where the attribute was subscribed to before, the event of a change that has just happened may still
        be on its way: stay registered to see each change just once.

        :param attr: Tango attribute to observe
        :param observer: the observer to notify; one that is registered already is notified once
        :raises tango.DevFailed: if the attribute cannot be subscribed to: the device is not running,
            has no such attribute, or pushes no change events. Nothing is left registered.
        """
        with self._lock:
            subscription = self._subscriptions.get(attr)
            if subscription is None:
                subscription = self._subscriptions[attr] = _Subscription(attr, self._proxy_factory)
        subscription.register_observer(observer)

    def unregister_observer(self, attr: Attribute, observer: EventObserver) -> None:
        """Stop notifying an observer of an attribute. The Tango subscription stays.

        :param attr: the observed Tango attribute
        :param observer: the observer; one that is not registered is ignored
        """
        with self._lock:
            subscription = self._subscriptions.get(attr)
        if subscription is not None:
            subscription.unregister_observer(observer)
