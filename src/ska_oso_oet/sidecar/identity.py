"""Identity and rights of clients. Only this module decides about them.

Programs send a token with each request. A browser cannot do that for an event stream or a picture: it
exchanges the token once for a session, which is a cookie.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from .named_tokens import NamedToken, Role, token_digest
from .proxies import NO_PROXIES, TrustedProxies

IDENTITY = "oet.identity"
"""Key of a request's scope: the `Identity` of the client."""

PAGE_HEADER = "X-OET-Page"
"""Header that the control page sends with each request that changes something.

A page of another origin, also one on another port of the same host, can make a browser send the cookie. It
cannot add a header: that needs a permission which this service never gives (Fetch Standard, CORS-preflight).
"""

SESSION_SECONDS = 7 * 24 * 3600
"""Duration of a session."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Identity:
    """A client of this service.

    :param role: what it may do
    :param user: its name; None if it is not known
    :param host: address of its host; None if it is not known
    """

    role: Role
    user: str | None = None
    host: str | None = None
    has_token: bool = False
    """Whether it has a token of this service."""

    def may(self, method: str) -> bool:
        """Return whether the client may send a request.

        :param method: HTTP method of the request
        """
        return self.role is Role.OPERATOR or (self.role is Role.VIEWER and method in _SAFE_METHODS)


@dataclass(frozen=True)
class _Key:
    """A token that gives rights.

    :param digest: its SHA-256
    :param identity: who has it
    """

    digest: bytes
    identity: Identity


class Access:
    """Access rights by tokens and sessions.

    :param token: token of the service, for an operator without a name; None for none
    :param private: whether reading needs a token, too
    :param named: tokens of users
    :param proxies: proxies that are trusted to name users
    """

    def __init__(
        self,
        token: str | None,
        private: bool,
        named: Sequence[NamedToken] = (),
        proxies: TrustedProxies = NO_PROXIES,
    ) -> None:
        self._keys = [_Key(each.digest, Identity(each.role, each.user, has_token=True)) for each in named]
        if token is not None:
            self._keys.append(_Key(token_digest(token), Identity(Role.OPERATOR, has_token=True)))
        self._others = Role.NONE if private else Role.VIEWER
        self._proxies = proxies

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything."""
        return not self._keys

    @property
    def cookie(self) -> str:
        """Name of the cookie of a session. Services with other tokens on the same host have other names."""
        digest = hashlib.sha256(b"".join(key.digest for key in self._keys)).hexdigest()
        return f"oet_session_{digest[:8]}"

    def identify(self, scope: Scope) -> Identity:
        """Return the identity of the client that sends a request, with its address.

        :param scope: of the request
        """
        host, user = self._proxies.client_of(scope)
        identity = self._by_rights(scope)
        # The name of a token has precedence over the name from a trusted proxy.
        return replace(identity, user=identity.user or user, host=host)

    def _by_rights(self, scope: Scope) -> Identity:
        if self.is_open:
            return Identity(Role.OPERATOR)
        headers = Headers(scope=scope)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Headers are read as Latin-1; a token may have any letters.
        token = given.strip(" \t").encode("latin-1").decode("utf-8", "surrogateescape")
        if scheme.lower() == "bearer" and (known := self.of_token(token)) is not None:
            return known
        by_page = scope["method"] in _SAFE_METHODS or PAGE_HEADER in headers
        if by_page and (known := self._of_session(headers)) is not None:
            return known
        return Identity(self._others)

    def of_token(self, token: str) -> Identity | None:
        """Return the identity of a token, None if it is not a token of this service.

        :param token: the token from a client
        """
        key = self._key_of(token)
        return None if key is None else key.identity

    def session(self, token: str) -> str | None:
        """Return the value of the cookie of a new session.

        :param token: the token from the user
        :returns: None if that is not a token of this service
        """
        key = self._key_of(token.strip())
        if key is None:
            return None
        end = str(int(time.time()) + SESSION_SECONDS)
        return f"{end}.{_seal(key, end)}"

    def _key_of(self, token: str) -> _Key | None:
        digest = token_digest(token)
        # The comparison takes as long for a good guess as for a bad one.
        fitting = [key for key in self._keys if secrets.compare_digest(key.digest, digest)]
        return fitting[0] if fitting else None

    def _of_session(self, headers: Headers) -> Identity | None:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return None
        end, _, seal = ("" if morsel is None else morsel.value).partition(".")
        if not (end.isascii() and end.isdigit() and len(end) < 16 and seal.isascii()):
            return None
        fitting = [key for key in self._keys if secrets.compare_digest(seal, _seal(key, end))]
        return fitting[0].identity if fitting and int(end) > time.time() else None


def _seal(key: _Key, end: str) -> str:
    """Return the proof that this service has begun a session for a token, without the token itself."""
    return hmac.new(key.digest, f"session until {end}".encode(), hashlib.sha256).hexdigest()


def identity_of(scope: Scope) -> Identity:
    """Return the identity of the client of an accepted request.

    :param scope: of the request
    """
    identity = scope[IDENTITY]
    assert isinstance(identity, Identity)  # noqa: S101
    return identity
