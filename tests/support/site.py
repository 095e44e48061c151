"""Use of the project's files by a site: load registrations, and find devices."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from tests.support.patience import LONG_PATIENCE, PATIENCE

PROJECT = Path(__file__).parents[2]
REGISTRATIONS = PROJECT / "tango_db"
CONTROLLER_CLASS = "OETController"

NOTHING_TO_DO, HAS_WRITTEN = 0, 2
"""Exit statuses of json2tango."""


class Ended(NamedTuple):
    """A device server that has ended by itself."""

    status: int
    lines: list[str]


def start(tango_host: str, *arguments: str) -> Ended:
    """Start a device server that is expected to end soon.

    :param tango_host: the database's ``host:port``
    :param arguments: of the server, the instance first
    """
    done = subprocess.run(
        [sys.executable, "-m", "oet_devices.server", *arguments],
        env={**os.environ, "TANGO_HOST": tango_host},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return Ended(done.returncode, (done.stdout + done.stderr).strip().splitlines())


def console_scripts() -> dict[str, str]:
    """Return the commands of the distribution, and the functions that they call."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        scripts: dict[str, str] = tomllib.load(file)["project"]["scripts"]
    return scripts


def json2tango(tango_host: str, config: Path, scratch: Path) -> int:
    """Load a registration with the command that sites use.

    :param tango_host: the database's ``host:port``
    :param config: file in the format of dsconfig
    :param scratch: folder for what the command leaves behind
    :raises AssertionError: if the command fails
    :returns: its exit status, NOTHING_TO_DO or HAS_WRITTEN
    """
    command = Path(sys.executable).with_name("json2tango")
    done = subprocess.run(
        [str(command), "-w", "-a", "-u", str(config)],
        env={**os.environ, "TANGO_HOST": tango_host, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
    )
    assert done.returncode in (NOTHING_TO_DO, HAS_WRITTEN), done.stdout + done.stderr
    return done.returncode
