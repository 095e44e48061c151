"""Questions of scripts, messages to them, and the context that operators set."""

from typing import Any

import pytest
from tests.support.script_bench import ScriptBench

from ska_oso_oet.model import AnswerError, AnswerRequest, Question, QuestionState, Requester, SendRequest
from ska_oso_oet.procedure.domain import (
    ProcedureInput,
    ProcedureState,
    QuestionClosedError,
    QuestionNotFoundError,
    StateForbidsError,
)

COMPLETE = ProcedureState.COMPLETE

PRELUDE = """
import asyncio, os, threading, time
from pubsub import pub
from ska_oso_oet.interaction import ask, ask_async, context

def say(what):
    pub.sendMessage("user.script.announce", msg=what)
"""


def run(bench: ScriptBench, main: str, arguments: ProcedureInput | None = None) -> int:
    return bench.run(PRELUDE + main, arguments or ProcedureInput())


def asked(bench: ScriptBench) -> Question:
    """Wait until a question is open, and return it."""
    question: Question = bench.wait_for(lambda: bench.service.operator.question, "a question")
    return question


def answer(bench: ScriptBench, question: int, value: Any, by: str | None = None) -> Question:
    who = None if by is None else Requester(user=by)
    return bench.service.operator.answer(AnswerRequest(question=question, answer=value, requested_by=who))


def result(bench: ScriptBench, procedure_id: int) -> Any:
    return bench.wait_for_state(procedure_id, COMPLETE).result


def test_a_script_gets_the_answer_and_who_gave_it_is_recorded(bench: ScriptBench) -> None:
    procedure_id = run(
        bench,
        """
def main():
    elevation = ask("Elevation?", type=float, unit="deg", minimum=15, maximum=85)
    return [ask("Dish 012 stowed?", choices=["yes", "no"]), elevation, type(elevation).__name__]
""",
    )
    first = asked(bench)
    assert (first.text, first.unit, first.procedure_id) == ("Elevation?", "deg", procedure_id)
    with pytest.raises(AnswerError, match="at least 15 and at most 85"):
        answer(bench, first.id, 90)
    answered = answer(bench, first.id, 45, "anna@control-room")
    assert (answered.state, answered.answer) == (QuestionState.ANSWERED, 45.0)
    assert answered.answered_by == Requester(user="anna@control-room")
    second = asked(bench)
    assert (second.text, second.choices) == ("Dish 012 stowed?", ["yes", "no"])
    answer(bench, second.id, "yes", "bob")
    assert result(bench, procedure_id) == ["yes", 45.0, "float"]
    assert bench.service.operator.question is None
    reported = [event["question"]["answered_by"]["user"] for event in bench.of("procedure.question.answered")]
    assert reported == ["anna@control-room", "bob"]
    requested = [event["requested_by"] for event in bench.of("request.procedure.answer")]
    assert [each and each["user"] for each in requested] == [None, "anna@control-room", "bob"]


def test_the_first_answer_wins_and_the_second_is_refused_with_it(bench: ScriptBench) -> None:
    procedure_id = run(bench, "def main():\n    return ask('Stowed?', choices=['yes', 'no'])\n")
    question = asked(bench)
    answer(bench, question.id, "no", "anna")
    with pytest.raises(QuestionClosedError, match=r"\(Stowed\?\) was answered 'no' by anna"):
        answer(bench, question.id, "yes", "bob")
    with pytest.raises(QuestionNotFoundError, match="there is no question 99"):
        answer(bench, 99, "yes")
    assert result(bench, procedure_id) == "no"


def test_the_default_is_the_answer_when_the_time_is_up(bench: ScriptBench) -> None:
    procedure_id = run(bench, "def main():\n    return ask('Scans?', type=int, default=3, timeout=0.1)\n")
    assert result(bench, procedure_id) == 3
    (expired,) = bench.of("procedure.question.expired", procedure_id)
    assert (expired["question"]["answer"], expired["question"]["answered_by"]) == (3, None)
    with pytest.raises(QuestionClosedError, match="has expired; its answer was the default '3'"):
        answer(bench, expired["question"]["id"], 4)


def test_without_a_default_the_script_gets_an_exception(bench: ScriptBench) -> None:
    procedure_id = run(bench, "def main():\n    ask('Scans?', timeout=0.1)\n")
    assert "TimeoutError: nobody has answered 'Scans?' within 0.1 s" in bench.failure_of(procedure_id)


