"""Procedures by HTTP: every row of the wire contract of the OET 5.2.0."""

import json
import threading

import httpx
import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.patience import PATIENCE, patience

FINAL = ("COMPLETE", "FAILED", "STOPPED")


def _post(http: httpx.Client, uri: str, **body: object) -> httpx.Response:
    return http.post("/procedures", json={"script": {"script_type": "filesystem", "script_uri": uri}, **body})


def test_post_answers_at_once_with_a_procedure_that_is_being_created(
    http: httpx.Client, stack: OetStack
) -> None:
    answer = _post(http, stack.uri("hold"), script_args={"init": {"kwargs": {"subarray_id": 3}}})
    procedure = answer.json()["procedure"]
    assert answer.status_code == 201
    assert procedure["uri"] == answer.headers["location"] == f"{http.base_url}procedures/{procedure['id']}"
    assert procedure["script"] == {"script_type": "filesystem", "script_uri": stack.uri("hold")}
    assert procedure["script_args"]["init"] == {"args": [], "kwargs": {"subarray_id": 3}}
    assert procedure["history"]["process_states"][0][0] == "CREATING"
    assert procedure["history"]["stacktrace"] is None
    assert procedure["state"] in ("CREATING", "IDLE", "LOADING", "RUNNING", "READY")


def test_the_documentations_body_with_the_uri_on_top_is_accepted(http: httpx.Client, stack: OetStack) -> None:
    body = {"script_uri": stack.uri("hold"), "script_args": {"init": {"kwargs": {"subarray_id": 1}}}}
    assert http.post("/procedures", json=body).status_code == 201


def test_a_procedure_from_ready_to_complete(rest: Sidecar, stack: OetStack) -> None:
    procedure = rest.create(stack.uri("burst"), count=1)
    assert [state for state, _ in procedure["history"]["process_states"]] == [
        "CREATING",
        "IDLE",
        "LOADING",
        "IDLE",
        "READY",
    ]
    # The answer has its new state, not the one before.
    started = rest.start(procedure["id"])
    assert [state for state, _ in started["history"]["process_states"]][5:6] == ["RUNNING"]
    ended = rest.wait_for(procedure["id"], *FINAL)
    assert [state for state, _ in ended["history"]["process_states"]][5:] == ["RUNNING", "READY", "COMPLETE"]
    listed = {known["id"]: known for known in rest.http.get("/procedures").json()["procedures"]}
    assert listed[procedure["id"]] == ended


@pytest.mark.parametrize("name", ["main", "run"])
def test_arguments_of_main_come_with_the_start(rest: Sidecar, stack: OetStack, name: str) -> None:
    procedure = rest.create(stack.uri("burst"), count=1)
    body = {"state": "RUNNING", "script_args": {name: {"kwargs": {"count": 2}}}}
    answer = rest.http.put(f"/procedures/{procedure['id']}", json=body)
    assert answer.json()["procedure"]["script_args"]["main"]["kwargs"] == {"count": 2}
    rest.wait_for(procedure["id"], "COMPLETE")


def test_a_summary_can_be_sent_back_with_another_state(rest: Sidecar, stack: OetStack) -> None:
    procedure = rest.create(stack.uri("burst"), count=1)
    answer = rest.http.put(f"/procedures/{procedure['id']}", json=procedure | {"state": "RUNNING"})
    assert answer.status_code == 200, answer.text
    rest.wait_for(procedure["id"], "COMPLETE")


@pytest.mark.parametrize("body", [{}, {"state": None}, {"state": "READY"}, {"script_args": {}}])
def test_what_names_no_change_changes_nothing(
    rest: Sidecar, stack: OetStack, body: dict[str, object]
) -> None:
    procedure = rest.create(stack.uri("hold"))
    answer = rest.http.put(f"/procedures/{procedure['id']}", json=body)
    assert (answer.status_code, answer.json()) == (200, {"procedure": procedure})


def test_one_that_is_not_ready_is_not_started(rest: Sidecar, stack: OetStack) -> None:
    procedure = rest.create(stack.uri("burst"), count=1)
    rest.start(procedure["id"])
    ended = rest.wait_for(procedure["id"], "COMPLETE")
    answer = rest.http.put(f"/procedures/{procedure['id']}", json={"state": "RUNNING"})
    assert (answer.status_code, answer.json()) == (200, {"procedure": ended})


