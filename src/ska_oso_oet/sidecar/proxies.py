"""Proxies that are trusted to name the user and the address of a client."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope


@dataclass(frozen=True)
class TrustedProxies:
    """Trusted proxies, and the header in which they name users.

    These names are for records only: the rights of a client follow from its token.

    :param networks: addresses of the proxies
    :param user_header: header in which they name the user, empty if they do not
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    user_header: str = ""

    @classmethod
    def read(cls, networks: Sequence[str], user_header: str) -> "TrustedProxies":
        """Return the proxies that settings name.

        :param networks: addresses, or networks such as ``10.0.0.0/8``
        :param user_header: name of the header with the user, empty for none
        :raises ValueError: if one is neither, or if there is a header, but no trusted proxy
        """
        if user_header and not networks:
            raise ValueError(
                "OET_PROXY_USER_HEADER is set, and OET_TRUSTED_PROXIES is not: name the addresses of the "
                "proxies that set this header"
            )
        try:
            return cls(tuple(ip_network(each) for each in networks), user_header)
        except ValueError as error:
            raise ValueError(f"OET_TRUSTED_PROXIES: {error}") from None

    def client_of(self, scope: Scope) -> tuple[str | None, str | None]:
        """Return the address and the user of the client that has sent a request.

        :param scope: of the request
        :returns: the user is None if no trusted proxy names one
        """
        peer = (scope.get("client") or (None,))[0]
        if peer is None or not self._trusts(peer):
            return peer, None
        headers = Headers(scope=scope)
        user = headers.get(self.user_header, "").strip() if self.user_header else ""
        # Each proxy adds the address that it has seen: the last one that is not of a proxy is the client's.
        passed = [each.strip() for each in headers.get("x-forwarded-for", "").split(",") if each.strip()]
        address = next((each for each in reversed(passed) if not self._trusts(each)), peer)
        return address, user or None

    def _trusts(self, address: str) -> bool:
        try:
            known = ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self.networks)


NO_PROXIES = TrustedProxies()
"""No proxy is trusted."""