def test_a_question_that_cannot_be_answered_fails_where_it_is_asked(bench: ScriptBench) -> None:
    procedure_id = run(bench, "def main():\n    ask('Scans?', type=int, minimum=3, default=1)\n")
    reason = bench.failure_of(procedure_id)
    assert "ValueError: the question cannot be asked" in reason
    assert "the default 1 is not an answer: give a whole number, at least 3" in reason


def test_questions_of_two_threads_are_shown_in_order(bench: ScriptBench) -> None:
    procedure_id = run(
        bench,
        """
def main():
    answers = {}
    threads = []
    for name in ("one", "two", "three"):
        thread = threading.Thread(target=lambda name=name: answers.update({name: ask(name)}))
        thread.start()
        threads.append(thread)
        say(name)
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    return answers
""",
    )
    bench.wait_for(lambda: len(bench.of("procedure.question.asked", procedure_id)) == 3)
    ids = [event["question"]["id"] for event in bench.of("procedure.question.asked", procedure_id)]
    for name in ("one", "two", "three"):
        question = asked(bench)
        assert (question.text, question.id) == (name, ids[0])
        answer(bench, ids.pop(0), name.upper())
    assert result(bench, procedure_id) == {"one": "ONE", "two": "TWO", "three": "THREE"}


def test_a_coroutine_waits_without_holding_up_the_others(bench: ScriptBench) -> None:
    procedure_id = run(
        bench,
        """
async def main():
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1
            say(f"tick {ticks}")
    task = asyncio.create_task(tick())
    answer = await ask_async("Go on?", type=bool)
    task.cancel()
    return answer
""",
    )
    question = asked(bench)
    bench.wait_for(lambda: "tick 5" in bench.said(procedure_id))
    answer(bench, question.id, True)
    assert result(bench, procedure_id) is True


@pytest.mark.parametrize("main", ["def main():\n    try:\n        ask('Go on?')", None])
def test_a_stop_interrupts_a_script_that_asks_and_withdraws_its_question(
    bench: ScriptBench, main: str | None
) -> None:
    plain = main or "async def main():\n    try:\n        await ask_async('Go on?')"
    procedure_id = run(
        bench,
        f"{plain}\n    except BaseException as error:\n        say(type(error).__name__)\n        raise\n",
    )
    question = asked(bench)
    assert bench.stop(procedure_id).stopped.state is ProcedureState.STOPPED
    assert bench.said(procedure_id) == ["TerminateInterrupt" if main else "CancelledError"]
    assert bench.service.operator.question is None
    (withdrawn,) = bench.of("procedure.question.withdrawn", procedure_id)
    assert withdrawn["question"]["state"] == QuestionState.WITHDRAWN
    with pytest.raises(QuestionClosedError, match="was withdrawn"):
        answer(bench, question.id, "yes")


def test_a_script_whose_process_is_killed_leaves_no_question(bench: ScriptBench) -> None:
    procedure_id = run(
        bench,
        """
def main():
    threading.Timer(0.2, os._exit, [3]).start()
    ask("Go on?")
""",
    )
    bench.wait_for_state(procedure_id, ProcedureState.FAILED)
    # Nobody sees a question of a script that has ended.
    assert bench.service.operator.question is None
    topics = [event["topic"] for event in bench.events if event["msg_src"] == str(procedure_id)]
    assert topics.index("procedure.question.withdrawn") < topics.index("procedure.lifecycle.failed")


def test_a_child_process_cannot_ask(bench: ScriptBench) -> None:
    procedure_id = run(
        bench,
        """
def main():
    if os.fork() == 0:
        try:
            ask("Go on?")
        except RuntimeError as error:
            os.write(1, str(error).encode() + b"\\n")
        os._exit(0)
    os.wait()
""",
    )
    bench.wait_for_state(procedure_id, COMPLETE)
    assert bench.lines(procedure_id) == [
        "only the script's own process can ask the operator, not a process that the script has started"
    ]


# Messages

LISTENER = """
def on_skip(scan, msg_src=None):
    say(f"skip {scan} from {msg_src} in {threading.current_thread().name}")

def on_any(topic=pub.AUTO_TOPIC, **fields):
    say(f"{topic.getName()} {fields['scan']}")

def main():
    pub.subscribe(on_skip, "operator.scan.skip")
    pub.subscribe(on_any, "operator.scan")
    say("up")
    threading.Event().wait()
"""


def send(bench: ScriptBench, topic: str, pid: int | None = None, **fields: Any) -> None:
    bench.service.operator.send(SendRequest(pid=pid, topic=topic, fields=fields))


