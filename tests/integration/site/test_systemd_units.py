"""The units of systemd are valid, start programs that exist, and have settings that the OET knows."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.support.site import PROJECT

FOLDER = PROJECT / "docs" / "how-to" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
INSTALLED = "/opt/oet/bin"

EXPOSURE = {"OETController@.service": 55, "oet-sidecar@.service": 20}
"""The most that `systemd-analyze security` may find, of 100. The sidecar runs no scripts: it is strict."""


def settings(unit: Path) -> list[tuple[str, str]]:
    return re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE)


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
            pytest.fail("not installed: Debian package systemd, and OET_REQUIRE_SYSTEM_TESTS=1 demands it")
        pytest.skip("not installed: Debian package systemd")
    return program


def installed(unit: Path, folder: Path) -> Path:
    """Return an instance of a unit whose programs are those of this environment."""
    text = unit.read_text().replace(INSTALLED, sysconfig.get_path("scripts"))
    instance = folder / unit.name.replace("@.", "@01.")
    instance.write_text(text)
    return instance


def test_there_is_a_unit_for_each_part() -> None:
    assert [unit.name for unit in UNITS] == sorted(EXPOSURE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path, analyze: str) -> None:
    done = subprocess.run(
        [analyze, "verify", "--man=no", installed(unit, tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    # An unknown setting is a warning, with exit status 0.
    found = [
        line for line in (done.stdout + done.stderr).splitlines() if tmp_path.name in line or "01" in line
    ]
    assert (done.returncode, found) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_as_strict_as_scripts_allow(unit: Path, tmp_path: Path, analyze: str) -> None:
    security = [analyze, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE[unit.name]}"]
    done = subprocess.run([*security, installed(unit, tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_the_end_of_a_server_is_not_sent_to_its_scripts() -> None:
    for unit in UNITS:
        assert ("KillMode", "mixed") in settings(unit)


def test_a_script_without_memory_does_not_end_the_server() -> None:
    assert ("OOMPolicy", "continue") in settings(FOLDER / "OETController@.service")


def test_scripts_keep_what_they_may_need() -> None:
    names = {name for name, _ in settings(FOLDER / "OETController@.service")}
    # ProtectClock closes all devices but its own.
    taken = {"PrivateDevices", "DevicePolicy", "ProtectClock", "MemoryDenyWriteExecute", "RestrictNamespaces"}
    assert not names & (taken | {"RestrictAddressFamilies", "SystemCallFilter", "PrivateNetwork"})


def test_units_and_their_section_name_variables_that_have_a_meaning() -> None:
    table = (PROJECT / "docs" / "reference" / "environment.md").read_text()
    section = (
        (PROJECT / "docs" / "how-to" / "operate.md").read_text().split("## systemd\n")[1].split("\n## ")[0]
    )
    for text in (section, *(unit.read_text() for unit in UNITS)):
        for name in re.findall(r"\b((?:OET|TANGO)_[A-Z_]+)=", text):
            assert f"`{name}`" in table
