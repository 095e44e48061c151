"""Notifications, sent to a real HTTP server by apprise."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tango
from tests.support.controllers import controller_proxy, register_controller
from tests.support.operator import operate
from tests.support.patience import wait_until
from tests.support.tango_stack import database, device_server

from oet_devices.notifications import Notifications
from oet_devices.ska.enums import HealthState

# apprise imports a module of Python that is to be removed.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

_DEVICE = "test/notify/1"
_FAILS = "def main(): raise RuntimeError('no beam')\n"
_ASKS = "from ska_oso_oet.interaction import ask\ndef main(): ask('Stowed?')\n"


class Receiver:
    """An HTTP server that keeps what it is sent. It answers as `status` says, once it may."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.requests = 0
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests += 1
                receiver.may_answer.wait()
                if receiver.status == 200:
                    reported = json.loads(body)
                    receiver.texts.append(f"{reported['title']}: {reported['message']}")
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def target(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/hook"

    def wait_for(self, words: str) -> str:
        """Wait for a notification with these words, and return it."""
        return wait_until(lambda: next((text for text in self.texts if words in text), None), words) or ""

    def close(self) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def embedded(text: str) -> dict[str, object]:
    return {"script": {"script_type": "embedded", "script": text}}


def test_people_are_notified_and_no_observation_waits_for_that(
    tango_host: str, tmp_path: Path, receiver: Receiver
) -> None:
    register_controller(tango_host, _DEVICE, tmp_path, instance="notify", Notify=[receiver.target])
    with device_server(tango_host, "oet_devices.server", "notify"):
        controller = controller_proxy(tango_host, _DEVICE)
        with operate(controller) as operator:
            # A server that does not answer holds up nobody.
            receiver.may_answer.clear()
            pid = operator.run(embedded(_FAILS), state="FAILED")
            wait_until(lambda: receiver.requests == 1, "the notification")
            asking = operator.run(embedded(_ASKS), state="RUNNING")
            operator.wait_for_topic(asking, "procedure.question.asked")
            operator.stop(asking)
            receiver.may_answer.set()
            failed = receiver.wait_for("FAILED")
            assert failed.startswith(f"OET {_DEVICE}: Procedure {pid} FAILED: RuntimeError: no beam\n\n")
            receiver.wait_for(f"Procedure {asking} asks (question 1): Stowed?")
            entry = {"procedure": embedded(_FAILS)}
            controller.QueueAdd(json.dumps(entry))
            controller.QueueStart("")
            receiver.wait_for("The queue is STOPPED: Entry 1 is FAILED")


def test_a_failure_is_logged_once_without_the_target(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    notifications = Notifications(lambda: "all is well", lambda: None)
    notifications.configure(_DEVICE, [receiver.target])
    receiver.status = 500
    for count, health in enumerate([HealthState.FAILED, HealthState.DEGRADED], start=1):
        notifications.on_health(health)
        wait_until(lambda: receiver.requests == count, "the attempt")  # noqa: B023
    receiver.status = 200
    notifications.on_health(HealthState.OK)
    assert receiver.wait_for("OK again") == f"OET {_DEVICE}: healthState is OK again\n\nall is well"
    notifications.close()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("A notification could not be sent")
    assert "hook" not in caplog.text


def test_too_many_notifications_are_dropped_and_counted(receiver: Receiver) -> None:
    notifications = Notifications(lambda: "", lambda: None)
    notifications.configure(_DEVICE, [receiver.target])
    receiver.may_answer.clear()
    for number in range(130):
        notifications.on_health(HealthState.DEGRADED if number % 2 else HealthState.FAILED)
    receiver.may_answer.set()
    wait_until(lambda: any("were dropped" in text for text in receiver.texts), "the count")
    notifications.close()
    assert len(receiver.texts) < 130


@pytest.mark.parametrize("target", ["nonsense", "json://secret@"])
def test_a_target_that_is_not_understood_degrades_the_health_and_is_not_shown(
    tango_host: str, tmp_path: Path, receiver: Receiver, target: str
) -> None:
    targets = [receiver.target, target]
    register_controller(tango_host, _DEVICE, tmp_path, instance="notify", Notify=targets)
    with device_server(tango_host, "oet_devices.server", "notify") as server:
        controller = controller_proxy(tango_host, _DEVICE)
        wait_until(lambda: controller.healthState == HealthState.DEGRADED, "the health")
        assert controller.State() == tango.DevState.ON
        assert "property Notify: apprise does not understand target 2" in controller.Status()
        assert target not in controller.Status() + server.output
        database(tango_host).put_device_property(_DEVICE, {"Notify": [receiver.target]})
        controller.Reset()
        wait_until(lambda: controller.healthState == HealthState.OK, "the health")


def test_a_change_of_health_is_notified(tango_host: str, tmp_path: Path, receiver: Receiver) -> None:
    register_controller(tango_host, _DEVICE, tmp_path, instance="notify", Notify=[receiver.target])
    with device_server(tango_host, "oet_devices.server", "notify"):
        controller = controller_proxy(tango_host, _DEVICE)
        with operate(controller) as operator:
            pid = operator.run(embedded("import signal\ndef main(): signal.pause()\n"), state="RUNNING")
            # Properties that have changed while a script runs degrade the health until Reset.
            database(tango_host).put_device_property(_DEVICE, {"HistoryLength": ["7"]})
            controller.Reset()
            degraded = receiver.wait_for("healthState is DEGRADED")
            assert "The properties have changed while procedures" in degraded
            operator.stop(pid)
            controller.Reset()
            receiver.wait_for("healthState is OK again")
