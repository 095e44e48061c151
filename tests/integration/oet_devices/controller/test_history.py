"""Procedures that were: found among all that are kept, and run again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import tango
from tests.support.controllers import embedded
from tests.support.operator import Operator, operate

SOURCE = """
def init(x: int = 1): ...
def main(target, /, scans: int = 1, mode="fast"):
    if target == "bad":
        raise RuntimeError("Größe")
    return [target, scans, mode]
"""


def find(operator: Operator, **query: Any) -> list[int]:
    """Return the IDs of the procedures that a query finds, read page by page."""
    ids: list[int] = []
    while True:
        page = json.loads(operator.controller.GetProcedures(json.dumps(query)))
        ids += [summary["id"] for summary in page["procedures"]]
        if page["next"] is None:
            return ids
        query["before"] = page["next"]


@pytest.fixture(scope="module")
def ended(controller: tango.DeviceProxy) -> Iterator[list[int]]:
    """Thirteen procedures that have ended: the third has FAILED, the others are COMPLETE."""
    with operate(controller) as operator:
        ids = []
        for number in range(13):
            pid = operator.prepare(embedded(SOURCE))
            operator.start(pid, "bad" if number == 2 else f"M{number}")
            operator.wait_for_state(pid, "FAILED" if number == 2 else "COMPLETE")
            ids.append(pid)
        yield ids


def test_all_that_are_kept_are_found_newest_first_and_by_page(operator: Operator, ended: list[int]) -> None:
    newest_first = ended[::-1]
    assert find(operator, limit=5)[: len(ended)] == newest_first
    page = json.loads(operator.controller.GetProcedures('{"limit": 3}'))
    assert [summary["id"] for summary in page["procedures"]] == newest_first[:3]
    assert page["next"] == newest_first[2]
    assert page["procedures"][0]["result"] == ["M12", 1, "fast"]


def test_state_script_time_and_text(operator: Operator, ended: list[int]) -> None:
    first = operator.describe(ended[0])
    assert find(operator, state=["FAILED", "STOPPED"]) == [ended[2]]
    assert find(operator, text="m11") == [ended[11]]
    assert find(operator, script=first["script"]["script_uri"][:15], since=first["created"]) == ended[::-1]
    assert find(operator, since=operator.describe(ended[10])["created"]) == ended[:9:-1]
    assert find(operator, until=first["created"])[0] == ended[0]
    assert find(operator, script="no such script") == []


@pytest.mark.parametrize(
    "query", [{"state": ["DONE"]}, {"limit": 0}, {"since": "noon"}, {"before": 0}, {"colour": 1}]
)
def test_what_a_query_cannot_have(operator: Operator, query: dict[str, Any]) -> None:
    with pytest.raises(tango.DevFailed) as raised:
        operator.controller.GetProcedures(json.dumps(query))
    assert raised.value.args[0].reason == "OET_InvalidArgument"


def test_a_rerun_has_the_same_script_and_arguments(operator: Operator, ended: list[int]) -> None:
    for replaced, result in (
        ({}, ["M0", 1, "fast"]),
        ({"main": {"kwargs": {"scans": 5}}}, ["M0", 5, "fast"]),
        ({"main": {"args": ["M31"]}, "init": {"kwargs": {"x": 2}}}, ["M31", 1, "fast"]),
    ):
        operator.send("Rerun", json.dumps({"pid": ended[0], "script_args": replaced}))
        pid = operator.controller.lastProcedure
        operator.wait_for_state(pid, "READY")
        operator.start(pid)
        operator.wait_for_state(pid, "COMPLETE")
        summary, former = operator.describe(pid), operator.describe(ended[0])
        assert summary["result"] == result
        assert summary["script_sha256"] == former["script_sha256"]


def test_what_a_rerun_refuses(operator: Operator, ended: list[int]) -> None:
    for argument, reason in (
        (
            json.dumps({"pid": ended[0], "script_args": {"main": {"kwargs": {"scans": "x"}}}}),
            "OET_ArgumentsDoNotFit",
        ),
        ("99999", "OET_ProcedureNotFound"),
        ("two", "OET_InvalidArgument"),
    ):
        with pytest.raises(tango.DevFailed) as raised:
            operator.controller.Rerun(argument)
        assert raised.value.args[0].reason == reason
