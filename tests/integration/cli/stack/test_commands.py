"""All commands against a real service: for programs, in the shell, on terminals, and refused."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pexpect
import pytest
from tests.support.oet_command import EXECUTABLE, OetCommand, OetInProcess, table_rows
from tests.support.oet_stack import OetStack
from tests.support.patience import PATIENCE

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
STEPS = """
from pubsub import pub
from ska_oso_oet.event import topics

def main(fifo):
    pub.sendMessage(topics.user.script.progress, progress=42)
    pub.sendMessage(topics.user.script.announce, msg="half way")
    open(fifo).read()
    pub.sendMessage(topics.user.script.progress, progress=100)
"""


@contextmanager
def on_terminal(
    oet: OetCommand, *arguments: str, columns: int = 100, **env: str
) -> Iterator["pexpect.spawn[str]"]:
    terminal = pexpect.spawn(
        EXECUTABLE,
        list(arguments),
        env={**oet.env, "TERM": "xterm-256color", **env},
        dimensions=(40, columns),
        encoding="utf-8",
        timeout=2 * PATIENCE,
    )
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def test_every_command_has_json_for_programs(place: OetStack, invoke: OetInProcess) -> None:
    def lines(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
        done = invoke(*arguments, "--json", status=status)
        assert done.stderr.count("\n") == status
        return [json.loads(line) for line in done.stdout.splitlines()]

    (created,) = lines("procedure", "create", place.uri("burst"), "--wait")
    pid = created["procedure"]["id"]
    (listed,) = lines("procedure", "list")
    assert isinstance(listed["procedures"], list)
    started, *events = lines("procedure", "start", f"--pid={pid}", "3")
    assert set(started) == {"procedure"}
    assert [event["msg"] for event in events if event["topic"] == "user.script.announce"] == [
        f"message {number} " for number in range(3)
    ]
    numbers = [event["seq"] for event in events]
    assert numbers == sorted(numbers)
    (described,) = lines("procedure", "describe", f"--pid={pid}")
    (listed_one,) = lines("procedure", "list", f"--pid={pid}")
    assert described == listed_one
    lines("procedure", "create", place.uri("hold"), "--wait")
    lines("procedure", "start", "--listen=False")
    (stopped,) = lines("procedure", "stop", "--run_abort=False")
    assert (stopped["stopped"], stopped["aborted"]) == (True, None)
    # There is no ODA in this place.
    failed, *events = lines("activity", "run", "allocate", "sbd-123", status=1)
    assert events[-1]["new_state"] == "FAILED"
    (described,) = lines("activity", "describe")
    (listed,) = lines("activity", "list")
    assert described["activity"] == listed["activities"][-1]
    assert described["activity"]["id"] == failed["activity"]["id"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["procedure", "create", "file:///etc/passwd"], "is not below a script root"),
        (["procedure", "create", "file://away.py"], "there is no script"),
        (["procedure", "create", "hold.py"], "write file:///path/to/script.py"),
        (["procedure", "create", "file://hold.py", "--speed=5"], "unexpected keyword argument 'speed'"),
        (["procedure", "create", "git://hold.py"], "GitRepositories"),
        (["procedure", "create", "git://a.py", "--git_branch=--x"], "--x"),
        (["procedure", "list", "--pid=999"], "No information available for PID=999 (404 Not Found)"),
        (["procedure", "describe", "--pid=999"], "No information available for PID=999 (404 Not Found)"),
        (["procedure", "start", "--pid=999"], "No information available for PID=999 (404 Not Found)"),
        (["procedure", "stop", "--pid=999"], "No information available for PID=999 (404 Not Found)"),
        (["procedure", "list", "--pid=99999999999"], "No information available for PID=99999999999"),
        (["activity", "list", "--aid=999"], "No information available for ID=999 (404 Not Found)"),
        (["activity", "describe", "--aid=999"], "No information available for ID=999 (404 Not Found)"),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(
    invoke: OetInProcess, arguments: list[str], reason: str
) -> None:
    before = invoke("procedure", "list").stdout
    done = invoke(*arguments, status=1)
    assert done.stdout == ""
    assert (done.stderr.startswith("Error: "), done.stderr.count("\n")) == (True, 1)
    assert reason in done.stderr
    assert invoke("procedure", "list").stdout == before


def test_arguments_that_do_not_fit_main_are_refused_before_it_moves(
    place: OetStack, invoke: OetInProcess
) -> None:
    pid = table_rows(invoke("procedure", "create", place.uri("burst")).stdout)[1][0]
    done = invoke("procedure", "start", f"--pid={pid}", "--count=1", "--colour=red", status=1)
    assert done.stdout == ""
    assert "unexpected keyword argument 'colour'" in done.stderr
    assert invoke("procedure", "start", f"--pid={pid}", "--count=1").stdout.endswith("COMPLETE\n")


def test_the_address_of_something_else(invoke: OetInProcess, oet: OetCommand) -> None:
    done = invoke("procedure", "list", status=1, url=oet.env["OET_REST_URI"].removesuffix("/v1.0"))
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "Is --server-url the address of the OET's REST API? It ends in /api/v1.0" in done.stderr


def test_a_bar_shows_the_progress_of_a_real_script(
    place: OetStack, invoke: OetInProcess, oet: OetCommand, tmp_path: os.PathLike[str]
) -> None:
    fifo = os.path.join(tmp_path, "fifo")
    os.mkfifo(fifo)
    (place.scripts / "bar.py").write_text(STEPS)
    pid = table_rows(invoke("procedure", "create", "file://bar.py").stdout)[1][0]
    with on_terminal(oet, "procedure", "start", fifo) as terminal:
        terminal.expect("half way")
        terminal.expect(rf"Procedure {pid}.*42%")
        with open(fifo, "w"):
            pass
        terminal.expect("100%")
        terminal.expect(f"Procedure {pid} is COMPLETE")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    assert terminal.exitstatus == 0


def test_a_terminal_gets_colours_unless_it_wants_none(
    place: OetStack, invoke: OetInProcess, oet: OetCommand
) -> None:
    invoke("procedure", "create", place.uri("hold"))
    with on_terminal(oet, "procedure", "list") as terminal:
        assert "\x1b[36mREADY" in terminal.read()
    with on_terminal(oet, "procedure", "list", NO_COLOR="1") as terminal:
        shown = terminal.read()
    assert "READY" in shown
    assert re.search(r"\x1b\[[\d;]*3\dm", shown) is None
