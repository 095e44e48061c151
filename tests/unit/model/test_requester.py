"""Requesters."""

import pytest

from ska_oso_oet.model import ProcedureRequest, ProcedureSummary, Requester

SIDECAR = Requester(client="process 7", host="rest.example")


@pytest.mark.parametrize(
    ("given", "text", "name"),
    [
        ({}, "an unknown client", "an unknown client"),
        ({"user": "anna"}, "anna", "anna"),
        ({"client": "process 7", "host": "localhost"}, "process 7 on localhost", "process 7 on localhost"),
        ({"user": "anna", "client": "oet/1", "host": "10.0.0.5"}, "anna (oet/1 on 10.0.0.5)", "anna"),
        ({"user": "anna\nERROR forged\x1b[2J"}, "anna ERROR forged [2J", "anna ERROR forged [2J"),
    ],
)
def test_it_is_shown_in_one_line(given: dict[str, str], text: str, name: str) -> None:
    requester = Requester.model_validate(given)
    assert (str(requester), requester.name) == (text, name)


def test_a_program_that_asks_for_its_user_is_the_one_that_asks() -> None:
    assert Requester(user="anna").as_seen_by(SIDECAR) == Requester(
        user="anna", client="process 7", host="rest.example"
    )
    assert Requester(user="anna").as_seen_by(None) == Requester(user="anna")


def test_a_program_that_passes_a_request_on_is_recorded_as_that_whatever_it_says() -> None:
    given = Requester(user="anna", client="oet/1", host="10.0.0.5", via="nobody")
    assert given.as_seen_by(SIDECAR) == given.model_copy(update={"via": "process 7 on rest.example"})
    assert given.as_seen_by(None).via is None


def test_a_name_stands_for_a_user_in_requests_and_in_journals_of_before() -> None:
    script = {"script_type": "filesystem", "script_uri": "file:///a.py"}
    request = ProcedureRequest.model_validate({"script": script, "requested_by": "anna@control"})
    assert request.requested_by == Requester(user="anna@control")
    former = {
        "id": 1,
        "script": script,
        "history": {"process_states": [["CREATING", 1.0]]},
        "state": "CREATING",
        "requested_by": "process 7 on localhost",
    }
    assert str(ProcedureSummary.model_validate(former).requested_by) == "process 7 on localhost"


def test_the_same_user_may_use_several_programs() -> None:
    anna = Requester(user="anna", client="oet/1", host="a")
    assert anna.is_same(Requester(user="anna", client="page", host="b"))
    assert not anna.is_same(Requester(user="bob", client="oet/1", host="a"))
    assert SIDECAR.is_same(Requester(client="process 7", host="rest.example"))
    assert not SIDECAR.is_same(Requester(client="process 8", host="rest.example"))
