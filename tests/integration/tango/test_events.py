"""Change events of a real device, as scripts and observers see them."""

import queue
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tango
from tests.support.patience import PATIENCE, patience
from tests.support.telescope import TelescopeServer, running_telescope

from ska_oso_oet.tango import Attribute, SubscriptionManager, TangoDeviceProxyFactory, TangoExecutor

SOON = PATIENCE
"""Seconds within which an event of a running device must have come."""
KEEP_ALIVE = patience(30.0)
"""Seconds within which Tango notices that a device has gone, or has come back; its own period is 10 s."""


class Inbox:
    """An observer that keeps its events."""

    def __init__(self) -> None:
        self.events: queue.Queue[tango.EventData] = queue.Queue()

    def notify(self, evt: tango.EventData) -> None:
        """Keep an event."""
        self.events.put(evt)

    def values(self, count: int) -> list[float]:
        """Wait for a number of events and return their values."""
        return [self.events.get(timeout=SOON).attr_value.value for _ in range(count)]


class CountingProxyFactory:
    """Counts the Tango subscriptions that are made through it."""

    def __init__(self) -> None:
        self.subscriptions = 0

    def __call__(self, name: str) -> "CountingProxy":
        """Return a new client, as a factory that caches nothing does."""
        return CountingProxy(tango.DeviceProxy(name), self)


class CountingProxy:
    """A Tango client whose subscriptions are counted."""

    def __init__(self, proxy: tango.DeviceProxy, counter: CountingProxyFactory) -> None:
        self._proxy = proxy
        self._counter = counter

    def __getattr__(self, name: str) -> object:
        return getattr(self._proxy, name)

    def subscribe_event(self, *args: object) -> int:
        """Count, and subscribe."""
        self._counter.subscriptions += 1
        return int(self._proxy.subscribe_event(*args))


@pytest.fixture
def level(telescope: TelescopeServer) -> Attribute:
    """An attribute that pushes what its device's Push command is given; 0 when a test begins.

    Where the process has subscribed to it before, an event on its way also comes to a new subscription. So
    all events have come before the test begins.
    """
    attribute = Attribute(telescope.subarray, "level")
    executor = TangoExecutor(TangoDeviceProxyFactory())
    subscription = executor.subscribe_event(attribute)
    for value in (-1.0, 0.0):
        telescope.proxy.Push(value)
        while executor.read_event(attribute, SOON).attr_value.value != value:
            pass
    executor.unsubscribe_event(attribute, subscription)
    return attribute


def test_events_come_in_order_and_the_present_value_is_none_of_them(
    telescope: TelescopeServer, level: Attribute
) -> None:
    executor = TangoExecutor(TangoDeviceProxyFactory())
    subscription = executor.subscribe_event(level)
    for value in (1.0, 2.0, 3.0):
        telescope.proxy.Push(value)
    assert [executor.read_event(level, SOON).attr_value.value for _ in range(3)] == [1.0, 2.0, 3.0]
    executor.unsubscribe_event(level, subscription)


def test_subscribing_again_brings_only_what_comes_from_then_on(
    telescope: TelescopeServer, level: Attribute
) -> None:
    executor, witness = TangoExecutor(TangoDeviceProxyFactory()), Inbox()
    executor.unsubscribe_event(level, executor.subscribe_event(level))
    SubscriptionManager(TangoDeviceProxyFactory()).register_observer(level, witness)
    telescope.proxy.Push(7.0)
    witness.values(1)
    subscription = executor.subscribe_event(level)
    telescope.proxy.Push(8.0)
    values = iter(lambda: executor.read_event(level, SOON).attr_value.value, 8.0)
    assert set(values) <= {7.0}  # its event may still have been on its way to this subscription
    executor.unsubscribe_event(level, subscription)


def test_timeout_names_the_attribute(level: Attribute) -> None:
    executor = TangoExecutor(TangoDeviceProxyFactory())
    subscription = executor.subscribe_event(level)
    with pytest.raises(TimeoutError, match=f"{level} within 0.05 s"):
        executor.read_event(level, timeout=0.05)
    executor.unsubscribe_event(level, subscription)


