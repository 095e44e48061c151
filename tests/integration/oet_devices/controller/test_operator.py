"""Pauses, questions, messages and the context, as a Tango client uses them."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.support.controllers import controller_proxy, controller_server
from tests.support.events import EventLog, listen
from tests.support.operator import Operator, operate
from tests.support.operator_scripts import LISTENS, SCANS

from oet_devices.procedures import ProcedureStateLabel

_DEVICE = "test/operator/1"

ASKS = f"""{LISTENS}    answer = ask("Dish 012 stowed?", choices=["yes", "no"])
    say(f"answer {{answer}} {{context['weather']}}")
"""


def answer_of(controller: tango.DeviceProxy, command: str, argument: Any = "") -> dict[str, Any]:
    """Send a command, and return its answer."""
    text = argument if isinstance(argument, str) else json.dumps(argument)
    answer: dict[str, Any] = json.loads(controller.command_inout(command, text))
    return answer


def refusal(controller: tango.DeviceProxy, command: str, argument: Any = "") -> tuple[str, str]:
    """Return reason and sentence with which a command is refused."""
    with pytest.raises(tango.DevFailed) as caught:
        answer_of(controller, command, argument)
    return caught.value.args[0].reason, caught.value.args[0].desc


def embedded(text: str) -> dict[str, Any]:
    """Return the request for a procedure that runs a text."""
    return {"script": {"script_type": "embedded", "script": text}}


@pytest.fixture
def log(controller: tango.DeviceProxy) -> Iterator[EventLog]:
    """The events of the controller of this module."""
    with listen(controller, ["procedureState", "question", "scriptContext", "Status"]) as log:
        yield log


SAYS_PROGRESS = """
import signal
from pubsub import pub
def main():
    pub.sendMessage("user.script.progress", progress=40.0)
    pub.sendMessage("user.script.progress", progress=150)
    signal.pause()
