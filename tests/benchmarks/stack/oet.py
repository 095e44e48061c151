"""The OET as `oet-stack` runs it, and what a client does with it."""

import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import tango
from tests.benchmarks.stack.arrivals import Arrival, Arrivals
from tests.benchmarks.stack.streams import Streams
from tests.benchmarks.stack.trigger import Trigger
from tests.support.processes import ServerProcess
from tests.support.tango_stack import database, device_proxy

SCRIPTS = Path(__file__).parents[1] / "scripts"
PROJECT = Path(__file__).parents[3]
"""Import path of scripts and servers of the benchmark."""

STREAM = "/api/v1.0/stream"

_triggers = itertools.count(1)


class RefusedError(RuntimeError):
    """The controller has refused a command. The text is the reason it gave."""


class Controller:
    """A client of one OETController, which hears of events as soon as they come.

    :param proxy: the device
    :param arrivals: its events
    """

    def __init__(self, proxy: tango.DeviceProxy, arrivals: Arrivals) -> None:
        self.proxy = proxy
        self.arrivals = arrivals

    def send(self, command: str, argument: Any = "") -> None:
        """Send a command that changes something.

        :param command: its name
        :param argument: a text, or what is sent as JSON
        :raises RefusedError: if the controller refuses it
        """
        text = argument if isinstance(argument, str) else json.dumps(argument)
        [code], [answer] = self.proxy.command_inout(command, text)
        if code > 1:
            raise RefusedError(f"{command}: {answer}")

    def reached(self, state: str) -> Arrival:
        """Wait for the event that a procedure has entered a state."""
        reported = f'"new_state":"{state}"'
        return self.arrivals.until(lambda text: reported in text)

    def create(self, script: str) -> Arrival:
        """Create a procedure, and wait for the event that it is READY.

        :param script: name of one of the scripts of the benchmark
        """
        self.send("Create", (SCRIPTS / f"{script}.py").as_uri())
        return self.reached("READY")

    def start(self, **arguments: Any) -> None:
        """Start the procedure that was created last.

        :param arguments: arguments of its main
        """
        self.send("Start", {"script_args": {"main": {"kwargs": arguments}}} if arguments else "")

    @contextmanager
    def publisher(self, folder: Path, size: int) -> Iterator[Trigger]:
        """Run the script that publishes on request, as long as the context lasts.

        :param folder: where to make its trigger
        :param size: length of the message in an event
        """
        trigger = Trigger(folder / f"trigger-{next(_triggers)}")
        self.create("publish")
        self.start(trigger=str(trigger.path), size=size)
        self.arrivals.until(lambda text: '"topic":"procedure.lifecycle.started"' in text)
        try:
            yield trigger
        finally:
            trigger.close()
            self.reached("COMPLETE")


class OetStack:
    """A running `oet-stack`.

    :param process: its process
    :param where: what its ready line says: ``TANGO_HOST``, ``DEVICE`` and so on
    :param seconds: how long it took to be ready
    """

    def __init__(self, process: ServerProcess, where: Mapping[str, str], seconds: float) -> None:
        self.process = process
        self.where = where
        self.seconds = seconds

    @property
    def tango_host(self) -> str:
        """Address of its Tango database."""
        return self.where["TANGO_HOST"]

    @property
    def device(self) -> str:
        """Name of its controller."""
        return self.where["DEVICE"]

    @contextmanager
    def controller(self) -> Iterator[Controller]:
        """Be a client of its controller, as long as the context lasts."""
        with controller(self.tango_host, self.device) as client:
            yield client

    @property
    def rest_port(self) -> int:
        """TCP port of its sidecar."""
        return int(self.where["REST"].rpartition(":")[2].partition("/")[0])

    def configure(self, properties: Mapping[str, object]) -> None:
        """Give its controller, which has nothing to do yet, properties.

        :param properties: by name
        """
        texts = {name: [str(value)] for name, value in properties.items()}
        database(self.tango_host).put_device_property(self.device, texts)
        device_proxy(self.tango_host, self.device).Init()

    def clients(self, count: int = 1) -> Streams:
        """Return clients of its event stream.

        :param count: how many
        """
        return Streams(self.rest_port, STREAM, count)

    def processes(self) -> dict[int, str]:
        """Return the processes of the OET by their ID, with what they are. The Tango database is not one."""
        found: dict[int, str] = {}
        for part in psutil.Process(self.process.pid).children():
            command = " ".join(part.cmdline())
            if "oet_devices.server" in command:
                found |= {part.pid: "device server"} | _descendants(part)
            elif "ska_oso_oet.sidecar" in command:
                found[part.pid] = "sidecar"
        return found


def _descendants(server: psutil.Process) -> dict[int, str]:
    """Return what a device server has started."""
    found = {}
    for child in server.children():
        is_forkserver = "multiprocessing.forkserver" in " ".join(child.cmdline())
        found[child.pid] = "forkserver" if is_forkserver else "resource tracker of multiprocessing"
        found |= {worker.pid: "standby worker" for worker in child.children(recursive=True)}
    return found


@contextmanager
def controller(tango_host: str, device: str) -> Iterator[Controller]:
    """Be a client of a controller, as long as the context lasts.

    :param tango_host: address of its Tango database
    :param device: its name
    """
    proxy = device_proxy(tango_host, device)
    with Arrivals(proxy, "events") as arrivals:
        yield Controller(proxy, arrivals)


@contextmanager
def oet_stack(state_directory: Path) -> Iterator[OetStack]:
    """Run all of the OET on free ports, as long as the context lasts.

    :param state_directory: where it keeps everything
    """
    command = [sys.executable, "-m", "oet_devices.tools.stack", "--tango-port", "0", "--rest-port", "0"]
    command += ["--state-dir", str(state_directory), "--script-root", str(SCRIPTS)]
    began = time.monotonic()
    process = ServerProcess(command, {"PYTHONPATH": str(PROJECT)})
    try:
        ready = process.wait_for_output("OET ready: (.*)")
        seconds = time.monotonic() - began
        yield OetStack(process, dict(item.split("=", 1) for item in ready[1].split()), seconds)
    finally:
        process.stop()
