"""Particular behaviour of the REST service: temporary and permanent failures."""

import threading
import time
from collections.abc import Iterator

import pytest
from tests.support.oda_server import Failure, OdaServer
from tests.support.patience import PATIENCE, patience

from ska_oso_oet.oda import (
    OdaError,
    OdaNotConfiguredError,
    OdaRefusedError,
    OdaUnavailableError,
    SBInstance,
    StoringNotSupportedError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
    open_oda,
)
from ska_oso_oet.oda.rest import RestOda

DELAYS = (0.01, 0.02)


@pytest.fixture
def server(oda_server: OdaServer) -> OdaServer:
    oda_server.reset()
    oda_server.documents["sbd-123"] = {2: '{"sbd_id": "sbd-123", "metadata": {"version": 2}}'}
    return oda_server


@pytest.fixture
def oda(server: OdaServer) -> Iterator[RestOda]:
    oda = RestOda(server.url + "/", timeout=0.2, delays=DELAYS)
    yield oda
    oda.close()


@pytest.mark.parametrize("failure", [500, 502, 503, Failure.DROP, Failure.HANG])
def test_what_passes_is_tried_again(server: OdaServer, oda: RestOda, failure: int | Failure) -> None:
    server.failures.extend([failure, failure])
    assert oda.get_sbdefinition("sbd-123").version == 2
    assert len(server.requests) == 3


def test_trying_again_ends(server: OdaServer, oda: RestOda) -> None:
    server.failures.extend([500] * 10)
    with pytest.raises(OdaUnavailableError, match=r"does not answer: 500.*ODA_URL"):
        oda.get_sbdefinition("sbd-123")
    assert len(server.requests) == 1 + len(DELAYS)


def test_each_further_attempt_waits_longer(server: OdaServer) -> None:
    server.failures.extend([503, 503])
    oda = RestOda(server.url, delays=(0.05, 0.1))
    began = time.monotonic()
    oda.get_sbdefinition("sbd-123")
    assert time.monotonic() - began >= 0.15
    oda.close()


@pytest.mark.parametrize("status", [400, 401, 403, 429])
def test_what_is_refused_is_not_tried_again(server: OdaServer, oda: RestOda, status: int) -> None:
    server.failures.append(status)
    with pytest.raises(OdaRefusedError, match=f"refuses the request: {status}"):
        oda.get_sbdefinition("sbd-123")
    assert len(server.requests) == 1


def test_not_found_is_not_tried_again(server: OdaServer, oda: RestOda) -> None:
    with pytest.raises(UnknownSchedulingBlockError):
        oda.get_sbdefinition("sbd-124")
    assert len(server.requests) == 1


def test_a_service_that_knows_no_versions(server: OdaServer, oda: RestOda) -> None:
    server.knows_versions = False
    assert oda.get_sbdefinition("sbd-123", 2).version == 2
    with pytest.raises(UnknownVersionError, match="the newest is 2"):
        oda.get_sbdefinition("sbd-123", 1)


def test_closing_ends_the_wait_for_the_next_attempt(server: OdaServer) -> None:
    server.failures.append(500)
    oda = RestOda(server.url, delays=(60.0,))
    failures: list[Exception] = []

    def ask() -> None:
        try:
            oda.get_sbdefinition("sbd-123")
        except OdaUnavailableError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert server.requested.wait(PATIENCE)
    oda.close()
    thread.join(PATIENCE)
    (failure,) = failures
    assert "does not answer: 500" in str(failure)


@pytest.mark.parametrize("url", ["", "ska-db-oda:5000", "ftp://host/oda", "http://", "http://host:port/"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(OdaNotConfiguredError, match="set it to an address such as"):
        open_oda({"ODA_BACKEND_TYPE": "REST", "ODA_URL": url})


def test_sbinstances_are_not_taken(oda: RestOda) -> None:
    with pytest.raises(StoringNotSupportedError, match="use ODA_BACKEND_TYPE=postgres"):
        oda.store_sbinstance(SBInstance(sbd_id="sbd-123"))


@pytest.mark.parametrize("failure", [Failure.HANG, Failure.DRIP])
def test_all_attempts_together_are_limited(server: OdaServer, failure: Failure) -> None:
    server.failures.extend([failure] * 10)
    oda = RestOda(server.url, timeout=60.0, delays=(0.05,) * 10, time_limit=0.3)
    began = time.monotonic()
    with pytest.raises(OdaUnavailableError, match="does not answer"):
        oda.get_sbdefinition("sbd-123")
    assert time.monotonic() - began < patience(2.0)
    oda.close()


def test_an_answer_that_is_too_large_is_not_kept(server: OdaServer, oda: RestOda) -> None:
    server.failures.append(Failure.FLOOD)
    with pytest.raises(OdaRefusedError, match="more than 10000000 bytes"):
        oda.get_sbdefinition("sbd-123")
    assert len(server.requests) == 1


def test_a_password_is_sent_and_never_shown(server: OdaServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    oda = RestOda(server.url.replace("://", "://user:s3cret@"), delays=())
    assert oda.get_sbdefinition("sbd-123").version == 2
    assert server.authorizations == ["Basic dXNlcjpzM2NyZXQ="]
    reported = []
    for failure in (401, 503, Failure.FLOOD):
        server.failures.append(failure)
        with pytest.raises(OdaError) as caught:
            oda.get_sbdefinition("sbd-123")
        reported.append(str(caught.value))
    with pytest.raises(OdaNotConfiguredError) as refused:
        RestOda("ftp://user:s3cret@host/oda")
    assert "s3cret" not in " ".join([*reported, str(refused.value), caplog.text])
