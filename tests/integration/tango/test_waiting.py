"""Scripts that wait for what a device does: by its events, and by reading its enumerations."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import partial

import pytest
import tango
from tests.support.dish_device import PointingState
from tests.support.patience import PATIENCE, wait_until
from tests.support.tango_stack import device_name, device_server, register

from ska_oso_oet.tango import (
    Attribute,
    Command,
    SubscriptionManager,
    TangoDeviceProxyFactory,
    TangoExecutor,
)

SLEW = 0.3
"""Seconds that a slew takes."""
ONE_SLEW = [PointingState.SLEWING, PointingState.ON_TARGET]


@pytest.fixture(scope="module")
def dish(tango_host: str) -> Iterator[str]:
    register(tango_host, "dish_device/waiting", "Dish", "test-waiting/dish/1")
    with device_server(tango_host, "tests.support.dish_device", "waiting"):
        name = device_name(tango_host, "test-waiting/dish/1")
        with _settled(tango.DeviceProxy(name), "pointingState", "azimuth"):
            yield name


@contextmanager
def _settled(dish: tango.DeviceProxy, *attributes: str) -> Iterator[None]:
    """Have subscriptions in effect at once, as long as the context lasts.

    Tango hands the first one of a process to ZeroMQ, and loses what is pushed before the server has it.
    """
    arrived: set[str] = set()
    subscriptions = []
    for each in attributes:
        on_event = partial(lambda name, _event: arrived.add(name), each)
        subscriptions.append(dish.subscribe_event(each, tango.EventType.CHANGE_EVENT, on_event))
    arrived.clear()  # the present values

    def have_arrived() -> bool:
        dish.Slew(0.0)
        return arrived.issuperset(attributes)

    wait_until(have_arrived, "events of the dish")
    yield
    for subscription in subscriptions:
        dish.unsubscribe_event(subscription)


@pytest.fixture
def executor() -> TangoExecutor:
    return TangoExecutor(TangoDeviceProxyFactory())


def until_on_target(executor: TangoExecutor, state: Attribute) -> list[int]:
    """Read events up to the one that says that the dish is on target."""
    seen: list[int] = []
    while PointingState.ON_TARGET not in seen:
        event = executor.read_event(state, PATIENCE)
        assert not event.err, event.errors
        seen.append(event.attr_value.value)
    return seen


def test_a_wait_ends_when_the_device_has_done_its_work(executor: TangoExecutor, dish: str) -> None:
    state = Attribute(dish, "pointingState")
    for _ in range(3):
        subscription = executor.subscribe_event(state)
        began = time.monotonic()
        executor.execute(Command(dish, "Slew", SLEW))
        assert until_on_target(executor, state) == ONE_SLEW
        assert time.monotonic() - began >= SLEW
        executor.unsubscribe_event(state, subscription)


def test_one_long_subscription_shows_each_slew_once(executor: TangoExecutor, dish: str) -> None:
    state = Attribute(dish, "pointingState")
    subscription = executor.subscribe_event(state)
    for _ in range(2):
        executor.execute(Command(dish, "Slew", 0.0))
        assert until_on_target(executor, state) == ONE_SLEW
    executor.unsubscribe_event(state, subscription)


def test_several_observers_see_what_comes_after_each_has_registered(dish: str) -> None:
    manager, executor = SubscriptionManager(TangoDeviceProxyFactory()), TangoExecutor()
    state = Attribute(dish, "pointingState")
    early, late = Arrivals(), Arrivals()
    manager.register_observer(state, early)
    executor.execute(Command(dish, "Slew", 0.0))
    early.wait_for(2)
    manager.register_observer(state, late)
    executor.execute(Command(dish, "Slew", 0.0))
    early.wait_for(4)
    late.wait_for(2)
    assert early.values == ONE_SLEW * 2
    assert late.values == ONE_SLEW
    # They would hear of the end of the device, during a later test.
    manager.unregister_observer(state, early)
    manager.unregister_observer(state, late)


class Arrivals:
    """An observer that keeps the values of events."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self._arrived = threading.Semaphore(0)

    def notify(self, evt: object) -> None:
        """Keep the value of an event."""
        self.values.append(evt.attr_value.value)  # type: ignore[attr-defined]
        self._arrived.release()

    def wait_for(self, count: int) -> None:
        """Wait until there are that many values."""
        while len(self.values) < count:
            assert self._arrived.acquire(timeout=PATIENCE), f"only {self.values}"


def test_attributes_of_one_device_are_followed_separately(dish: str) -> None:
    factory = TangoDeviceProxyFactory()
    executors = {name: TangoExecutor(factory) for name in ("pointingState", "azimuth")}
    attributes = {name: Attribute(dish, name) for name in executors}
    before = executors["azimuth"].read(attributes["azimuth"])
    for name, executor in executors.items():
        executor.subscribe_event(attributes[name])
    executors["azimuth"].execute(Command(dish, "Slew", 0.0))
    assert until_on_target(executors["pointingState"], attributes["pointingState"]) == ONE_SLEW
    azimuth = executors["azimuth"].read_event(attributes["azimuth"], PATIENCE)
    assert azimuth.attr_value.value == before + 1.0


def test_an_error_that_the_device_pushes_is_an_event(executor: TangoExecutor, dish: str) -> None:
    azimuth = Attribute(dish, "azimuth")
    subscription = executor.subscribe_event(azimuth)
    executor.execute(Command(dish, "BreakSensor"))
    event = executor.read_event(azimuth, PATIENCE)
    assert event.err
    assert event.errors[0].reason == "DISH_SensorError"
    executor.unsubscribe_event(azimuth, subscription)


def test_nothing_comes_from_a_device_that_does_nothing(executor: TangoExecutor, dish: str) -> None:
    state = Attribute(dish, "pointingState")
    for _ in range(2):
        subscription = executor.subscribe_event(state)
        with pytest.raises(TimeoutError):
            executor.read_event(state, 0.1)
        executor.unsubscribe_event(state, subscription)


def test_the_first_event_after_subscribing_is_never_lost(dish: str) -> None:
    """Each executor has a factory, so a connection and a subscription, of its own."""
    state = Attribute(dish, "pointingState")
    for _ in range(30):
        executor = TangoExecutor(TangoDeviceProxyFactory())
        subscription = executor.subscribe_event(state)
        executor.execute(Command(dish, "Slew", 0.0))
        assert until_on_target(executor, state) == ONE_SLEW
        executor.unsubscribe_event(state, subscription)


def test_reading_an_enumeration_gives_its_member(executor: TangoExecutor, dish: str) -> None:
    state = executor.read(Attribute(dish, "pointingState"))
    assert isinstance(state, IntEnum)
    assert (state.name, state.value) == ("ON TARGET", 1)
    assert state == PointingState.ON_TARGET
    assert executor.read(Attribute(dish, "POINTINGSTATE")) is state
    assert [each.name for each in executor.read(Attribute(dish, "pastStates"))] == ["SLEWING", "ON TARGET"]


def test_labels_that_python_cannot_name_leave_the_number(executor: TangoExecutor, dish: str) -> None:
    assert executor.read(Attribute(dish, "oddLabels")) == 1
