"""The example sessions of the documentation of the OET 5.2.0, typed in one after the other.

They differ from it in addresses and paths alone.
"""

import json
import re
import subprocess
from typing import Any

import pytest
from tests.support.git_projects import GitRepository
from tests.support.oet_command import OetCommand, OetInProcess, table_rows

from .conftest import FreshStack

HEAD = ["ID", "Script", "Creation Time", "State"]
ACTIVITY_HEAD = ["ID", "Activity", "SB ID", "Creation Time", "Procedure ID", "State"]
CALLS = ["Index", "Method", "Arguments", "Keyword Arguments"]
STATES = ["Time", "State"]

TEST = """
def init(word, subarray_id=1, verbose=False):
    pass

def main():
    pass
"""
TEST_2 = """
import threading

def init(word, subarray_id=1):
    pass

def main(name, simulate=True):
    threading.Event().wait(60)
"""
WITH_SB = """
from pubsub import pub
from ska_oso_oet.event import topics

def init(subarray_id=1):
    pass

def main(sb_json=None):
    pub.sendMessage(topics.user.script.announce, msg=f"the SB is {sb_json}")
"""


@pytest.fixture
def oet(fresh: FreshStack) -> OetCommand:
    return OetCommand(fresh.url)


@pytest.fixture
def invoke(fresh: FreshStack) -> OetInProcess:
    return OetInProcess(fresh.url)


def rows(output: str) -> list[list[str]]:
    """Return the cells of tables, with a placeholder for times."""
    times = {r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}": "T.f", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "T"}
    for pattern, name in times.items():
        output = re.sub(pattern, name, output)
    return table_rows(output)


def until(listening: "subprocess.Popen[str]", pid: int, state: str) -> None:
    """Wait until a procedure has a state, as ``oet listen --json`` reports it."""
    assert listening.stdout is not None
    for line in listening.stdout:
        event: dict[str, Any] = json.loads(line)
        if event.get("msg_src") == str(pid) and event.get("new_state") in {state, "FAILED"}:
            assert event["new_state"] == state
            return
    raise AssertionError(f"the stream ended before {pid} was {state}")


def topics(output: str) -> list[str]:
    return re.findall(r"^ *\d+ [\d:.]{12}  (\S+)", output, re.MULTILINE)


def test_section_3_2_1_procedures(fresh: FreshStack, oet: OetCommand, invoke: OetInProcess) -> None:
    fresh.write(test=TEST, test2=TEST_2)
    repository = GitRepository(fresh.folder / "foo")
    repository.git("switch", "--quiet", "--orphan", "test")
    script = "def init(subarray_id=1): pass\ndef main(): pass\n"
    repository.commit({"test3.py": script, "requirements.txt": "# none\n"})

    # Each state is one that the script may have reached while the table was on its way.
    on_the_way = {"CREATING", "IDLE", "LOADING", "RUNNING", "READY"}
    created = rows(invoke("procedure", "create", "file://test.py", "hello", "--verbose=true").stdout)
    assert (created[0], created[1][:3]) == (HEAD, ["1", "file://test.py", "T"])
    assert created[1][3] in on_the_way
    created = rows(invoke("procedure", "create", "file://test2.py", "goodbye").stdout)
    assert (created[0], created[1][:3]) == (HEAD, ["2", "file://test2.py", "T"])
    git = [f"--git_repo={repository.url}", "--git_branch=test", "--create_env=True"]
    created = rows(invoke("procedure", "create", "git://test3.py", *git).stdout)
    assert (created[0], created[1][:3]) == (HEAD, ["3", "git://test3.py", "T"])

    with oet.running("listen", "--since=0", "--json") as listening:
        until(listening, 2, "READY")
        until(listening, 3, "READY")
    first, second, third = (
        ["1", "file://test.py", "T", "READY"],
        ["2", "file://test2.py", "T", "READY"],
        ["3", "git://test3.py", "T", "READY"],
    )
    assert rows(invoke("procedure", "list").stdout) == [HEAD, first, second, third]
    assert rows(invoke("procedure", "list", "--pid=2").stdout) == [HEAD, second]

    second[3] = "RUNNING"
    started = invoke("procedure", "start", "--pid=2", "bob", "--simulate=false", "--listen=False")
    assert rows(started.stdout) == [HEAD, second]
    assert rows(invoke("procedure", "list").stdout) == [HEAD, first, second, third]

    assert rows(invoke("procedure", "describe", "--pid=2").stdout) == [
        ["ID", "Script", "URI"],
        ["2", "file://test2.py", f"{fresh.url}/procedures/2"],
        STATES,
        ["T.f", "CREATING"],
        ["T.f", "IDLE"],
        ["T.f", "LOADING"],
        ["T.f", "IDLE"],
        ["T.f", "RUNNING 1"],
        ["T.f", "READY"],
        ["T.f", "RUNNING 2"],
        CALLS,
        ["1", "init", "['goodbye']", "{}"],
        ["2", "main", "['bob']", "{'simulate': False}"],
    ]
    described = rows(invoke("procedure", "describe", "--pid=3").stdout)
    assert described[:2] == [
        ["ID", "Script", "URI"],
        ["3", "git://test3.py", f"{fresh.url}/procedures/3"],
    ]
    # With its preparation of an environment, which the documentation does not show.
    states = ["CREATING", "IDLE", "PREP_ENV", "IDLE", "LOADING", "IDLE", "RUNNING 1", "READY"]
    assert [row[1] for row in described[3 : 3 + len(states)]] == states
    assert described[-5:] == [
        CALLS,
        ["1", "init", "[]", "{}"],
        ["2", "main", "[]", "{}"],
        ["Repository", "Branch", "Commit"],
        [repository.url, "test", ""],
    ]


