"""FindSchedulingBlocks: what of the ODA clients see without knowing an ID."""

import json
import time
from typing import Any

import pytest
import tango
from tests.support.lrc_client import invoke
from tests.support.oda_server import OdaServer

from oet_devices.ska.enums import TaskStatus


def find(controller: tango.DeviceProxy, **query: Any) -> Any:
    with invoke(controller, "FindSchedulingBlocks", json.dumps(query)) as search:
        code, found = search.wait_for_end().result or [None, None]
    assert code == 0
    return found


def test_blocks_are_found_with_their_activities(controller: tango.DeviceProxy) -> None:
    found = find(controller, query="SBD-1")
    [block] = found["sbds"]
    assert (block["sbd_id"], block["version"]) == ("sbd-123", 1)
    assert block["activities"] == ["allocate", "deallocate", "observe"]
    assert abs(block["changed"] - time.time()) < 1e9
    assert (block["defect"], found["more"], found["cannot_list"]) == (None, False, None)
    assert len(find(controller, limit=1)["sbds"]) == 1
    assert find(controller, limit=1)["more"]
    assert {block["sbd_id"] for block in find(controller)["sbds"]} >= {"sbd-123", "sbd-more"}


@pytest.mark.parametrize(
    "argument", ['{"query": "a/b"}', '{"limit": 0}', '{"limit": 201}', '{"part": "a"}', "no"]
)
def test_what_is_no_search(controller: tango.DeviceProxy, argument: str) -> None:
    with pytest.raises(tango.DevFailed) as refusal:
        controller.FindSchedulingBlocks(argument)
    assert refusal.value.args[0].reason == "OET_InvalidArgument"


def test_an_oda_that_cannot_list_says_so(slow_controller: tango.DeviceProxy, oda_server: OdaServer) -> None:
    found = find(slow_controller)
    assert found["sbds"] == []
    assert "give the ID of one" in found["cannot_list"]
    assert oda_server.requests == []


def test_a_controller_that_is_disabled_searches_nothing(controller: tango.DeviceProxy) -> None:
    controller.adminMode = 1
    code, [reason] = controller.FindSchedulingBlocks("")
    assert code[0] == 5
    assert "DISABLE" in reason
    controller.adminMode = 0
    with invoke(controller, "FindSchedulingBlocks", "") as search:
        assert search.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