def test_a_change_takes_no_look_before_it(rest: Sidecar, stack: OetStack) -> None:
    def calls(name: str) -> float:
        return rest.figures().get(f'oet_tango_call_seconds_count{{call="{name}"}}', 0)

    procedure = rest.create(stack.uri("hold"))
    looks, starts, stops = calls("DescribeProcedure"), calls("Start"), calls("Stop")
    assert rest.http.put("/procedures/99999", json={"state": "RUNNING"}).status_code == 404
    assert rest.http.put(f"/procedures/{procedure['id']}", json={"state": "STOPPED"}).json()["stopped"]
    assert (calls("Start"), calls("Stop")) == (starts + 1, stops + 1)
    assert calls("DescribeProcedure") == looks


def test_while_one_runs_another_is_refused_and_stays_ready(rest: Sidecar, stack: OetStack) -> None:
    running, waiting = rest.create(stack.uri("hold")), rest.create(stack.uri("hold"))
    rest.start(running["id"])
    answer = rest.http.put(f"/procedures/{waiting['id']}", json={"state": "RUNNING"})
    assert (answer.status_code, answer.json()["error"]) == (409, "409 Conflict")
    assert rest.http.get(f"/procedures/{waiting['id']}").json()["procedure"]["state"] == "READY"
    rest.http.put(f"/procedures/{running['id']}", json={"state": "STOPPED"})


@pytest.mark.parametrize(
    ("body", "ending", "aborted"),
    [
        ({"state": "STOPPED"}, "", None),
        ({"state": "STOPPED", "abort": False}, "", None),
        ({"state": "STOPPED", "abort": True}, " and aborted subarray activity", True),
    ],
)
def test_a_stop_is_answered_when_it_is_done(
    rest: Sidecar, stack: OetStack, body: dict[str, object], ending: str, aborted: bool | None
) -> None:
    procedure = rest.create(stack.uri("hold"))
    rest.start(procedure["id"])
    answer = rest.http.put(f"/procedures/{procedure['id']}", json=body)
    message = f"Successfully stopped script with ID {procedure['id']}{ending}"
    assert answer.status_code == 200
    outcome = {"stopped": True, "aborted": aborted, "aborted_subarray": 1 if aborted else None}
    assert answer.json() == {"abort_message": message, **outcome}
    assert rest.http.get(f"/procedures/{procedure['id']}").json()["procedure"]["state"] == "STOPPED"
    again = rest.http.put(f"/procedures/{procedure['id']}", json=body)
    refusal = f"Cannot stop script with ID {procedure['id']}: Script is not running"
    assert again.status_code == 200
    not_aborted = False if aborted else None
    outcome = {"stopped": False, "aborted": not_aborted, "aborted_subarray": None}
    assert again.json() == {"abort_message": refusal, **outcome}


def test_a_stop_whose_abort_script_fails(rest: Sidecar, stack: OetStack) -> None:
    procedure = rest.create(stack.uri("hold"))
    rest.start(procedure["id"])
    abort = stack.scripts / "abort.py"
    text = abort.read_text()
    abort.write_text("def main(**_):\n    raise RuntimeError('no subarray')\n")
    try:
        answer = rest.http.put(f"/procedures/{procedure['id']}", json={"state": "STOPPED", "abort": True})
    finally:
        abort.write_text(text)
    assert (answer.status_code, answer.json()["stopped"], answer.json()["aborted"]) == (200, True, False)
    assert answer.json()["abort_message"].endswith("no subarray")
    assert rest.http.get(f"/procedures/{procedure['id']}").json()["procedure"]["state"] == "STOPPED"


def test_a_stop_that_takes_long_holds_nobody_up(rest: Sidecar, stack: OetStack) -> None:
    stubborn = stack.scripts / "stubborn.py"
    stubborn.write_text(
        "import signal, threading\n"
        "def main():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    print('deaf', flush=True)\n"
        "    while True:\n"
        "        threading.Event().wait(1)\n"
    )
    procedure = rest.create(stubborn.as_uri())
    rest.start(procedure["id"])
    answers: list[httpx.Response] = []

    def stop() -> None:
        answers.append(rest.http.put(f"/procedures/{procedure['id']}", json={"state": "STOPPED"}))

    stopping = threading.Thread(target=stop)
    stopping.start()
    assert rest.http.get("/procedures", timeout=patience(0.9)).status_code == 200
    stopping.join(PATIENCE)
    assert answers[0].json()["abort_message"].startswith("Successfully stopped")


