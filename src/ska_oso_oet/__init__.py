"""The Observation Execution Tool: runs observing scripts, one process each."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ska-oso-oet-tango")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
