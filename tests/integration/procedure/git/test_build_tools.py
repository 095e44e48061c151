"""Projects whose build tools come from the package index; skipped where there is none."""

import subprocess
from pathlib import Path

import pytest
import uv
from tests.support.git_projects import GitRepository, git_script, make_wheel
from tests.support.patience import PATIENCE
from tests.support.script_service import script_service

from ska_oso_oet.model import ProcedureState

PROJECT = """
[tool.poetry]
name = "receiver"
version = "3.1"
description = ""
authors = []
[tool.poetry.dependencies]
python = ">=3.11"
[build-system]
requires = ["poetry-core>=1.0"]
build-backend = "poetry.core.masonry.api"
"""


def require_index(wanted: str, folder: Path) -> None:
    """Skip the test if a package cannot be had from the index.

    :param wanted: the package
    :param folder: an empty folder
    """
    command = [uv.find_uv_bin(), "pip", "install", "--dry-run", "--target", str(folder / "target"), wanted]
    try:
        found = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        found = False
    if not found:
        pytest.skip("no package index can be reached")


def test_a_project_of_poetry_is_installed(tmp_path: Path) -> None:
    require_index("poetry-core>=1.0", tmp_path)
    repository = GitRepository(tmp_path / "project")
    script = "import receiver\ndef main(): print('receiver', receiver.VERSION)\n"
    repository.commit({"pyproject.toml": PROJECT, "receiver.py": "VERSION = '3.1'\n", "script.py": script})
    with script_service(tmp_path / "state") as service:
        summary = service.run(git_script(repository))
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        assert "receiver 3.1" in service.output(summary.id)


def test_the_pins_beside_a_setup_py_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_index("setuptools>=70", tmp_path)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "oet_test_band", version, {"band.py": f"VERSION = {version!r}\n"})
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    repository = GitRepository(tmp_path / "project")
    repository.commit(
        {
            "setup.py": "from setuptools import setup\n"
            "setup(name='receiver', version='3.1', py_modules=['receiver'], "
            "install_requires=['oet-test-band'])\n",
            "requirements.txt": "oet-test-band==1.0\n",
            "receiver.py": "VERSION = '3.1'\n",
            "scripts/script.py": "import band, receiver\n"
            "def main(): print('band', band.VERSION, 'receiver', receiver.VERSION)\n",
        }
    )
    with script_service(tmp_path / "state") as service:
        summary = service.run(git_script(repository, "scripts/script.py"))
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        assert "band 1.0 receiver 3.1" in service.output(summary.id)
