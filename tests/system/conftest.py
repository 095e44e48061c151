"""The Tango system of a site: Debian's C++ database on MariaDB. Where it is not installed, tests skip.

With OET_REQUIRE_SYSTEM_TESTS=1 in the environment they fail instead.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.controllers import allow_embedded_scripts
from tests.support.mariadb_server import running_mariadb
from tests.support.site import REGISTRATIONS, json2tango
from tests.support.tango_system import PACKAGES, TangoSystem, what_is_missing


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests have had what sites have: where it is not installed, a run is green without them."""
    ran = [
        report
        for report in terminalreporter.getreports("passed")
        if "tests/system/" in report.nodeid and report.when == "call"
    ]
    programs = ", ".join(name for name in PACKAGES if what_is_missing((name,)) is None) or "nothing"
    terminalreporter.write_line(f"{len(ran)} system tests passed; installed of Tango, on MariaDB: {programs}")


def require(*programs: str) -> None:
    """Skip, or fail if that is asked for, where servers of Tango are not installed."""
    missing = what_is_missing(("DataBaseds", *programs))
    if missing is None:
        return
    if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
        pytest.fail(f"{missing}, and OET_REQUIRE_SYSTEM_TESTS=1 demands it")
    pytest.skip(missing)


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TangoSystem]:
    """A Tango database that the controller of Mid is registered in."""
    require()
    with running_mariadb() as mariadb:
        tango_system = TangoSystem(mariadb)
        tango_system.create()
        tango_system.start()
        try:
            scratch = tmp_path_factory.mktemp("dsconfig")
            json2tango(tango_system.tango_host, REGISTRATIONS / "oet-mid.json", scratch)
            allow_embedded_scripts(tango_system.tango_host, "mid-oet/controller/01")
            yield tango_system
        finally:
            tango_system.stop()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables for a device server that starts with nothing."""
    return {"OET_STATE_DIRECTORY": str(tmp_path / "state")}
