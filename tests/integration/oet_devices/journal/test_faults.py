"""A journal that cannot be written while a script runs: the observation goes on, and nothing is lost."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.integration.journal.support import PostgresServer, small_disk
from tests.support.controller_site import Controller
from tests.support.events import EventLog, listen
from tests.support.patience import wait_until

from oet_devices.ska.enums import HealthState
from ska_oso_oet.journal import JOURNAL_URL_VARIABLE

from .conftest import ACTOR, RegisterController

_STEPS = 30
"""Events of a script that show that it goes on."""


def _start_steady(controller: Controller) -> int:
    procedure_id = controller.create(ACTOR, part="steady")
    controller.proxy.Start(str(procedure_id))
    return procedure_id


def _wait_for_more_events(log: EventLog) -> None:
    """Wait until the script has shown that it goes on."""
    seen = len(log.of("lastEventId"))
    newest = log.of("lastEventId")[-1]
    log.wait_until(lambda log: any(seq > newest + _STEPS for seq in log.of("lastEventId")[seen:]))


def _knows_of_the_dead(log: EventLog) -> bool:
    return any('"UNKNOWN"' in text for text in log.of("procedures"))


def _numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


def fill(ballast: Path) -> None:
    """Leave no byte of a disk free."""
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def test_a_full_disk_degrades_health_while_the_script_runs_and_costs_no_event(
    register_controller: RegisterController, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        stack.enter_context(small_disk(tmp_path / "disk", "4m"))
        site = register_controller(tmp_path / "disk")
        with site.served() as controller:
            log = stack.enter_context(listen(controller.proxy, ["healthState", "lastEventId"]))
            procedure_id = _start_steady(controller)
            fill(tmp_path / "disk" / "ballast")
            log.wait_for("healthState", HealthState.DEGRADED)
            assert "the disk is full: free some space" in controller.proxy.Status()
            assert controller.proxy.State() == tango.DevState.ON
            _wait_for_more_events(log)
            # Another script can be prepared, and this one stopped, too.
            other = controller.create(ACTOR)
            log.clear()
            (tmp_path / "disk" / "ballast").unlink()
            log.wait_for("healthState", HealthState.OK)
            assert "the disk is full" not in controller.proxy.Status()
            _wait_for_more_events(log)
            controller.run("Stop", str(procedure_id))
            seen = controller.events()
        with site.served() as again:
            remembered = again.events()
            assert remembered[: len(seen)] == seen
            assert _numbers(remembered) == list(range(1, len(remembered) + 1))
            assert again.describe(procedure_id)["state"] == "STOPPED"
            assert again.describe(other)["history"]["process_states"][0][0] == "CREATING"
            assert again.proxy.healthState == HealthState.OK


def test_output_that_a_full_disk_does_not_take_degrades_health_until_there_is_room(
    register_controller: RegisterController, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "4m"):
        site = register_controller(tmp_path / "state")
        # The journal is on another disk, which has room.
        (tmp_path / "state").mkdir(exist_ok=True)
        (tmp_path / "state" / "output").symlink_to(tmp_path / "disk")
        with site.served() as controller, listen(controller.proxy, ["healthState"]) as log:
            procedure_id = controller.create(ACTOR, part="steady")
            controller.proxy.Start(str(procedure_id))
            fill(tmp_path / "disk" / "ballast")
            log.wait_for("healthState", HealthState.DEGRADED)
            assert f"Output of procedure #{procedure_id} is not written" in controller.proxy.Status()
            assert controller.describe(procedure_id)["state"] == "RUNNING"
            log.clear()
            (tmp_path / "disk" / "ballast").unlink()
            log.wait_for("healthState", HealthState.OK)
            assert "Output of procedure" not in controller.proxy.Status()
            fill(tmp_path / "disk" / "ballast")
            log.wait_for("healthState", HealthState.DEGRADED)
            log.clear()
            # The health is not that of a script that has ended.
            controller.run("Stop", str(procedure_id))
            log.wait_for("healthState", HealthState.OK)


def test_a_disk_that_is_full_at_the_start_is_taken_up_when_there_is_room(
    register_controller: RegisterController, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "4m"):
        site = register_controller(tmp_path / "disk")
        with site.served() as controller:
            former = _start_steady(controller)
            controller.process.kill()
        fill(tmp_path / "disk" / "ballast")
        with site.served() as controller, listen(controller.proxy, ["healthState", "procedures"]) as log:
            # The start has removed working directories of the dead: that was some room.
            fill(tmp_path / "disk" / "ballast")
            newer = _start_steady(controller)
            assert newer > former
            log.wait_for("healthState", HealthState.DEGRADED)
            log.clear()
            (tmp_path / "disk" / "ballast").unlink()
            log.wait_for("healthState", HealthState.OK)
            log.wait_until(lambda _: controller.describe(former)["state"] == "UNKNOWN")
            # Not further back: numbers before those of this server are missing.
            after = controller.proxy.lastEventId
            wait_until(lambda: controller.proxy.lastEventId >= after + 50, "50 more events")
            seen = controller.events(after)
            controller.process.kill()
        with site.served() as again:
            assert again.events(after)[: len(seen)] == seen
            assert [again.describe(each)["state"] for each in (former, newer)] == ["UNKNOWN"] * 2


def test_a_state_directory_that_is_read_only_at_the_start_is_taken_up_when_it_can_be(
    register_controller: RegisterController, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "8m") as remount:
        site = register_controller(tmp_path / "disk")
        with site.served() as controller:
            procedure_id = controller.create(ACTOR)
            controller.process.kill()
        remount("ro")
        with site.served() as controller, listen(controller.proxy, ["healthState", "procedures"]) as log:
            log.wait_for("healthState", HealthState.DEGRADED)
            assert "cannot be written" in controller.proxy.Status()
            with pytest.raises(tango.DevFailed, match="OET_JournalUnavailable"):
                controller.describe(procedure_id)
            newer = controller.create(ACTOR)
            assert newer > procedure_id
            assert [each["id"] for each in controller.listed()] == [newer]
            log.clear()
            remount("rw")
            log.wait_for("healthState", HealthState.OK)
            log.wait_until(_knows_of_the_dead)
            assert [each["id"] for each in controller.listed()] == [procedure_id, newer]
            assert controller.proxy.lastProcedure == newer


def test_postgresql_goes_away_and_comes_back_while_a_script_runs_and_while_a_server_starts(
    register_controller: RegisterController, postgres_server: PostgresServer
) -> None:
    site = register_controller()
    environment = {JOURNAL_URL_VARIABLE: postgres_server.url}
    shown = ["healthState", "lastEventId", "procedures"]
    with site.served(environment) as controller, listen(controller.proxy, shown) as log:
        former = _start_steady(controller)
        log.clear()
        with _away(postgres_server):
            log.wait_for("healthState", HealthState.DEGRADED)
            assert "check that its server runs" in controller.proxy.Status()
            _wait_for_more_events(log)
        log.wait_for("healthState", HealthState.OK)
        seen = controller.events()
        controller.process.kill()
    with ExitStack() as away:
        away.enter_context(_away(postgres_server))
        with site.served(environment) as controller, listen(controller.proxy, shown) as log:
            log.wait_for("healthState", HealthState.DEGRADED)
            assert controller.proxy.State() == tango.DevState.ON
            with pytest.raises(tango.DevFailed, match="OET_JournalUnavailable"):
                controller.describe(former)
            newer = controller.create(ACTOR)
            assert newer > former
            log.clear()
            away.close()
            log.wait_for("healthState", HealthState.OK)
            log.wait_until(_knows_of_the_dead)
            assert [each["id"] for each in controller.listed()] == [former, newer]
            assert controller.page_of_events()[: len(seen)] == seen


@contextmanager
def _away(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()
