"""Attachment of a Python debugger to the device server."""

import functools
import importlib.util

import tango

_LOOPBACK = "127.0.0.1"


def listen_for_debugger() -> int:
    """Let a debugger attach, from this host only: a debugger that is attached can do anything.

    :raises tango.DevFailed: if debugpy is not installed
    :returns: the TCP port, the same every time
    """
    if importlib.util.find_spec("debugpy") is None:
        tango.Except.throw_exception(
            "SKA_NoDebugger",
            "debugpy is not installed in the Python environment of this device server: install it, "
            "restart the server and try again.",
            "DebugDevice",
        )
    return _listen()


@functools.cache
def _listen() -> int:
    import debugpy  # costs every start of the server a moment, and is hardly ever used

    # Port 0: any that is free.
    _, port = debugpy.listen((_LOOPBACK, 0))
    return int(port)
