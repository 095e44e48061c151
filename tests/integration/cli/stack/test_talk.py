"""An operator talks to scripts with the command."""

import json
import re
from collections.abc import Iterator

import pytest
from tests.integration.cli.stack.test_commands import on_terminal
from tests.support.oet_command import OetCommand, OetInProcess
from tests.support.oet_stack import OetStack
from tests.support.operator_scripts import LISTENS, SCANS
from tests.support.patience import wait_until

ASKS = f"""{LISTENS}    say("stowed " + ask("Dish 012 stowed?", choices=["yes", "no"]))
    say(f"elevation {{ask('Elevation?', type=float, minimum=15, default=45)}}")
    say(f"weather {{context.get('weather')}}")
"""


@pytest.fixture(scope="module")
def scripts(place: OetStack) -> OetStack:
    (place.scripts / "scans.py").write_text(SCANS)
    (place.scripts / "asks.py").write_text(ASKS)
    return place


@pytest.fixture
def oet_in_order(invoke: OetInProcess) -> Iterator[OetInProcess]:
    """The command. What it leaves running is stopped."""
    yield invoke
    invoke("stop", "--all", "--yes", "--run_abort=False")


def begin(invoke: OetInProcess, uri: str) -> int:
    """Start a script, and return the ID of its procedure."""
    pid = int(json.loads(invoke("procedure", "create", uri, "--wait", "--json").stdout)["procedure"]["id"])
    invoke("procedure", "start", f"--pid={pid}", "--listen=False")
    return pid


def state(invoke: OetInProcess, pid: int) -> str:
    shown = json.loads(invoke("procedure", "list", f"--pid={pid}", "--json").stdout)
    return str(shown["procedure"]["state"])


def test_a_script_is_paused_stepped_and_resumed(scripts: OetStack, oet_in_order: OetInProcess) -> None:
    invoke = oet_in_order
    nothing = invoke("procedure", "pause", status=1).stderr
    assert "No procedure is running" in nothing
    pid = begin(invoke, scripts.uri("scans"))
    invoke("procedure", "pause")
    wait_until(lambda: state(invoke, pid) == "PAUSED", "the pause")
    shown = invoke("procedure", "pause", f"--pid={pid}").stdout
    assert re.fullmatch(rf"Procedure {pid} is paused at checkpoint scan \d+\n", shown)
    assert re.search(rf"Paused #{pid} scans\.py for \d+ s at checkpoint scan \d+\.", invoke("status").stdout)
    stepped = invoke("procedure", "step").stdout
    assert stepped == f"Procedure {pid} continues to its next checkpoint.\n"
    wait_until(lambda: state(invoke, pid) == "PAUSED", "the pause after the step")
    assert invoke("procedure", "resume").stdout == f"Procedure {pid} continues\n"
    wait_until(lambda: state(invoke, pid) == "RUNNING", "the end of the pause")
    refused = invoke("procedure", "resume", status=1).stderr
    assert f"Procedure {pid} is RUNNING: there is nothing to resume" in refused
    stopped = invoke("procedure", "stop", "--at_checkpoint", "--run_abort=False").stdout
    assert f"Procedure {pid} is stopped at its next checkpoint" in stopped
    wait_until(lambda: state(invoke, pid) == "STOPPED", "the stop")
    described = invoke("procedure", "describe", f"--pid={pid}").stdout
    assert "PAUSED" in described


def test_a_question_is_answered_by_a_command(scripts: OetStack, oet_in_order: OetInProcess) -> None:
    invoke = oet_in_order
    assert invoke("question").stdout == "No script asks anything\n"
    assert "No script asks anything" in invoke("answer", "yes", status=1).stderr
    invoke("context", "--set", "weather=dry", "--set", "wait_for_qa_ready=true")
    assert json.loads(invoke("context").stdout)["weather"] == "dry"
    pid = begin(invoke, scripts.uri("asks"))
    wait_until(lambda: "Dish 012" in invoke("question").stdout, "the question")
    shown = invoke("question").stdout.splitlines()
    assert re.fullmatch(rf"Question \d+ of procedure {pid}: Dish 012 stowed\?", shown[0])
    assert shown[1] == "give one of yes, no"
    assert invoke("procedure", "send", "operator.note", "--text=hello").stdout == (
        f"Sent to procedure {pid} on operator.note\n"
    )
    wrong = invoke("answer", "maybe", status=1).stderr
    assert "'maybe' is not an answer to 'Dish 012 stowed?': give one of yes, no" in wrong
    first = json.loads(invoke("question", "--json").stdout)["question"]["id"]
    assert invoke("answer", "YES").stdout == f"Question {first} is answered: yes\n"
    wait_until(lambda: "Elevation" in invoke("question").stdout, "the second question")
    late = invoke("answer", "no", f"--question={first}", status=1).stderr
    assert "was answered 'yes' by" in late
    assert "-5.0 is not an answer" in invoke("answer", "-5", status=1).stderr
    invoke("answer", "20")
    wait_until(lambda: state(invoke, pid) == "COMPLETE", "the end")
    lines = invoke("procedure", "output", f"--pid={pid}").stdout.splitlines()
    assert sorted(lines) == sorted(["note: hello", "stowed yes", "elevation 20.0", "weather dry"])
    assert "weather" not in invoke("context", "--unset", "weather").stdout
    assert "has no member 'weather'" in invoke("context", "--unset", "weather", status=1).stderr


def test_a_run_on_a_terminal_rings_and_asks_there(
    scripts: OetStack, oet_in_order: OetInProcess, oet: OetCommand
) -> None:
    with on_terminal(oet, "run", scripts.uri("asks")) as terminal:
        terminal.expect("\a")
        terminal.expect(r"Question \d+ of procedure \d+: Dish 012 stowed\?")
        terminal.expect("give one of yes, no")
        terminal.sendline("maybe")
        terminal.expect("is not an answer")
        terminal.sendline("no")
        terminal.expect("Elevation")
        terminal.expect("give a number, at least 15; default 45")
        # Somebody else may answer: then nobody is asked here any more.
        wait_until(lambda: "Elevation" in oet_in_order("question").stdout, "the question")
        oet_in_order("answer", "20")
        terminal.expect(r"Question \d+ was answered '20' by")
        shown = terminal.read()
        terminal.wait()
    assert "elevation 20.0" in shown
    assert "is COMPLETE" in shown
    assert terminal.exitstatus == 0
