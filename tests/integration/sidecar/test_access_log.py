"""The log of the REST service: each request, its requester, and its answer."""

import json

import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, sidecar

TOKEN = "a-token-that-nobody-is-to-see"


def test_each_request_has_a_line_and_none_has_a_token(stack: OetStack) -> None:
    env = {"OET_API_TOKEN": TOKEN, "OET_LOG_FORMAT": "json"}
    with sidecar(stack.tango_host, env=env) as rest:
        body = {"script_uri": stack.uri("hold")}
        right, wrong = ({"Authorization": f"Bearer {token}"} for token in (TOKEN, f"{TOKEN}-not"))
        named = {**right, "X-OET-User": "anna", "User-Agent": "page/2 (with more words)"}
        assert rest.http.post("/procedures", json=body, headers=named).status_code == 201
        assert rest.http.post("/procedures", json=body, headers=wrong).status_code == 401
        assert rest.http.post("/procedures", json=body).status_code == 401
        assert rest.http.get("/procedures/99999?token=" + TOKEN).status_code == 404
        rest.http.get("/no/such%0a{}")
        for probe in ("healthz", "readyz", "metrics"):
            assert patient_http.get(f"{rest.root}/{probe}").status_code == 200
        rest.process.wait_for_output("no/such")
        output = rest.process.output
    assert TOKEN not in output
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    requests = [line for line in lines if line["message"].startswith(("POST", "GET"))]
    assert [(each["level"], each["status"]) for each in requests] == [
        ("INFO", 201),
        ("WARNING", 401),
        ("WARNING", 401),
        ("INFO", 404),
        ("INFO", 404),
    ]
    assert requests[0]["message"].startswith(
        "POST /api/v1.0/procedures by anna (page/2 on 127.0.0.1) -> 201 in "
    )
    assert requests[0]["user"] == "anna"
    assert requests[4]["message"].startswith("GET /api/v1.0/no/such?{}")


def test_an_unknown_form_of_the_log_is_refused() -> None:
    with (
        pytest.raises(AssertionError, match="OET_LOG_FORMAT is 'xml': use ska or json"),
        sidecar("127.0.0.1:1", env={"OET_LOG_FORMAT": "xml"}),
    ):
        pass
