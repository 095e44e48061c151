"""A subscription to events that comes while the device server starts does not spoil its events.

Tango exports the server before its start is finished; how long that takes depends on the Tango database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import tango
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar, oet_stack, sidecar
from tests.support.patience import wait_until
from tests.support.processes import ServerProcess
from tests.support.slow_database import SlowDatabase, slow_database
from tests.support.tango_stack import READY, launch_device_server

_STARTS_AGAIN = "The server starts again"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    """A controller that is registered, and is not running."""
    with oet_stack(tmp_path_factory.mktemp("first")) as registered:
        yield registered


@contextmanager
def starting(stack: OetStack) -> Iterator[tuple[ServerProcess, SlowDatabase]]:
    """Start the device server; it is exported, and its start does not continue until it is released."""
    with slow_database(stack.tango_host, "OETController/01") as database:
        server = launch_device_server(database.tango_host, "oet_devices.server", "01")
        try:
            database.wait_for_export()
            yield server, database
        finally:
            database.release()
            server.stop()


def is_ready(rest: Sidecar) -> bool:
    return patient_http.get(f"{rest.root}/readyz").status_code == 200


def test_the_rest_service_subscribes_when_the_start_is_finished(stack: OetStack) -> None:
    with sidecar(stack.tango_host, "--device", stack.device) as rest, starting(stack) as (server, database):
        rest.process.wait_for_output("DServerClass is not yet initialised")
        database.release()
        wait_until(lambda: is_ready(rest), "events of the controller", seen=lambda: rest.process.output)
        assert _STARTS_AGAIN not in server.output


def test_a_server_that_another_client_has_subscribed_to_too_early_starts_again(stack: OetStack) -> None:
    proxy = tango.DeviceProxy(stack.device)
    values: list[object] = []

    def subscribe() -> int | None:
        try:
            return int(proxy.subscribe_event("healthState", tango.EventType.CHANGE_EVENT, values.append))
        except tango.DevFailed as failure:
            reasons.append(failure.args[0].reason)
            return None

    reasons: list[str] = []
    with starting(stack) as (server, database):
        wait_until(
            lambda: subscribe() or "API_DServerClassNotInitialised" in reasons, "an early subscription"
        )
        database.release()
        server.wait_for_output(_STARTS_AGAIN)
        server.wait_for_output(READY)
        subscription = wait_until(subscribe, "a subscription", seen=lambda: reasons[-3:])
        assert subscription is not None
        proxy.unsubscribe_event(subscription)
        assert values
        assert server.returncode is None
