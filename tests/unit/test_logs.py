"""The form of log messages, and the log that keeps nobody waiting."""

import io
import json
import logging
import re
import threading
import time
from collections.abc import Iterator

import pytest
from tests.support.patience import wait_until

from ska_oso_oet import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the root logger writes, in the form that the environment asks for."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.set_name("written")
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def _form(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(logs.FORMAT_VARIABLE, name)
    handler = next(each for each in logging.getLogger().handlers if each.get_name() == "written")
    handler.setFormatter(logs.make_formatter())


@pytest.mark.parametrize("name", ["", "ska", " SKA "])
def test_a_line_is_in_the_ska_log_format(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _form(monkeypatch, name)
    logs.log(logging.WARNING, "it | rains", procedure=7, host="fe80::1,a", command=None)
    version, time, severity, thread, function, place, tags, message = written.getvalue().split("|", 7)
    assert (version, severity, thread, message) == ("1", "WARNING", "MainThread", "it | rains\n")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert (function, place.partition("#")[0]) == (
        "test_a_line_is_in_the_ska_log_format",
        "test_logs.py",
    )
    assert tags == "procedure:7,host:fe80==1;a"


def test_a_line_is_json(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    _form(monkeypatch, "json")
    logs.log(logging.INFO, 'says "Ω"', procedure=7)
    try:
        raise ValueError("of\ntwo lines")
    except ValueError:
        logging.getLogger("library").exception("it failed")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["message"], first["level"], first["procedure"]) == ('says "Ω"', "INFO", 7)
    assert (second["logger"], second["exception"].splitlines()[-1]) == ("library", "two lines")


def test_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.FORMAT_VARIABLE, "xml")
    with pytest.raises(ValueError, match="OET_LOG_FORMAT is 'xml': use ska or json"):
        logs.make_formatter()


@pytest.mark.parametrize("name", ["ska", "json"])
def test_the_level_of_a_line_can_be_read(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _form(monkeypatch, name)
    for level in (logging.INFO, logging.ERROR):
        logs.log(level, "ERROR|WARNING")
    levels = [logs.level_of(line) for line in written.getvalue().splitlines()]
    assert levels == [logging.INFO, logging.ERROR]
    for other in ("", "ERROR", "1|", "{", "{}", "[]", "Traceback (most recent call last):"):
        assert logs.level_of(other) is None


class _Stuck(logging.Handler):
    """A handler that waits until it may go on, as one does that writes to a full pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.may_go_on.wait()
        self.messages.append(record.getMessage())


def test_nobody_waits_for_a_log_that_cannot_be_written() -> None:
    stuck = _Stuck()
    logging.getLogger().addHandler(stuck)
    logging.getLogger().setLevel(logging.INFO)
    logs.start()
    try:
        for number in range(20_000):
            logs.log(logging.INFO, str(number))
        assert stuck.messages == []
        stuck.may_go_on.set()
        # The end does not wait for more than two seconds, however much there is to write.
        wait_until(lambda: "9999" in stuck.messages, "all that was kept is written")
    finally:
        stuck.may_go_on.set()
        logs.finish()
        logging.getLogger().removeHandler(stuck)
        logging.getLogger().setLevel(logging.WARNING)
    lost = next(text for text in stuck.messages if "are lost" in text)
    numbers = [text for text in stuck.messages if text.isdigit()]
    assert int(lost.split()[0]) + len(numbers) == 20_000
    assert numbers == [str(number) for number in range(len(numbers))]
    # After its end, who logs writes.
    logging.getLogger().addHandler(stuck)
    logs.log(logging.ERROR, "at once")
    logging.getLogger().removeHandler(stuck)
    assert stuck.messages[-1] == "at once"


def test_messages_made_later_have_the_order_time_and_thread_of_their_request() -> None:
    stuck = _Stuck()
    records: list[logging.LogRecord] = []
    stuck.addFilter(lambda record: records.append(record) or True)  # type: ignore[func-returns-value]
    stuck.may_go_on.set()
    logging.getLogger().addHandler(stuck)
    logging.getLogger().setLevel(logging.INFO)
    makers: list[str] = []

    def make() -> None:
        makers.append(threading.current_thread().name)
        logs.log(logging.INFO, "made later")

    logs.start()
    try:
        logs.log(logging.INFO, "before")
        logs.log_later(make)
        requested = time.time()
        logs.log_later(lambda: logs.log(logging.INFO, str(1 / 0)))
        logs.log(logging.INFO, "after")
    finally:
        logs.finish()
        logging.getLogger().removeHandler(stuck)
        logging.getLogger().setLevel(logging.WARNING)
    assert stuck.messages == ["before", "made later", "A message could not be made", "after"]
    assert makers == ["oet-log"]
    later = records[1]
    assert later.threadName == threading.current_thread().name
    assert later.created <= requested
    # Without a thread for the log, a message is made at once.
    logs.log_later(make)
    assert makers == ["oet-log", threading.current_thread().name]
