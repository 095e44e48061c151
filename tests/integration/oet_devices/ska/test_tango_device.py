"""Features of any Tango device: alarms of attributes, polling, an alias, the black box, information."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import tango
from tests.integration.oet_devices.ska.conftest import DEVICE_CLASS
from tests.support.events import listen
from tests.support.lrc_client import invoke
from tests.support.patience import wait_until
from tests.support.tango_stack import database

_State = tango.DevState


def _set_alarm(device: tango.DeviceProxy, level: str, **properties: str) -> None:
    """Set an alarm or warning level of the attribute ``value``, which reads as 42."""
    config = device.get_attribute_config_ex("value")[0]
    setattr(config.alarms, level, properties["to"])
    device.set_attribute_config(config)


def test_a_device_is_in_alarm_as_long_as_an_attribute_is(online: tango.DeviceProxy) -> None:
    for level, beyond, within in (("max_alarm", "41", "43"), ("min_warning", "43", "41")):
        _set_alarm(online, level, to=beyond)
        assert online.State() == online.read_attribute("State").value == _State.ALARM
        where = {"max_alarm": "above its alarm", "min_warning": "below its warning"}[level]
        assert online.Status() == f"The device is in ON state.\nAttribute value is {where} level {level}."
        with invoke(online, "Count") as call:
            assert call.wait_for_end().result == [0, "Count completed OK"]
        _set_alarm(online, level, to=within)
        assert online.State() == _State.ON
        assert online.Status() == "The device is in ON state."


def test_an_alarm_is_announced_and_its_end(online: tango.DeviceProxy) -> None:
    with listen(online, ["State", "Status"]) as log:
        _set_alarm(online, "max_alarm", to="41")
        online.Burst(1)
        log.wait_for("State", _State.ALARM)
        log.wait_until(lambda log: log.of("Status")[-1].endswith("is above its alarm level max_alarm."))
        online.adminMode = "OFFLINE"
        online.adminMode = "ONLINE"
        log.wait_until(lambda log: log.of("State").count(_State.ALARM) == 2)
        _set_alarm(online, "max_alarm", to="43")
        online.Burst(2)
        log.wait_until(lambda log: log.of("State")[-1] == _State.ON)
    states = [_State.ON, _State.ALARM, _State.DISABLE, _State.UNKNOWN, _State.ALARM, _State.ON]
    assert log.of("State") == states
    assert log.of("Status")[-1] == "The device is in ON state."


@contextmanager
def _many_reads(device: tango.DeviceProxy) -> Iterator[None]:
    """Keep a device busy, so that its events are pushed later."""
    end = threading.Event()

    def read() -> None:
        while not end.is_set():
            device.read_attribute("lrcFinished")

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read) for _ in range(4)]
        try:
            yield
        finally:
            end.set()
    for reader in readers:
        reader.result()


def test_a_device_in_alarm_announces_its_states_in_order(online: tango.DeviceProxy) -> None:
    changes = 50
    with listen(online, ["State"]) as log, _many_reads(online):
        _set_alarm(online, "max_alarm", to="41")
        online.Burst(1)
        log.wait_for("State", _State.ALARM)
        for number in range(changes):
            online.adminMode = "OFFLINE"
            # Any change has the state computed again.
            online.Burst(1 + number % 2)
            online.adminMode = "ONLINE"
        log.wait_until(lambda log: log.of("State").count(_State.UNKNOWN) == changes)
        log.wait_until(lambda log: log.of("State")[-1] == _State.ALARM)
    assert log.of("State") == [
        _State.ON,
        _State.ALARM,
        *[_State.DISABLE, _State.UNKNOWN, _State.ALARM] * changes,
    ]


def _polled(device: tango.DeviceProxy) -> list[int]:
    try:
        return [kept.value for kept in device.attribute_history("value", 3)]
    except tango.DevFailed:  # there is none yet
        return []


def test_polling_alias_black_box_and_information(online: tango.DeviceProxy, tango_host: str) -> None:
    online.poll_attribute("value", 50)
    wait_until(lambda: _polled(online) == [42, 42, 42], "polled values")
    online.stop_poll_attribute("value")
    database(tango_host).put_device_alias(online.dev_name(), "ska-test-alias")
    assert tango.DeviceProxy(f"tango://{tango_host}/ska-test-alias").State() == _State.ON
    assert any("State" in line for line in online.black_box(5))
    info = online.info()
    assert (info.dev_class, info.version_info["ska-test-device"]) == (DEVICE_CLASS, "1.2.3")