def test_section_3_2_2_a_night_of_observing(fresh: FreshStack, invoke: OetInProcess) -> None:
    names = ("startup", "allocate_from_file_sb", "observe_sb", "deallocate", "standby")
    fresh.write(**dict.fromkeys(names, WITH_SB))
    night: list[tuple[list[str], list[str], Any]] = [
        (["startup"], [], None),
        (
            ["allocate_from_file_sb", "--subarray_id=3"],
            ["scripts/example_sb.json"],
            "scripts/example_sb.json",
        ),
        (["observe_sb", "--subarray_id=3"], ["scripts/example_sb.json"], "scripts/example_sb.json"),
        (["deallocate", "--subarray_id=3"], [], None),
        (["standby"], [], None),
    ]
    for pid, ((name, *create), start, reported) in enumerate(night, start=1):
        uri = (fresh.folder / f"{name}.py").as_uri()
        assert rows(invoke("procedure", "create", uri, *create).stdout)[1][:2] == [str(pid), uri]
        # The next line of a shell script does not wait until the procedure is READY.
        followed = invoke("procedure", "start", *start).stdout
        assert rows(followed)[1][:2] == [str(pid), uri]
        assert f"  the SB is {reported}\n" in followed
        assert topics(followed) == [
            "request.procedure.start",
            "procedure.lifecycle.statechange",
            "procedure.lifecycle.started",
            "user.script.announce",
            "procedure.lifecycle.statechange",
            "procedure.lifecycle.statechange",
            "procedure.lifecycle.complete",
        ]
        assert followed.endswith(f"\nProcedure {pid} is COMPLETE\n")
        kwargs = "{'subarray_id': 3}" if create else "{}"
        described = rows(invoke("procedure", "describe").stdout)
        assert described[-2] == ["1", "init", "[]", kwargs]
        assert described[-1] == ["2", "main", str(start), "{}"]


def test_section_3_3_1_activities(fresh: FreshStack, invoke: OetInProcess) -> None:
    script_args = '{"init": {"kwargs": {"foo": "bar"}}}'
    ran = invoke("activity", "run", "allocate", "sbd-123", f"--script-args={script_args}")
    assert rows(ran.stdout)[0] == ACTIVITY_HEAD
    assert rows(ran.stdout)[1][:4] == ["1", "allocate", "sbd-123", "T"]
    assert topics(ran.stdout)[:2] == ["activity.lifecycle.statechange", "activity.lifecycle.running"]
    assert "subarray.resources.allocated" in topics(ran.stdout)
    assert ran.stdout.endswith("\nActivity 1 is COMPLETE\n")

    ran = invoke("activity", "run", "observe", "sbd-123", "--prepare-only=True")
    assert rows(ran.stdout)[1][:4] == ["2", "observe", "sbd-123", "T"]
    assert ran.stdout.endswith("\nActivity 2 is PREPARED\n")

    assert rows(invoke("activity", "list").stdout) == [
        ACTIVITY_HEAD,
        ["1", "allocate", "sbd-123", "T", "1", "COMPLETE"],
        ["2", "observe", "sbd-123", "T", "2", "PREPARED"],
    ]
    assert rows(invoke("activity", "list", "--aid=2").stdout)[1:] == [
        ["2", "observe", "sbd-123", "T", "2", "PREPARED"]
    ]
    started = invoke("procedure", "start", "--pid=2")
    assert rows(started.stdout)[1][:3] == ["2", "file://observe.py", "T"]
    assert topics(started.stdout).count("scan.lifecycle.end.succeeded") == 4
    assert started.stdout.endswith("\nProcedure 2 is COMPLETE\n")

    described = invoke("activity", "describe", "--aid=1").stdout
    assert rows(described)[:9] == [
        ["ID", "Activity", "SB ID", "Procedure ID", "State"],
        ["1", "allocate", "sbd-123", "1", "COMPLETE"],
        ["URI", "Prepare Only"],
        [f"{fresh.url}/activities/1", "False"],
        STATES,
        ["T.f", "REQUESTED"],
        ["T.f", "PREPARED"],
        ["T.f", "RUNNING"],
        ["T.f", "COMPLETE"],
    ]
    assert "\nScript Arguments\n" in described
    assert rows(described)[9:11] == [
        ["Method", "Arguments", "Keyword Arguments"],
        ["init", "[1, 'foo']", "{'foo': 'bar'}"],
    ]
    assert invoke("activity", "describe").stdout.split("\n")[2].split()[0] == "2"

    described = invoke("procedure", "describe", "--pid=1").stdout
    states = ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING 1", "READY", "RUNNING 2", "READY", "COMPLETE"]
    assert rows(described)[1][:2] == ["1", "file://allocate.py"]
    assert [row[1] for row in rows(described)[3:12]] == states
    assert rows(described)[13] == ["1", "init", "[1, 'foo']", "{'foo': 'bar'}"]
    assert rows(described)[14][1:3] == ["main", "[]"]
