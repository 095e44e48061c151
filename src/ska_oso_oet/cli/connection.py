"""HTTP as the `oet` command speaks it: every fault becomes one sentence."""

import json
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx

from .errors import MisuseError, OetError, ServerUnavailableError

CONNECT_TIMEOUT = 5.0
"""How long to wait for a connection, in seconds."""
REPLY_TIMEOUT = 30.0
"""How long to wait for a reply, in seconds: the service answers in milliseconds, or says 504 by itself."""
STOP_TIMEOUT = 90.0
"""The same for the reply to a stop, which comes when the abort script has ended, or as 504 after a minute."""

_TEMPORARY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

_ANOTHER_ADDRESS = "Is --server-url the address of the OET's REST API? It ends in /api/v1.0"


class HttpSession:
    """Connections to one OET service.

    :param url: of the REST API, e.g. ``http://ska-oso-oet-rest:5000/api/v1.0``
    :param token: sent as bearer token with every request, unless empty
    :raises MisuseError: if the URL or the token cannot be used
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        _check_url(self.url)
        self._client = httpx.Client(
            headers=_authorization(token),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, patience: float | None = None
    ) -> dict[str, Any]:
        """Send a request and return the JSON object that the service answers.

        :param method: of HTTP
        :param path: below the URL of the API, e.g. ``/procedures/2``
        :param body: sent as JSON
        :param patience: how long to wait for a reply, in seconds; None: as long as is usual
        :raises ServerUnavailableError: if the service is away or late
        :raises OetError: if it refuses, or answers something that is no JSON object
        """
        try:
            response = self._client.request(method, self.url + path, json=body, timeout=_timeout(patience))
        except UnicodeEncodeError as error:
            raise OetError(f"This cannot be sent, as it is no UTF-8 text: {error.object!r}") from error
        except httpx.HTTPError as error:
            raise self.unavailable(error) from error
        if not response.is_success:
            raise self._refusal(response)
        reply = _json_object(response)
        if reply is None:
            raise OetError(f"{response.url} answered something that is not JSON. {_ANOTHER_ADDRESS}")
        return reply

    def open_stream(self, path: str, headers: Mapping[str, str], read_timeout: float) -> httpx.Response:
        """Open a stream of events; the caller closes the response.

        :param path: below the URL of the API
        :param headers: to send
        :param read_timeout: how long the stream may be silent, in seconds
        :raises ServerUnavailableError: if the service is away or late
        :raises OetError: if it refuses, or offers no such stream
        """
        request = self._client.build_request(
            "GET", self.url + path, headers=headers, timeout=_timeout(read_timeout)
        )
        try:
            response = self._client.send(request, stream=True)
            if not response.is_success:
                response.read()
        except httpx.HTTPError as error:
            raise self.unavailable(error) from error
        if not response.is_success:
            raise self._refusal(response)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.close()
            raise OetError(f"{request.url} is no stream of events. Is --server-url the address of an OET?")
        return response

    def unavailable(self, error: httpx.HTTPError) -> ServerUnavailableError:
        """Say that the service is away, and how."""
        if isinstance(error, httpx.ConnectTimeout):
            reason = f"no connection within {CONNECT_TIMEOUT:g} s"
        elif isinstance(error, httpx.TimeoutException):
            reason = "no answer in time"
        else:
            reason = str(error) or type(error).__name__
        return ServerUnavailableError(
            f"Cannot talk to the OET at {self.url}{_by_way_of(self.url)}: {reason}. "
            "Is the server up, and is --server-url (or OET_REST_URI) right?"
        )

    def _refusal(self, response: httpx.Response) -> OetError:
        kind = ServerUnavailableError if response.status_code in _TEMPORARY else OetError
        status = f"{response.status_code} {response.reason_phrase}".strip()
        if response.has_redirect_location:
            # Following would turn a POST into a GET, and send the token to whoever is there.
            target = response.headers["location"]
            return OetError(f"{response.url} has moved to {target}: give that address as --server-url")
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            return OetError(f"{_message(response) or status}: set OET_API_TOKEN to the token of this OET")
        if response.status_code == HTTPStatus.NOT_FOUND and _is_always_there(response.request):
            return OetError(f"{response.url} answered {status}. {_ANOTHER_ADDRESS}")
        message = _message(response)
        if message is None:
            return kind(f"{response.url} answered {status}")
        return kind(f"{message} ({status})")


def _timeout(patience: float | None) -> httpx.Timeout:
    return httpx.Timeout(REPLY_TIMEOUT if patience is None else patience, connect=CONNECT_TIMEOUT)


def _by_way_of(url: str) -> str:
    """Return a hint at a proxy that the environment demands, which is easily forgotten."""
    parsed = httpx.URL(url)
    proxy = urllib.request.getproxies().get(parsed.scheme)
    if proxy is None or urllib.request.proxy_bypass(parsed.host):
        return ""
    host = proxy.rpartition("@")[2]  # without a password
    return f" (by way of {parsed.scheme}_proxy, {host})"


def _is_always_there(request: httpx.Request) -> bool:
    """Whether a service of the OET never answers 404 to a request."""
    return request.method == "GET" and request.url.path.endswith(("/procedures", "/activities", "/stream"))


def _check_url(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise MisuseError(f"--server-url (or OET_REST_URI): {url!r} is no URL: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise MisuseError(f"--server-url (or OET_REST_URI): {url!r} does not begin with http:// or https://")


def _authorization(token: str) -> dict[str, str]:
    if not token:
        return {}
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise MisuseError("OET_API_TOKEN contains characters that a token cannot have")
    return {"Authorization": f"Bearer {token}"}


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        value = json.loads(response.content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _message(response: httpx.Response) -> str | None:
    """Return the sentence of an error body ``{"error", "type", "Message"}``; None if it is none."""
    body = _json_object(response) or {}
    message = body.get("Message")
    return message if isinstance(message, str) and message else None