def test_a_script_that_fails_shows_its_stack_trace(rest: Sidecar, stack: OetStack) -> None:
    script = stack.scripts / "fails.py"
    script.write_text("def main():\n    raise RuntimeError('the antenna is stuck')\n")
    procedure = rest.create(script.as_uri())
    rest.start(procedure["id"])
    failed = rest.wait_for(procedure["id"], *FINAL)
    assert failed["state"] == "FAILED"
    assert "the antenna is stuck" in failed["history"]["stacktrace"]


@pytest.mark.parametrize("path", ["/procedures/4711", "/procedures/0", "/procedures/99999999999999999999"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_procedure_that_never_was_is_not_found(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path, json={} if method == "PUT" else None)
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "404 Not Found",
        "type": "ResourceNotFound",
        "Message": f"No information available for PID={path.rpartition('/')[2]}",
    }


def test_a_script_that_does_not_exist_is_refused_with_its_path(http: httpx.Client, stack: OetStack) -> None:
    missing = stack.scripts / "missing.py"
    answer = _post(http, missing.as_uri())
    assert (answer.status_code, answer.json()["type"]) == (400, "ScriptNotFound")
    assert str(missing) in answer.json()["Message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"state": "FLYING"}, "state"),
        ({"state": "RUNNING", "abrot": True}, "abrot"),
        ({"state": "RUNNING", "script_args": {"main": {}, "run": {}}}, "synonym"),
        ({"state": "RUNNING", "script_args": {"main": {"kwargs": {"counts": 2}}}}, "count"),
    ],
)
def test_an_update_that_cannot_be_understood_is_refused(
    rest: Sidecar, stack: OetStack, body: dict[str, object], named: str
) -> None:
    procedure = rest.create(stack.uri("burst"), count=1)
    answer = rest.http.put(f"/procedures/{procedure['id']}", json=body)
    assert answer.status_code == 400
    assert named in answer.json()["Message"]


@pytest.mark.parametrize("prefix", ["/api/v1.0", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_paths_have_an_alias_and_may_end_in_a_slash(rest: Sidecar, prefix: str, slash: str) -> None:
    assert "procedures" in patient_http.get(f"{rest.root}{prefix}/procedures{slash}").json()


def test_an_embedded_script_is_run(rest: Sidecar) -> None:
    script = {"script_type": "embedded", "script": "def main():\n    print('ü')\n"}
    answer = rest.http.post("/procedures", content=json.dumps({"script": script}), headers=_JSON)
    uri = "embedded:4f90e176485a"
    assert answer.json()["procedure"]["script"] == {**script, "script_uri": uri}
    listed = rest.http.get("/procedures").json()["procedures"][-1]
    assert listed["script"] == {"script_type": "embedded", "script_uri": uri}
    assert listed["truncated"] == ["script"]
    rest.wait_for(answer.json()["procedure"]["id"], "READY")


@pytest.mark.parametrize("path", ["/procedures", "/stream", "/openapi.json", "/healthz"])
def test_head_is_answered_as_get_without_the_body(rest: Sidecar, path: str) -> None:
    url = rest.root + path if path == "/healthz" else rest.url + path
    with rest.http.stream("GET", url) as expected:
        answer = rest.http.head(url)
        assert (answer.status_code, answer.content) == (expected.status_code, b"")
        assert answer.headers["content-type"] == expected.headers["content-type"]
    assert rest.http.head("/procedures/4711").status_code == 404
    # A stream that was only asked about is not open.
    assert rest.figures()["oet_event_streams"] == 0 or path != "/stream"


def test_options_tell_what_is_possible(rest: Sidecar) -> None:
    for path, methods in (
        ("/procedures/", "GET, HEAD, OPTIONS, POST"),
        ("/procedures/4711", "GET, HEAD, OPTIONS, PUT"),
        ("/stream", "GET, HEAD, OPTIONS"),
    ):
        answer = rest.http.options(path)
        assert (answer.status_code, answer.headers["allow"], answer.content) == (204, methods, b"")
    assert rest.http.options("/nothing").status_code == 404


_JSON = {"Content-Type": "application/json; charset=utf-8"}
