"""Executor: commands, attributes and events of Tango devices for a script."""

import functools
import itertools
import queue
import threading
from typing import Any

import tango

from ._enumerations import members
from ._proxies import DEFAULT_PROXY_FACTORY, ProxyFactory
from ._subscriptions import SubscriptionManager
from ._targets import Attribute, Command


class SingleQueueEventStrategy:
    """Puts the events of the one attribute that is subscribed to into a queue.

    :param mgr: SubscriptionManager instance used to observe events
    """

    def __init__(self, mgr: SubscriptionManager) -> None:
        self._mgr = mgr
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._active: tuple[int, Attribute] | None = None
        self._queue: queue.SimpleQueue[tango.EventData] = queue.SimpleQueue()

    def notify(self, evt: tango.EventData) -> None:
        """Queue an event. The SubscriptionManager calls this in Tango's thread.

        :param evt: the event
        """
        self._queue.put(evt)

    def read_event(self, attr: Attribute, timeout: float | None = None) -> tango.EventData:
        """Take the oldest event that was not read yet, waiting until there is one.

        :param attr: the attribute that is subscribed to; used for messages only, because there is one
            subscription at a time
        :param timeout: seconds to wait at most; None for no limit
        :raises RuntimeError: if nothing is subscribed to, so that no event can arrive
        :raises TimeoutError: if no event arrived in time
        :returns: the event; its ``err`` is set if Tango reports a failure
        """
        if self._active is None:
            raise RuntimeError(f"no event of {attr} can be read: call subscribe_event first")
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(
                f"no event of {attr} within {timeout} s: the value did not change, or its device does not run"
            ) from None

    def subscribe_event(self, attr: Attribute) -> int:
        """Subscribe to the change events of an attribute.

        :param attr: attribute to subscribe to
        :raises RuntimeError: if an attribute is subscribed to already
        :raises tango.DevFailed: if the attribute cannot be subscribed to
        :returns: subscription identifier, for unsubscribe_event
        """
        with self._lock:
            if self._active is not None:
                raise RuntimeError(
                    f"cannot subscribe to {attr}: {self._active[1]} is subscribed to, and there can be one "
                    "subscription at a time; call unsubscribe_event first, or use another TangoExecutor"
                )
            self._queue = queue.SimpleQueue()
            self._mgr.register_observer(attr, self)
            self._active = (next(self._ids), attr)
            return self._active[0]

    def unsubscribe_event(self, attr: Attribute, subscription_id: int) -> None:
        """Unsubscribe from the change events of an attribute. Events that were not read are dropped.

        :param attr: attribute to unsubscribe from
        :param subscription_id: subscription identifier
        :raises RuntimeError: if that is not the active subscription
        """
        with self._lock:
            if self._active != (subscription_id, attr):
                raise RuntimeError(
                    f"{attr} is not subscribed to with identifier {subscription_id}: "
                    "give the attribute and the number of the last subscribe_event"
                )
            self._mgr.unregister_observer(attr, self)
            self._active = None


@functools.cache
def _subscriptions_of(proxy_factory: ProxyFactory) -> SubscriptionManager:
    # Executors share subscriptions. A subscription exists as long as the interpreter, so its manager may,
    # too.
    return SubscriptionManager(proxy_factory)


class TangoExecutor:
    """Performs Tango interactions on behalf of a script.

    An executor has one attribute subscribed to at a time, as scripts written for the OET expect; use
    one executor for each attribute to follow several.

    :param proxy_factory: a function or object which, when called with the FQDN of a device, returns
        an object that conforms to the PyTango DeviceProxy interface
    """

    SingleQueueEventStrategy = SingleQueueEventStrategy

    def __init__(self, proxy_factory: ProxyFactory = DEFAULT_PROXY_FACTORY) -> None:
        self._proxy_factory = proxy_factory
        self._events = self.SingleQueueEventStrategy(_subscriptions_of(proxy_factory))

    def execute(self, command: Command, **kwargs: Any) -> Any:
        """Execute a command on a Tango device.

        :param command: the command to execute
        :param kwargs: more keyword arguments for ``DeviceProxy.command_inout``
        :raises tango.DevFailed: if the device cannot be reached or the command fails
        :returns: the response, if any, returned by the Tango device
        """
        proxy = self._proxy_factory(command.device)
        options = {**command.kwargs, **kwargs}
        if not command.args:
            return proxy.command_inout(command.command_name, **options)
        argument = command.args[0] if len(command.args) == 1 else list(command.args)
        return proxy.command_inout(command.command_name, argument, **options)

    def read(self, attribute: Attribute) -> Any:
        """Read an attribute of a Tango device.

        :param attribute: the attribute to read
        :raises tango.DevFailed: if the device cannot be reached, or cannot read the attribute
        :returns: the attribute value; that of a DevEnum is a member of an ``IntEnum`` with the attribute's
            labels, in tuples if the attribute is an array. In events, it is an ``int``.
        """
        proxy = self._proxy_factory(attribute.device)
        reading = proxy.read_attribute(attribute.name)
        if reading.type != tango.CmdArgType.DevEnum:
            return reading.value
        config = proxy.get_attribute_config(attribute.name)
        return members(reading.value, config.name, tuple(config.enum_labels))

    def subscribe_event(self, attribute: Attribute) -> int:
        """Subscribe to the change events of an attribute that are received from now on.

        The present value is not an event: `read` it.

        :param attribute: the attribute to subscribe to
        :raises RuntimeError: if an attribute is subscribed to already
        :raises tango.DevFailed: if the attribute cannot be subscribed to
        :returns: subscription ID
        """
        return self._events.subscribe_event(attribute)

    def read_event(self, attr: Attribute, timeout: float | None = None) -> tango.EventData:
        """Get the next event of the attribute that is subscribed to, waiting until there is one.

        :param attr: the attribute
        :param timeout: seconds to wait at most; None for no limit
        :raises RuntimeError: if nothing is subscribed to
        :raises TimeoutError: if no event arrived in time
        :returns: the event; its ``err`` is set if Tango reports a failure
        """
        return self._events.read_event(attr, timeout)

    def unsubscribe_event(self, attribute: Attribute, event_id: int) -> None:
        """Unsubscribe from the change events of an attribute.

        :param attribute: the attribute to unsubscribe from
        :param event_id: subscription ID
        :raises RuntimeError: if that is not the active subscription
        """
        self._events.unsubscribe_event(attribute, event_id)
