"""From the text of a command's argument to a request, or to a sentence that says what to do."""

import json
from typing import Any

import pytest
import tango

from oet_devices.arguments import REFUSALS, parse, parse_create, parse_start, parse_stop, refuse
from oet_devices.json_text import MAX_DEPTH, MAX_TEXT
from ska_oso_oet.journal import EventsNoLongerKeptError
from ska_oso_oet.model import (
    EmbeddedStringScript,
    EventQuery,
    FileSystemScript,
    GitArgs,
    GitScript,
    ProcedureInput,
    StartRequest,
    StopRequest,
)
from ska_oso_oet.procedure.domain import (
    ArgumentsError,
    ProcedureNotFoundError,
    ScriptDefectiveError,
    ScriptNotAllowedError,
    ScriptNotFoundError,
)

NO_JSON = "the argument is not valid JSON"
URI = "file:///scripts/observe.py"
NO_ID = 'is not a procedure ID: give nothing, an ID, e.g. 2, or a JSON object, e.g. {"pid": 2}'


@pytest.mark.parametrize("text", [URI, f"  {URI}\n", json.dumps({"script_uri": URI})])
def test_create_takes_a_uri_or_json(text: str) -> None:
    assert parse_create(text).script == FileSystemScript(URI)


@pytest.mark.parametrize("text", ["git:///a/b.py", " git:///a/b.py "])
def test_create_takes_the_uri_of_a_git_script(text: str) -> None:
    script = parse_create(text).script
    assert script == GitScript("git:///a/b.py", GitArgs(git_branch=None))


def test_create_takes_an_embedded_script_with_any_characters() -> None:
    text = json.dumps({"script": {"script_type": "embedded", "script": "# Größe 🚀"}})
    assert text.isascii()
    assert parse_create(text).script == EmbeddedStringScript("# Größe 🚀")


@pytest.mark.parametrize("text", ["", " ", "{}", "\n"])
def test_start_and_stop_need_no_argument(text: str) -> None:
    assert parse_start(text) == StartRequest()
    assert parse_stop(text) == StopRequest()


@pytest.mark.parametrize("text", ["2", " 2 ", '{"pid": 2}'])
def test_start_and_stop_take_the_id_of_a_procedure(text: str) -> None:
    assert parse_start(text) == StartRequest(pid=2)
    assert parse_stop(text) == StopRequest(pid=2)


def test_start_and_stop_take_json() -> None:
    text = '{"pid": 2, "script_args": {"run": {"args": [1], "kwargs": {"a": 1}}}}'
    assert parse_start(text).script_args == {"main": ProcedureInput(1, a=1)}
    assert parse_stop('{"abort": true}') == StopRequest(abort=True)


CREATE_REFUSALS = [
    ("", "give the URI of a script, e.g. file:///scripts/observe.py, or a request as JSON"),
    ("  ", "give the URI of a script, e.g. file:///scripts/observe.py, or a request as JSON"),
    (
        "{",
        f"{NO_JSON}: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    (
        "{'script_uri': 1}",
        f"{NO_JSON}: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    ('{"script_uri": "x"} y', f"{NO_JSON}: Extra data: line 1 column 21 (char 20)"),
    ("{}", "script: this field is missing"),
    ('{"script": 1}', "script: a JSON object was expected"),
    ('{"script_uri": 1}', "script.script_uri: Input should be a valid string"),
    (
        json.dumps({"script_uri": URI, "colour": "red"}),
        "colour: there is no such field, check its spelling",
    ),
    (
        json.dumps({"script": {"script_uri": URI, "uri": URI}}),
        "script.uri: there is no such field, check its spelling",
    ),
    (
        json.dumps({"script": {"script_type": "embedded"}}),
        "script: an embedded script gives its text as 'script', and no 'script_uri'",
    ),
    (
        json.dumps({"script_uri": URI, "script_args": {"fly": {}}}),
        "script_args.fly: Input should be 'init' or 'main'",
    ),
    (
        json.dumps({"script_uri": URI, "script_args": {"main": {}, "run": {}}}),
        "script_args: give arguments of 'main' or of its synonym 'run', not of both",
    ),
    (
        json.dumps({"script": {"script_uri": 1}, "script_args": {"main": {"kwarg": {}}}}),
        (
            "script.script_uri: Input should be a valid string; "
            "script_args.main.kwarg: there is no such field, check its spelling"
        ),
    ),
]


@pytest.mark.parametrize(("text", "sentence"), CREATE_REFUSALS, ids=[text for text, _ in CREATE_REFUSALS])
def test_what_create_refuses(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_create(text)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("two", f"'two' {NO_ID}"),
        ("true", f"'true' {NO_ID}"),
        ('"2"', f"'\"2\"' {NO_ID}"),
        ("[2]", f"'[2]' {NO_ID}"),
        ("1.5", f"'1.5' {NO_ID}"),
        ("-1", f"'-1' {NO_ID}"),
        ("²", f"'²' {NO_ID}"),
        ("9" * 5000, f"the number {'9' * 40} does not fit into 64 bits"),
        ("0", "pid: Input should be greater than or equal to 1"),
        ('{"pid": "two"}', "pid: Input should be a valid integer"),
    ],
)
def test_what_start_and_stop_refuse(text: str, sentence: str) -> None:
    for parse_id in (parse_start, parse_stop):
        with pytest.raises(ValueError) as raised:
            parse_id(text)
        assert str(raised.value) == sentence


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("NaN", "the argument is not valid JSON: JSON has no NaN"),
        ("-Infinity", "the argument is not valid JSON: JSON has no -Infinity"),
        ("1e999", "the number 1e999 does not fit into 64 bits"),
        (str(2**64), f"the number {2**64} does not fit into 64 bits"),
        (str(-(2**63) - 1), f"the number {-(2**63) - 1} does not fit into 64 bits"),
        ('"\\ud800"', r"the text '\ud800' contains half a character, a surrogate without its pair"),
        ('{"\\udc00": 1}', r"the text '\udc00' contains half a character, a surrogate without its pair"),
        (_nested(MAX_DEPTH), f"the argument is nested too deeply: {MAX_DEPTH} levels are allowed"),
        (_nested(100_000), f"the argument is nested too deeply: {MAX_DEPTH} levels are allowed"),
    ],
    ids=range(9),
)
def test_values_that_could_not_reach_the_script_as_they_are(value: str, sentence: str) -> None:
    text = f'{{"script_args": {{"main": {{"args": [{value}]}}}}}}'
    with pytest.raises(ValueError) as raised:
        parse_start(text)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 1e308, "🚀 Größe", json.loads(_nested(50)), None])
def test_values_that_reach_the_script_as_they_are(value: Any) -> None:
    text = json.dumps({"script_args": {"main": {"args": [value]}}})
    assert parse_start(text).script_args["main"].args == (value,)


def test_the_length_of_an_argument_is_bounded() -> None:
    with pytest.raises(ValueError, match=f"has {MAX_TEXT + 1} characters, {MAX_TEXT} are allowed"):
        parse_create(json.dumps({"script_uri": "x" * MAX_TEXT})[: MAX_TEXT + 1])
    with pytest.raises(ValueError, match="are allowed"):
        parse_create("file:///" + "x" * MAX_TEXT)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("5", "a JSON object was expected"),
        ("[]", "a JSON object was expected"),
        ('{"after": -1}', "after: Input should be greater than or equal to 0"),
        ('{"limit": 0}', "limit: Input should be greater than or equal to 1"),
        ('{"since": 0}', "since: there is no such field, check its spelling"),
    ],
)
def test_what_queries_refuse(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(EventQuery, text)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("text", ["", " ", "{}"])
def test_queries_need_no_argument(text: str) -> None:
    assert parse(EventQuery, text) == EventQuery()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProcedureNotFoundError("who?"), "OET_ProcedureNotFound"),
        (ScriptNotFoundError("who?"), "OET_ScriptNotFound"),
        (ScriptNotAllowedError("who?"), "OET_ScriptNotAllowed"),
        (ScriptDefectiveError("who?"), "OET_ScriptDefective"),
        (ArgumentsError("who?"), "OET_ArgumentsDoNotFit"),
        (EventsNoLongerKeptError(3, 7), "OET_EventsNoLongerKept"),
        (ValueError("who?"), "OET_InvalidArgument"),
    ],
)
def test_each_kind_of_refusal_has_a_reason_of_its_own(error: Exception, reason: str) -> None:
    assert isinstance(error, REFUSALS)
    with pytest.raises(tango.DevFailed) as raised:
        refuse(error, "Create")
    first = raised.value.args[0]
    assert (first.reason, first.desc, first.origin) == (reason, str(error), "OETController.Create")


def test_facts_of_an_error_follow_its_sentence_as_json() -> None:
    with pytest.raises(tango.DevFailed) as raised:
        refuse(EventsNoLongerKeptError(3, 7), "GetEvents")
    second = raised.value.args[1]
    assert (second.reason, json.loads(second.desc)) == ("OET_Details", {"first": 7})


def test_an_error_without_facts_is_one_error() -> None:
    with pytest.raises(tango.DevFailed) as raised:
        refuse(ProcedureNotFoundError("there is no procedure 4"), "Start")
    assert len(raised.value.args) == 1


def test_a_refusal_may_quote_what_tango_cannot_carry() -> None:
    with pytest.raises(tango.DevFailed) as raised:
        refuse(ValueError("no 🚀 script Δ\0.py"), "Create")
    assert raised.value.args[0].desc == "no ? script ??.py"
