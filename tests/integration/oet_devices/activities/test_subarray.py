"""Activities and scripts from git of a controller that is for one subarray."""

import json
from pathlib import Path

import pytest
import tango
from tests.support.git_projects import GitRepository
from tests.support.lrc_client import invoke

from oet_devices.ska.enums import ResultCode

PRINTS = (
    "def init(subarray_id): print('init', subarray_id)\ndef main(subarray_id=9): print('main', subarray_id)\n"
)


def finish(controller: tango.DeviceProxy, command: str, request: object) -> list[object]:
    """Send a long-running command, and return its result."""
    with invoke(controller, command, json.dumps(request)) as call:
        assert call.code is ResultCode.STARTED
        result = call.wait_for_end().result
    assert result is not None
    return result


def test_a_scheduling_block_of_another_subarray_is_refused(
    controller_of_subarray_3: tango.DeviceProxy,
) -> None:
    """The sample Scheduling Block is for subarray 1, which it gives by position or by name."""
    for activity in ("allocate", "observe"):
        request = {"activity_name": activity, "sbd_id": "sbd-123"}
        code, reason = finish(controller_of_subarray_3, "RunActivity", request)
        assert code == ResultCode.FAILED
        assert "subarray_id 1, but this controller is for subarray 3 only" in str(reason)


@pytest.mark.parametrize("activity", ["allocate", "observe", "deallocate"])
def test_an_activity_runs_to_its_end_for_the_subarray_of_its_controller(
    controller_of_subarray_3: tango.DeviceProxy, activity: str
) -> None:
    controller = controller_of_subarray_3
    overrides = {"init": {"kwargs": {"subarray_id": 3}}}
    request = {"activity_name": activity, "sbd_id": "sbd-123", "script_args": overrides}
    code, summary = finish(controller, "RunActivity", request)
    assert code == ResultCode.OK, summary
    assert isinstance(summary, dict)
    procedure = json.loads(controller.DescribeProcedure(summary["procedure_id"]))
    assert (procedure["state"], procedure["subarray_id"]) == ("COMPLETE", 3)
    events = json.loads(controller.GetEvents('{"topic": "subarray."}'))
    subarrays = {event["subarray_id"] for event in events if event["msg_src"] == str(procedure["id"])}
    assert subarrays == {3}


def test_a_script_from_git_gets_the_subarray_and_another_one_is_refused(
    controller_of_subarray_3: tango.DeviceProxy, tmp_path: Path
) -> None:
    controller = controller_of_subarray_3
    repository = GitRepository(tmp_path / "scripts")
    repository.commit({"scripts/prints.py": PRINTS})
    script = {
        "script_type": "git",
        "script_uri": "git:///scripts/prints.py",
        "git_args": {"git_repo": repository.url},
    }
    code, created = finish(controller, "Create", {"script": script})
    assert code == ResultCode.OK, created
    assert isinstance(created, dict)
    code, _ = finish(controller, "Start", {"pid": created["id"]})
    assert code == ResultCode.OK
    output = json.loads(controller.GetOutput(json.dumps({"pid": created["id"]})))["lines"]
    assert [line for line in output if line.startswith(("init", "main"))] == ["init 3", "main 3"]
    described = json.loads(controller.DescribeProcedure(created["id"]))
    assert described["subarray_id"] == 3
    given = {"init": {"args": [1]}}
    code, reason = finish(controller, "Create", {"script": script, "script_args": given})
    assert code == ResultCode.FAILED
    assert "subarray_id 1, but this controller is for subarray 3" in str(reason)
