"""REST and server-sent events for those who do not speak Tango: ``oet-sidecar``.

It has no state of its own: all that it tells comes from the controller's device, and all that it is
asked for goes there. It may be restarted, or run several times, whenever that is wanted.
"""

# Before all else: it keeps PyTango from importing OpenTelemetry.
from ska_oso_oet.traces import without_tango  # noqa: F401  # isort: skip

from .app import openapi_text
from .command import main

__all__ = ["main", "openapi_text"]
