"""Clients that come at a bad moment, want too much, or are none: the others do not notice."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import tango
from tests.support.controllers import controller_proxy, embedded, register_controller
from tests.support.operator import operate
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_server, tango_database

_DEVICE = "test/clients/1"
_TALKS_ON = """
import logging, threading
from pubsub import pub

def main():
    number = 0
    # Not flat out: of that, a subscriber as slow as this one would lose events.
    while not threading.Event().wait(0.002):
        logging.info("number %d", number)
        pub.sendMessage("user.number", number=number)
        number += 1
"""
_ABORT = "import signal\ndef main(subarray_id=None):\n    print('aborting')\n    signal.pause()\n"
_GIOP_HEADER = b"GIOP\x01\x02\x01\x00"


class Controlled(NamedTuple):
    """A controller, and the process that it lives in."""

    server: ServerProcess
    host: str

    @property
    def proxy(self) -> tango.DeviceProxy:
        """A client of its own; calls of one proxy wait for each other."""
        return controller_proxy(self.host, _DEVICE)


@pytest.fixture
def controlled(tmp_path: Path) -> Iterator[Controlled]:
    """A controller whose abort script never ends."""
    abort = tmp_path / "abort.py"
    abort.write_text(_ABORT)
    with tango_database(tmp_path) as host:
        register_controller(host, _DEVICE, tmp_path / "state", AbortScript=[abort.as_uri()], SubarrayId=["1"])
        with device_server(host, "oet_devices.server", "01") as server:
            yield Controlled(server, host)


def test_stop_with_abort_answers_amid_events_however_long_the_abort_takes(
    controlled: Controlled,
) -> None:
    """Commands hold the device's monitor, and so does who pushes an event: neither waits for the other."""
    with operate(controlled.proxy, ["procedures", "scriptOutput", "procedureState"]) as operator:
        pid = operator.run(embedded(_TALKS_ON), state="RUNNING")
        operator.wait_for_topic(pid, "user.number")
        with ThreadPoolExecutor(8) as clients:
            looks = [clients.submit(controlled.proxy.DescribeProcedure, pid) for _ in range(8)]
            stops = [
                clients.submit(controlled.proxy.Stop, json.dumps({"pid": pid, "abort": True}))
                for _ in range(4)
            ]
            # Each within the three seconds that Tango gives a call.
            assert {json.loads(look.result())["id"] for look in looks} == {pid}
            assert [len(stop.result()) for stop in stops] == [2] * 4
        operator.wait_for_state(pid, "STOPPED")
        # Of four abort scripts that were made ready, one follows.
        operator.log.wait_until(lambda _: controlled.proxy.runningProcedure not in (0, pid))
        aborting = controlled.proxy.runningProcedure
        assert controlled.proxy.State() == tango.DevState.ON
        operator.stop(aborting)


def test_connections_that_say_nothing_or_nonsense_disturb_nobody(controlled: Controlled) -> None:
    listening = psutil.Process(controlled.server.pid).net_connections()
    ports = [found.laddr.port for found in listening if found.status == psutil.CONN_LISTEN]
    assert ports
    with operate(controlled.proxy) as operator, ExitStack() as connections:
        pid = operator.run(embedded("import signal\ndef main(): signal.pause()\n"), state="RUNNING")
        for port in ports * 20:
            for said in (
                b"",
                b"GET / HTTP/1.0\r\n\r\n",
                b"\x00" * 5000,
                _GIOP_HEADER,
                _GIOP_HEADER + b"\xff" * 4,
            ):
                connection = connections.enter_context(socket.create_connection(("127.0.0.1", port), 5.0))
                connection.sendall(said)
        assert operator.describe(pid)["state"] == "RUNNING"
        operator.stop(pid)
        other = operator.run(embedded("def main(): ...\n"))
        assert operator.states(other)[-1] == "COMPLETE"
    assert controlled.server.returncode is None
