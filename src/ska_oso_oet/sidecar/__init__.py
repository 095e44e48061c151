"""REST and server-sent events for clients without Tango: ``oet-sidecar``.

It has no state of its own: all answers come from the controller's device, and all requests go there. It may
be restarted at any time, and may run several times.
"""

# Before all else: it keeps PyTango from importing OpenTelemetry.
from ska_oso_oet.traces import without_tango  # noqa: F401  # isort: skip

from .app import openapi_text
from .command import main

__all__ = ["main", "openapi_text"]
