"""How events are shown."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ska_oso_oet.cli.events import event_text
from ska_oso_oet.model import Event


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(topic: str, **fields: Any) -> str:
    return event_text(Event.model_validate({"seq": 7, "time": 1604056049.25, "topic": topic, **fields})).plain


TAIL = " seq=7 time='2020-10-30 11:07:29.250000'\n"
PROCEDURE = {
    "id": 1,
    "uri": "http://localhost/api/v1.0/procedures/1",
    "script": {"script_type": "filesystem", "script_uri": "file:///scripts/eventbus.py"},
    "script_args": {"init": {"args": ["a"], "kwargs": {"subarray_id": 1}}},
    "history": {"process_states": [["CREATING", 1.0], ["READY", 2.0]], "stacktrace": None},
    "state": "READY",
    "created": 1.0,
    "from_a_newer_server": True,
}
ACTIVITY = {
    "uri": "http://localhost/api/v1.0/activities/4",
    "activity_name": "allocate",
    "sbd_id": "sbd-123",
    "procedure_id": 1,
    "activity_states": [["REQUESTED", 1.0]],
    "state": "REQUESTED",
}


@pytest.mark.parametrize(
    ("topic", "fields", "data"),
    [
        ("request.procedure.list", {"request_id": 1.5, "pids": None}, "request_id=1.5 pids=None"),
        ("procedure.pool.list", {"result": [PROCEDURE]}, "result=[{P}]"),
        (
            "procedure.lifecycle.created",
            {"request_id": 1.5, "result": PROCEDURE},
            "request_id=1.5 result={P}",
        ),
        ("activity.lifecycle.running", {"result": ACTIVITY}, "result={A}"),
        ("activity.pool.list", {"result": []}, "result=[]"),
        (
            "request.procedure.create",
            {"cmd": {"script_uri": "file:///a.py", "init": {"args": [1], "kwargs": {"b": "c"}}}},
            "cmd={{'script_uri': 'file:///a.py', 'init': (1, b='c')}}",
        ),
        ("user.script.announce", {"msg": "scan 3"}, "msg='scan 3'"),
        ("subarray.fault", {"subarray_id": 1, "error": "x"}, "subarray_id=1 error='x'"),
        ("procedure.lifecycle.failed", {"result": "not a summary"}, "result='not a summary'"),
        ("my.own.topic", {"values": {"a": [1, None]}}, "values={{'a': [1, None]}}"),
    ],
)
def test_shows_topic_and_fields(topic: str, fields: dict[str, Any], data: str) -> None:
    procedure = "Procedure(id=1, script='file:///scripts/eventbus.py', init('a', subarray_id=1), state=READY)"
    activity = "Activity(id=4, activity_name='allocate', sbd_id='sbd-123', procedure_id=1, state=REQUESTED)"
    expected = data.format(P=procedure, A=activity)
    assert shown(topic, msg_src="2", **fields) == f"event: {topic}\ndata: msg_src='2' {expected}{TAIL}"


def test_shows_texts_of_several_lines_in_full_below() -> None:
    text = shown("my.topic", msg_src="2", stacktrace="Traceback:\n  line 1\n")
    assert text == f"event: my.topic\ndata: msg_src='2'{TAIL}stacktrace:\nTraceback:\n  line 1\n"


def test_a_script_cannot_command_the_terminal() -> None:
    text = shown("user.\x1b]0;x\x07", msg="\x1b[2J", trace="a\n\x1b[31mb", **{"\x1b[1m": {"\x9b": "\x1b"}})
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in text)
    assert r"\x1b[2J" in text
