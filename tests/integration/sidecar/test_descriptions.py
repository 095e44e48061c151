"""Descriptions of scripts that are not at hand: long ones, those in git, and texts."""

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import tango
from tests.support import patient_http
from tests.support.git_projects import GitRepository
from tests.support.lrc_client import invoke
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.patience import LONG_PATIENCE

SCRIPT = """
'''Observes.'''

def main(target: str, scans: int = 2):
    '''Observe.

    :param scans: how many
    '''
"""
TABLE = "TABLE = [\n" + "    (1.0, 'a', {'b': 2}),\n" * 100_000 + "]\n"
"""Takes seconds to parse."""


def _parameters(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return list(answer.json()["functions"]["main"]["parameters"]["properties"])


@pytest.fixture
def repository(stack: OetStack, tmp_path: Path) -> GitRepository:
    repository = GitRepository(stack.repositories / tmp_path.name)
    repository.commit({"scripts/observe.py": SCRIPT, "broken.py": "def main(:\n"})
    return repository


def test_a_script_in_git_is_fetched(http: httpx.Client, repository: GitRepository) -> None:
    uri = "git:///scripts/observe.py"
    asked = {"uri": uri, "git_repo": repository.url}
    found = http.get("/scripts/describe", params=asked)
    assert _parameters(found) == ["target", "scans"]
    assert (found.json()["uri"], found.json()["doc"]) == (uri, "Observes.")
    former = repository.git("rev-parse", "HEAD")
    repository.commit({"scripts/observe.py": SCRIPT.replace("scans", "times")})
    assert _parameters(http.get("/scripts/describe", params=asked)) == ["target", "times"]
    for place in ({"git_commit": former}, {"git_branch": "master", "git_commit": former[:9]}):
        assert _parameters(http.get("/scripts/describe", params=asked | place)) == ["target", "scans"]
    script = {"script_type": "git", "script_uri": uri, "git_args": {"git_repo": repository.url}}
    assert _parameters(http.post("/scripts/describe", json={"script": script})) == ["target", "times"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"git_branch": "gone"}, "gone"),
        ({"uri": "git:///gone.py"}, "has no file 'gone.py'"),
        ({"uri": "git:///broken.py"}, "broken.py is not valid Python in line 1"),
        ({"git_repo": "https://example.org/a.git"}, "GitRepositories"),
        ({"uri": "file:///a.py"}, "'git_args' and 'create_env' belong to a script of type 'git'"),
    ],
)
def test_a_script_in_git_that_cannot_be_described(
    http: httpx.Client, repository: GitRepository, change: dict[str, str], reason: str
) -> None:
    asked = {"uri": "git:///scripts/observe.py", "git_repo": repository.url} | change
    answer = http.get("/scripts/describe", params=asked)
    assert answer.status_code == 400
    assert reason in answer.json()["Message"]


def test_a_long_script_is_described_while_the_controller_goes_on(
    rest: Sidecar, http: httpx.Client, stack: OetStack
) -> None:
    (stack.scripts / "long.py").write_text(SCRIPT + TABLE)
    described: list[httpx.Response] = []

    def describe() -> None:
        asked = {"uri": stack.uri("long")}
        described.append(
            patient_http.get(f"{rest.url}/scripts/describe", params=asked, timeout=LONG_PATIENCE)
        )

    thread = threading.Thread(target=describe)
    began = time.monotonic()
    thread.start()
    answers = []
    while thread.is_alive():
        asked = time.monotonic()
        assert http.get("/status").status_code == 200
        answers.append(time.monotonic() - asked)
    took = time.monotonic() - began
    assert _parameters(described[0]) == ["target", "scans"]
    # Read by the server itself, it would keep that from answering for most of the time.
    assert max(answers) < took / 2


def test_a_script_is_described_by_its_text(http: httpx.Client) -> None:
    for text in (SCRIPT, SCRIPT + "# long\n" * 10_000):
        script = {"script_type": "embedded", "script": text}
        answer = http.post("/scripts/describe", json={"script": script})
        assert _parameters(answer) == ["target", "scans"]
        assert answer.json()["uri"] is None
    for broken in ({"script_type": "embedded", "script": "def main(:"}, {"script_uri": 7}):
        assert http.post("/scripts/describe", json={"script": broken}).status_code == 400


def test_a_description_is_bounded(http: httpx.Client, stack: OetStack) -> None:
    (stack.scripts / "wordy.py").write_text(f"'''{'x' * 70_000}'''\ndef main(): ...\n")
    answer = http.get("/scripts/describe", params={"uri": stack.uri("wordy")})
    assert answer.status_code == 400
    assert "65536 are allowed" in answer.json()["Message"]


def test_the_long_running_command_of_the_device(stack: OetStack) -> None:
    (stack.scripts / "long.py").write_text(SCRIPT + TABLE)
    device = tango.DeviceProxy(stack.device)
    with pytest.raises(tango.DevFailed) as refusal:
        device.DescribeScript(stack.uri("long"))
    assert refusal.value.args[0].reason == "OET_ScriptNotAtHand"
    with pytest.raises(tango.DevFailed) as refusal:
        device.ExamineScript("file:///etc/passwd")
    assert refusal.value.args[0].reason == "OET_ScriptNotAllowed"
    with invoke(device, "ExamineScript", stack.uri("burst")) as examine:
        result: Any = examine.wait_for_end().result
        assert (result[0], result[1]["uri"]) == (0, stack.uri("burst"))
    with invoke(device, "ExamineScript", stack.uri("long")) as examine:
        device.Abort()
        aborted: Any = examine.wait_for_end().result
        assert aborted[0] == 7
