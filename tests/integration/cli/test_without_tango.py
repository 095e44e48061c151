"""The command where only what it needs is installed."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.contract_server import ContractServer
from tests.support.patience import LONG_PATIENCE
from uv import find_uv_bin

PROJECT = Path(__file__).parents[3]


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        env=environment or None,
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def bin_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("venv")
    for command in (
        ["venv", "--python", sys.executable, environment],
        ["pip", "install", "--python", environment, PROJECT],
    ):
        done = run(find_uv_bin(), *command)
        assert done.returncode == 0, done.stderr
    return environment / "bin"


def test_works_without_pytango_and_without_a_web_server(bin_directory: Path, server: ContractServer) -> None:
    for module in ("tango", "fastapi", "numpy"):
        assert "ModuleNotFoundError" in run(bin_directory / "python", "-c", f"import {module}").stderr
    oet = bin_directory / "oet"
    created = run(oet, "procedure", "create", "file:///a.py", OET_REST_URI=server.url)
    assert (created.returncode, created.stderr) == (0, "")
    listening = run(oet, "procedure", "start", "--listen=False", OET_REST_URI=server.url)
    assert "RUNNING" in listening.stdout


@pytest.mark.parametrize("command", ["OETController", "oet-sidecar", "oet-stack"])
def test_what_needs_more_says_how_to_install_it(bin_directory: Path, command: str) -> None:
    done = run(bin_directory / command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{command} needs ")
    assert done.stderr.endswith(": pip install 'ska-oso-oet-tango[server]'\n")


def test_completes_commands_in_the_shell(bin_directory: Path) -> None:
    words = {"COMP_WORDS": "oet procedure st", "COMP_CWORD": "2", "_OET_COMPLETE": "bash_complete"}
    assert run(bin_directory / "oet", **words).stdout.split() == ["plain,start", "plain,step", "plain,stop"]
    words = {
        "COMP_WORDS": "oet procedure create --x=1 --git",
        "COMP_CWORD": "4",
        "_OET_COMPLETE": "bash_complete",
    }
    assert "plain,--git_branch" in run(bin_directory / "oet", **words).stdout
