"""The usage guide of the OET 5.2.0's REST API, request by request as it is printed there."""

import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar

JSON = {"Content-Type": "application/json"}

OBSERVING = """
import threading

def init(subarray_id, sb_uri):
    pass

def main(scan_duration):
    threading.Event().wait(scan_duration)
"""
ALLOCATION = """
def init(dishes):
    pass

def main():
    pass
"""


@pytest.fixture
def scripts(stack: OetStack) -> dict[str, str]:
    """The guide's scripts: their URIs by their names."""
    texts = {"observing_script": OBSERVING, "resource_allocation": ALLOCATION}
    for name, text in texts.items():
        (stack.scripts / f"{name}.py").write_text(text)
    return {name: (stack.scripts / f"{name}.py").as_uri() for name in texts}


def test_the_session_of_the_guide(rest: Sidecar, scripts: dict[str, str]) -> None:
    api = f"{rest.root}/api/v1.0"
    # Creating a procedure
    body = (
        '{"script_uri": "SCRIPT", "script_args": {"init": {"kwargs": {"dishes": [1, 2, 3]} } } }'
    ).replace("SCRIPT", scripts["resource_allocation"])
    first = patient_http.post(f"{api}/procedures", content=body, headers=JSON).json()["procedure"]
    body = (
        '{"script_uri": "SCRIPT", "script_args": {"init": {"kwargs": {"subarray_id": 1, '
        '"sb_uri": "file:///path/to/scheduling_block_123.json"} } } }'
    ).replace("SCRIPT", scripts["observing_script"])
    answer = patient_http.post(f"{api}/procedures", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    second = answer.json()["procedure"]
    assert second["uri"] == f"{api}/procedures/{second['id']}"
    rest.wait_for(first["id"], "READY")
    ready = rest.wait_for(second["id"], "READY")
    assert ready["script"] == {"script_type": "filesystem", "script_uri": scripts["observing_script"]}
    assert ready["script_args"]["init"] == {
        "args": [],
        "kwargs": {"sb_uri": "file:///path/to/scheduling_block_123.json", "subarray_id": 1},
    }
    states, times = zip(*ready["history"]["process_states"], strict=True)
    assert states == ("CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY")
    assert list(times) == sorted(times)
    assert (ready["history"]["stacktrace"], ready["state"]) == (None, "READY")

    # Listing all procedures, and one of them
    listed = {item["id"]: item for item in patient_http.get(f"{api}/procedures").json()["procedures"]}
    assert listed[second["id"]] == ready
    shown = patient_http.get(f"{api}/procedures/{first['id']}").json()
    assert shown == {"procedure": listed[first["id"]]}
    assert shown["procedure"]["script_args"]["init"]["kwargs"] == {"dishes": [1, 2, 3]}

    # Starting procedure execution
    body = '{"script_args": {"run": {"kwargs": {"scan_duration": 14.0}}}, "state": "RUNNING"}'
    answer = patient_http.put(second["uri"], content=body, headers=JSON)
    assert answer.status_code == 200
    assert answer.json()["procedure"]["uri"] == second["uri"]
    running = rest.wait_for(second["id"], "RUNNING")
    assert running["script_args"]["main"] == {"args": [], "kwargs": {"scan_duration": 14.0}}

    # Terminate process execution
    answer = patient_http.put(second["uri"], content='{"abort": true, "state": "STOPPED"}', headers=JSON)
    reported = f"Successfully stopped script with ID {second['id']} and aborted subarray activity"
    assert (answer.status_code, answer.json()) == (
        200,
        {"abort_message": reported, "stopped": True, "aborted": True, "aborted_subarray": 1},
    )

    # Error handling
    answer = patient_http.get(f"{api}/procedures/4711")
    assert (answer.status_code, answer.json()) == (
        404,
        {
            "error": "404 Not Found",
            "type": "ResourceNotFound",
            "Message": "No information available for PID=4711",
        },
    )
