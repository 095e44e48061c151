"""Scripts from git, as clients of a controller ask for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.support.controllers import MODULE, controller_proxy, register_controller
from tests.support.git_projects import GitRepository
from tests.support.lrc_client import invoke
from tests.support.tango_stack import device_server, tango_database

DEVICE = "mid-oet/controller/01"


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[tango.DeviceProxy]:
    """A controller that may run scripts of the repositories below the test's folder."""
    with tango_database(tmp_path) as host:
        patterns = [f"{tmp_path.as_uri()}/*"]
        register_controller(host, DEVICE, tmp_path / "state", GitRepositories=patterns)
        with device_server(host, MODULE, "01"):
            yield controller_proxy(host, DEVICE)


def request(repository: str) -> str:
    script: dict[str, Any] = {"script_type": "git", "script_uri": "git:///script.py"}
    return json.dumps({"script": {**script, "git_args": {"git_repo": repository}}})


def test_a_controller_runs_scripts_from_the_repositories_that_its_property_allows(
    controller: tango.DeviceProxy, tmp_path: Path
) -> None:
    repository = GitRepository(tmp_path / "repositories" / "project")
    first = repository.commit({"script.py": "def main(): pass\n"})
    with invoke(controller, "Create", request(repository.url)) as create:
        result = create.wait_for_end().result
    assert result is not None
    assert result[0] == 0
    states = [state for state, _ in result[1]["history"]["process_states"]]
    assert states == ["CREATING", "IDLE", "PREP_ENV", "IDLE", "LOADING", "IDLE", "READY"]
    # A rerun is of the same commit, whatever has been committed since.
    repository.commit({"script.py": "def main(): return 'changed'\n"})
    with invoke(controller, "Rerun", "1") as again:
        result = again.wait_for_end().result
    assert result is not None
    assert [json.loads(controller.DescribeProcedure(pid))["commit"] for pid in (1, 2)] == [first, first]
    assert result[1]["script"]["git_args"]["git_commit"] == first
    with pytest.raises(tango.DevFailed) as refusal:
        controller.Create(request("https://gitlab.example.org/a/b.git"))
    assert refusal.value.args[0].reason == "OET_ScriptNotAllowed"
    with pytest.raises(tango.DevFailed) as refusal:
        controller.Create(request("--upload-pack=x"))
    assert refusal.value.args[0].reason == "OET_InvalidArgument"
