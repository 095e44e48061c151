"""HTTP client of the `oet` command: every fault becomes one sentence."""

import getpass
import json
import os
import socket
import urllib.request
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import httpx

from ska_oso_oet import __version__
from ska_oso_oet.model import USER_HEADER

from .errors import CommandError, MisuseError, RefusedError, ServerUnavailableError

CONNECT_TIMEOUT = 5.0
"""Limit of the wait for a connection, in seconds."""
REPLY_TIMEOUT = 30.0
"""Limit of the wait for a reply, in seconds: the service answers in milliseconds, or with 504."""
STOP_TIMEOUT = 90.0
"""The same for the reply to a stop, which comes when the abort script has ended, or as 504 after a minute."""

_TEMPORARY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

_ANOTHER_ADDRESS = "Is --server-url the address of the OET's REST API? It ends in /api/v1.0"


class HttpSession:
    """Connections to one OET service.

    :param url: of the REST API, e.g. ``http://ska-oso-oet-rest:5000/api/v1.0``
    :param token: sent as bearer token with every request, unless empty
    :param user: name of the user; by default the user of this process
    :raises MisuseError: if the URL, the token or the name of the user cannot be used
    """

    def __init__(self, url: str, token: str = "", user: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self.patience: float | None = None
        """How long to wait for a connection and for replies, in seconds; None: as long as is usual."""
        _check_url(self.url)
        self.user = this_user() if user is None else _require_user(user)
        headers = {**_authorization(token), USER_HEADER: self.user, "User-Agent": f"oet/{__version__}"}
        self._client = httpx.Client(headers=headers)

    def sibling(self, url: str) -> "HttpSession":
        """Return connections of their own to another controller of the same service.

        :param url: of its REST API
        """
        return HttpSession(url, self._token, self.user)

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
        :raises ServerUnavailableError: if the service is unavailable or late
        :raises CommandError: if it refuses, or answers something that is not a JSON object
        """
        response = self._exchange(method, path, body, patience)
        reply = _json_object(response)
        if reply is None:
            raise _not_json(response)
        return reply

    def known_user(self) -> str:
        """Return the name under which the service records what this user asks for."""
        if not self._token:
            return self.user
        try:
            known = self.request("GET", "/session").get("user")
        except CommandError:  # an older service, which does not know users
            return self.user
        return str(known) if known else self.user

    def request_list(self, path: str) -> list[Any]:
        """Send a GET request and return the JSON list that the service answers.

        :param path: below the URL of the API
        :raises CommandError: as of `request`
        """
        response = self._exchange("GET", path, None, None)
        reply = _json(response)
        if not isinstance(reply, list):
            raise _not_json(response)
        return reply

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, patience: float | None
    ) -> httpx.Response:
        try:
            timeout = _timeout(self.patience or patience)
            response = self._client.request(method, self.url + path, json=body, timeout=timeout)
        except UnicodeEncodeError as error:
            raise CommandError(
                f"This cannot be sent, because it is not UTF-8 text: {error.object!r}"
            ) from error
        except httpx.HTTPError as error:
            raise self.unavailable(error) from error
        if not response.is_success:
            raise self._refusal(response)
        return response

    def download(self, path: str, write: Callable[[bytes], object]) -> None:
        """Receive a file, part by part.

        :param path: below the URL of the API
        :param write: called with each part
        :raises ServerUnavailableError: if the service is unavailable or late
        :raises CommandError: if it refuses, or what came is not all of the file
        """
        try:
            with self._client.stream("GET", self.url + path, timeout=_timeout(self.patience)) as response:
                if not response.is_success:
                    response.read()
                    raise self._refusal(response)
                for part in response.iter_bytes():
                    write(part)
        except httpx.HTTPError as error:
            raise self.unavailable(error) from error

    def open_stream(self, path: str, headers: Mapping[str, str], read_timeout: float) -> httpx.Response:
        """Open a stream of events; the caller closes the response.

        :param path: below the URL of the API
        :param headers: to send
        :param read_timeout: how long the stream may be silent, in seconds
        :raises ServerUnavailableError: if the service is unavailable or late
        :raises CommandError: if it refuses, or offers no such stream
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
            raise CommandError(
                f"{request.url} is not a stream of events. Is --server-url the address of an OET?"
            )
        return response

    def unavailable(self, error: httpx.HTTPError) -> ServerUnavailableError:
        """Report that the service is unavailable, and why."""
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

    def _refusal(self, response: httpx.Response) -> CommandError:
        status = f"{response.status_code} {response.reason_phrase}".strip()
        if response.has_redirect_location:
            # Following the redirection would turn a POST into a GET, and send the token to an unknown server.
            target = response.headers["location"]
            return CommandError(f"{response.url} has moved to {target}: give that address as --server-url")
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            return CommandError(f"{_message(response) or status}: set OET_API_TOKEN to the token of this OET")
        if response.status_code == HTTPStatus.NOT_FOUND and _is_always_there(response.request):
            return CommandError(f"{response.url} answered {status}. {_ANOTHER_ADDRESS}")
        message = _message(response)
        sentence = f"{response.url} answered {status}" if message is None else f"{message} ({status})"
        if response.status_code in _TEMPORARY:
            return ServerUnavailableError(sentence, response.status_code)
        kind = (_json_object(response) or {}).get("type")
        return RefusedError(sentence, response.status_code, kind if isinstance(kind, str) else "")


def this_user() -> str:
    """Return who uses this command, e.g. ``anna@control-room``."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a user ID without a name, as in a container
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}".encode("ascii", "backslashreplace").decode()[:100]


def _require_user(user: str) -> str:
    if not (user.strip() and user.isascii() and user.isprintable()):
        raise MisuseError(f"--user {user!r} cannot be sent: use printable ASCII characters.")
    return user.strip()[:100]


def _timeout(patience: float | None) -> httpx.Timeout:
    reply = REPLY_TIMEOUT if patience is None else patience
    return httpx.Timeout(reply, connect=min(reply, CONNECT_TIMEOUT))


def _by_way_of(url: str) -> str:
    """Return a hint at a proxy that the environment configures, which users easily forget."""
    parsed = httpx.URL(url)
    proxy = urllib.request.getproxies().get(parsed.scheme)
    if proxy is None or urllib.request.proxy_bypass(parsed.host):
        return ""
    host = proxy.rpartition("@")[2]  # without a password
    return f" (through {parsed.scheme}_proxy, {host})"


def _is_always_there(request: httpx.Request) -> bool:
    """Whether a service of the OET never answers 404 to a request."""
    return request.method == "GET" and request.url.path.endswith(("/procedures", "/activities", "/stream"))


def _check_url(url: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise MisuseError(f"--server-url (or OET_REST_URI): {url!r} is not a URL: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise MisuseError(f"--server-url (or OET_REST_URI): {url!r} does not begin with http:// or https://")


def _authorization(token: str) -> dict[str, str]:
    if not token:
        return {}
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise MisuseError("OET_API_TOKEN contains characters that a token cannot have")
    return {"Authorization": f"Bearer {token}"}


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    value = _json(response)
    return value if isinstance(value, dict) else None


def _json(response: httpx.Response) -> Any:
    """Return the JSON of an answer; None if it is none."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _not_json(response: httpx.Response) -> CommandError:
    return CommandError(f"{response.url} answered something that is not JSON. {_ANOTHER_ADDRESS}")


def _message(response: httpx.Response) -> str | None:
    """Return the sentence of an error body ``{"error", "type", "Message"}``; None if it is none."""
    body = _json_object(response) or {}
    message = body.get("Message")
    return message if isinstance(message, str) and message else None
