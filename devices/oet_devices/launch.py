"""Entry points of the commands `OETController`, `oet-sidecar` and `oet-stack`."""

import gc
import sys
from importlib import import_module


def controller() -> None:
    """Run the device server."""
    _run("OETController", "oet_devices.server")


def sidecar() -> None:
    """Run the REST service."""
    _run("oet-sidecar", "ska_oso_oet.sidecar")


def stack() -> None:
    """Run all of it on one machine."""
    _run("oet-stack", "oet_devices.tools.stack")


def _run(command: str, module: str) -> None:
    """Run a command whose packages may be missing: `oet` alone does not need them.

    What modules define remains until the end: to search it for garbage, again and again while they are
    imported, takes about 7 % of the time until the device server is ready.
    """
    gc.disable()
    try:
        main = import_module(module).main
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(("oet_devices", "ska_oso_oet")):
            raise
        sys.exit(f"{command} needs {error.name}: pip install 'ska-oso-oet-tango[server]'")
    gc.freeze()
    gc.enable()
    main()