"""


def test_the_progress_of_the_script_that_runs_is_an_attribute(operator: Operator) -> None:
    controller = operator.controller
    with listen(controller, ["progress"]) as log:
        pid = operator.run(embedded(SAYS_PROGRESS), state="RUNNING")
        log.wait_for("progress", 100.0)
        assert controller.progress == 100.0
        operator.stop(pid)
        log.wait_until(lambda known: known.of("progress")[-1] == 0.0)
        values = log.of("progress")
    assert set(values) <= {0.0, 40.0, 100.0}
    assert all(one != other for one, other in pairwise(values))
    assert controller.get_attribute_config("progress").unit == "%"


def test_pause_step_and_resume_and_each_state_has_its_event(operator: Operator, log: EventLog) -> None:
    controller = operator.controller
    pid = operator.run(embedded(SCANS), state="RUNNING")
    operator.wait_for_topic(pid, "procedure.checkpoint.passed")
    assert answer_of(controller, "Pause")["pid"] == pid
    operator.wait_for_state(pid, "PAUSED")
    assert controller.procedureState == ProcedureStateLabel["PAUSED"]
    assert controller.runningProcedure == pid
    checkpoint = operator.describe(pid)["checkpoint"]
    status = controller.Status()
    assert f"Paused #{pid} embedded script" in status
    assert f"at checkpoint {checkpoint}. Send Resume to continue." in status
    number = int(checkpoint.split()[1])
    assert answer_of(controller, "Step", str(pid))["at_checkpoint"] == "PAUSE"
    operator.wait_for_state(pid, "PAUSED", 2)
    assert operator.describe(pid)["checkpoint"] == f"scan {number + 1}"
    assert answer_of(controller, "Resume", {"pid": pid})["message"] == f"Procedure {pid} continues."
    operator.wait_for_state(pid, "RUNNING", 3)
    operator.stop(pid)
    running, paused, stopped = map(ProcedureStateLabel.__getitem__, ("RUNNING", "PAUSED", "STOPPED"))
    log.wait_until(lambda known: stopped in known.of("procedureState"))
    shown = [state for state in log.of("procedureState") if state in (running, paused)]
    assert shown == [running, paused, running, paused, running]
    states = [state for state in operator.states(pid) if state in ("RUNNING", "PAUSED")]
    assert states == ["RUNNING", "PAUSED", "RUNNING", "PAUSED", "RUNNING"]


def test_a_pause_that_has_not_taken_effect_is_shown(operator: Operator) -> None:
    controller = operator.controller
    pid = operator.run(embedded("import signal\ndef main(): signal.pause()\n"), state="RUNNING")
    reply = answer_of(controller, "Pause")
    assert (reply["state"], reply["at_checkpoint"]) == ("RUNNING", "PAUSE")
    assert "a script without checkpoints never pauses" in reply["message"]
    assert ", pausing at the next checkpoint. " in controller.Status()
    assert operator.describe(pid)["at_checkpoint"] == "PAUSE"
    assert answer_of(controller, "Resume")["at_checkpoint"] is None
    assert "next checkpoint" not in controller.Status()
    assert refusal(controller, "Resume")[0] == "OET_StateForbids"
    operator.stop(pid)
    reason, text = refusal(controller, "Pause")
    assert (reason, text) == ("OET_StateForbids", "no script is running: name the procedure, e.g. 2")
    assert refusal(controller, "Pause", "2.5")[0] == "OET_InvalidArgument"
    assert refusal(controller, "Pause", "999")[0] == "OET_ProcedureNotFound"


def test_a_stop_at_the_next_checkpoint(operator: Operator) -> None:
    pid = operator.run(embedded(SCANS), state="RUNNING")
    operator.send("Stop", {"pid": pid, "at": "checkpoint"})
    operator.wait_for_topic(pid, "procedure.lifecycle.stopped")
    summary = operator.describe(pid)
    assert summary["state"] == "STOPPED"
    assert summary["checkpoint"].startswith("scan ")
    request = next(each for each in operator.events() if each["topic"] == "request.procedure.stop")
    assert request["cmd"]["at"] == "checkpoint"


def test_a_question_is_shown_and_answered_once(operator: Operator, log: EventLog) -> None:
    controller = operator.controller
    controller.scriptContext = '{"weather": "dry"}'
    assert controller.question == ""
    pid = operator.run(embedded(ASKS), state="RUNNING")
    log.wait_until(lambda known: known.of("question")[-1:] not in ([], [""]))
    question = json.loads(log.of("question")[-1])
    assert question == json.loads(controller.question)
    assert (question["procedure_id"], question["text"]) == (pid, "Dish 012 stowed?")
    assert f"#{pid} asks: Dish 012 stowed?" in controller.Status()
    wrong = refusal(controller, "Answer", {"question": question["id"], "answer": "maybe"})
    assert wrong == (
        "OET_AnswerDoesNotFit",
        "'maybe' is not an answer to 'Dish 012 stowed?': give one of yes, no",
    )
    assert answer_of(controller, "SendToScript", {"topic": "operator.note", "fields": {"text": "hello"}}) == {
        "pid": pid,
        "topic": "operator.note",
    }
    answered = answer_of(
        controller, "Answer", {"question": question["id"], "answer": "yes", "requested_by": "anna"}
    )["question"]
    assert (answered["state"], answered["answered_by"]["user"]) == ("ANSWERED", "anna")
    reason, text = refusal(controller, "Answer", {"question": question["id"], "answer": "no"})
    assert (reason, text.partition(" was ")[2]) == ("OET_QuestionClosed", "answered 'yes' by anna")
    assert refusal(controller, "Answer", {"question": 10**6, "answer": 1})[0] == "OET_QuestionNotFound"
    operator.wait_for_state(pid, "COMPLETE")
    log.wait_until(lambda known: known.of("question")[-1:] == [""])
    assert controller.question == ""
    lines = operator.get_output(pid=pid)["lines"]
    assert sorted(lines) == ["answer yes dry", "note: hello"]
    assert refusal(controller, "SendToScript", {"pid": pid, "topic": "user.x"})[0] == "OET_InvalidArgument"


@pytest.mark.parametrize("text", ["[]", "1", "null", "{", '{"a": NaN}', f'{{"a": "{"x" * 65536}"}}'])
def test_a_context_that_is_not_an_object_or_too_large_is_refused(
    controller: tango.DeviceProxy, log: EventLog, text: str
) -> None:
    controller.scriptContext = '{"kept": true}'
    log.wait_until(lambda known: known.of("scriptContext")[-1:] == ['{"kept": true}'])
    with pytest.raises(tango.DevFailed) as caught:
        controller.scriptContext = text
    assert caught.value.args[0].reason == "OET_InvalidArgument"
    assert controller.scriptContext == '{"kept": true}'


def test_the_context_is_remembered_and_questions_of_a_killed_server_are_withdrawn(
    tango_host: str, tmp_path: Path
) -> None:
    context = json.dumps({"weather": "dry", "note": "x" * 65_000})
    with controller_server(tango_host, tmp_path, [_DEVICE], instance="operator") as server:
        controller = controller_proxy(tango_host, _DEVICE)
        assert json.loads(controller.scriptContext) == {"wait_for_qa_ready": False}
        controller.scriptContext = context
        with operate(controller) as operator:
            pid = operator.run(embedded(ASKS), state="RUNNING")
            operator.wait_for_topic(pid, "procedure.question.asked")
        question = json.loads(controller.question)["id"]
        server.kill()
        server.wait()
    with controller_server(tango_host, tmp_path, [_DEVICE], instance="operator"):
        controller = controller_proxy(tango_host, _DEVICE)
        assert json.loads(controller.scriptContext) == json.loads(context)
        assert controller.question == ""
        assert refusal(controller, "Answer", {"question": question, "answer": "yes"}) == (
            "OET_QuestionClosed",
            f"question {question} (Dish 012 stowed?) was withdrawn: its script no longer waits for it",
        )
        with operate(controller) as operator:
            pid = operator.run(embedded(ASKS), state="RUNNING")
            operator.wait_for_topic(pid, "procedure.question.asked")
            assert json.loads(controller.question)["id"] == question + 1
            answer_of(controller, "Answer", {"question": question + 1, "answer": "no"})
            operator.wait_for_state(pid, "COMPLETE")
            assert operator.get_output(pid=pid)["lines"] == ["answer no dry"]
