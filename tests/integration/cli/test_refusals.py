"""Failures are reported in one line, with an exit status, and never as a traceback."""

import json
import socket
import threading

import pytest
from click.testing import Result
from tests.support.contract_http import Answer
from tests.support.contract_server import ContractServer, refusal, stop_answer
from tests.support.oet_command import OetCommand, OetInProcess
from tests.support.patience import PATIENCE


def one_line(result: Result) -> str:
    """Return the reason that was given, and check that it is all that was said."""
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").strip()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["procedure", "list", "--pid=4"], "No information available for PID=4 (404 Not Found)"),
        (["procedure", "describe", "--pid=4"], "No information available for PID=4 (404 Not Found)"),
        (["procedure", "start", "--pid=4"], "No information available for PID=4 (404 Not Found)"),
        (["procedure", "stop", "--pid=4"], "No information available for PID=4 (404 Not Found)"),
        (["activity", "list", "--aid=4"], "No information available for ID=4 (404 Not Found)"),
        (["procedure", "start"], "There is no procedure: 'oet procedure create' prepares one"),
        (["procedure", "describe"], "There is no procedure: 'oet procedure create' prepares one"),
        (["activity", "describe"], "There is no activity: 'oet activity run' runs one"),
        (["procedure", "stop"], "No procedure is running: 'oet procedure list' shows what there is"),
    ],
)
def test_a_missing_id(invoke: OetInProcess, arguments: list[str], reason: str) -> None:
    assert one_line(invoke(*arguments, status=1)) == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            refusal(400, "main() has no\nparameter 'speed'"),
            "main() has no parameter 'speed' (400 Bad Request)",
        ),
        (refusal(503, "The device is unavailable"), "The device is unavailable (503 Service Unavailable)"),
        (Answer(502, "<html>"), "/api/v1.0/procedures answered 502 Bad Gateway"),
        (Answer(500, {"detail": 1}), "/api/v1.0/procedures answered 500 Internal Server Error"),
        (refusal(401, "A token is needed"), "A token is needed: set OET_API_TOKEN to the token of this OET"),
        (Answer(200, "<html>Welcome"), "answered something that is not JSON. Is --server-url the address"),
        (Answer(200, [1]), "answered something that is not JSON"),
        (Answer(200, {}), "The server's reply cannot be understood: it has no 'procedures'"),
        (Answer(200, {"procedures": 1}), "cannot be understood: 'procedures' is not a list"),
        (Answer(200, {"procedures": [{"id": 1}]}), "cannot be understood: script: this field is missing"),
        (
            Answer(301, "", (("Location", "https://oet.example/api/v1.0"),)),
            "has moved to https://oet.example/api/v1.0: give that address as --server-url",
        ),
        (refusal(400, "\x1b[2Jno"), "\\x1b[2Jno (400 Bad Request)"),
    ],
)
def test_what_the_server_answers_instead(
    server: ContractServer, invoke: OetInProcess, answer: Answer, reason: str
) -> None:
    server.answers.append(answer)
    assert reason in one_line(invoke("procedure", "list", status=1))


def test_a_refused_activity(server: ContractServer, invoke: OetInProcess) -> None:
    server.answers.append(refusal(404, "There is no SBDefinition sbd-9"))
    reason = one_line(invoke("activity", "run", "allocate", "sbd-9", status=1))
    assert reason == "There is no SBDefinition sbd-9 (404 Not Found)"


def test_an_activity_that_has_failed_at_once(server: ContractServer, invoke: OetInProcess) -> None:
    invoke("activity", "run", "allocate", "sbd-123", "--prepare-only=True")
    reported = {**server.activities[1], "state": "FAILED", "reason": "there is no activity 'obsreve'"}
    server.answers.append(Answer(201, {"activity": reported}))
    ran = invoke("activity", "run", "obsreve", "sbd-123", "--listen=False", status=1)
    assert ran.stderr == "Error: Activity 1 is FAILED: there is no activity 'obsreve'\n"
    assert "FAILED" in ran.stdout


def test_a_stop_that_comes_too_late(server: ContractServer, invoke: OetInProcess) -> None:
    server.prepare("file:///a.py")
    invoke("procedure", "stop", "--pid=1")
    reason = one_line(invoke("procedure", "stop", "--pid=1", status=1))
    assert reason == "Cannot stop script with ID 1: Script is not running"


@pytest.mark.parametrize(
    ("options", "stopped", "aborted", "status"),
    [
        ([], True, True, 0),
        ([], True, False, 1),
        ([], False, False, 1),
        (["--run_abort=False"], True, None, 0),
        (["--run_abort=False"], False, None, 1),
    ],
)
def test_fields_decide_whether_a_stop_went_well_and_not_its_words(
    server: ContractServer,
    invoke: OetInProcess,
    options: list[str],
    stopped: bool,
    aborted: bool | None,
    status: int,
) -> None:
    server.answers.append(stop_answer("Cannot say it in other words", stopped=stopped, aborted=aborted))
    done = invoke("procedure", "stop", "--pid=1", *options, status=status)
    assert "Cannot say it in other words\n" in (done.stderr if status else done.stdout)


def test_a_service_that_says_it_in_words_only(server: ContractServer, invoke: OetInProcess) -> None:
    server.answers.append(Answer(200, {"abort_message": "Cannot stop script with ID 1"}))
    assert invoke("procedure", "stop", "--pid=1").stdout == "Cannot stop script with ID 1\n"


