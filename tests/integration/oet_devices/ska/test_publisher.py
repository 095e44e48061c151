"""Events are pushed in order, by a thread that nobody waits for."""

import signal
from concurrent.futures import ThreadPoolExecutor

import tango
from tests.integration.oet_devices.ska.conftest import DEVICE_CLASS, SERVER
from tests.support.events import listen
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_proxy, device_server, register

_MANY = 20_000
_ALL_ARRIVE = 900
"""ZeroMQ drops what a subscriber has not taken when a thousand messages wait."""


def test_a_burst_arrives_whole_and_in_order(online: tango.DeviceProxy) -> None:
    with listen(online, ["value"]) as log:
        online.Burst(_ALL_ARRIVE)
        log.wait_until(lambda log: len(log.events) > _ALL_ARRIVE)
    assert log.of("value")[1:] == list(range(1, _ALL_ARRIVE + 1))


def test_of_latest_values_the_last_one_always_arrives(online: tango.DeviceProxy) -> None:
    with listen(online, ["value"]) as log:
        online.BurstOfLatest(_MANY)
        log.wait_for("value", _MANY)
    values = log.of("value")[1:]
    assert values == sorted(values)
    assert len(values) < _MANY


def test_a_value_that_has_not_changed_has_no_event(online: tango.DeviceProxy) -> None:
    with listen(online, ["loggingLevel", "value"]) as log:
        log.clear()
        for level in (3, 3, 4, 4, 3):
            online.loggingLevel = level
        for _ in range(2):
            online.Burst(1)
        online.Burst(2)
        log.wait_for("value", 2)
    assert [int(level) for level in log.of("loggingLevel")] == [3, 4, 3]
    assert log.of("value") == [1, 2]


def test_a_change_that_nobody_listened_to_counts(online: tango.DeviceProxy) -> None:
    online.loggingLevel = 5
    with listen(online, ["loggingLevel"]) as log:
        log.clear()
        online.loggingLevel = 5
        online.loggingLevel = 4
        log.wait_for("loggingLevel", 4)
    assert [int(level) for level in log.of("loggingLevel")] == [4]


def test_a_value_that_nobody_wants_is_not_looked_for(online: tango.DeviceProxy) -> None:
    before = online.SubmitFunction()
    for level in (5, 4):
        with listen(online, ["loggingLevel"]) as log:
            online.loggingLevel = level  # behind what was submitted
            log.wait_for("loggingLevel", level)
        assert online.SubmitFunction() == before
    with listen(online, ["value"]) as log:
        # The client has read the value when it subscribed: only another one is a change.
        log.clear()
        online.SubmitFunction()
        log.wait_for("value", 1000 + before + 2)
    assert log.of("value") == [1000 + before + 2]


def test_an_event_that_cannot_be_pushed_does_not_cost_those_after_it(
    online: tango.DeviceProxy, server: ServerProcess
) -> None:
    online.loggingTargets = ["console::cout"]
    with listen(online, ["value"]) as log:
        online.PushBadly()
        log.wait_for("value", 7)
    server.wait_for_output("Could not push an event of the attribute value")
    online.loggingTargets = []


def test_commands_are_answered_while_events_are_being_pushed(online: tango.DeviceProxy) -> None:
    def work(number: int) -> list[str]:
        online.Burst(100)
        answers = [online.Count()[1][0] for _ in range(5)]
        online.loggingLevel = 4 - number % 2
        return answers

    with listen(online, ["value"]) as log, ThreadPoolExecutor(4) as threads:
        ids = [id_ for answers in threads.map(work, range(8)) for id_ in answers]
        log.wait_until(lambda log: len(log.events) > 8 * 100)
    assert {online.CheckLongRunningCommandStatus(id_) for id_ in ids} == {"COMPLETED"}


def test_init_in_the_middle_of_a_burst(online: tango.DeviceProxy) -> None:
    with listen(online, ["value"]) as log:
        online.Burst(_ALL_ARRIVE)
        online.Init()
        online.Burst(3)
        log.wait_until(lambda log: len(log.events) > _ALL_ARRIVE + 3)
    assert log.of("value")[1:] == [*range(1, _ALL_ARRIVE + 1), 1, 2, 3]


def test_a_server_that_is_pushing_ends_when_told_to(tango_host: str) -> None:
    register(tango_host, f"{DEVICE_CLASS}/ending", DEVICE_CLASS, "test/ending/1")
    with device_server(tango_host, SERVER, "ending") as process:
        device = device_proxy(tango_host, "test/ending/1")
        device.adminMode = 0
        device.Hold()
        with listen(device, ["value"]):
            for _ in range(20):
                device.Burst(_MANY)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, process.output
    assert "Traceback" not in process.output


def test_a_device_that_is_pushing_can_be_restarted_by_itself(
    online: tango.DeviceProxy, server: ServerProcess
) -> None:
    admin = tango.DeviceProxy(online.adm_name())
    for _ in range(3):
        online.Burst(_MANY)
        admin.DevRestart(online.dev_name())
        assert online.State() == tango.DevState.ON
    with listen(online, ["value"]) as log:
        online.Burst(3)
        log.wait_for("value", 3)
    assert server.returncode is None
