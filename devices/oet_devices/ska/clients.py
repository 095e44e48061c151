"""The clients of a device."""

import re
from dataclasses import dataclass
from typing import Any

import tango

_TCP = re.compile(r"giop:(?:tcp|ssl):\[?(.+?)\]?:\d+$")
_LOOPBACK = re.compile(r"127\.|::1$|::ffff:127\.")


@dataclass(frozen=True)
class TangoClient:
    """A program that sends requests to a device.

    :param program: its process, e.g. ``process 4711``; of a program in Java, its main class
    :param host: name or address of its host
    """

    program: str
    host: str

    def __str__(self) -> str:
        return f"{self.program} on {self.host}"


def client_of(device: Any) -> TangoClient | None:
    """Return the client whose request a device carries out.

    :param device: the device, in the thread that carries out the request
    :returns: None if there is no such request
    """
    try:
        identity = device.get_client_ident()
    except (AttributeError, tango.DevFailed):  # PyTango converts "nobody" in this way
        return None
    if identity is None or not identity.client_ident:  # None while the device is made
        return None
    if identity.client_lang == tango.LockerLanguage.JAVA:
        who = f"{identity.java_main_class} ({'-'.join(f'{part:x}' for part in identity.java_ident)})"
    else:
        who = f"process {identity.client_pid}"
    return TangoClient(who, _host_of(identity.client_ip))


def _host_of(address: str) -> str:
    """Return the host in an address of omniORB."""
    found = _TCP.match(address)
    # Without TCP it is a socket of this host.
    return found[1] if found is not None and not _LOOPBACK.match(found[1]) else "localhost"
