"""A device server whose watchdog asks often, so that a test need not wait long for what it finds."""

from functools import partial

from oet_devices import properties, server
from ska_oso_oet.procedure.domain import ExecutorSettings

if __name__ == "__main__":
    vars(properties)["ExecutorSettings"] = partial(ExecutorSettings, watchdog_period=0.5)
    server.main()
