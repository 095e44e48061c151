"""Pauses, questions, messages and the context over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support.oet_stack import OetStack, sidecar
from tests.support.operator_scripts import LISTENS, SCANS
from tests.support.patience import wait_until

ASKS = f"""{LISTENS}
    return [ask("Elevation?", type=float, unit="deg", minimum=15, maximum=85), context["weather"]]
"""
ASKS_IN_INIT = """
from ska_oso_oet.interaction import ask

def init():
    assert ask("Ready?", type=bool)

def main():
    pass
"""


def summary(http: httpx.Client, pid: int) -> dict[str, Any]:
    shown: dict[str, Any] = http.get(f"/procedures/{pid}").json()["procedure"]
    return shown


def wait_for_state(http: httpx.Client, pid: int, state: str) -> dict[str, Any]:
    return wait_until(lambda: (it := summary(http, pid))["state"] == state and it, f"{pid} {state}") or {}


def put(http: httpx.Client, pid: int, **body: Any) -> dict[str, Any]:
    answer = http.put(f"/procedures/{pid}", json=body)
    assert answer.status_code == 200, answer.text
    update: dict[str, Any] = answer.json()
    return update


def run(http: httpx.Client, text: str) -> int:
    """Run an embedded script, and return the ID of its procedure."""
    script = {"script_type": "embedded", "script": text}
    pid = int(http.post("/procedures", json={"script": script}).json()["procedure"]["id"])
    wait_for_state(http, pid, "READY")
    put(http, pid, state="RUNNING")
    return pid


@pytest.fixture
def talk(http: httpx.Client) -> Iterator[httpx.Client]:
    """A client. What it leaves running is stopped."""
    yield http
    for procedure in http.get("/procedures").json()["procedures"]:
        if procedure["state"] in ("RUNNING", "PAUSED", "READY"):
            http.put(f"/procedures/{procedure['id']}", json={"state": "STOPPED"})


def test_pause_step_and_resume(talk: httpx.Client) -> None:
    pid = run(talk, SCANS)
    shown = put(talk, pid, state="PAUSED")["procedure"]
    assert (shown["state"], shown["at_checkpoint"]) in (("RUNNING", "PAUSE"), ("PAUSED", None))
    paused = wait_for_state(talk, pid, "PAUSED")
    assert paused["at_checkpoint"] is None
    # A whole summary can be sent back: it is paused already.
    assert put(talk, pid, **paused)["procedure"]["checkpoint"] == paused["checkpoint"]
    scan = int(paused["checkpoint"].split()[1])
    step = talk.post(f"/procedures/{pid}/step").json()
    assert (step["pid"], step["message"]) == (pid, f"Procedure {pid} continues to its next checkpoint.")
    wait_until(lambda: summary(talk, pid)["checkpoint"] == f"scan {scan + 1}", "the next checkpoint")
    wait_for_state(talk, pid, "PAUSED")
    put(talk, pid, state="RUNNING")
    wait_for_state(talk, pid, "RUNNING")
    stop = put(talk, pid, state="STOPPED", at="checkpoint")
    assert (stop["stopped"], stop["aborted"]) == (False, None)
    wait_for_state(talk, pid, "STOPPED")


def test_a_stop_at_a_checkpoint_is_withdrawn_by_the_state_running(talk: httpx.Client) -> None:
    pid = run(talk, "import signal\ndef main(): signal.pause()\n")
    put(talk, pid, state="STOPPED", at="checkpoint")
    wait_until(lambda: summary(talk, pid)["at_checkpoint"] == "STOP", "the stop")
    assert put(talk, pid, state="RUNNING")["procedure"]["at_checkpoint"] is None
    assert summary(talk, pid)["state"] == "RUNNING"


def test_a_question_is_shown_and_answered_once(talk: httpx.Client) -> None:
    assert talk.get("/question").json() == {"question": None}
    assert talk.put("/context", json={"weather": "dry"}).json() == {"weather": "dry"}
    pid = run(talk, ASKS)
    question = wait_until(lambda: talk.get("/question").json()["question"], "the question")
    assert (question["procedure_id"], question["unit"], question["state"]) == (pid, "deg", "OPEN")
    wrong = talk.put("/question", json={"question": question["id"], "answer": 10})
    assert (wrong.status_code, wrong.json()["type"]) == (400, "AnswerDoesNotFit")
    assert "at least 15 and at most 85" in wrong.json()["Message"]
    message = {"topic": "operator.note", "fields": {"text": "hello"}}
    sent = talk.post(f"/procedures/{pid}/send", json=message)
    assert sent.json() == {"pid": pid, "topic": "operator.note"}
    given = talk.put(
        "/question", json={"question": question["id"], "answer": 20}, headers={"X-OET-User": "anna"}
    ).json()["question"]
    assert (given["state"], given["answer"], given["answered_by"]["user"]) == ("ANSWERED", 20.0, "anna")
    second = talk.put("/question", json={"question": question["id"], "answer": 30})
    assert second.status_code == 409
    assert second.json()["Message"].endswith("was answered '20' by anna")
    assert wait_for_state(talk, pid, "COMPLETE")["result"] == [20.0, "dry"]
    assert talk.get("/question").json() == {"question": None}
    output = talk.get(f"/procedures/{pid}/output").json()["lines"]
    assert output == ["note: hello"]


REFUSALS: dict[str, tuple[str, str, Any, int, str]] = {
    "no question": (
        "PUT",
        "/question",
        {"question": 10**6, "answer": 1},
        404,
        "there is no question 1000000",
    ),
    "no number": ("PUT", "/question", {"question": "x", "answer": 1}, 400, "question"),
    "no answer": ("PUT", "/question", {"question": 1}, 400, "answer"),
    "no object": ("PUT", "/context", [1], 400, "object"),
    "too large": ("PUT", "/context", {"a": "x" * 65536}, 400, "65535 are allowed"),
    "nothing to step": ("POST", "/procedures/999999/step", None, 404, "999999"),
    "nothing to send to": ("POST", "/procedures/999999/send", {"topic": "operator.a"}, 404, "999999"),
    "another topic": ("POST", "/procedures/1/send", {"topic": "user.a"}, 400, "is not a topic below"),
    "nothing to pause": ("PUT", "/procedures/999999", {"state": "PAUSED"}, 404, "999999"),
    "no such moment": ("PUT", "/procedures/1", {"state": "STOPPED", "at": "noon"}, 400, "at"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_say_what_is_wrong(talk: httpx.Client, case: str) -> None:
    method, path, body, status, words = REFUSALS[case]
    answer = talk.request(method, path, json=body) if body is not None else talk.request(method, path)
    assert (answer.status_code, words in answer.json()["Message"]) == (status, True), answer.text


def test_what_does_not_run_cannot_be_paused(talk: httpx.Client) -> None:
    script = {"script_type": "embedded", "script": "def main(): ..."}
    pid = talk.post("/procedures", json={"script": script}).json()["procedure"]["id"]
    wait_for_state(talk, pid, "READY")
    refused = talk.put(f"/procedures/{pid}", json={"state": "PAUSED"})
    assert refused.status_code == 409
    assert "only a script that runs can be paused" in refused.json()["Message"]


def test_another_sidecar_shows_the_same_question_and_pause(talk: httpx.Client, stack: OetStack) -> None:
    """The device has them: a sidecar may be restarted, and clients may come and go."""
    paused = run(talk, SCANS)
    put(talk, paused, state="PAUSED")
    wait_for_state(talk, paused, "PAUSED")
    script = {"script_type": "embedded", "script": ASKS_IN_INIT}
    asking = int(talk.post("/procedures", json={"script": script}).json()["procedure"]["id"])
    question = wait_until(lambda: talk.get("/question").json()["question"], "the question")
    with sidecar(stack.tango_host) as another, httpx.Client(base_url=another.url, timeout=30) as http:
        assert http.get("/question").json() == {"question": question}
        assert summary(http, paused)["state"] == "PAUSED"
        assert http.put("/question", json={"question": question["id"], "answer": True}).status_code == 200
        wait_for_state(http, asking, "READY")
        put(http, paused, state="RUNNING")
    wait_for_state(talk, paused, "RUNNING")
