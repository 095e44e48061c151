"""Exceptions for failures that Tango reports: by reasons and details, not by sentences."""

import pytest
import tango

from ska_oso_oet.client import (
    ControllerError,
    DeviceLockedError,
    EventsNoLongerKeptError,
    InvalidRequestError,
    NotFoundError,
    NotOfferedError,
    RequestRejectedError,
)
from ska_oso_oet.client.errors import controller_error


def _failure(*errors: tuple[str, str]) -> tango.DevFailed:
    made = []
    for reason, text in errors:
        error = tango.DevError()
        error.reason, error.desc = reason, text
        made.append(error)
    return tango.DevFailed(*made)


def test_the_first_event_that_is_kept_is_a_fact_beside_the_sentence() -> None:
    failure = _failure(("OET_EventsNoLongerKept", "gone"), ("OET_Details", '{"first": 7}'))
    error = controller_error("a/b/c", failure)
    assert isinstance(error, EventsNoLongerKeptError)
    assert (str(error), error.first) == ("gone", 7)


@pytest.mark.parametrize("details", ["", "no JSON", "[7]", "{}", '{"first": "7"}'])
def test_details_that_are_not_as_agreed_leave_the_sentence(details: str) -> None:
    error = controller_error("a/b/c", _failure(("OET_EventsNoLongerKept", "gone"), ("OET_Details", details)))
    assert type(error) is ControllerError
    assert (str(error), error.reason) == ("a/b/c: gone", "OET_EventsNoLongerKept")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("OET_InvalidArgument", InvalidRequestError),
        ("OET_ScriptNotFound", InvalidRequestError),
        ("OET_ProcedureNotFound", NotFoundError),
        ("OET_ActivityNotFound", NotFoundError),
        ("API_CommandNotFound", NotOfferedError),
        ("API_CommandNotAllowed", RequestRejectedError),
        ("API_DeviceLocked", DeviceLockedError),
        ("OET_SomethingElse", ControllerError),
    ],
)
def test_the_reason_decides_what_kind_of_error_it_is(reason: str, kind: type[ControllerError]) -> None:
    error = controller_error("a/b/c", _failure((reason, "no"), ("OET_Details", '{"a": 1}')))
    assert type(error) is kind
