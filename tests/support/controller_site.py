"""An OETController, registered in a real Tango database, whose server can be run again and again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango
from tests.support.controllers import MODULE, register_controller
from tests.support.lrc_client import LrcCall, invoke
from tests.support.processes import ServerProcess
from tests.support.tango_stack import (
    device_name,
    device_proxy,
    device_server,
    launch_device_server,
)

_EVENTS_AT_ONCE = 10_000


class Controller:
    """A controller while its server runs.

    :param proxy: the device
    :param process: its server
    """

    def __init__(self, proxy: tango.DeviceProxy, process: ServerProcess) -> None:
        self.proxy = proxy
        self.process = process

    @property
    def name(self) -> str:
        """Name of the device that holds in any environment."""
        host, port = self.proxy.get_db_host(), self.proxy.get_db_port()
        return device_name(f"{host}:{port}", self.proxy.dev_name())

    def run(self, command: str, argument: str | None = None) -> LrcCall:
        """Send a long-running command, and wait for its end.

        :param command: name of the command
        :param argument: its argument, if it takes one
        """
        with invoke(self.proxy, command, argument) as call:
            return call.wait_for_end()

    def create(self, script: Path, **init: Any) -> int:
        """Prepare a script.

        :param script: its file
        :param init: keyword arguments of its ``init``
        :returns: ID of the procedure, which is READY
        """
        arguments = {"init": {"args": [], "kwargs": init}}
        request = {"script": {"script_uri": script.as_uri()}, "script_args": arguments}
        call = self.run("Create", json.dumps(request))
        assert call.result is not None
        code, summary = call.result
        assert code == 0, summary
        return int(summary["id"])

    def describe(self, procedure_id: int) -> dict[str, Any]:
        """Return the summary of a procedure."""
        summary: dict[str, Any] = json.loads(self.proxy.DescribeProcedure(procedure_id))
        return summary

    def listed(self) -> list[dict[str, Any]]:
        """Return the summaries that the attribute procedures shows."""
        summaries: list[dict[str, Any]] = json.loads(self.proxy.procedures)
        return summaries

    def events(self, after: int = 0, topic: str = "") -> list[dict[str, Any]]:
        """Return all events with a greater number, however many they are."""
        found: list[dict[str, Any]] = []
        while page := self.page_of_events(after, topic):
            found += page
            after = page[-1]["seq"]
        return found

    def page_of_events(self, after: int = 0, topic: str = "") -> list[dict[str, Any]]:
        """Return the next events after a number, as many as one query gives."""
        query = {"after": after, "limit": _EVENTS_AT_ONCE, "topic": topic}
        page: list[dict[str, Any]] = json.loads(self.proxy.GetEvents(json.dumps(query)))
        return page

    def output(self, procedure_id: int) -> list[str]:
        """Return all lines of a procedure's output."""
        found: list[str] = []
        while True:
            answer = json.loads(self.proxy.GetOutput(json.dumps({"pid": procedure_id, "after": len(found)})))
            if not answer["lines"]:
                return found
            found += answer["lines"]


class ControllerSite:
    """A controller that is registered and ONLINE whenever its server runs.

    :param tango_host: the Tango database
    :param device: name of the device
    :param state: its state directory
    :param properties: further properties of the device
    :param module: what ``python -m`` runs
    """

    def __init__(
        self,
        tango_host: str,
        device: str,
        state: Path,
        properties: Mapping[str, Sequence[str]],
        module: str = MODULE,
    ) -> None:
        self.tango_host = tango_host
        self.device = device
        self._module = module
        self._instance = device.replace("/", "-")
        register_controller(tango_host, device, state, instance=self._instance, **properties)

    @contextmanager
    def served(self, env: Mapping[str, str] | None = None) -> Iterator[Controller]:
        """Run the server as long as the context lasts.

        :param env: variables to set on top of this process's environment
        """
        with device_server(self.tango_host, self._module, self._instance, env=env) as process:
            yield self.connect(process)

    def connect(self, process: ServerProcess) -> Controller:
        """Return the controller of a server that is ready."""
        return Controller(device_proxy(self.tango_host, self.device), process)

    def launch(self, env: Mapping[str, str] | None = None) -> ServerProcess:
        """Start the server, and return at once: it is the caller's to wait for, and to end."""
        return launch_device_server(self.tango_host, self._module, self._instance, env=env)
