"""The observing queue while its journal cannot be written or read."""

import json
from pathlib import Path
from typing import Any

from tests.integration.journal.support import small_disk
from tests.support.controller_site import Controller
from tests.support.events import listen
from tests.support.patience import wait_until

from oet_devices.observing_queue import label_of
from oet_devices.ska.enums import HealthState
from ska_oso_oet.model import QueueState

from .conftest import RegisterController
from .test_faults import fill

WAITS = "import threading\ndef main(): threading.Event().wait()\n"
RETURNS = "def main(): ...\n"


def send(controller: Controller, command: str, **argument: Any) -> dict[str, Any]:
    """Send a command of the queue, and return its answer."""
    answer: dict[str, Any] = json.loads(controller.proxy.command_inout(command, json.dumps(argument)))
    return answer


def add(controller: Controller, *texts: str, **more: Any) -> list[int]:
    """Add entries, and return their IDs."""
    entries = [{"procedure": {"script": {"script_type": "embedded", "script": text}}} for text in texts]
    return [entry["id"] for entry in send(controller, "QueueAdd", entries=entries, **more)["entries"]]


def states(controller: Controller) -> dict[int, str]:
    """Return the states of the entries, in their order."""
    return {entry["id"]: entry["state"] for entry in json.loads(controller.proxy.queue)["entries"]}


def test_the_queue_goes_on_while_the_disk_is_full_and_forgets_nothing(
    register_controller: RegisterController, tmp_path: Path
) -> None:
    ballast = tmp_path / "disk" / "ballast"
    with small_disk(tmp_path / "disk", "4m"):
        site = register_controller(tmp_path / "disk")
        with site.served() as controller, listen(controller.proxy, ["healthState"]) as log:
            first, second = add(controller, RETURNS, WAITS)
            fill(ballast)
            (last,) = add(controller, RETURNS)
            log.wait_for("healthState", HealthState.DEGRADED)
            (front,) = add(controller, RETURNS, position="front")
            send(controller, "QueueStart")
            wait_until(lambda: states(controller)[second] == "RUNNING", "the second entry")
            assert list(states(controller)) == [front, first, second, last]
            log.clear()
            ballast.unlink()
            log.wait_for("healthState", HealthState.OK)
            controller.process.kill()
        with site.served() as again:
            assert states(again) == {front: "DONE", first: "DONE", second: "UNKNOWN", last: "WAITING"} or (
                states(again) == {second: "UNKNOWN", last: "WAITING"}
            )
            send(again, "QueueStart")
            wait_until(lambda: states(again)[last] == "DONE", "the last entry")


def test_a_queue_that_is_readable_only_later_is_in_front_of_what_was_added_since(
    register_controller: RegisterController, tmp_path: Path
) -> None:
    ballast = tmp_path / "disk" / "ballast"
    with small_disk(tmp_path / "disk", "4m"):
        site = register_controller(tmp_path / "disk")
        with site.served() as controller:
            begun, a, b = add(controller, WAITS, RETURNS, RETURNS)
            send(controller, "QueueMove", id=b, position={"before": a})
            send(controller, "QueueStart")
            wait_until(lambda: states(controller)[begun] == "RUNNING", "the first entry")
            controller.process.kill()
        fill(ballast)
        with site.served() as controller, listen(controller.proxy, ["healthState", "queue"]) as log:
            fill(ballast)
            new = add(controller, RETURNS, RETURNS)
            assert min(new) > max(a, b)
            log.wait_for("healthState", HealthState.DEGRADED)
            log.clear()
            ballast.unlink()
            log.wait_for("healthState", HealthState.OK)
            wait_until(lambda: states(controller).get(begun) == "UNKNOWN", "the former entries")
            assert [number for number, state in states(controller).items() if state == "WAITING"] == [
                b,
                a,
                *new,
            ]
            assert controller.proxy.queueState == label_of(QueueState.STOPPED)
            assert "while the queue was RUNNING" in json.loads(controller.proxy.queue)["reason"]
            send(controller, "QueueStart")
            wait_until(lambda: controller.proxy.queueLength == 0, "the end of the queue")
