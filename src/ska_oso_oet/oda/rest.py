"""Scheduling Blocks of the ODA's REST service: ``<ODA_URL>/sbds/<sbd_id>``."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import islice

import httpx

from ska_oso_oet.model import Backoff, FoundSchedulingBlock

from .documents import MAX_SIZE, SBDefinition, SBInstance
from .errors import (
    ListingNotSupportedError,
    OdaNotConfiguredError,
    OdaRefusedError,
    OdaUnavailableError,
    StoringNotSupportedError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
)
from .identifiers import checked_id, checked_version
from .interface import DEFAULT_TIME_LIMIT, require_id

DEFAULT_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
DEFAULT_DELAYS = tuple(islice(Backoff(0.25, 2.0), 4))
"""Seconds to wait before each further attempt."""


class RestOda:
    """The REST service of the ODA (ska-db-oda).

    A request that fails with a server error, or without an answer, is tried again a few times. A refused
    request is not.

    :param url: base address of the service, e.g. ``http://ska-db-oda-rest/namespace/oda/api/v5``; a user and
        password in it are sent, and never shown
    :param timeout: seconds to wait for the service, in each attempt
    :param delays: seconds to wait before the second attempt, the third, …
    :param time_limit: seconds that all attempts may take together
    :raises OdaNotConfiguredError: if the address is not an HTTP address
    """

    def __init__(
        self,
        url: str,
        timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
        delays: Sequence[float] = DEFAULT_DELAYS,
        time_limit: float = DEFAULT_TIME_LIMIT,
    ) -> None:
        address = _http_address(url)
        has_user = bool(address.userinfo)
        self._auth = httpx.BasicAuth(address.username, address.password) if has_user else None
        self._url = str(address.copy_with(userinfo=b"")).rstrip("/")
        self._delays = tuple(delays)
        self._timeout = httpx.Timeout(timeout)
        self._time_limit = time_limit
        self._closed = threading.Event()

    def get_sbdefinition(self, sbd_id: str, version: int | None = None) -> SBDefinition:
        """Return a Scheduling Block; see `Oda`."""
        url = f"{self._url}/sbds/{checked_id('sbd_id', sbd_id)}"
        wanted = None if version is None else checked_version(version)
        newest = wanted is None
        text = self._get(url, wanted)
        if text is None and not newest:
            # Find out whether the ID or the version is unknown.
            text = self._get(url, None)
        if text is None:
            raise UnknownSchedulingBlockError(
                f"the ODA at {self._url} has no Scheduling Block '{sbd_id}'; check its ID"
            )
        definition = require_id(SBDefinition.from_json(text, url), sbd_id, url)
        # Services without versions answer with the newest.
        if not newest and definition.version != wanted:
            raise UnknownVersionError(
                f"the ODA at {self._url} has no version {wanted} of Scheduling Block '{sbd_id}'; "
                f"the newest is {definition.version}"
            )
        return definition

    def find_sbdefinitions(self, part: str, limit: int) -> list[FoundSchedulingBlock]:
        """Refuse: the service has no documented way to list Scheduling Blocks; see `Oda`."""
        raise ListingNotSupportedError(
            "the ODA's REST service has no documented way to list Scheduling Blocks: give the ID of one, "
            "or use ODA_BACKEND_TYPE=postgres"
        )

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Refuse: the service has no documented way to store a record; see `Oda`."""
        raise StoringNotSupportedError(
            "the ODA's REST service does not accept SBInstances; use ODA_BACKEND_TYPE=postgres"
        )

    def close(self) -> None:
        """End requests that wait for their next attempt."""
        self._closed.set()

    def _get(self, url: str, version: int | None) -> bytes | None:
        """Return the answer to a request; None if the service says that there is no such thing."""
        with httpx.Client(follow_redirects=True, auth=self._auth) as client:
            request = client.build_request("GET", url, params={} if version is None else {"version": version})
            return _body(self._attempt(client, request))

    def _attempt(self, client: httpx.Client, request: httpx.Request) -> httpx.Response:
        """Send a request, several times if necessary, until the service does not fail.

        :raises OdaUnavailableError: if it always fails
        :raises OdaRefusedError: if the answer is too large
        """
        failure = "the OET has closed the connection"
        end = time.monotonic() + self._time_limit
        for delay in (0.0, *self._delays):
            if time.monotonic() + delay >= end or self._closed.wait(delay):
                break
            timeout = _shortened(self._timeout, end - time.monotonic())
            request.extensions["timeout"] = timeout.as_dict()
            try:
                answer = _received(client.send(request, stream=True), end)
            except httpx.RequestError as error:
                failure = str(error) or type(error).__name__
                continue
            if not answer.is_server_error:
                return answer
            failure = f"{answer.status_code} {answer.reason_phrase}"
        raise OdaUnavailableError(
            f"the ODA at {self._url} does not answer: {failure}; "
            "check that it runs and that ODA_URL is its address"
        )


def _shortened(timeout: httpx.Timeout, limit: float) -> httpx.Timeout:
    """Return time-outs of which none is longer than a number of seconds."""
    return httpx.Timeout(
        **{step: limit if given is None else min(given, limit) for step, given in timeout.as_dict().items()}
    )


def _http_address(url: str) -> httpx.URL:
    """Return an HTTP address.

    :raises OdaNotConfiguredError: if it is not one
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in {"http", "https"} or not address.host:
        shown = url.rpartition("@")[2]
        raise OdaNotConfiguredError(
            f"ODA_URL is {shown!r}; set it to an address such as http://host/oda/api/v5"
        )
    return address


def _received(answer: httpx.Response, end: float) -> httpx.Response:
    """Return an answer with its body.

    :param answer: the answer, of which the head has come
    :param end: when to give up; a time-out applies only to the time between two pieces
    :raises httpx.RequestError: if it does not come in time
    :raises OdaRefusedError: if it is too large
    """
    body = bytearray()
    with closing(answer):
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > MAX_SIZE:
                raise OdaRefusedError(
                    f"{answer.url} answers with more than {MAX_SIZE} bytes; check what it sends"
                )
            if time.monotonic() >= end:
                raise httpx.ReadTimeout("its answer comes too slowly")
    return httpx.Response(answer.status_code, content=bytes(body), request=answer.request)


def _body(answer: httpx.Response) -> bytes | None:
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if not answer.is_success:
        raise OdaRefusedError(
            f"{answer.url} refuses the request: {answer.status_code} {answer.reason_phrase}; "
            "check that ODA_URL is the address of an ODA, and which credentials it requires"
        )
    return answer.content
