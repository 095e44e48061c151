"""A journal that is damaged costs history, and is reported; it never costs telescope time."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tango
from tests.support.controller_site import ControllerSite
from tests.support.events import listen

from oet_devices.ska.enums import HealthState

from .conftest import ACTOR


def _damage(state: Path) -> None:
    (state / "journal.sqlite").write_bytes(b"this is no database " * 1000)
    for companion in ("-wal", "-shm"):
        (state / f"journal.sqlite{companion}").unlink(missing_ok=True)


def test_a_damaged_journal_is_reported_until_reset_and_no_number_is_given_twice(
    controller: ControllerSite, state: Path
) -> None:
    with controller.served() as before:
        before.create(ACTOR)
        procedure_id = before.create(ACTOR)
        last = before.proxy.lastEventId
    _damage(state)
    with controller.served() as after:
        assert after.proxy.State() == tango.DevState.ON
        assert after.proxy.healthState == HealthState.DEGRADED
        assert "a new journal was begun" in after.proxy.Status()
        assert after.proxy.lastEventId >= last
        assert after.create(ACTOR) > procedure_id
        assert all(event["seq"] > last for event in after.events(after.proxy.lastEventId - 5))
        with listen(after.proxy, ["healthState"]) as log:
            after.run("Reset")
            log.wait_for("healthState", HealthState.OK)
        assert "journal" not in after.proxy.Status()


def _truncate(state: Path) -> None:
    with (state / "journal.sqlite").open("r+b") as file:
        file.truncate(5000)


def _remove(state: Path) -> None:
    (state / "journal.sqlite").unlink()


@pytest.mark.parametrize("damage", [_truncate, _remove])
def test_a_journal_that_is_damaged_while_a_script_runs_costs_neither_the_script_nor_its_events(
    controller: ControllerSite, state: Path, damage: Callable[[Path], None]
) -> None:
    with controller.served() as before:
        # So that there is something in the file, not in its log alone.
        past = before.create(ACTOR)
    with controller.served() as served, listen(served.proxy, ["healthState", "events"]) as log:
        procedure_id = served.create(ACTOR, part="steady")
        served.proxy.Start(str(procedure_id))
        log.wait_until(lambda log: '"step 5"' in str(log.of("events")[-3:]))
        damage(state)
        log.wait_for("healthState", HealthState.DEGRADED)
        damaged_at = json.loads(log.of("events")[-1])["seq"]
        log.wait_until(lambda log: json.loads(log.of("events")[-1])["seq"] > damaged_at + 30)
        assert served.proxy.State() == tango.DevState.ON
        log.wait_until(lambda _: "a new journal was begun" in served.proxy.Status())
        assert served.describe(procedure_id)["state"] == "RUNNING"
        served.run("Stop", str(procedure_id))
        seen = [json.loads(text) for text in log.of("events")[1:]]
        served.process.kill()
    with controller.served() as after:
        assert after.describe(procedure_id)["state"] == "STOPPED"
        assert after.create(ACTOR) > procedure_id > past
        remembered = {event["seq"]: event for event in after.events(seen[0]["seq"] - 1)}
        assert [remembered.get(event["seq"]) for event in seen] == seen
