"""Events as one line each."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ska_oso_oet.cli.event_lines import event_line
from ska_oso_oet.model import Event

NOON = 1604059200.25
SCRIPT = {"script_type": "filesystem", "script_uri": "file:///scripts/observe.py"}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(topic: str, seconds: float = NOON, **fields: Any) -> str:
    return event_line(Event.model_validate({"seq": 7, "time": seconds, "topic": topic, **fields})).plain


@pytest.mark.parametrize(
    ("topic", "fields", "subject", "words"),
    [
        ("procedure.lifecycle.statechange", {"msg_src": "3", "new_state": "READY"}, "#3", "READY"),
        (
            "procedure.lifecycle.failed",
            {"msg_src": "SESWorker", "result": {"id": 3, "script": SCRIPT, "state": "FAILED"}},
            "#3",
            "observe.py is FAILED",
        ),
        (
            "procedure.lifecycle.created",
            {
                "result": {
                    "uri": "http://a/api/v1.0/procedures/4",
                    "script": {"script": "x"},
                    "state": "READY",
                }
            },
            "#4",
            "embedded script is READY",
        ),
        (
            "procedure.lifecycle.stacktrace",
            {"msg_src": "3", "stacktrace": 'Traceback:\n  File "a.py", line 1\nOSError: no\n'},
            "#3",
            "OSError: no",
        ),
        ("activity.lifecycle.statechange", {"activity_id": 2, "new_state": "RUNNING"}, "A2", "RUNNING"),
        (
            "activity.lifecycle.running",
            {"result": {"id": 2, "activity_name": "allocate", "state": "RUNNING"}},
            "A2",
            "allocate is RUNNING",
        ),
        (
            "request.procedure.create",
            {"cmd": {"script": SCRIPT, "script_args": {"init": {"args": [1], "kwargs": {"a": "x"}}}}},
            "",
            "observe.py init(1, a='x')",
        ),
        (
            "request.procedure.start",
            {"cmd": {"pid": 3, "script_args": {"main": {"args": [], "kwargs": {"scans": 3}}}}},
            "#3",
            "main(scans=3)",
        ),
        ("request.procedure.start", {"cmd": {"pid": 3, "script_args": {}}}, "#3", ""),
        ("request.procedure.stop", {"cmd": {"pid": 3, "abort": True}}, "#3", "with abort"),
        ("request.activity.run", {"cmd": {"activity_name": "a", "sbd_id": "sbd-1"}}, "", "a of sbd-1"),
        ("procedure.pool.list", {"request_id": 1.5, "result": [{}, {}]}, "", "2 found"),
        ("user.script.progress", {"msg_src": "3", "progress": 25}, "#3", "25.0 %"),
        ("user.script.progress", {"msg_src": "3", "progress": 25, "msg": "scan 1"}, "#3", "25.0 %, scan 1"),
        ("user.script.progress", {"msg_src": "3", "progress": "half"}, "#3", "progress='half'"),
        ("user.script.announce", {"msg_src": "3", "msg": "two\nlines \x1b[31m"}, "#3", r"two lines \x1b[31m"),
        (
            "scan.lifecycle.start",
            {"msg_src": "3", "sb_id": "sbi-1", "scan_id": 4},
            "#3",
            "sb_id='sbi-1', scan_id=4",
        ),
        ("my.topic", {"msg_src": "3", "cmd": 5, "result": "x"}, "#3", "cmd=5, result='x'"),
        ("my.topic", {"msg_src": "3", "msg": "x" * 500}, "#3", "x" * 200 + "…"),
    ],
)
def test_an_event_is_one_line(topic: str, fields: dict[str, Any], subject: str, words: str) -> None:
    line = f"   7 2020-10-30 12:00:00.250  {topic:36} {subject:>4}  {words}"
    assert shown(topic, **fields) == line.rstrip()


def test_the_date_is_left_out_today() -> None:
    now = time.time()
    clock = time.strftime("%H:%M:%S", time.gmtime(now))
    assert shown("a", now).startswith(f"   7 {clock}.")


def test_an_event_without_a_number_shows_none() -> None:
    event = Event.model_validate({"seq": 0, "time": NOON, "topic": "request.procedure.list", "pids": [1]})
    assert (
        event_line(event).plain
        == "     2020-10-30 12:00:00.250  request.procedure.list                     pids=[1]"
    )
