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
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ska_oso_oet import logs, secrets, traces
from ska_oso_oet.client import DEFAULT_DEVICE

from .hosts import ANY_HOST, is_loopback
from .named_tokens import token_command
from .numbering import NamedDevice, NumberingError, named_devices, number_devices
from .proxies import TrustedProxies
from .server import SidecarServer, bind
from .settings import Settings
from .token_file import TokenFile

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_ROOT_PATH = re.compile(r"((/[\w.~-]+)*)/?\Z")
_ALLOWED_HOST = re.compile(rf"({re.escape(ANY_HOST)}|(\*\.)?[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?)\Z")
_PORTS = range(1 << 16)
_CONNECTIONS = 1 << 16

_EPILOG = """The Tango database is the one that TANGO_HOST names. If OET_API_TOKEN is set, each request that
changes state needs it as a bearer token; with OET_API_PRIVATE=true, reading needs it, too. OET_TOKENS_FILE
names a file with tokens of users; 'oet-sidecar token NAME --role=ROLE' makes one."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until there is a signal to end.

    :param arguments: of the command; by default, those of this process
    """
    if arguments is None:
        arguments = sys.argv[1:]
    if arguments[:1] == ["token"]:
        token_command(arguments[1:])
        return
    parser = command_parser()
    options = parser.parse_args(arguments)
    try:
        formatter = logs.make_formatter()
        protection = read_protection(os.environ)
        require_protection(options.host, protection.is_there, options.insecure)
        proxies = _trusted_proxies(os.environ)
        allowed = [_host_name(name) for name in os.environ.get("OET_ALLOWED_HOSTS", "").split()]
    except (ValueError, argparse.ArgumentTypeError) as error:
        parser.error(str(error))
    secrets.withhold(secrets.OF_SIDECAR)
    _begin_log(formatter)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        devices = number_devices(options.device or named_devices(os.environ.get("OET_DEVICE", "")))
    except NumberingError as error:
        sys.exit(f"oet-sidecar: {error}")
    try:
        listener = bind(options.host, options.port)
    except OSError as error:
        sys.exit(f"oet-sidecar: {_explain(error, options.host, options.port)}")
    # uvicorn handles these two and then raises them again, which this process does not need.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _allow_connections(_CONNECTIONS)
    # The thread that receives events must not wait long for the interpreter while streams are busy.
    sys.setswitchinterval(0.0005)
    settings = Settings(
        devices=devices,
        root_path=options.root_path,
        max_lag=options.max_lag,
        token=protection.token,
        private=protection.private,
        token_file=protection.token_file,
        proxies=proxies,
        hosts=(options.host, *options.allowed_host, *allowed),
    )
    logs.start()
    traces.start("oet-sidecar", secrets.environment())
    server = SidecarServer(settings, listener)
    asyncio.run(server.serve())
    _leave(0 if server.end_requested else 1)


