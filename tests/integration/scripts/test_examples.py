"""The example scripts: the same events with a telescope and without one."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.script_runner import SCRIPTS, Run, run_script
from tests.support.telescope import TelescopeServer

EMPTY, IDLE = 0, 2
SAMPLE = SCRIPTS.parent / "oda" / "samples" / "sbd" / "sbd-123" / "1.json"
NO_TELESCOPE = {"TANGO_HOST": "127.0.0.1:1"}
SCAN_TOPICS = [
    "scan.lifecycle.configure.started",
    "scan.lifecycle.configure.complete",
    "subarray.configured",
    "scan.lifecycle.start",
    "subarray.scan.started",
    "scan.lifecycle.end.succeeded",
    "subarray.scan.finished",
    "user.script.progress",
]


def run_activity(name: str, environment: dict[str, str], **main_arguments: Any) -> Run:
    """Run an activity of the sample Scheduling Block with the arguments it gives to the functions."""
    activity = json.loads(SAMPLE.read_text())["activities"][name]
    calls = {
        function: (arguments.get("args", []), arguments.get("kwargs", {}))
        for function, arguments in activity["function_args"].items()
    }
    args, kwargs = calls.get("main", ([], {}))
    return run_script(
        SCRIPTS / activity["path"].removeprefix("file://"),
        init=calls["init"],
        main=(args, {**kwargs, "sb_json": str(SAMPLE), **main_arguments}),
        environment=environment,
    )


def test_allocate_without_a_telescope() -> None:
    run = run_activity("allocate", NO_TELESCOPE)
    assert run.returncode == 0, run.errors
    assert run.events == [
        ("subarray.resources.allocated", {"subarray_id": 1}),
        ("sb.lifecycle.allocated", {"sb_id": "sbd-123"}),
    ]
    assert "Subarray 1 foo foo=foo" in run.output
    assert "SIMULATED, no device is called: AssignResources" in run.output


def test_observe_without_a_telescope(tmp_path: Path) -> None:
    run = run_activity("observe", {**NO_TELESCOPE, "OET_SCAN_ID_FILE": str(tmp_path / "scan-id")})
    assert run.returncode == 0, run.errors
    assert run.topics == [
        "sb.lifecycle.observation.started",
        *SCAN_TOPICS * 4,
        "sb.lifecycle.observation.finished.succeeded",
    ]
    ids = [fields["scan_id"] for topic, fields in run.events if topic == "scan.lifecycle.start"]
    progress = [fields["progress"] for topic, fields in run.events if topic == "user.script.progress"]
    assert (ids, progress) == ([1, 2, 3, 4], [25, 50, 75, 100])


def test_deallocate_needs_no_scheduling_block() -> None:
    run = run_script(
        SCRIPTS / "deallocate.py", init=([], {"subarray_id": 3}), main=([], {}), environment=NO_TELESCOPE
    )
    assert run.events == [("subarray.resources.deallocated", {"subarray_id": 3})]


def test_the_whole_scheduling_block_with_a_telescope(telescope: TelescopeServer) -> None:
    telescope.proxy.SetObsState(EMPTY)
    before = len(telescope.proxy.calls or ())
    for name in ("allocate", "observe", "deallocate"):
        run = run_activity(name, telescope.environment, simulate=False)
        assert run.returncode == 0, run.errors
        assert "SIMULATED" not in run.output
    commands = [call.split()[0] for call in telescope.proxy.calls[before:]]
    assert commands == ["AssignResources", *["Configure", "Scan"] * 4, "End", "ReleaseResources"]
    assert telescope.proxy.obsState == EMPTY


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("allocate", ["subarray.fault"]),
        (
            "observe",
            [
                "sb.lifecycle.observation.started",
                "scan.lifecycle.configure.started",
                "scan.lifecycle.configure.failed",
                "subarray.fault",
                "sb.lifecycle.observation.finished.failed",
            ],
        ),
        ("deallocate", ["subarray.fault"]),
    ],
)
def test_a_refusal_of_the_telescope_is_announced(
    telescope: TelescopeServer, name: str, published: list[str]
) -> None:
    telescope.proxy.SetObsState(IDLE)
    telescope.proxy.Refuse("not today")
    try:
        run = run_activity(name, telescope.environment, simulate=False)
    finally:
        telescope.proxy.Refuse("")
    assert run.returncode != 0
    assert run.topics == published
    fault = dict(run.events)["subarray.fault"]
    assert fault["subarray_id"] == 1
    assert "not today" in fault["error"]
