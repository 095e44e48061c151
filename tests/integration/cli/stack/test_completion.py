"""Completion by the Tab key, in a real Bash."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from tests.support.oet_command import EXECUTABLE, OetCommand, OetInProcess, table_rows
from tests.support.oet_stack import OetStack
from tests.support.patience import PATIENCE

PROMPT = "ready> "


@pytest.fixture(scope="module")
def bash(rest: object, place: OetStack) -> Iterator["pexpect.spawn[str]"]:
    oet = OetCommand(str(getattr(rest, "url", "")))
    path = f"{os.path.dirname(EXECUTABLE)}:{os.environ['PATH']}"
    env = {**oet.env, "PATH": path, "PS1": PROMPT, "TERM": "dumb", "INPUTRC": "/dev/null"}
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile"], env=env, encoding="utf-8", timeout=PATIENCE, dimensions=(40, 500)
    )
    shell.expect_exact(PROMPT)
    shell.sendline("bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'")
    shell.expect_exact(PROMPT)
    shell.sendline('eval "$(_OET_COMPLETE=bash_source oet)"')
    shell.expect_exact(PROMPT)
    yield shell
    shell.close(force=True)


def completed(bash: "pexpect.spawn[str]", typed: str) -> str:
    """Return a line as Bash completes it, or the choices that it offers."""
    bash.send(f"echo [; {typed}\t")
    # What follows is shown once the completion has ended.
    bash.send("]")
    bash.expect_exact("]")
    shown = bash.before or ""
    bash.send("\x15")  # removes the line
    bash.sendline("echo done")
    bash.expect(r"\ndone\r\n")
    bash.expect_exact(PROMPT)
    shown = re.sub(r"\x07|\r|\x1b\[K", "", shown.partition("echo [; ")[2])
    while "\b" in shown:
        shown = re.sub(r"[^\x08]\x08", "", shown)
    return shown


def test_commands_and_options(bash: "pexpect.spawn[str]") -> None:
    assert completed(bash, "oet admin-") == "oet admin-mode "
    choices = completed(bash, "oet procedure create --git_").split()
    assert {"--git_repo", "--git_branch", "--git_commit"} <= set(choices)


def test_scripts_by_their_uri_and_by_their_name(bash: "pexpect.spawn[str]", place: OetStack) -> None:
    uri = place.uri("burst")
    assert completed(bash, f"oet run {uri[:-6]}") == f"oet run {uri} "
    assert completed(bash, "oet procedure create burs") == f"oet procedure create {uri} "
    assert completed(bash, "oet run file:").endswith(f"oet run {place.scripts.as_uri()}/")


def test_procedures(bash: "pexpect.spawn[str]", invoke: OetInProcess, place: OetStack) -> None:
    pid = table_rows(invoke("procedure", "create", place.uri("burst")).stdout)[1][0]
    assert completed(bash, f"oet procedure start --pid={pid}") == f"oet procedure start --pid={pid} "
    assert completed(bash, f"oet procedure output --pid {pid}") == f"oet procedure output --pid {pid} "
    assert completed(bash, "oet procedure start --pid=99999") == "oet procedure start --pid=99999"


def test_activities(bash: "pexpect.spawn[str]", invoke: OetInProcess) -> None:
    aid = table_rows(invoke("activity", "run", "allocate", "sbd-1", "--listen=False", status=1).stdout)[1][0]
    assert completed(bash, f"oet activity describe --aid={aid}") == f"oet activity describe --aid={aid} "


OBSERVE = """
from typing import Literal

def init(subarray_id: int, *, simulate: bool = False): ...
def main(target, scans: int = 2, filter_name: Literal["V", "Ks"] = "V", *more): ...
"""


def test_parameters_of_the_script(bash: "pexpect.spawn[str]", invoke: OetInProcess, place: OetStack) -> None:
    (place.scripts / "parameters.py").write_text(OBSERVE)
    uri = place.uri("parameters")
    create, run = f"oet procedure create {uri}", f"oet run {uri}"
    assert completed(bash, f"{create} --sim") == f"{create} --simulate="
    assert completed(bash, f"{create} --sca") == f"{create} --sca"  # a parameter of main
    assert completed(bash, f"{create} --subarray") == f"{create} --subarray_id "  # an option, too
    assert completed(bash, f"{run} Vela --sc") == f"{run} Vela --scans="
    twice = f"{run} --scans=3 --scans=4"  # refused, but completed
    assert completed(bash, f"{twice} --init.si") == f"{twice} --init.simulate="
    assert completed(bash, f"{run} --mo") == f"{run} --mo"  # takes what is given by position
    assert completed(bash, f"{run} --filter_name=K") == f"{run} --filter_name=Ks "
    assert completed(bash, f"{run} --init.simulate=t") == f"{run} --init.simulate=true "
    assert completed(bash, f"{run} --scans=") == f"{run} --scans="
    pid = table_rows(invoke("procedure", "create", uri, "--subarray_id=1", "--wait").stdout)[1][0]
    for command in (f"start --pid={pid}", "start", f"rerun {pid}"):
        assert completed(bash, f"oet procedure {command} --filt") == f"oet procedure {command} --filter_name="
    invoke("procedure", "stop", f"--pid={pid}", "--run_abort=False")


def test_choices(bash: "pexpect.spawn[str]") -> None:
    assert completed(bash, "oet procedure list --state=FAI") == "oet procedure list --state=FAILED "
    assert completed(bash, "oet procedure list --state ").split()[:2] == ["oet", "procedure"]
    assert completed(bash, "oet admin log-level D").casefold() == "oet admin log-level debug "
    assert completed(bash, "oet admin log-targets tan") == "oet admin log-targets tango::logger "
    typed = "oet procedure start --listen="
    assert completed(bash, f"{typed}F") == f"{typed}False "


def test_entries_of_the_queue_and_files(
    bash: "pexpect.spawn[str]", invoke: OetInProcess, place: OetStack
) -> None:
    entry = table_rows(invoke("queue", "add", place.uri("burst"), "--count=1").stdout)[1][0]
    try:
        for typed in ("remove ", "move ", "move 1 --before="):
            assert completed(bash, f"oet queue {typed}{entry}") == f"oet queue {typed}{entry} "
    finally:
        invoke("queue", "clear")
    (place.scripts / "table.py").write_text("def main(): open('table.csv', 'w')")
    invoke("run", place.uri("table"))
    assert completed(bash, "oet procedure files ta") == "oet procedure files table.csv "


def test_a_script_that_is_here(bash: "pexpect.spawn[str]", tmp_path: Path) -> None:
    (tmp_path / "my_test.py").touch()
    assert completed(bash, f"oet run {tmp_path}/my_") == f"oet run {tmp_path}/my_test.py "


def test_topics_and_subarrays(bash: "pexpect.spawn[str]") -> None:
    assert completed(bash, "oet listen --topic=user.script.a") == "oet listen --topic=user.script.announce "
    assert completed(bash, "oet status --subarray_id=") == "oet status --subarray_id=1 "


def test_a_service_that_is_away_completes_nothing(bash: "pexpect.spawn[str]") -> None:
    typed = "oet --server-url=http://127.0.0.1:1/api/v1.0 procedure start --pid="
    assert completed(bash, typed) == typed
