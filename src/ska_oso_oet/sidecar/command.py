"""The command ``oet-sidecar``."""

import argparse
import asyncio
import errno
import logging
import os
import re
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from ska_oso_oet.client import DEFAULT_DEVICE

from .server import SidecarServer, bind
from .settings import Settings

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_ROOT_PATH = re.compile(r"((/[\w.~-]+)*)/?\Z")
_PORTS = range(1 << 16)
_CONNECTIONS = 1 << 16

_EPILOG = """The Tango database is the one that TANGO_HOST names. If OET_API_TOKEN is set, whatever changes
state needs it as a bearer token; with OET_API_PRIVATE=true, reading needs it, too."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until there is a signal to end.

    :param arguments: of the command; by default, those of this process
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        token, private = _protection(os.environ)
    except ValueError as error:
        parser.error(str(error))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Of streams that it has dropped this service tells itself.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing" not in str(record.msg))
    try:
        listener = bind(options.host, options.port)
    except OSError as error:
        sys.exit(f"oet-sidecar: {_explain(error, options.host, options.port)}")
    # uvicorn handles these two, and then raises them again for whoever else wants to know: nobody.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _allow_connections(_CONNECTIONS)
    # The thread that receives events must not wait long for the interpreter while streams are busy.
    sys.setswitchinterval(0.0005)
    settings = Settings(
        device=options.device,
        root_path=options.root_path,
        max_lag=options.max_lag,
        token=token,
        private=private,
    )
    server = SidecarServer(settings, listener)
    asyncio.run(server.serve())
    _leave(0 if server.told_to_end else 1)


def _allow_connections(count: int) -> None:
    """Let this process have that many files open, or as many as it may: shells and services allow 1024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if most == resource.RLIM_INFINITY else min(count, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _leave(status: int) -> NoReturn:
    """End the process. A Tango call that hangs in a thread would hold up an orderly end."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


def _protection(environment: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the token, and whether reading needs it.

    :raises ValueError: if what is set would protect less than whoever has set it may think
    """
    token = environment.get("OET_API_TOKEN", "").strip()
    if not token.isprintable():
        raise ValueError("OET_API_TOKEN holds more than one line, or what no header can hold")
    private = environment.get("OET_API_PRIVATE", "").strip().lower()
    if private not in _TRUE | _FALSE:
        raise ValueError(f"OET_API_PRIVATE is {private!r}, and not true or false")
    if private in _TRUE and not token:
        raise ValueError("OET_API_PRIVATE is set, and OET_API_TOKEN is not: set a token, or serve everybody")
    return token or None, private in _TRUE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oet-sidecar", description="Serve an OETController by REST and SSE.", epilog=_EPILOG
    )

    def add(option: str, variable: str, default: str, meaning: str, kind: object = str) -> None:
        shown = f"{meaning} (environment: {variable}; default: {default or 'none'})"
        value = os.environ.get(variable) or default
        # Of a default that is text argparse thinks as of what was typed: it is checked the same way.
        parser.add_argument(option, default=value, type=kind, help=shown)  # type: ignore[arg-type]

    add("--host", "OET_REST_HOST", "127.0.0.1", "interface to listen on")
    add("--port", "OET_REST_PORT", "5000", "TCP port, 0 for any that is free", _port)
    add("--device", "OET_DEVICE", DEFAULT_DEVICE, "the controller's Tango device")
    add("--root-path", "OET_ROOT_PATH", "", "path below which an ingress serves this", _root_path)
    add("--max-lag", "OET_MAX_LAG", "50000", "events a stream may be behind before it is dropped", _count)
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no TCP port (0 to 65535)")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of events (1 or more)")
    return int(text)


def _root_path(text: str) -> str:
    if not (match := _ROOT_PATH.match(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no path, e.g. /site/oet")
    return match[1]


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken by another program: end it, or choose a port with --port"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
