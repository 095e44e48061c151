"""The bare servers beside the OET, each in a process of its own."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tango
from tests.benchmarks.stack.arrivals import HIGH_WATER_MARK, Arrival, Arrivals
from tests.benchmarks.stack.bare_stream import PATH
from tests.benchmarks.stack.oet import PROJECT
from tests.benchmarks.stack.streams import Streams
from tests.benchmarks.stack.trigger import Trigger
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_proxy, device_server, register

_DEVICE_MODULE = "tests.benchmarks.stack.bare_device"
_MINIMAL_MODULE = "tests.benchmarks.stack.minimal_device"
_STREAM_MODULE = "tests.benchmarks.stack.bare_stream"

_CONNECTING = 1.0
"""Seconds after which the socket of a subscription is certainly connected."""


@dataclass(frozen=True)
class BareServer:
    """The bare device server.

    :param process: its process
    :param proxy: a client of its device
    :param trigger: has events pushed
    :param seconds: how long it took to be ready
    """

    process: ServerProcess
    proxy: tango.DeviceProxy
    trigger: Trigger
    seconds: float

    def arrivals(self) -> Arrivals:
        """Return a client of its events."""
        return Arrivals(self.proxy, "pushed")


@dataclass(frozen=True)
class BareStream:
    """The bare HTTP server.

    :param port: its TCP port
    :param trigger: has it send events
    """

    port: int
    trigger: Trigger

    def clients(self, count: int = 1) -> Streams:
        """Return clients of its event stream.

        :param count: how many
        """
        return Streams(self.port, PATH, count)


@contextmanager
def bare_server(tango_host: str, folder: Path, instance: str, event_size: int) -> Iterator[BareServer]:
    """Run a bare device server as long as the context lasts.

    :param tango_host: the Tango database for it
    :param folder: where to make its trigger
    :param instance: its name, which no other one has
    :param event_size: length of its events, in characters
    """
    device = f"bench/bare/{instance}"
    buffers = {"TANGO_DS_EVENT_BUFFER_HWM": str(HIGH_WATER_MARK)}
    with closing(Trigger(folder / f"trigger-bare-{instance}")) as trigger:
        properties = {"TriggerPath": [str(trigger.path)], "EventSize": [str(event_size)]}
        register(tango_host, f"bare_device/{instance}", "BareDevice", device, properties)
        began = time.monotonic()
        with device_server(tango_host, _DEVICE_MODULE, instance, env=buffers) as process:
            seconds = time.monotonic() - began
            yield BareServer(process, device_proxy(tango_host, device), trigger, seconds)


@dataclass(frozen=True)
class MinimalServer:
    """The minimal program of the shape of the OET.

    :param proxy: a client of its device
    :param arrivals: its events
    """

    proxy: tango.DeviceProxy
    arrivals: Arrivals

    def start(self) -> None:
        """Send the command Start."""
        self.proxy.command_inout("Start")

    def completed(self) -> Arrival:
        """Wait for the last event of a start."""
        return self.arrivals.until(lambda text: "procedure.lifecycle.complete" in text)


@contextmanager
def minimal_server(tango_host: str, folder: Path, event_size: int) -> Iterator[MinimalServer]:
    """Run the minimal program of the shape of the OET as long as the context lasts.

    :param tango_host: the Tango database for it
    :param folder: where to make its journal
    :param event_size: length of its events, in characters
    """
    device = "bench/minimal/1"
    properties = {"Folder": [str(folder)], "EventSize": [str(event_size)]}
    register(tango_host, "minimal_device/1", "MinimalDevice", device, properties)
    with device_server(tango_host, _MINIMAL_MODULE, "1"):
        proxy = device_proxy(tango_host, device)
        with Arrivals(proxy, "events") as arrivals:
            time.sleep(_CONNECTING)
            yield MinimalServer(proxy, arrivals)


@contextmanager
def bare_stream(folder: Path, event_size: int) -> Iterator[BareStream]:
    """Run the bare HTTP server as long as the context lasts.

    :param folder: where to make its trigger
    :param event_size: length of its events, in characters
    """
    with closing(Trigger(folder / "trigger-stream")) as trigger:
        command = [sys.executable, "-m", _STREAM_MODULE]
        command += ["--trigger", str(trigger.path), "--size", str(event_size)]
        process = ServerProcess(command, {"PYTHONPATH": str(PROJECT)})
        try:
            port = process.wait_for_output(r"listening on port (\d+)")[1]
            yield BareStream(int(port), trigger)
        finally:
            process.stop()
