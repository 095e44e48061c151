"""Library for observing scripts: access to Tango devices, and scan numbers.

Scripts import from here, not from the modules inside. The package uses nothing else of the project,
so a script that uses it also runs outside the OET::

    from ska_oso_oet.tango import Attribute, Command, SCAN_ID_GENERATOR, TangoExecutor

    executor = TangoExecutor()
    executor.execute(Command("mid-tmc/subarray/01", "Scan", f'{{"scan_id": {SCAN_ID_GENERATOR.next()}}}'))
"""

from ._executor import TangoExecutor
from ._obs_states import ObsState
from ._proxies import ProxyFactory, TangoDeviceProxyFactory
from ._scan_ids import (
    SCAN_ID_FILE_VARIABLE,
    SCAN_ID_USER_VARIABLE,
    SKUID_URL_VARIABLE,
    LocalScanIdGenerator,
    RemoteScanIdGenerator,
    ScanIdError,
    ScanIdGenerator,
    scan_id_generator,
)
from ._subarray import SimulatedSubarray, Subarray
from ._subscriptions import Callback, EventObserver, SubscriptionManager
from ._targets import Attribute, Command
from ._telescope import Telescope, central_node_fqdn, subarray_fqdn_prefix

__all__ = [
    "SCAN_ID_FILE_VARIABLE",
    "SCAN_ID_GENERATOR",
    "SCAN_ID_USER_VARIABLE",
    "SKUID_URL_VARIABLE",
    "Attribute",
    "Callback",
    "Command",
    "EventObserver",
    "LocalScanIdGenerator",
    "ObsState",
    "ProxyFactory",
    "RemoteScanIdGenerator",
    "ScanIdError",
    "ScanIdGenerator",
    "SimulatedSubarray",
    "Subarray",
    "SubscriptionManager",
    "TangoDeviceProxyFactory",
    "TangoExecutor",
    "Telescope",
    "central_node_fqdn",
    "scan_id_generator",
    "subarray_fqdn_prefix",
]

SCAN_ID_GENERATOR: ScanIdGenerator
"""Generator of a script's scan IDs; chosen by the environment when it is first used."""


def __getattr__(name: str) -> ScanIdGenerator:
    # This package is imported once, in the process that scripts are forked from. Only the script's own
    # environment defines the source of its scan IDs.
    if name != "SCAN_ID_GENERATOR":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    generator: ScanIdGenerator = globals().setdefault(name, scan_id_generator())
    return generator
