"""The device server: ``OETController INSTANCE``."""

import atexit
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

import tango
from tango.server import run

from oet_devices.ska import event_socket
from oet_devices.ska.end_signals import EndSignals
from ska_oso_oet import logs, secrets, traces

from .controller import OETController

LOGGER = logging.getLogger(__name__)

SERVER = "OETController"

_EVENTS_HELD = "10000"
"""How many events are held for a subscriber that is slower than a script publishes. Tango's own default,
1000, is used up within a tenth of a second; beyond this, subscribers see a gap, and can use GetEvents."""

_DESCRIPTORS = 65_536
"""How many descriptors the server may have open, where the system allows that."""

_FIRST_DESCRIPTOR = 3
"""The first after those of the standard streams."""

_CONNECT_TIMEOUT = 3.0
"""Seconds that an address may take to answer."""

_WITHOUT_DATABASE = frozenset({"nodb", "file", "?", "h", "help"})
"""Options with which Tango does not need a database."""


class StartError(RuntimeError):
    """The device server cannot run. The message is one line for the user."""


def main() -> None:
    """Run the device server until it is asked to end.

    If it cannot start, it writes a line to standard error that says why, and its exit status is not 0.
    """
    # A Starter passes on its own mask, with all signals blocked: scripts could not be stopped.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.environ.setdefault("TANGO_DS_EVENT_BUFFER_HWM", _EVENTS_HELD)
    secrets.withhold()
    _raise_descriptor_limit()
    # At the end, the waiting log messages are written.
    atexit.register(logs.finish)
    logs.start(within=tango.EnsureOmniThread)
    atexit.register(traces.finish)
    traces.start(SERVER, secrets.environment())
    arguments = sys.argv[1:]
    try:
        options = {argument.lstrip("-").split("=")[0] for argument in arguments if argument.startswith("-")}
        _require_log_format()
        if not options & _WITHOUT_DATABASE:
            _require_database()
        _serve(arguments)
    except StartError as error:
        sys.stderr.write(f"{SERVER} {' '.join(arguments)}: {error}\n")
        sys.exit(1)


def _raise_descriptor_limit() -> None:
    """Allow this process as many descriptors as its hard limit does: each procedure takes some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _serve(arguments: Sequence[str]) -> None:
    """Serve until asked to end.

    :raises StartError: if that cannot begin
    """
    try:
        signals = EndSignals()

        def serving() -> None:
            if event_socket.is_spoiled():
                _start_again()
            signals.watch()
            # Objects that exist after the creation of the devices remain. A garbage collection of all of
            # them, after every few ten thousand events, would block all threads for fifty milliseconds.
            gc.freeze()

        run((OETController,), args=[SERVER, *arguments], raises=True, post_init_callback=serving)
    except tango.DevFailed as error:
        raise StartError(" ".join(reason.desc for reason in error.args)) from error
    except Exception as error:
        # Only this much of an error of the ORB is reported here; it has written the details itself.
        raise StartError(
            f"the server cannot start ({error}). If the lines above name an endpoint, another process "
            "uses its port: end that, or choose another port with -ORBendPoint"
        ) from error


def _start_again() -> NoReturn:
    """Execute this program again, in the same process. What was running ends as after a crash."""
    LOGGER.warning(
        "A client has subscribed to events while this server was starting: Tango cannot send any after that. "
        "The server starts again."
    )
    logs.finish()
    # Listening sockets, and the pipes by which processes know that their server lives.
    os.closerange(_FIRST_DESCRIPTOR, _DESCRIPTORS)
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # the command that it was started by


def _require_log_format() -> None:
    """Check that the environment names a known form of log messages.

    :raises StartError: if it does not
    """
    try:
        logs.make_formatter()
    except ValueError as error:
        raise StartError(str(error)) from None


def _require_database() -> None:
    """Check that something listens at the address of the Tango database.

    Tango itself does not report the addresses that it has tried. A connection of its own, made before the
    server's ORB exists, would lose the options of the command line; so this is a plain one.

    :raises StartError: if there is nothing
    """
    tango_host = tango.ApiUtil.get_env_var("TANGO_HOST")
    if not tango_host:
        raise StartError("TANGO_HOST is not set: set it to host:port of the Tango database")
    reasons = []
    for address in tango_host.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host, int(port)), _CONNECT_TIMEOUT).close()
        except (OSError, ValueError, OverflowError) as error:
            reasons.append(str(error))
        else:
            return
    raise StartError(
        f"the Tango database at {tango_host} cannot be reached ({'; '.join(reasons)}): "
        "check that it runs, and that TANGO_HOST names it"
    )


if __name__ == "__main__":
    main()
