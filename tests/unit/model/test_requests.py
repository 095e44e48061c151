"""Arguments of the commands that start, stop, look, and run activities."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ska_oso_oet.model import (
    ActivityRequest,
    EntryRequest,
    EventQuery,
    Model,
    OutputQuery,
    ProcedureInput,
    StartRequest,
    StopRequest,
)


def test_everything_is_optional_where_there_is_a_usual() -> None:
    assert StartRequest() == StartRequest(pid=None, script_args={})
    assert StopRequest() == StopRequest(pid=None, abort=False)
    assert EventQuery() == EventQuery(after=0, limit=1000, topic="")
    assert OutputQuery() == OutputQuery(pid=None, after=0, limit=1000)


def test_run_is_a_synonym_of_main() -> None:
    made = StartRequest.model_validate({"script_args": {"run": {"args": [1]}}})
    assert made.script_args == {"main": ProcedureInput(1)}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (StartRequest, {"pid": 0}),
        (StartRequest, {"pid": -1}),
        (StartRequest, {"pid": True}),
        (StartRequest, {"pid": "2"}),
        (StartRequest, {"pid": 2.0}),
        (StartRequest, {"pid": [2]}),
        (StartRequest, {"pid": 2**63}),
        (StartRequest, {"id": 2}),
        (StopRequest, {"pid": 2, "abort": "no"}),
        (StopRequest, {"pid": 2, "abort": 1}),
        (StopRequest, {"pid": 2, "abort": None}),
        (EventQuery, {"after": -1}),
        (EventQuery, {"after": "0"}),
        (EventQuery, {"after": 2**63}),
        (EventQuery, {"limit": 0}),
        (EventQuery, {"limit": 10_001}),
        (EventQuery, {"limit": True}),
        (EventQuery, {"topic": 1}),
        (OutputQuery, {"pid": True}),
        (OutputQuery, {"after": 1.5}),
        (OutputQuery, {"limit": 0}),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
def test_what_is_refused(model: type[Model], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(fields)


def test_an_activity_names_its_scheduling_block_once() -> None:
    ActivityRequest(activity_name="observe", sbd_id="sbd-1")
    ActivityRequest(activity_name="observe", sbd_uri="file:///sbd.json")
    for fields in ({}, {"sbd_id": "sbd-1", "sbd_uri": "file:///sbd.json"}):
        with pytest.raises(ValidationError, match="'sbd_id' or by 'sbd_uri', one of the two"):
            ActivityRequest.model_validate({"activity_name": "observe", **fields})


@pytest.mark.parametrize("fields", [{"activity_name": ""}, {"prepare_only": "no"}, {"create_env": 1}])
def test_activities_that_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ActivityRequest.model_validate({"activity_name": "observe", "sbd_id": "sbd-1", **fields})


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_refused_in_a_sentence(moment: str) -> None:
    with pytest.raises(ValidationError, match="outside of the years 1 to 9999"):
        EntryRequest.model_validate({"procedure": {"script_uri": "file://a.py"}, "not_before": moment})
