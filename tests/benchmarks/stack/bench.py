"""All that the rows of the table need, started when the first of them asks for it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import tango
from tests.benchmarks.core.measure import Plan
from tests.benchmarks.stack.arrivals import HIGH_WATER_MARK, TIMEOUT, Arrivals
from tests.benchmarks.stack.oet import Controller, OetStack, oet_stack
from tests.benchmarks.stack.trigger import Trigger
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_proxy, device_server, register

_BARE_MODULE = "tests.benchmarks.stack.bare_device"
_BARE_NAME = "bench/bare/1"

_LOOK_AGAIN = 0.01

EVENT_SIZE = 400
"""Characters of an event, as JSON, in the rows about events."""


@dataclass(frozen=True)
class BareServer:
    """The bare device server.

    :param process: its process
    :param proxy: a client of its device
    :param arrivals: the events that it pushes
    :param trigger: has them pushed
    """

    process: ServerProcess
    proxy: tango.DeviceProxy
    arrivals: Arrivals
    trigger: Trigger


class Bench:
    """The stack under measurement and the bare servers beside it.

    :param folder: for temporary files
    :param exits: ends everything
    :param quick: whether to take just enough samples to show that everything works
    """

    def __init__(self, folder: Path, exits: ExitStack, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self._exits = exits

    def plan(self, blocks: int, block_size: int, warm_up: int = 2) -> Plan:
        """Return how many samples to take, which is hardly any if it is to be quick."""
        return Plan(2, 2, 1) if self.quick else Plan(blocks, block_size, warm_up)

    @cached_property
    def stack(self) -> OetStack:
        """The OET."""
        return self._exits.enter_context(oet_stack(self.folder / "oet"))

    @cached_property
    def controller(self) -> Controller:
        """A client of the OET's controller."""
        return self._exits.enter_context(self.stack.controller())

    @cached_property
    def bare(self) -> BareServer:
        """The bare device server, in the same Tango database."""
        trigger = Trigger(self.folder / "trigger-bare")
        self._exits.callback(trigger.close)
        host = self.stack.tango_host
        properties = {"TriggerPath": [str(trigger.path)], "EventSize": [str(EVENT_SIZE)]}
        register(host, "bare_device/bench", "BareDevice", _BARE_NAME, properties)
        buffers = {"TANGO_DS_EVENT_BUFFER_HWM": str(HIGH_WATER_MARK)}
        process = self._exits.enter_context(device_server(host, _BARE_MODULE, "bench", env=buffers))
        proxy = device_proxy(host, _BARE_NAME)
        return BareServer(process, proxy, self._exits.enter_context(Arrivals(proxy, "pushed")), trigger)

    def wait_for_standby(self) -> None:
        """Wait until the OET has a worker on standby.

        It would announce that, but whoever subscribes to more than the measured events changes what is measured.

        :raises TimeoutError: if it does not get one
        """
        deadline = time.monotonic() + TIMEOUT
        while "0 standby" in self.controller.proxy.status():
            if time.monotonic() > deadline:
                raise TimeoutError("there is no standby worker")
            time.sleep(_LOOK_AGAIN)


@contextmanager
def bench(*, quick: bool) -> Iterator[Bench]:
    """Have everything that is to be measured, as long as the context lasts.

    :param quick: whether to take just enough samples to show that everything works
    """
    # Read when this process first uses Tango.
    os.environ["TANGO_EVENT_BUFFER_HWM"] = str(HIGH_WATER_MARK)
    with TemporaryDirectory(prefix="oet-bench-") as folder, ExitStack() as exits:
        yield Bench(Path(folder), exits, quick=quick)