def _begin_log(formatter: logging.Formatter) -> None:
    """Write messages to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _allow_connections(count: int) -> None:
    """Let this process have that many files open, or as many as it may: shells and services allow 1024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if most == resource.RLIM_INFINITY else min(count, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _leave(status: int) -> NoReturn:
    """End the process. A Tango call that hangs in a thread would delay an orderly end."""
    traces.finish()
    logs.finish()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


@dataclass(frozen=True)
class Protection:
    """Tokens that clients need for changes, or for reading.

    :param token: token of the service, None for none
    :param private: whether reading needs a token, too
    :param token_file: tokens of users, None for none
    """

    token: str | None
    private: bool
    token_file: TokenFile | None

    @property
    def is_there(self) -> bool:
        """Whether a change needs a token."""
        return self.token is not None or self.token_file is not None


def read_protection(environment: Mapping[str, str]) -> Protection:
    """Return the protection that the environment configures.

    :param environment: environment variables
    :raises ValueError: if the settings would protect less than their author may expect
    """
    token = environment.get("OET_API_TOKEN", "").strip()
    if "OET_API_TOKEN" in environment and not token:
        raise ValueError("OET_API_TOKEN is blank: set a token, or remove the variable")
    if not token.isprintable():
        raise ValueError(
            "OET_API_TOKEN contains more than one line, or characters that a header cannot contain"
        )
    file = environment.get("OET_TOKENS_FILE", "").strip()
    users = TokenFile(Path(file)) if file else None
    private = environment.get("OET_API_PRIVATE", "").strip().lower()
    if private not in _TRUE | _FALSE:
        raise ValueError(f"OET_API_PRIVATE is {private!r}, and not true or false")
    if private in _TRUE and not (token or users):
        raise ValueError("OET_API_PRIVATE is set, and OET_API_TOKEN is not: set a token, or serve everybody")
    return Protection(token or None, private in _TRUE, users)


def _trusted_proxies(environment: Mapping[str, str]) -> TrustedProxies:
    return TrustedProxies.read(
        environment.get("OET_TRUSTED_PROXIES", "").split(),
        environment.get("OET_PROXY_USER_HEADER", "").strip(),
    )


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, whose defaults are those of the environment."""
    parser = argparse.ArgumentParser(
        prog="oet-sidecar", description="Serve OETControllers by REST and SSE.", epilog=_EPILOG
    )

    def add(option: str, variable: str, default: str, meaning: str, kind: object = str) -> None:
        shown = f"{meaning} (environment: {variable}; default: {default or 'none'})"
        value = os.environ.get(variable) or default
        # argparse checks a default that is text like typed text.
        parser.add_argument(option, default=value, type=kind, help=shown)  # type: ignore[arg-type]

    add("--host", "OET_REST_HOST", "127.0.0.1", "interface to listen on")
    add("--port", "OET_REST_PORT", "5000", "TCP port, 0 for any that is free", _port)
    parser.add_argument(
        "--device",
        action="append",
        type=NamedDevice.read,
        metavar="[N=]DEVICE",
        help="Tango device of a controller, and the number of its subarray (default: its property "
        "SubarrayId); may be given more than once: the first one is also served without a number "
        f"(environment: OET_DEVICE, separated by spaces; default: {DEFAULT_DEVICE})",
    )
    parser.add_argument(
        "--allowed-host",
        action="append",
        type=_host_name,
        metavar="NAME",
        default=[],
        help="name by which clients know this service, in addition to the loopback names and the addresses "
        "of this machine; may be given more than once; *.example.org stands for all names below "
        "example.org, * for "
        "all names (environment: OET_ALLOWED_HOSTS, separated by spaces)",
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="listen on another than the loopback interface without a token: everybody who reaches this "
        "service controls the telescope",
    )
    add("--root-path", "OET_ROOT_PATH", "", "path below which an ingress serves this", _root_path)
    add("--max-lag", "OET_MAX_LAG", "50000", "events a stream may be behind before it is dropped", _count)
    return parser


def require_protection(host: str, is_protected: bool, insecure: bool) -> None:
    """Check that a service which others can reach has a token.

    :param host: name or address of the interface to listen on
    :param is_protected: whether a change needs a token
    :param insecure: whether no token is needed
    :raises ValueError: if it has none, and needs one
    """
    if not is_protected and not insecure and not is_loopback(host):
        raise ValueError(
            f"--host {host} lets others reach this service, and OET_API_TOKEN is not set: set a token, "
            "or give --insecure if everybody may control the telescope"
        )


def _host_name(text: str) -> str:
    if not _ALLOWED_HOST.match(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name of a host: give it without scheme and port, e.g. oet.example.org"
        )
    return text


def _port(text: str) -> int:
    if not text.isdigit() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a TCP port (0 to 65535)")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of events (1 or more)")
    return int(text)


def _root_path(text: str) -> str:
    if not (match := _ROOT_PATH.match(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path, e.g. /site/oet")
    return match[1]


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken by another program: end it, or choose a port with --port"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
