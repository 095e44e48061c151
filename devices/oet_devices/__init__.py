"""Tango device server of the Observation Execution Tool."""

# Before all else: it keeps ``python -m oet_devices…`` from importing what is in the current folder.
import ska_oso_oet  # noqa: F401  # isort: skip

# And it keeps PyTango from importing OpenTelemetry.
from ska_oso_oet.traces import without_tango  # noqa: F401
