"""Formats of events."""

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
    "script_args": {
        "main": {"args": [], "kwargs": {}},
        "init": {"args": ["a"], "kwargs": {"subarray_id": 1}},
    },
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


SUMMARY = (
    "ProcedureSummary(id=1, script_uri='file:///scripts/eventbus.py', "
    "script_args={'init': <ProcedureInput('a', subarray_id=1)>, 'main': <ProcedureInput()>}, "
    "history=<ProcessHistory(process_states=[(ProcedureState.CREATING, 1.0), (ProcedureState.READY, 2.0)], "
    "stacktrace=None)>, state=<ProcedureState.READY>)"
)
ACTIVITY_SUMMARY = (
    "ActivitySummary(id=4, activity_name='allocate', sbd_id='sbd-123', procedure_id=1, prepare_only=False, "
    "script_args={}, activity_states=[(ActivityState.REQUESTED, 1.0)], state=<ActivityState.REQUESTED>)"
)
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 2, in main\n    f()\nOSError: no\nway\n'
EMBEDDED = {"script_type": "embedded", "script": "def main():\n    pass\n"}
GIT = {
    "script_type": "git",
    "script_uri": "git:///a.py",
    "git_args": {"git_repo": "http://foo.git", "git_branch": "test", "git_commit": None},
    "create_env": True,
}


@pytest.mark.parametrize(
    ("topic", "fields", "data"),
    [
        ("request.procedure.list", {"request_id": 1.5, "pids": None}, "'request_id': 1.5, 'pids': None"),
        ("procedure.pool.list", {"result": [PROCEDURE]}, f"'result': [{SUMMARY}]"),
        ("procedure.lifecycle.created", {"result": PROCEDURE}, f"'result': {SUMMARY}"),
        ("activity.lifecycle.running", {"result": ACTIVITY}, f"'result': {ACTIVITY_SUMMARY}"),
        ("activity.pool.list", {"result": []}, "'result': []"),
        (
            "request.procedure.create",
            {
                "cmd": {
                    "script": {"script_type": "filesystem", "script_uri": "file://scripts/eventbus.py"},
                    "script_args": {"init": {"args": [], "kwargs": {"subarray_id": 1}}},
                }
            },
            (
                "'cmd': PrepareProcessCommand(script_uri='file://scripts/eventbus.py', "
                "init_args=<ProcedureInput(subarray_id=1)>)"
            ),
        ),
        (
            "request.procedure.create",
            {"cmd": {"script": GIT}},
            (
                "'cmd': PrepareProcessCommand(script_uri='git:///a.py', git_args={'git_repo': "
                "'http://foo.git',"
                " 'git_branch': 'test', 'git_commit': None}, create_env=True)"
            ),
        ),
        (
            "request.procedure.create",
            {"cmd": {"script": EMBEDDED}},
            "'cmd': PrepareProcessCommand(script_type='embedded')",
        ),
        (
            "request.procedure.start",
            {"cmd": {"pid": 2, "script_args": {"main": {"args": ["bob"], "kwargs": {"simulate": False}}}}},
            "'cmd': StartProcessCommand(process_uid=2, main_args=<ProcedureInput('bob', simulate=False)>)",
        ),
        (
            "request.procedure.stop",
            {"cmd": {"pid": 2, "abort": True}},
            "'cmd': StopProcessCommand(process_uid=2, run_abort=True)",
        ),
        (
            "request.procedure.create",
            {
                "cmd": {
                    "script": {"script_type": "filesystem", "script_uri": "file:///a.py"},
                    "init_args": {"args": [1], "kwargs": {}},
                    "script_args": {
                        "main": {"args": [2], "kwargs": {}},
                        "init": {"args": [1], "kwargs": {}},
                    },
                }
            },
            (
                "'cmd': PrepareProcessCommand(script_uri='file:///a.py', init_args=<ProcedureInput(1)>, "
                "main_args=<ProcedureInput(2)>)"
            ),
        ),
        (
            "request.procedure.start",
            {
                "cmd": {
                    "process_uid": 2,
                    "fn_name": "main",
                    "run_args": {"args": ["bob"], "kwargs": {}},
                    "force_start": False,
                    "pid": 2,
                    "script_args": {"main": {"args": ["bob"], "kwargs": {}}},
                }
            },
            (
                "'cmd': StartProcessCommand(process_uid=2, fn_name='main', run_args=<ProcedureInput('bob')>, "
                "force_start=False)"
            ),
        ),
        (
            "request.procedure.stop",
            {"cmd": {"process_uid": 2, "run_abort": False, "pid": 2, "abort": False}},
            "'cmd': StopProcessCommand(process_uid=2, run_abort=False)",
        ),
        ("request.procedure.stop", {"cmd": "unheard of"}, "'cmd': 'unheard of'"),
        ("user.script.announce", {"msg": "scan 3"}, "'msg': 'scan 3'"),
        ("subarray.fault", {"subarray_id": 1, "error": "x"}, "'subarray_id': 1, 'error': 'x'"),
        ("procedure.lifecycle.failed", {"result": "not a summary"}, "'result': 'not a summary'"),
        ("my.own.topic", {"values": {"a": [1, None]}}, "'values': {'a': [1, None]}"),
    ],
)
def test_shows_topic_and_fields(topic: str, fields: dict[str, Any], data: str) -> None:
    shown_text = shown(topic, msg_src="2", **fields)
    assert shown_text == f"event: {topic}\ndata: args=() kwargs={{'msg_src': '2', {data}}}{TAIL}"


def test_shows_why_a_procedure_failed_in_short() -> None:
    failed = {**PROCEDURE, "state": "FAILED", "history": {"process_states": [], "stacktrace": TRACE}}
    text = shown("procedure.lifecycle.failed", msg_src="1", result=failed)
    assert "stacktrace='… OSError: no way')>, state=<ProcedureState.FAILED>)" in text


def test_shows_texts_of_several_lines_in_full_below() -> None:
    text = shown("my.topic", msg_src="2", stacktrace="Traceback:\n  line 1\n")
    data = f"data: args=() kwargs={{'msg_src': '2'}}{TAIL}"
    assert text == f"event: my.topic\n{data}stacktrace:\nTraceback:\n  line 1\n"


def test_a_script_cannot_command_the_terminal() -> None:
    text = shown("user.\x1b]0;x\x07", msg="\x1b[2J", trace="a\n\x1b[31mb", **{"\x1b[1m": {"\x9b": "\x1b"}})
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in text)
    assert r"\x1b[2J" in text
