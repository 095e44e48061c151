"""Import this before PyTango, which imports OpenTelemetry wherever that is installed.

The traces of this project do not come from PyTango, whose own would have a span for each attribute that is
read. A site that wants those sets TANGO_TELEMETRY_ENABLE.
"""

import os

if not os.environ.get("TANGO_TELEMETRY_ENABLE"):
    os.environ.setdefault("PYTANGO_DISABLE_TELEMETRY_PATCHING", "on")