def test_one_subscription_at_a_time(telescope: TelescopeServer, level: Attribute) -> None:
    executor = TangoExecutor(TangoDeviceProxyFactory())
    subscription = executor.subscribe_event(level)
    other = Attribute(telescope.subarray, "obsState")
    with pytest.raises(RuntimeError, match=f"{level} is subscribed to"):
        executor.subscribe_event(other)
    with pytest.raises(RuntimeError, match=f"{other} is not subscribed to"):
        executor.unsubscribe_event(other, subscription)
    executor.unsubscribe_event(level, subscription)
    with pytest.raises(RuntimeError, match="call subscribe_event first"):
        executor.read_event(level)


def test_a_refused_subscription_leaves_the_executor_usable(
    telescope: TelescopeServer, level: Attribute
) -> None:
    executor = TangoExecutor(TangoDeviceProxyFactory())
    for name in ("silent", "misspelt"):
        with pytest.raises(tango.DevFailed):
            executor.subscribe_event(Attribute(telescope.subarray, name))
    executor.unsubscribe_event(level, executor.subscribe_event(level))


def test_an_attribute_that_cannot_be_read_can_be_subscribed_to(telescope: TelescopeServer) -> None:
    """Tango reports the failure to read it as the event that is discarded."""
    executor = TangoExecutor(TangoDeviceProxyFactory())
    attribute = Attribute(telescope.subarray, "unreadable")
    for _ in range(2):
        subscription = executor.subscribe_event(attribute)
        with pytest.raises(TimeoutError):
            executor.read_event(attribute, 0.05)
        executor.unsubscribe_event(attribute, subscription)


def test_observers_share_one_subscription_made_from_any_thread(
    telescope: TelescopeServer, level: Attribute
) -> None:
    factory = CountingProxyFactory()
    manager = SubscriptionManager(factory)
    inboxes = [Inbox() for _ in range(8)]
    spellings = [level, Attribute(level.device.upper().replace("TANGO:", "tango:"), "LEVEL")]
    with ThreadPoolExecutor(len(inboxes)) as pool:
        list(pool.map(manager.register_observer, spellings * 4, inboxes))
    telescope.proxy.Push(1.0)
    assert [inbox.values(1) for inbox in inboxes] == [[1.0]] * len(inboxes)
    assert factory.subscriptions == 1


def test_an_observer_registered_twice_is_notified_once(telescope: TelescopeServer, level: Attribute) -> None:
    manager = SubscriptionManager(TangoDeviceProxyFactory())
    inbox, last = Inbox(), Inbox()
    manager.register_observer(level, inbox)
    manager.register_observer(level, inbox)
    manager.register_observer(level, last)
    telescope.proxy.Push(1.0)
    assert last.values(1) == [1.0]
    assert inbox.values(1) == [1.0]
    assert inbox.events.empty()


def test_unregistering_ends_notification_and_keeps_the_subscription(
    telescope: TelescopeServer, level: Attribute
) -> None:
    factory = CountingProxyFactory()
    manager = SubscriptionManager(factory)
    gone, staying = Inbox(), Inbox()
    manager.register_observer(level, gone)
    manager.register_observer(level, staying)
    manager.unregister_observer(level, gone)
    telescope.proxy.Push(1.0)
    assert staying.values(1) == [1.0]
    assert gone.events.empty()
    manager.unregister_observer(level, staying)
    manager.register_observer(level, gone)
    assert factory.subscriptions == 1


def test_an_observer_that_fails_harms_no_other(telescope: TelescopeServer, level: Attribute) -> None:
    class Failing:
        def notify(self, evt: tango.EventData) -> None:
            raise RuntimeError("boom")

    manager = SubscriptionManager(TangoDeviceProxyFactory())
    failing, inbox = Failing(), Inbox()
    manager.register_observer(level, failing)
    manager.register_observer(level, inbox)
    telescope.proxy.Push(1.0)
    assert inbox.values(1) == [1.0]
    manager.unregister_observer(level, failing)  # it would fail again, and log that, during a later test


