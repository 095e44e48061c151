"""Work of sites with the state of a controller: back-up, restore, move of the journal to PostgreSQL."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import tango
from tests.support.lrc_client import invoke
from tests.support.postgres_server import LOOPBACK, USER, postgres_programs, running_postgres
from tests.support.tango_stack import device_proxy, device_server
from tests.support.tango_system import TangoSystem

from oet_devices.ska.enums import HealthState

CONTROLLER = "mid-oet/controller/01"
FOLDER = "mid-oet_controller_01"
"""Folder of the state of that controller, below OET_STATE_DIRECTORY."""
SCRIPT = json.dumps({"script": {"script_type": "embedded", "script": "def main():\n    print('done')\n"}})


def run_script(controller: tango.DeviceProxy) -> int:
    """Run a script to its end, and return the ID of its procedure."""
    with invoke(controller, "Create", SCRIPT) as create:
        create.wait_for_end()
    with invoke(controller, "Start", "") as start:
        start.wait_for_end()
    return int(controller.lastProcedure)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    programs = postgres_programs()
    if programs is None:
        if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
            pytest.fail("not installed: Debian package postgresql, and OET_REQUIRE_SYSTEM_TESTS=1 demands it")
        pytest.skip("not installed: Debian package postgresql")
    with running_postgres(programs) as port:
        yield f"postgresql://{USER}@{LOOPBACK}:{port}/postgres"


def test_a_backup_made_while_the_server_runs_can_be_restored(system: TangoSystem, tmp_path: Path) -> None:
    lived, restored = tmp_path / "lived", tmp_path / "restored"
    (restored / FOLDER).mkdir(parents=True)
    environment = {"OET_STATE_DIRECTORY": str(lived)}
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        first = run_script(controller)
        with (
            closing(sqlite3.connect(lived / FOLDER / "journal.sqlite")) as journal,
            closing(sqlite3.connect(restored / FOLDER / "journal.sqlite")) as copy,
        ):
            journal.backup(copy)
        assert run_script(controller) == first + 1
        assert controller.healthState == HealthState.OK
    environment = {"OET_STATE_DIRECTORY": str(restored)}
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        assert json.loads(controller.DescribeProcedure(first))["state"] == "COMPLETE"
        assert controller.healthState == HealthState.OK
        assert run_script(controller) == first + 1


def test_after_a_move_to_postgresql_numbers_go_on(
    system: TangoSystem, postgres_url: str, tmp_path: Path
) -> None:
    environment = {"OET_STATE_DIRECTORY": str(tmp_path)}
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        before = run_script(controller)
        events = int(controller.lastEventId)
    environment["OET_JOURNAL_URL"] = postgres_url
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        assert controller.healthState == HealthState.DEGRADED
        assert "a new journal was created" in controller.Status()
        assert controller.lastEventId >= events
        assert run_script(controller) == before + 1
        with invoke(controller, "Reset", None) as reset:
            reset.wait_for_end()
        assert controller.healthState == HealthState.OK


def test_a_start_without_the_journals_database_is_a_fault_that_says_why(
    system: TangoSystem, tmp_path: Path
) -> None:
    environment = {"OET_STATE_DIRECTORY": str(tmp_path)}
    environment["OET_JOURNAL_URL"] = f"postgresql://{USER}@{LOOPBACK}:1/postgres"
    with device_server(system.tango_host, "oet_devices.server", "01", env=environment):
        controller = device_proxy(system.tango_host, CONTROLLER)
        assert controller.State() == tango.DevState.FAULT
        assert controller.healthState == HealthState.FAILED
        assert "make the database reachable, then start again" in controller.Status()
        assert "send Reset" in controller.Status()
