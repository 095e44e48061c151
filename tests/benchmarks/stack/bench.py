"""All that the rows of the table need, started when the first of them asks for it."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.core.measure import Plan
from tests.benchmarks.stack.arrivals import HIGH_WATER_MARK, TIMEOUT, Arrivals
from tests.benchmarks.stack.bare import (
    BareServer,
    BareStream,
    MinimalServer,
    bare_server,
    bare_stream,
    minimal_server,
)
from tests.benchmarks.stack.oet import Controller, OetStack, oet_stack
from tests.benchmarks.stack.sardana import Door, sardana_door

_LOOK_AGAIN = 0.01

EVENT_SIZE = 400
"""Characters of an event, as JSON, in the rows about events."""


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
        self._instances = itertools.count(1)

    def plan(self, blocks: int, block_size: int, warm_up: int = 2) -> Plan:
        """Return how many samples to take, which is a single one if it is to be quick."""
        return Plan(1, 1, 0) if self.quick else Plan(blocks, block_size, warm_up)

    @property
    def grace(self) -> float:
        """Seconds that the OET leaves a script to end when it is stopped."""
        return 0.1 if self.quick else 0.5

    @cached_property
    def stack(self) -> OetStack:
        """The OET."""
        stack = self._exits.enter_context(oet_stack(self.folder / "oet"))
        stack.configure({"StopGracePeriod": self.grace})
        return stack

    @cached_property
    def controller(self) -> Controller:
        """A client of the OET's controller."""
        return self._exits.enter_context(self.stack.controller())

    @cached_property
    def bare(self) -> BareServer:
        """The bare device server, in the same Tango database."""
        return self._exits.enter_context(self.another_bare_server())

    @cached_property
    def bare_arrivals(self) -> Arrivals:
        """A client of the bare server's events."""
        arrivals = self._exits.enter_context(self.bare.arrivals())
        arrivals.settle(self.bare.trigger)
        return arrivals

    @cached_property
    def bare_stream(self) -> BareStream:
        """The bare HTTP server."""
        return self._exits.enter_context(bare_stream(self.folder, EVENT_SIZE))

    @cached_property
    def minimal(self) -> MinimalServer:
        """The minimal program of the shape of the OET, in the same Tango database."""
        server = minimal_server(self.stack.tango_host, self.folder, EVENT_SIZE)
        return self._exits.enter_context(server)

    @cached_property
    def sardana(self) -> Door:
        """Sardana, in the same Tango database."""
        return self._exits.enter_context(sardana_door(self.stack.tango_host, self.folder))

    @contextmanager
    def another_bare_server(self) -> Iterator[BareServer]:
        """Run one more bare device server, as long as the context lasts."""
        instance = str(next(self._instances))
        with bare_server(self.stack.tango_host, self.folder, instance, EVENT_SIZE) as server:
            yield server

    def wait_for_standby(self, controller: Controller | None = None) -> None:
        """Wait until the OET has a worker on standby.

        It would announce that, but further subscriptions would change the measurement.

        :param controller: whose worker; by default that of the stack
        :raises TimeoutError: if it does not get one
        """
        deadline = time.monotonic() + TIMEOUT
        proxy = (controller or self.controller).proxy
        while "0 standby" in proxy.status():
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
        # All processes find the bytecode that those before them have compiled, as they do where the OET is
        # installed, whatever is usual on this machine.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        yield Bench(Path(folder), exits, quick=quick)
