"""``python -m ska_oso_oet.run`` with a script whose header names packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.git_projects import make_wheel
from tests.support.patience import PATIENCE

SCRIPT = """# /// script
# dependencies = ["zebra<2"]
# ///
import multiprocessing, os, sys
import beside, tango, zebra

def stripes(number):
    return zebra.VERSION, number

def main(end: int):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(stripes, [1]), os.getcwd(), sys.argv, "TMPDIR" in os.environ, tango.__name__)
    sys.exit(end)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script beside a module, and a folder with the only packages that can be installed."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "zebra", version, {"zebra.py": f"VERSION = {version!r}\n"})
    for name, value in (("OFFLINE", "1"), ("NO_INDEX", "1"), ("FIND_LINKS", str(wheels))):
        monkeypatch.setenv(f"UV_{name}", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TMPDIR", raising=False)
    (tmp_path / "beside.py").write_text("")
    path = tmp_path / "observe.py"
    path.write_text(SCRIPT)
    return path


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ska_oso_oet.run", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def test_the_script_has_the_packages_of_its_header_built_once(script: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for is_built in (False, True):
        ended = run(str(script), "3", folder=elsewhere)
        assert ended.returncode == 3, ended.stderr
        assert ended.stdout == f"[('1.0', 1)] {elsewhere} ['{script}'] False tango\n"
        assert ("[oet] Creating a Python environment" in ended.stderr) is not is_built
    [environment] = (tmp_path / "cache" / "ska-oso-oet" / "environments").iterdir()
    assert not list((tmp_path / "cache" / "ska-oso-oet" / "scratch").iterdir())
    # What has been changed is built again.
    [module] = environment.rglob("zebra.py")
    module.write_text("VERSION = 'changed'\n")
    ended = run(str(script), "0", folder=elsewhere)
    assert "('1.0', 1)" in ended.stdout


def test_without_an_environment_it_has_what_is_here(script: Path) -> None:
    ended = run("--no-environment", str(script), "0", folder=script.parent)
    assert ended.returncode == 1
    assert "No module named 'zebra'" in ended.stderr
    assert not (Path(os.environ["XDG_CACHE_HOME"]) / "ska-oso-oet").exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('dependencies = ["zebra>7"]', "zebra>7"),
        ('requires-python = ">=3.99"', "requires Python >=3.99 by its header"),
        ("dependencies", "cannot be understood"),
    ],
)
def test_what_hinders_it_is_said(script: Path, line: str, reason: str) -> None:
    script.write_text(f"# /// script\n# {line}\n# ///\ndef main(): print('ran')\n")
    ended = run(str(script), folder=script.parent)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr
