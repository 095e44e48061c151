"""Questions of scripts: which can be asked, and which answers fit."""

from typing import Any

import pytest
from pydantic import ValidationError

from ska_oso_oet.model import (
    AnswerError,
    QuestionRequest,
    SendRequest,
    StopRequest,
    default_context,
    explain,
    read_context,
)

ELEVATION = QuestionRequest(text="Elevation?", type="number", unit="deg", minimum=15, maximum=85)
STOWED = QuestionRequest(text="Stowed?", choices=["yes", "no"])
SCANS = QuestionRequest(text="Scans?", type="integer", minimum=1, default=3)
SURE = QuestionRequest(text="Sure?", type="boolean")


@pytest.mark.parametrize(
    ("question", "answer", "value"),
    [
        (ELEVATION, 20, 20.0),
        (ELEVATION, 84.5, 84.5),
        (STOWED, "yes", "yes"),
        (SCANS, 1, 1),
        (SURE, False, False),
        (QuestionRequest(text="Band?", type="integer", choices=[1, 2]), 2, 2),
        (QuestionRequest(text="Name?"), "", ""),
    ],
)
def test_an_answer_that_fits_has_the_type_of_its_question(
    question: QuestionRequest, answer: Any, value: Any
) -> None:
    checked = question.check(answer)
    assert (checked, type(checked)) == (value, type(value))


@pytest.mark.parametrize(
    ("question", "answer", "advice"),
    [
        (ELEVATION, 10, "10 is not an answer to 'Elevation?': give a number in deg, at least 15 and at most"),
        (ELEVATION, "20", "give a number in deg"),
        (ELEVATION, True, "give a number"),
        (ELEVATION, float("nan"), "give a number"),
        (STOWED, "maybe", "'maybe' is not an answer to 'Stowed?': give one of yes, no"),
        (STOWED, None, "give one of yes, no"),
        (SCANS, 0, "give a whole number, at least 1"),
        (SCANS, 2.5, "give a whole number"),
        (SURE, 1, "give yes or no"),
        (QuestionRequest(text="Name?"), "x" * 2001, "a text of at most 2000 characters"),
        (QuestionRequest(text="Name?"), ["x"], "a text"),
        (QuestionRequest(text="Band?", type="integer", choices=[1, 2]), True, "give one of 1, 2"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_what_would(
    question: QuestionRequest, answer: Any, advice: str
) -> None:
    with pytest.raises(AnswerError, match=advice.replace("?", r"\?")):
        question.check(answer)


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        (ELEVATION, " 20 ", 20.0),
        (STOWED, "YES", "yes"),
        (SCANS, "", 3),
        (SCANS, "5", 5),
        (SURE, "y", True),
        (SURE, "No", False),
    ],
)
def test_what_a_person_types_is_read_by_the_type(question: QuestionRequest, typed: str, value: Any) -> None:
    assert question.read(typed) == value


@pytest.mark.parametrize(("question", "typed"), [(ELEVATION, ""), (SURE, "perhaps"), (STOWED, "1")])
def test_what_a_person_types_and_does_not_fit_is_refused(question: QuestionRequest, typed: str) -> None:
    with pytest.raises(AnswerError, match="give"):
        question.read(typed)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": ""}, "at least 1 character"),
        ({"text": "?", "choices": []}, "at least 1 item"),
        ({"text": "?", "minimum": 1}, "are for numbers"),
        ({"text": "?", "type": "number", "minimum": 2, "maximum": 1}, "greater than the maximum"),
        ({"text": "?", "type": "number", "minimum": 2, "default": 1}, "the default 1 is not an answer"),
        ({"text": "?", "type": "integer", "choices": ["a"]}, "the choice 'a' is not an answer"),
        ({"text": "?", "timeout": 0}, "greater than 0"),
        ({"text": "?", "choices": ["a"], "default": "b"}, "give one of a"),
    ],
)
def test_a_question_that_cannot_be_answered_is_not_asked(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        QuestionRequest.model_validate(fields)
    assert reason in explain(caught.value)


@pytest.mark.parametrize(
    "topic", ["user.script.announce", "operator", "operator.", "operator.a b", "operators.x"]
)
def test_operators_send_on_their_own_topics_only(topic: str) -> None:
    with pytest.raises(ValidationError, match="is not a topic below 'operator'"):
        SendRequest(topic=topic)


def test_fields_that_no_listener_can_take_are_refused() -> None:
    with pytest.raises(ValidationError, match="cannot be the name of a parameter"):
        SendRequest(topic="operator.skip", fields={"a b": 1})
    with pytest.raises(ValidationError, match="65536 are allowed"):
        SendRequest(topic="operator.skip", fields={"a": "x" * 65536})


@pytest.mark.parametrize("value", [[], "text", None, 1, {"a": "x" * 65536}])
def test_a_context_is_an_object_of_limited_size(value: Any) -> None:
    with pytest.raises(ValueError, match="the context"):
        read_context(value)


@pytest.mark.parametrize(("text", "waits"), [("1", True), ("True", True), ("no", False), ("", False)])
def test_the_first_context_is_what_the_environment_says(text: str, waits: bool) -> None:
    assert default_context({"OET_WAIT_FOR_QA_READY": text}) == {"wait_for_qa_ready": waits}


def test_a_stop_names_the_only_other_moment() -> None:
    assert StopRequest.model_validate({"at": "checkpoint"}).at == "checkpoint"
    with pytest.raises(ValidationError, match="'checkpoint'"):
        StopRequest.model_validate({"at": "noon"})
