"""The example sessions of the documentation of the OET 5.2.0, command by command."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.contract_server import COMPLETES, ContractServer, to
from tests.support.oet_command import OetCommand, OetInProcess, table_rows

from ska_oso_oet.model import DEFAULT_REPOSITORY

HEAD = ["ID", "Script", "Creation Time", "State"]
ACTIVITY_HEAD = ["ID", "Activity", "SB ID", "Creation Time", "Procedure ID", "State"]


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def clock(*times: str) -> Callable[[], float]:
    """Return a clock that shows given times, one after the other, and then the last of them."""
    left = [at(time) for time in times]
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_procedures(server: ContractServer, oet: OetCommand, invoke: OetInProcess) -> None:
    server.clock = clock("2020-09-30 10:30:12")
    created = oet("procedure", "create", "file://test.py", "hello", "--verbose=true")
    assert table_rows(created.stdout) == [HEAD, ["1", "file://test.py", "2020-09-30 10:30:12", "CREATING"]]

    server.clock = clock(
        "2020-09-30 10:19:38.011584",
        "2020-09-30 10:19:38.016266",
        "2020-09-30 10:19:38.017883",
        "2020-09-30 10:19:38.018880",
        "2020-09-30 10:19:38.019006",
        "2020-09-30 10:19:38.019021",
        "2020-09-30 10:35:12.605270",
    )
    second = invoke("procedure", "create", "file://test2.py", "goodbye")
    assert table_rows(second.stdout)[1] == ["2", "file://test2.py", "2020-09-30 10:19:38", "CREATING"]

    server.procedures[2]["created"] = at("2020-09-30 10:35:12")  # the documentation's two times differ
    listed = invoke("procedure", "list")
    assert table_rows(listed.stdout) == [
        HEAD,
        ["1", "file://test.py", "2020-09-30 10:30:12", "READY"],
        ["2", "file://test2.py", "2020-09-30 10:35:12", "READY"],
    ]
    listed = invoke("procedure", "list", "--pid=2")
    assert table_rows(listed.stdout) == [HEAD, ["2", "file://test2.py", "2020-09-30 10:35:12", "READY"]]

    started = oet("procedure", "start", "--pid=2", "bob", "--simulate=false", "--listen=False")
    assert table_rows(started.stdout) == [HEAD, ["2", "file://test2.py", "2020-09-30 10:35:12", "RUNNING"]]

    described = oet("procedure", "describe", "--pid=2")
    assert table_rows(described.stdout) == [
        ["ID", "Script", "URI"],
        ["2", "file://test2.py", f"{server.url}/procedures/2"],
        ["Time", "State"],
        ["2020-09-30 10:19:38.011584", "CREATING"],
        ["2020-09-30 10:19:38.016266", "IDLE"],
        ["2020-09-30 10:19:38.017883", "LOADING"],
        ["2020-09-30 10:19:38.018880", "IDLE"],
        ["2020-09-30 10:19:38.019006", "RUNNING 1"],
        ["2020-09-30 10:19:38.019021", "READY"],
        ["2020-09-30 10:35:12.605270", "RUNNING 2"],
        ["Index", "Method", "Arguments", "Keyword Arguments"],
        ["1", "init", "['goodbye']", "{}"],
        ["2", "main", "['bob']", "{'simulate': False}"],
    ]
    assert [request.body for request in server.requests] == [
        {
            "script": {"script_type": "filesystem", "script_uri": "file://test.py"},
            "script_args": {"init": {"args": ["hello"], "kwargs": {"verbose": True}}},
        },
        {
            "script": {"script_type": "filesystem", "script_uri": "file://test2.py"},
            "script_args": {"init": {"args": ["goodbye"], "kwargs": {}}},
        },
        {"state": "RUNNING", "script_args": {"main": {"args": ["bob"], "kwargs": {"simulate": False}}}},
    ]


def test_a_procedure_from_git(server: ContractServer, invoke: OetInProcess) -> None:
    server.clock = clock("2020-09-30 10:40:12.435305")
    git = ["--git_repo=http://foo.git", "--git_branch=test", "--create_env=True"]
    created = invoke("procedure", "create", "git://test3.py", *git)
    assert table_rows(created.stdout) == [HEAD, ["1", "git://test3.py", "2020-09-30 10:40:12", "CREATING"]]
    assert server.requests[0].body["script"] == {
        "script_type": "git",
        "script_uri": "git://test3.py",
        "git_args": {"git_repo": "http://foo.git", "git_branch": "test", "git_commit": None},
        "create_env": True,
    }
    rows = table_rows(invoke("procedure", "describe").stdout)
    assert rows[-2:] == [["Repository", "Branch", "Commit"], ["http://foo.git", "test", ""]]


def test_a_procedure_from_git_without_a_branch_is_of_the_default_branch(
    server: ContractServer, invoke: OetInProcess
) -> None:
    invoke("procedure", "create", "git://test3.py")
    assert server.requests[0].body["script"]["git_args"] == {
        "git_repo": DEFAULT_REPOSITORY,
        "git_branch": None,
        "git_commit": None,
    }
    rows = table_rows(invoke("procedure", "describe").stdout)
    assert rows[-1] == [DEFAULT_REPOSITORY, "", ""]
    # Its lines may be broken anywhere.
    help_text = "".join(invoke("procedure", "create", "--help").stdout.split())
    assert DEFAULT_REPOSITORY in help_text
    assert "thedefaultbranch" in help_text


def test_activities(server: ContractServer, invoke: OetInProcess) -> None:
    server.clock = clock("2023-01-06 13:56:47.655175")
    server.running["file://allocate.py"] = COMPLETES
    script_args = '{"init": {"kwargs": {"foo": "bar"}}}'
    ran = invoke("activity", "run", "allocate", "sbd-123", f"--script-args={script_args}")
    first = ["1", "allocate", "sbd-123", "2023-01-06 13:56:47", "1"]
    assert table_rows(ran.stdout) == [ACTIVITY_HEAD, [*first, "REQUESTED"]]
    assert ran.stdout.endswith("\nActivity 1 is COMPLETE\n")

    server.clock = clock("2023-01-06 13:56:56")
    ran = invoke("activity", "run", "observe", "sbd-123", "--prepare-only=True")
    second = ["2", "observe", "sbd-123", "2023-01-06 13:56:56", "2"]
    assert table_rows(ran.stdout) == [ACTIVITY_HEAD, [*second, "REQUESTED"]]
    assert ran.stdout.endswith("\nActivity 2 is PREPARED\n")

    listed = invoke("activity", "list")
    assert table_rows(listed.stdout) == [ACTIVITY_HEAD, [*first, "COMPLETE"], [*second, "PREPARED"]]
    assert table_rows(invoke("activity", "list", "--aid=2").stdout)[1:] == [[*second, "PREPARED"]]

    started = invoke("procedure", "start", "--pid=2", "--listen=False")
    assert table_rows(started.stdout) == [HEAD, ["2", "file://observe.py", "2023-01-06 13:56:56", "RUNNING"]]

    described = invoke("activity", "describe", "--aid=1")
    time = "2023-01-06 13:56:47.655175"
    assert table_rows(described.stdout) == [
        ["ID", "Activity", "SB ID", "Procedure ID", "State"],
        ["1", "allocate", "sbd-123", "1", "COMPLETE"],
        ["URI", "Prepare Only"],
        [f"{server.url}/activities/1", "False"],
        ["Time", "State"],
        [time, "REQUESTED"],
        [time, "PREPARED"],
        [time, "RUNNING"],
        [time, "COMPLETE"],
        ["Method", "Arguments", "Keyword Arguments"],
        ["init", "[]", "{'foo': 'bar'}"],
    ]
    assert server.requests[0].body == {
        "activity_name": "allocate",
        "sbd_id": "sbd-123",
        "script_args": {"init": {"args": [], "kwargs": {"foo": "bar"}}},
        "prepare_only": False,
        "create_env": False,
    }


def test_stopping(server: ContractServer, invoke: OetInProcess) -> None:
    invoke("procedure", "create", "file:///long.py")
    invoke("procedure", "create", "file:///next.py")
    server.perform(1, to("RUNNING"))
    stopped = invoke("procedure", "stop")
    assert stopped.stdout == "Successfully stopped script with ID 1 and aborted subarray activity\n"
    stopped = invoke("procedure", "stop", "--pid=2", "--run_abort=False")
    assert stopped.stdout == "Successfully stopped script with ID 2\n"
    bodies = [request.body for request in server.requests if request.method == "PUT"]
    assert bodies == [{"state": "STOPPED", "abort": True}, {"state": "STOPPED", "abort": False}]


def test_without_an_id_stop_means_the_one_that_runs_main(
    server: ContractServer, invoke: OetInProcess
) -> None:
    server.preparing["file:///init.py"] = (to("IDLE"), to("LOADING"), to("IDLE"), to("RUNNING"))
    for uri in ("file:///init.py", "file:///main.py", "file:///init.py"):
        server.prepare(uri)
    refused = invoke("procedure", "stop", status=1)
    assert refused.stderr == "Error: Procedures 1, 3 are running: choose one with --pid\n"
    server.perform(2, to("RUNNING"))
    assert invoke("procedure", "stop").stdout.startswith("Successfully stopped script with ID 2")


def test_a_pipe_gets_one_line_for_each_procedure(server: ContractServer, invoke: OetInProcess) -> None:
    uri = "file:///scripts/" + "long/" * 60 + "observe.py"
    server.prepare(uri)
    assert table_rows(invoke("procedure", "list").stdout)[1][1] == uri
