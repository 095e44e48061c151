"""The commands in docs/how-to/write-a-script.md do what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.patience import LONG_PATIENCE

from ska_oso_oet.procedure.domain.requirements import read_header

_PAGE = (Path(__file__).parents[3] / "docs/how-to/write-a-script.md").read_text()
_SCRIPT, _HEADER, _TEST = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
_RUN, _DEBUG, _PYTEST = re.findall(r"^\$ python (.*)$", _PAGE, re.MULTILINE)
(_SHOWN,) = re.findall(r"```text\n(.*?)```", _PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The author's folder, with the files that the page has saved there."""
    (tmp_path / "observe_target.py").write_text(_SCRIPT)
    (tmp_path / "test_observe_target.py").write_text(_TEST)
    return tmp_path


def type_in(folder: Path, line: str, keys: str = "") -> subprocess.CompletedProcess[str]:
    """Type a line, and keys for what it starts."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, *line.split()],
        cwd=folder,
        env=environment,
        input=keys,
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
        check=False,
    )


def test_running(folder: Path) -> None:
    ended = type_in(folder, _RUN)
    assert ended.returncode == 0, ended.stderr
    assert all(line in ended.stderr.splitlines() for line in _SHOWN.splitlines())
    assert "INFO root: observed Polaris" in ended.stderr
    assert "SIMULATED" in ended.stdout


def test_naming_packages() -> None:
    header = read_header(_HEADER, "observe_target.py")
    assert header is not None
    assert "astroplan" in header.text


def test_debugging(folder: Path) -> None:
    ended = type_in(folder, _DEBUG, keys="p scans\nq\n")
    assert "(Pdb) 0" in ended.stdout
    assert "ValueError: 0 scans are none" in ended.stderr
    assert ended.returncode == 1


def test_testing(folder: Path) -> None:
    # Where the package is installed, pytest finds the plugin by its entry point; twice is once.
    ended = type_in(folder, _PYTEST.replace("pytest", "pytest -p ska_oso_oet.testing"))
    assert "2 passed" in ended.stdout, ended.stdout + ended.stderr
