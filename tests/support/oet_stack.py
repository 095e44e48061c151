"""A controller in a control system of its own, with scripts that tests need, and sidecars that serve it."""

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.support import patient_http
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess
from tests.support.tango_stack import database, device_name, device_server, register, tango_database

DEVICE = "mid-oet/controller/01"

BURST = """
from pubsub import pub
from ska_oso_oet.event import topics

def main(count, size=0):
    for number in range(count):
        pub.sendMessage(topics.user.script.announce, msg=f"message {number} {'x' * size}")
"""
HOLD = """
import threading

def init(subarray_id=1):
    pass

def main(seconds=60.0):
    threading.Event().wait(seconds)
"""
ABORT = """
def main(subarray_id=None):
    print(f"aborting {subarray_id}")
"""


class OetStack:
    """A controller's place in a control system. Its device server is started and ended by tests.

    :param tango_host: address of the Tango database
    :param folder: for scripts and state
    :ivar scripts: folder of the scripts
    :ivar repositories: folder of git repositories that scripts may be run from; it need not exist
    """

    def __init__(self, tango_host: str, folder: Path) -> None:
        self.tango_host = tango_host
        self.state = folder / "state"
        self.scripts = folder / "scripts"
        self.scripts.mkdir()
        self.repositories = folder / "repositories"
        for name, text in (("burst", BURST), ("hold", HOLD), ("abort", ABORT)):
            (self.scripts / f"{name}.py").write_text(text)
        register(
            tango_host,
            "OETController/01",
            "OETController",
            DEVICE,
            {
                "AllowEmbeddedScripts": ["true"],
                # Tests that share a controller leave procedures that are READY.
                "ReadyLimit": ["0"],
                "StateDirectory": [str(self.state)],
                "ScriptRoots": [str(self.scripts)],
                "GitRepositories": [f"{self.repositories.as_uri()}/*"],
                "AbortScript": [self.uri("abort")],
                "StopGracePeriod": ["1"],
                # As in the registrations that ship.
                "LoggingTargetsDefault": ["tango::logger", "console::cout"],
            },
        )
        online = {"adminMode": {"__value": ["0"]}}
        database(tango_host).put_device_attribute_property(DEVICE, online)

    @property
    def device(self) -> str:
        """Name of the controller's device, with the address of its database."""
        return device_name(self.tango_host, DEVICE)

    def uri(self, script: str) -> str:
        """Return the URI of one of the scripts.

        :param script: ``burst``, ``hold`` or ``abort``
        """
        return (self.scripts / f"{script}.py").as_uri()

    @contextmanager
    def properties(self, **values: list[str]) -> Iterator[None]:
        """Give properties of the controller other values, until the context ends. A reset reads them.

        :param values: the values, by name of the property
        """
        registered = database(self.tango_host)
        before = registered.get_device_property(DEVICE, list(values))
        registered.put_device_property(DEVICE, values)
        try:
            yield
        finally:
            registered.put_device_property(DEVICE, {name: list(before[name]) for name in values})

    @contextmanager
    def controller(self) -> Iterator[ServerProcess]:
        """Run the controller's device server as long as the context lasts."""
        with device_server(self.tango_host, "oet_devices.server", "01") as process:
            yield process


@contextmanager
def oet_stack(folder: Path) -> Iterator[OetStack]:
    """Run a Tango database with a controller registered in it, and not running yet.

    :param folder: for all files
    """
    with tango_database(folder) as tango_host:
        yield OetStack(tango_host, folder)


class Sidecar:
    """A sidecar that runs, and an HTTP client of it.

    :param process: its process
    """

    def __init__(self, process: ServerProcess) -> None:
        self.process = process
        self.url = process.wait_for_output(r"REST ready: (http://\S+)")[1]
        self.root = self.url.removesuffix("/api/v1.0")
        self.port = int(self.root.rpartition(":")[2])
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE)

    def figures(self) -> dict[str, float]:
        """Return the figures for Prometheus, of a sidecar with one controller: its labels are left out."""
        text = patient_http.get(f"{self.root}/metrics").text
        text = re.sub(r'(device|subarray)="[^"]*",?', "", text).replace(",}", "}").replace("{}", "")
        found = re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def create(self, script_uri: str, **main_arguments: Any) -> dict[str, Any]:
        """Create a procedure and wait until it is READY.

        :param script_uri: its script
        :param main_arguments: by name
        :returns: its summary
        """
        script = {"script_type": "filesystem", "script_uri": script_uri}
        body = {"script": script, "script_args": {"main": {"kwargs": main_arguments}}}
        answer = self.http.post("/procedures", json=body)
        assert answer.status_code == 201, answer.text
        return self.wait_for(answer.json()["procedure"]["id"], "READY")

    def start(self, procedure_id: int) -> dict[str, Any]:
        """Start a procedure."""
        answer = self.http.put(f"/procedures/{procedure_id}", json={"state": "RUNNING"})
        assert answer.status_code == 200, answer.text
        procedure: dict[str, Any] = answer.json()["procedure"]
        return procedure

    def wait_for(self, procedure_id: int, *states: str) -> dict[str, Any]:
        """Wait until a procedure has been in one of some states, by its events, and return its summary.

        :param procedure_id: the procedure
        :param states: names of states
        """
        deadline = time.monotonic() + PATIENCE
        with self.http.stream("GET", "/stream") as stream:
            lines = stream.iter_lines()
            next(lines)  # from here on there is an event of whatever happens
            while True:
                procedure: dict[str, Any] = self.http.get(f"/procedures/{procedure_id}").json()["procedure"]
                if procedure["state"] in states:
                    return procedure
                assert time.monotonic() < deadline, f"{procedure_id} is {procedure['state']}, not {states}"
                while "statechange" not in next(lines):
                    pass


@contextmanager
def sidecar(
    tango_host: str, *options: str, env: Mapping[str, str] | None = None, within: Sequence[str] = ()
) -> Iterator[Sidecar]:
    """Run a sidecar as long as the context lasts.

    :param tango_host: address of the Tango database
    :param options: of the command; without ``--port`` any free one is taken
    :param env: variables to set on top of this process's environment
    :param within: command that runs it, for example on another host
    """
    port = () if "--port" in options else ("--port", "0")
    command = [*within, sys.executable, "-m", "ska_oso_oet.sidecar", *port, *options]
    process = ServerProcess(command, {"TANGO_HOST": tango_host, **(env or {})})
    try:
        running = Sidecar(process)
        yield running
        running.http.close()
    finally:
        process.stop()
