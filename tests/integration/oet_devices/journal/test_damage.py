"""A journal that is damaged costs history, and is reported; it never costs telescope time."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import tango
from tests.support.controller_site import ControllerSite
from tests.support.events import listen

from oet_devices.ska.enums import HealthState

from .conftest import ACTOR


def _damage(state: Path) -> None:
    (state / "journal.sqlite").write_bytes(b"this is not a database " * 1000)
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
        assert "a new journal was created" in after.proxy.Status()
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
        log.wait_until(lambda log: '"step 5"' in str(log.of("events")))
        damage(state)
        log.wait_for("healthState", HealthState.DEGRADED)
        damaged_at = json.loads(log.of("events")[-1])["seq"]
        log.wait_until(lambda log: json.loads(log.of("events")[-1])["seq"] > damaged_at + 30)
        assert served.proxy.State() == tango.DevState.ON
        log.wait_until(lambda _: "a new journal was created" in served.proxy.Status())
        assert served.describe(procedure_id)["state"] == "RUNNING"
        served.run("Stop", str(procedure_id))
        seen = [json.loads(text) for text in log.of("events")[1:]]
        served.process.kill()
    with controller.served() as after:
        assert after.describe(procedure_id)["state"] == "STOPPED"
        assert after.create(ACTOR) > procedure_id > past
        remembered = {event["seq"]: event for event in after.events(seen[0]["seq"] - 1)}
        assert [remembered.get(event["seq"]) for event in seen] == seen


def _damage_rows(state: Path) -> None:
    with closing(sqlite3.connect(state / "journal.sqlite")) as database, database:
        for table in ("events", "documents"):
            row = f"rowid = (SELECT min(rowid) + 1 FROM {table})"
            database.execute(f"UPDATE {table} SET text = CAST(X'7BFF' || text AS TEXT) WHERE {row}")


def test_damaged_rows_cost_those_rows_and_are_reported_until_reset(
    controller: ControllerSite, state: Path
) -> None:
    with controller.served() as before:
        ids = [before.create(ACTOR) for _ in range(3)]
    _damage_rows(state)
    with controller.served() as after:
        assert after.proxy.State() == tango.DevState.ON
        listed = [summary["id"] for summary in json.loads(after.proxy.procedures)]
        # Its events have the summary, too.
        assert listed == ids
        assert after.proxy.healthState == HealthState.DEGRADED
        assert f"procedure {ids[1]}" in after.proxy.Status()
        assert [event["seq"] for event in after.page_of_events(0)] == [1]
        with pytest.raises(tango.DevFailed, match="read on with 'after' = 2"):
            after.page_of_events(1)
        assert [event["seq"] for event in after.events(2)][:3] == [3, 4, 5]
        assert "event 2" in after.proxy.Status()
        assert after.create(ACTOR) > ids[2]
        with listen(after.proxy, ["healthState"]) as log:
            after.run("Reset")
            log.wait_for("healthState", HealthState.OK)


def test_a_lock_file_that_somebody_has_removed_is_reported_until_reset(
    controller: ControllerSite, state: Path
) -> None:
    with controller.served() as served, listen(served.proxy, ["healthState"]) as log:
        log.wait_for("healthState", HealthState.OK)
        (state / "journal.lock").unlink()
        served.create(ACTOR)
        log.wait_for("healthState", HealthState.DEGRADED)
        assert "journal.lock was removed" in served.proxy.Status()
        assert (state / "journal.lock").exists()
        log.clear()
        served.run("Reset")
        log.wait_for("healthState", HealthState.OK)
