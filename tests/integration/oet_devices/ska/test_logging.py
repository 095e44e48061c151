"""Targets of the log messages of a live device server."""

import json
import socket
from contextlib import suppress
from pathlib import Path

import pytest
import tango
from tests.support.events import listen
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess


def _log(device: tango.DeviceProxy, level: str, text: str) -> None:
    device.Log(json.dumps([level, text]))


def test_messages_go_to_a_file_from_the_level_on(device: tango.DeviceProxy, tmp_path: Path) -> None:
    path = tmp_path / "device.log"
    device.loggingTargets = ["tango::logger", f"file::{path}"]
    device.loggingLevel = "WARNING"
    _log(device, "INFO", "not this")
    _log(device, "WARNING", "but this — and Δ")
    device.loggingLevel = "DEBUG"
    _log(device, "DEBUG", "and this")

    lines = [line.split("|") for line in path.read_text().splitlines()]
    assert [(line[2], line[-1]) for line in lines if line[5].startswith("ska_test_device.py")] == [
        ("WARNING", "but this — and Δ"),
        ("DEBUG", "and this"),
    ]


def test_messages_go_to_the_log_stream_of_tango(device: tango.DeviceProxy, server: ServerProcess) -> None:
    device.add_logging_target("console::cout")
    _log(device, "ERROR", "the antenna fell over 100%s")
    server.wait_for_output(rf"ERROR .*{device.dev_name()} some.library: the antenna fell over 100%s")

    device.loggingTargets = []
    _log(device, "ERROR", "nobody hears this")
    device.loggingTargets = ["tango::logger"]
    _log(device, "ERROR", "this is heard")
    server.wait_for_output(rf"{device.dev_name()} some.library: this is heard")
    assert "nobody hears this" not in server.output
    device.remove_logging_target("console::cout")


def test_two_devices_that_name_one_target_write_each_message_once(
    online: tango.DeviceProxy, tango_host: str, tmp_path: Path
) -> None:
    other = tango.DeviceProxy(f"tango://{tango_host}/test/ska/untouched")
    path = tmp_path / "both.log"
    before = other.loggingTargets
    try:
        for device in (online, other):
            device.loggingTargets = [f"file::{path}"]
        _log(online, "ERROR", "once")
        online.loggingTargets = []
        _log(online, "ERROR", "for the other")
    finally:
        other.loggingTargets = before
    _log(online, "ERROR", "for nobody")
    assert [line.split("|")[-1] for line in path.read_text().splitlines()] == ["once", "for the other"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("console::cerr", "is not a logging target"),
        ("file::relative.log", "is not a logging target"),
        ("elsewhere", "is not a logging target"),
        ("file::/no/such/folder/device.log", "No such file or directory"),
        ("syslog::tcp://127.0.0.1:1", "Connection refused"),
        ("syslog::udp://127.0.0.1:many", "many"),
        ("syslog::file:///no/such/socket", "No such file or directory"),
    ],
)
def test_a_wrong_target_is_refused_and_changes_nothing(
    device: tango.DeviceProxy, target: str, reason: str
) -> None:
    with pytest.raises(tango.DevFailed, match=reason):
        device.loggingTargets = ["console::cout", target]
    assert device.loggingTargets == ("tango::logger",)


def test_level_and_targets_have_events(device: tango.DeviceProxy) -> None:
    with listen(device, ["loggingLevel", "loggingTargets"]) as log:
        device.loggingLevel = "ERROR"
        device.loggingTargets = []
        log.wait_for("loggingTargets", ())
    assert log.of("loggingLevel")[:2] == [4, 2]
    assert device.loggingLevel == 2


def test_syslog_gets_messages_over_tcp(device: tango.DeviceProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        device.loggingTargets = [f"syslog::tcp://127.0.0.1:{server.getsockname()[1]}"]
        connection, _ = server.accept()
        with connection:
            connection.settimeout(PATIENCE)
            _log(device, "WARNING", "the dish is wet")
            assert b"the dish is wet" in connection.recv(4096)
        # The server is restarted: a message or two are lost until that is noticed.
        server.settimeout(0.5)
        for attempt in range(20):
            _log(device, "WARNING", f"attempt {attempt}")
            with suppress(TimeoutError):
                connection, _ = server.accept()
                break
        with connection:
            connection.settimeout(PATIENCE)
            assert b"attempt" in connection.recv(4096)
            device.loggingTargets = []


def test_a_log_server_that_does_not_read_keeps_nobody_waiting(device: tango.DeviceProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        device.loggingTargets = [f"syslog::tcp://127.0.0.1:{server.getsockname()[1]}"]
        connection, _ = server.accept()
        with connection:
            for _ in range(12):
                # Far more than sockets hold; a call that took 3 s would raise.
                _log(device, "WARNING", "x" * 1_000_000)
            device.loggingTargets = []


def test_the_syslog_of_this_machine_gets_messages(device: tango.DeviceProxy, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(PATIENCE)
        device.loggingTargets = [f"syslog::file://{path}"]
        _log(device, "WARNING", "the dish is wet")
        assert b"the dish is wet" in receiver.recv(4096)
        device.loggingTargets = []


def test_the_console_gets_messages(device: tango.DeviceProxy, server: ServerProcess) -> None:
    device.loggingTargets = ["console::cout"]
    _log(device, "WARNING", "the dish is dry again")
    server.wait_for_output(r"\|WARNING\|.*\|\|the dish is dry again")
    device.loggingTargets = []


def test_nothing_is_logged_when_that_is_off(device: tango.DeviceProxy, tmp_path: Path) -> None:
    path = tmp_path / "device.log"
    device.loggingTargets = [f"file::{path}"]
    device.loggingLevel = "OFF"
    _log(device, "CRITICAL", "nobody wants to know")
    device.loggingLevel = "FATAL"
    _log(device, "CRITICAL", "everybody wants to know")
    device.loggingTargets = []
    assert [line.split("|")[-1] for line in path.read_text().splitlines()] == ["everybody wants to know"]


def test_syslog_gets_messages(device: tango.DeviceProxy) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        device.loggingTargets = [f"syslog::udp://127.0.0.1:{receiver.getsockname()[1]}"]
        _log(device, "WARNING", "the dish is wet")
        assert b"the dish is wet" in receiver.recv(4096)
    device.loggingTargets = []
