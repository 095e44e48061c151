"""Requests and summaries as JSON."""

import pytest

from ska_oso_oet.activity.application import ActivityCommand, ActivitySummary
from ska_oso_oet.activity.domain import Activity, ActivityRefusedError
from ska_oso_oet.activity.ui import make_public_activity_summary, to_activity_command
from ska_oso_oet.model import ActivityRequest
from ska_oso_oet.oda import InvalidIdentifierError
from ska_oso_oet.procedure.domain import ProcedureInput


def test_a_request_comes_back_as_it_was_made() -> None:
    request = {
        "activity_name": "observe",
        "sbd_uri": "oda://sbd-123/2",
        "script_args": {"init": {"args": [], "kwargs": {"foo": "bar"}}},
        "prepare_only": True,
        "create_env": True,
    }
    assert to_activity_command(ActivityRequest.model_validate(request)).to_json_values() == request


@pytest.mark.parametrize(
    "command",
    [
        ActivityCommand("observe", "../etc/passwd"),
        ActivityCommand("observe", ""),
        ActivityCommand("observe", None, sbd_uri="http://host/sb.json"),
        ActivityCommand("observe", None, sbd_uri="file://relative.json"),
        ActivityCommand("observe", None, sbd_uri="file:///etc/passwd"),
        ActivityCommand("observe", None, sbd_uri="oda://sbd-123/newest"),
        ActivityCommand("observe", None, sbd_uri="oda://sbd-123/" + "9" * 5000),
        ActivityCommand("observe", None, sbd_uri="oda://[sbd-123"),
    ],
)
def test_a_malformed_name_of_a_scheduling_block(command: ActivityCommand) -> None:
    with pytest.raises(InvalidIdentifierError, match="malformed"):
        command.require_valid()


@pytest.mark.parametrize(
    "command",
    [ActivityCommand("observe", None), ActivityCommand("observe", "sbd-123", sbd_uri="oda://sbd-123")],
)
def test_a_scheduling_block_is_named_once(command: ActivityCommand) -> None:
    with pytest.raises(ActivityRefusedError, match="one of the two"):
        command.require_valid()


def test_a_public_summary() -> None:
    activity = Activity(3, 7, "sbd-123", "observe", False, {"init": ProcedureInput(1, foo="bar")})
    reported = make_public_activity_summary(activity.summary)
    assert {name: reported[name] for name in ("id", "procedure_id", "sbd_id", "state", "uri")} == {
        "id": 3,
        "procedure_id": 7,
        "sbd_id": "sbd-123",
        "state": "REQUESTED",
        "uri": "http://localhost:5000/api/v1.0/activities/3",
    }
    assert reported["script_args"] == {"init": {"args": [1], "kwargs": {"foo": "bar"}}}


def test_a_summary_is_the_same_after_a_journey_as_json() -> None:
    summary = Activity(3, None, "sbd-123", "observe", True, {"main": ProcedureInput(a=1)}).summary
    assert ActivitySummary.model_validate_json(summary.model_dump_json()) == summary
