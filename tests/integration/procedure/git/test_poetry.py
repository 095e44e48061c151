"""A project of poetry, whose build backend comes from the package index; skipped where there is none."""

import subprocess
from pathlib import Path

import pytest
import uv
from tests.support.git_projects import GitRepository, git_script
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


@pytest.fixture
def index(tmp_path: Path) -> None:
    """Skip if the build backend cannot be had."""
    target = ["--target", str(tmp_path / "target")]
    command = [uv.find_uv_bin(), "pip", "install", "--dry-run", *target, "poetry-core>=1.0"]
    try:
        found = subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        found = False
    if not found:
        pytest.skip("no package index can be reached")


@pytest.mark.usefixtures("index")
def test_a_project_of_poetry_is_installed(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "project")
    script = "import receiver\ndef main(): print('receiver', receiver.VERSION)\n"
    repository.commit({"pyproject.toml": PROJECT, "receiver.py": "VERSION = '3.1'\n", "script.py": script})
    with script_service(tmp_path / "state") as service:
        summary = service.run(git_script(repository))
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        assert "receiver 3.1" in service.output(summary.id)