def test_a_server_that_is_away(oet: OetCommand, invoke: OetInProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        oet.env["OET_REST_URI"] = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v1.0"
    done = oet("procedure", "create", "file:///a.py", status=1)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "Connection refused. Is the server up" in done.stderr
    for command in (["procedure", "list"], ["listen"]):
        result = invoke(*command, status=1, url=oet.env["OET_REST_URI"])
        assert "Connection refused. Is the server up" in one_line(result)


def test_a_proxy_that_is_in_the_way(invoke: OetInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        proxy = f"127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("http_proxy", f"http://user:s3cret@{proxy}")
    reason = one_line(invoke("procedure", "list", status=1, url="http://oet.example/api/v1.0"))
    assert f"at http://oet.example/api/v1.0 (through http_proxy, {proxy}): " in reason


def test_a_server_that_is_late(invoke: OetInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ska_oso_oet.cli.connection.REPLY_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        assert "no answer in time" in one_line(invoke("procedure", "list", status=1, url=url))


def test_a_stop_may_take_as_long_as_its_abort_script(
    server: ContractServer, invoke: OetInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ska_oso_oet.cli.connection.REPLY_TIMEOUT", 0.2)
    server.prepare("file:///a.py")
    aborting = threading.Event()
    server.clock = lambda: float(aborting.wait(0.5))
    assert "aborted" in invoke("procedure", "stop", "--pid=1").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["procedure", "create"],
        ["procedure", "create", "file:///a.py", "--verbose"],
        ["procedure", "create", "file:///a.py", "--subarray_id=1.5"],
        ["procedure", "start", "--pid=0"],
        ["procedure", "start", "--listen=perhaps"],
        ["activity", "run", "allocate"],
        ["activity", "run", "allocate", "sbd-1", "--script-args={"],
        ["activity", "run", "allocate", "sbd-1", '--script-args={"begin": {}}'],
        ["activity", "run", "allocate", "sbd-1", '--script-args={"init": {"foo": "bar"}}'],
        ["--server-url=oet.example:5000", "procedure", "list"],
        ["procedure", "list", "--server-url=http://"],
        ["listen", "--since=-1"],
        ["procedure", "begin"],
    ],
)
def test_misuse_sends_nothing(server: ContractServer, invoke: OetInProcess, arguments: list[str]) -> None:
    result = invoke(*arguments, status=2)
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert server.requests == []


def test_options_of_git_that_mean_nothing_for_a_file(server: ContractServer, invoke: OetInProcess) -> None:
    result = invoke("procedure", "create", "file:///a.py", "--git_branch=test", "--subarray_id=None")
    assert result.stderr == "Ignored --git_branch: file:///a.py is not a git:// script\n"
    assert server.requests[0].body == {
        "script": {"script_type": "filesystem", "script_uri": "file:///a.py"},
        "script_args": {"init": {"args": [], "kwargs": {}}},
    }


def test_json_is_what_the_server_sent(server: ContractServer, invoke: OetInProcess) -> None:
    server.prepare("file:///a.py")
    server.procedures[1]["new_in_some_later_version"] = {"a": [1]}
    procedure = server.procedures[1]
    assert json.loads(invoke("procedure", "list", "--json").stdout) == {"procedures": [procedure]}
    for command in (["list", "--pid=1"], ["describe"]):
        assert json.loads(invoke("procedure", *command, "--json").stdout) == {"procedure": procedure}
    stopped = json.loads(invoke("procedure", "stop", "--pid=1", "--run_abort=no", "--json").stdout)
    message = "Successfully stopped script with ID 1"
    assert stopped == {"abort_message": message, "stopped": True, "aborted": None}


def test_reads_a_service_that_sends_no_ids(server: ContractServer, invoke: OetInProcess) -> None:
    server.prepare("file:///a.py")
    for new_key in ("id", "created"):
        del server.procedures[1][new_key]
    assert "\n 1  | file:///a.py | 20" in invoke("procedure", "list").stdout


def test_output_that_cannot_be_written(oet: OetCommand) -> None:
    with oet.running("procedure", "list", stdout="/dev/full") as process:
        _, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stderr) == (1, "Error: Cannot write the output: No space left on device\n")


def test_a_time_that_no_calendar_has(server: ContractServer, invoke: OetInProcess) -> None:
    server.prepare("file:///a.py")
    server.procedures[1]["created"] = 1e30
    assert "| 1e+30 s |" in " ".join(invoke("procedure", "list").stdout.split())


def test_the_server_is_chosen_by_option_then_by_environment(
    server: ContractServer, invoke: OetInProcess
) -> None:
    away = "http://127.0.0.1:1"
    invoke("procedure", "list", f"--server-url={server.url}/", url=away)
    invoke(f"--server-url={server.url}", "procedure", "list", url=away)
    invoke(f"--server-url={away}", "procedure", "list", "--server_url", server.url, url=away)
    invoke("procedure", "list")


def test_the_token_goes_with_every_request(server: ContractServer, invoke: OetInProcess) -> None:
    invoke("procedure", "create", "file:///a.py", token="s3cret")
    invoke("procedure", "create", "file:///a.py")
    first, second = server.requests
    assert first.headers["authorization"] == "Bearer s3cret"
    assert "authorization" not in second.headers
    assert "OET_API_TOKEN" in one_line(invoke("procedure", "list", status=2, token="a b"))
