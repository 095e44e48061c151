"""Work of an operator with earlier procedures, with the command only."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository
from tests.support.oet_command import OetInProcess, table_rows
from tests.support.oet_stack import OetStack

LEAVES = """
'''Leaves a file.'''
from enum import Enum
from typing import Annotated

class Band(Enum):
    LOW = "low"
    HIGH = "high"

def main(size: Annotated[int, "bytes"] = 10, band: Band = Band.LOW):
    '''Write.

    :param size: of the table
    '''
    with open("table.csv", "w") as file:
        file.write("x" * size)
    print("written")
    if size > 100:
        raise ValueError("too much")
    return size
"""


@pytest.fixture(scope="module")
def leaves(place: OetStack) -> Iterator[str]:
    path = place.scripts / "leaves.py"
    path.write_text(LEAVES)
    yield place.uri("leaves")
    path.unlink()


def last(invoke: OetInProcess) -> int:
    found: int = json.loads(invoke("procedure", "list", "--json").stdout)["procedures"][-1]["id"]
    return found


def test_a_script_is_described(invoke: OetInProcess, leaves: str) -> None:
    shown = invoke("scripts", "describe", leaves).stdout
    assert "Leaves a file." in shown
    assert table_rows(shown)[1:] == [
        ["size", "Annotated[int, 'bytes']", "bytes", "10", "", "of the table"],
        ["band", "Band", "", '"low"', "low, high", ""],
    ]
    assert "gone.py" in invoke("scripts", "describe", leaves.replace("leaves", "gone"), status=1).stderr


def test_a_session_about_procedures_that_were(
    invoke: OetInProcess, leaves: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    invoke("run", leaves, "--size=20")
    first = last(invoke)
    again = invoke("procedure", "rerun", str(first), "--band=high")
    assert "COMPLETE" in again.stdout
    second = last(invoke)
    invoke("procedure", "rerun", str(first), "--size=200", status=1)
    failed = last(invoke)
    assert (
        "and should be a valid integer"
        in invoke("procedure", "rerun", str(first), "--size=x", status=1).stderr
    )
    # In what they differ.
    rows = {
        row[0]: row[1:3] for row in table_rows(invoke("procedure", "diff", str(first), str(failed)).stdout)
    }
    assert rows["state"] == ["COMPLETE", "FAILED"]
    assert rows["result"] == ["20", ""]
    assert "ValueError: too much" in rows["failure"][1]
    assert "script_sha256" not in rows
    assert "do not differ" in invoke("procedure", "diff", str(first), str(first)).stdout
    # Which there are.
    found = table_rows(invoke("procedure", "list", "--script=leaves", "--since=1h", "--all").stdout)
    assert [row[0] for row in found[1:]] == [str(failed), str(second), str(first)]
    found = table_rows(invoke("procedure", "list", "--state=failed", "--limit=1").stdout)
    assert [row[0] for row in found[1:]] == [str(failed)]
    # What they have left.
    assert table_rows(invoke("procedure", "files", f"--pid={first}").stdout)[1:] == [["table.csv", "20", ""]]
    invoke("procedure", "files", "table.csv", f"--pid={first}")
    assert (tmp_path / "table.csv").read_text() == "x" * 20
    assert "exists already" in invoke("procedure", "files", "table.csv", status=1).stderr
    assert invoke("procedure", "files", "table.csv", "--to=-").stdout == "x" * 200
    assert "has no file" in invoke("procedure", "files", "gone.csv", status=1).stderr
    assert not (tmp_path / "gone.csv").exists()
    shown = invoke("procedure", "environment", f"--pid={first}").stdout.splitlines()
    assert shown[0].startswith("Python 3.")
    assert any(line.startswith("click==") for line in shown)
    invoke("procedure", "export", str(first))
    with zipfile.ZipFile(tmp_path / f"procedure-{first}.zip") as archive:
        content = {Path(name).name: archive.read(name) for name in archive.namelist()}
    assert json.loads(content["summary.json"])["id"] == first
    assert content["table.csv"] == b"x" * 20
    assert content["output.txt"] == b"written\n"
    events = [json.loads(line) for line in content["events.jsonl"].splitlines()]
    assert {event["msg_src"] for event in events} == {str(first), "OETController"}
    topics = [event["topic"] for event in events if event["msg_src"] == str(first)]
    assert (topics[0], topics[-1]) == ("procedure.lifecycle.statechange", "procedure.lifecycle.complete")
    assert set(content) == {"summary.json", "events.jsonl", "output.txt", "environment.json", "table.csv"}


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["list", "--since=noon"], 2, "give an age, e.g. 30m, 1h or 2d, or a date"),
        (["list", "--state=done"], 1, "state"),
        (["rerun", "99999"], 1, "No information available for PID=99999"),
        (["diff", "1", "99999"], 1, "No information available"),
        (["export", "99999"], 1, "No information available"),
    ],
)
def test_what_is_refused(
    invoke: OetInProcess, leaves: str, arguments: list[str], status: int, reason: str
) -> None:
    invoke("run", leaves)
    assert reason in invoke("procedure", *arguments, status=status).stderr


def test_scripts_in_git_and_scripts_that_are_here_are_described(
    invoke: OetInProcess, place: OetStack, tmp_path: Path
) -> None:
    text = "def main(target: str, scans: int = 2): ...\n"
    repository = GitRepository(place.repositories / "described")
    repository.commit({"observe.py": text})
    (tmp_path / "observe.py").write_text(text)
    in_git = invoke("scripts", "describe", "git:///observe.py", f"--git_repo={repository.url}").stdout
    assert ["scans", "int", "", "2"] in [row[:4] for row in table_rows(in_git)]
    assert invoke("scripts", "describe", str(tmp_path / "observe.py")).stdout == in_git
    assert invoke("scripts", "describe", "-", stdin=text.encode()).stdout == in_git
    refused = invoke("scripts", "describe", "git:///gone.py", f"--git_repo={repository.url}", status=1)
    assert "has no file 'gone.py'" in refused.stderr


def test_what_a_procedure_has_left_is_shown(invoke: OetInProcess, leaves: str) -> None:
    invoke("run", leaves, "--size=5")
    shown = invoke("procedure", "describe").stdout
    assert "Result: 5\n" in shown
    assert "Files: table.csv (5 B)\n" in shown
    digest = hashlib.sha256(Path(leaves.removeprefix("file://")).read_bytes()).hexdigest()
    assert f"SHA-256 of the script: {digest}\n" in shown


def test_programs_are_informed_of_a_stop_without_an_abort(invoke: OetInProcess, place: OetStack) -> None:
    (place.scripts / "no_subarray.py").write_text("def main(): ...\n")
    pid = table_rows(invoke("procedure", "create", place.uri("no_subarray"), "--wait").stdout)[1][0]
    stopped = invoke("procedure", "stop", f"--pid={pid}", "--json", status=1)
    assert json.loads(stopped.stdout)["aborted"] is False
    assert "Abort was not sent" in stopped.stderr