def test_listeners_of_a_script_get_what_operators_send(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(PRELUDE + LISTENER)
    for scan in range(3):
        send(bench, "operator.scan.skip", scan=scan)
    bench.wait_for(lambda: len(bench.said(procedure_id)) == 7)
    expected = [f"skip {scan} from OETController in oet-operator" for scan in range(3)]
    assert bench.said(procedure_id)[1::2] == expected
    assert bench.said(procedure_id)[2::2] == [f"operator.scan {scan}" for scan in range(3)]
    (request, *_) = bench.of("request.procedure.send")
    assert request["cmd"]["topic"] == "operator.scan.skip"
    assert request["cmd"]["fields"] == {"scan": 0}
    assert bench.of("user.script.refused") == []
    bench.stop(procedure_id)


def test_a_message_that_nobody_takes_is_reported_in_the_output(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(PRELUDE + LISTENER)
    send(bench, "operator.stow")
    send(bench, "operator.scan.skip", scan=1, wrong=2)
    bench.wait_for(lambda: len(bench.lines(procedure_id)) >= 2)
    lines = bench.lines(procedure_id)
    assert (
        lines[0]
        == "[oet] no listener subscribes to operator.stow: the message of the operator was not delivered"
    )
    assert "on_skip(scan, msg_src=None) was not called" in lines[1]
    assert "unexpected keyword argument 'wrong'" in lines[1]
    send(bench, "operator.scan.skip", scan=7)
    bench.wait_for(lambda: "operator.scan 7" in bench.said(procedure_id))
    bench.stop(procedure_id)


def test_a_listener_that_raises_is_reported_and_the_script_goes_on(bench: ScriptBench) -> None:
    source = LISTENER.replace('say(f"skip', 'raise KeyError("oh"); say(f"skip')
    procedure_id = bench.run_until_said(PRELUDE + source)
    send(bench, "operator.scan.skip", pid=procedure_id, scan=1)
    bench.wait_for(lambda: "operator.scan 1" in bench.said(procedure_id))
    bench.wait_for(lambda: "KeyError: 'oh'" in bench.lines(procedure_id))
    assert bench.states(procedure_id)[-1] == "RUNNING"
    bench.stop(procedure_id)


def test_a_listener_that_takes_any_fields_gets_them(bench: ScriptBench) -> None:
    procedure_id = run(
        bench,
        """
sent = []

def on_override(msg_src=None, **fields):
    sent.append(fields)

def main():
    pub.subscribe(on_override, "operator.wait_for_qa_ready.override")
    say("up")
    while not sent:
        time.sleep(0.01)
    return sent
""",
    )
    bench.wait_for(lambda: bench.said(procedure_id))
    send(bench, "operator.wait_for_qa_ready.override", value=False)
    assert result(bench, procedure_id) == [{"value": False}]


def test_only_a_loaded_script_gets_messages(bench: ScriptBench) -> None:
    with pytest.raises(StateForbidsError, match="no script is running"):
        send(bench, "operator.skip")


# Context


def test_main_gets_a_copy_of_the_context_and_the_live_one_changes(bench: ScriptBench) -> None:
    bench.service.operator.set_context({"wait_for_qa_ready": True, "dishes": ["012"]})
    procedure_id = run(
        bench,
        """
def main(scans, context):
    global ready
    say(context)
    context["dishes"].append("013")
    while "weather" not in globals()["live"]:
        time.sleep(0.01)
    return [scans, context["dishes"], live["dishes"], dict(live)]

live = context
""",
        ProcedureInput(scans=2),
    )
    bench.wait_for(lambda: bench.said(procedure_id))
    assert bench.said(procedure_id) == [{"wait_for_qa_ready": True, "dishes": ["012"]}]
    changed = {"wait_for_qa_ready": False, "dishes": [], "weather": "dry"}
    bench.service.operator.set_context(changed)
    assert result(bench, procedure_id) == [2, ["012", "013"], [], changed]
    # It is not an argument that a client has given.
    assert bench.service.summary(procedure_id).arguments["main"] == ProcedureInput(scans=2)


def test_what_a_client_gives_as_context_goes_first(bench: ScriptBench) -> None:
    bench.service.operator.set_context({"a": 1})
    source = "def main(scans: int, context: dict[str, int] | None = None):\n    return [scans, context]\n"
    procedure_id = run(bench, source, ProcedureInput(scans=1, context={"b": 2}))
    assert result(bench, procedure_id) == [1, {"b": 2}]
    procedure_id = run(bench, source, ProcedureInput(3, {"c": 4}))
    assert result(bench, procedure_id) == [3, {"c": 4}]
    procedure_id = run(bench, source, ProcedureInput(3))
    assert result(bench, procedure_id) == [3, {"a": 1}]