def test_an_observer_may_unregister_itself(telescope: TelescopeServer, level: Attribute) -> None:
    manager = SubscriptionManager(TangoDeviceProxyFactory())
    last = Inbox()

    class Once(Inbox):
        def notify(self, evt: tango.EventData) -> None:
            super().notify(evt)
            manager.unregister_observer(level, self)

    once = Once()
    manager.register_observer(level, once)
    manager.register_observer(level, last)
    telescope.proxy.Push(1.0)
    telescope.proxy.Push(2.0)
    assert last.values(2) == [1.0, 2.0]
    assert once.values(1) == [1.0]
    assert once.events.empty()


def test_events_resume_after_a_crash_of_the_device(tango_host: str) -> None:
    """What observers, old and new, see of a restart: one test, since Tango takes its 10 s to notice."""
    with running_telescope(tango_host, "restarted") as server:
        level = Attribute(server.subarray, "level")
        executor = TangoExecutor(TangoDeviceProxyFactory())
        subscription = executor.subscribe_event(level)
        server.proxy.Push(5.0)
        assert executor.read_event(level, SOON).attr_value.value == 5.0

        server.crash()
        executor.unsubscribe_event(level, subscription)
        subscription = executor.subscribe_event(level)  # the subscription is there, the device is not
        server.start()

        lost = executor.read_event(level, KEEP_ALIVE)
        assert lost.err
        assert lost.errors[0].reason == "API_EventTimeout"
        found = executor.read_event(level, KEEP_ALIVE)
        assert found.attr_value.value == 0.0  # the restarted device's own
        server.proxy.Push(6.0)
        assert executor.read_event(level, SOON).attr_value.value == 6.0
        executor.unsubscribe_event(level, subscription)


def test_a_script_that_leaves_a_subscription_behind_ends_by_itself(
    telescope: TelescopeServer, level: Attribute
) -> None:
    script = (
        "from ska_oso_oet.tango import *\n"
        f"attribute = Attribute({level.device!r}, 'level')\n"
        "executor = TangoExecutor()\n"
        "executor.subscribe_event(attribute)\n"
        "executor.execute(Command(attribute.device, 'Push', 4.0))\n"
        "print(executor.read_event(attribute, 5).attr_value.value)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert ended.stdout == "4.0\n"


def test_executors_that_are_thrown_away_do_not_stop_the_events_of_others(
    telescope: TelescopeServer, level: Attribute
) -> None:
    """Garbage may be collected in any thread, also in the one that delivers events."""
    script = (
        "import gc, sys\n"
        "from ska_oso_oet.tango import *\n"
        "class Collector:\n"
        "    def notify(self, evt):\n"
        "        gc.collect()\n"
        "        print('collected', evt.attr_value.value, flush=True)\n"
        f"attribute = Attribute({level.device!r}, 'level')\n"
        "manager, collector = SubscriptionManager(TangoDeviceProxyFactory()), Collector()\n"
        "gc.disable()\n"
        "TangoExecutor(TangoDeviceProxyFactory()).subscribe_event(attribute)\n"
        "manager.register_observer(attribute, collector)\n"
        "print('registered', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "registered\n"
        telescope.proxy.Push(1.0)
        assert process.stdout.readline() == "collected 1.0\n"
        process.communicate("\n", timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0


def test_a_waiting_script_can_be_interrupted(telescope: TelescopeServer, level: Attribute) -> None:
    """Stop raises in the script by SIGTERM; a wait for an event must not hold that up."""
    script = (
        "import signal, sys\n"
        "from ska_oso_oet.tango import *\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        f"attribute = Attribute({level.device!r}, 'level')\n"
        "executor = TangoExecutor()\n"
        "executor.subscribe_event(attribute)\n"
        "print('waiting', flush=True)\n"
        "executor.read_event(attribute)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.terminate()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 3


def test_threads_that_only_python_knows_may_subscribe(telescope: TelescopeServer, level: Attribute) -> None:
    executor, values = TangoExecutor(TangoDeviceProxyFactory()), []

    def follow() -> None:
        subscription = executor.subscribe_event(level)
        telescope.proxy.Push(3.0)
        values.append(executor.read_event(level, SOON).attr_value.value)
        executor.unsubscribe_event(level, subscription)

    thread = threading.Thread(target=follow)
    thread.start()
    thread.join(SOON)
    assert values == [3.0]
