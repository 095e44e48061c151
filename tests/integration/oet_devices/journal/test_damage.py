"""A journal that is damaged at the start costs history, and is reported; it never costs telescope time."""

from pathlib import Path

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
