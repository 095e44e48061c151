"""Names of the service: a request to any other name is refused.

A page of another site can make the browser of an operator send requests to a service that only this browser
reaches (DNS rebinding, cross-site requests). Such a request carries the name of that site in ``Host`` or in
``Origin``.
"""

import ipaddress
import re
from collections.abc import Iterable

HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>\d{1,5}))?\Z")
"""Name or address of a host, with or without a port, as in the header ``Host``."""

ANY_HOST = "*"
"""Instead of a name: every name is allowed."""

_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>.+)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LOCALHOST = "localhost"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a listener at a host.

    :param host: name or address
    """
    address = _address(host)
    return address.is_loopback if address else _plain(host) == _LOCALHOST


class KnownHosts:
    """The names and addresses that the service is known by.

    Loopback names always count, and so does the address at which a connection arrives: a site elsewhere
    cannot have either of them as its own name.

    :param names: names and addresses; ``*.example.org`` stands for all names below ``example.org``,
        `ANY_HOST` for all
    """

    def __init__(self, names: Iterable[str]) -> None:
        plain = [_plain(name) for name in names]
        self._any = ANY_HOST in plain
        self._names = frozenset(plain)
        self._endings = tuple(name[1:] for name in plain if name.startswith("*."))

    def admit(self, host: str, arrived_at: str) -> bool:
        """Return whether a header ``Host`` names this service.

        :param host: the header's value
        :param arrived_at: address of this machine at which the connection arrived
        """
        if self._any:
            return True
        if not (match := HOST.match(host)):
            return False
        name = match["name"]
        address = _address(name)
        if address is not None and address == _address(arrived_at):
            return True
        plain = _plain(name)
        return is_loopback(name) or plain in self._names or plain.endswith(self._endings)

    def admit_origin(self, origin: str, host: str, arrived_at: str) -> bool:
        """Return whether a header ``Origin`` names a page of this service.

        A page at another port of the same host is a page of another program. Only a proxy that puts its own
        name into ``Host`` hides the port of the page: then the usual port of a known name is admitted.

        :param origin: the header's value; ``null`` stands for a page that hides where it is from
        :param host: name or address, with or without a port, that the client has sent the request to
        :param arrived_at: address of this machine at which the connection arrived
        """
        if self._any:
            return True
        given = _ORIGIN.fullmatch(origin)
        if (
            given is None
            or not (page := HOST.match(given["host"]))
            or not self.admit(given["host"], arrived_at)
        ):
            return False
        usual = _DEFAULT_PORTS[given["scheme"].lower()]
        port = page["port"] or usual
        reached = HOST.match(host)
        if reached is not None and _plain(page["name"]) == _plain(reached["name"]):
            # Behind a proxy that encrypts, the port that is left out is that of the page's scheme.
            return port == (reached["port"] or usual)
        return port == usual and not is_loopback(page["name"])


def _plain(name: str) -> str:
    address = _address(name)
    return str(address) if address else name.lower().removesuffix(".")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    # A socket for both families shows the addresses of the older one as its own.
    return getattr(address, "ipv4_mapped", None) or address
