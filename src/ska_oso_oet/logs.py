"""Formats of log messages, and a log of operation that does not block its callers.

Messages are written in the SKA log format, version 1 (the developer portal of the SKA, "Logging format"), or
as JSON where the environment variable OET_LOG_FORMAT says so.
"""

import functools
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Final, NamedTuple

FORMAT_VARIABLE: Final = "OET_LOG_FORMAT"
_SKA, _JSON = "ska", "json"

OPERATION: Final = logging.getLogger("oet.operation")
"""Log of requests and of changes. It does not block its callers between `start` and `finish`."""

_WAITING: Final = 10_000
"""Messages that may wait to be written: enough for a burst, little enough for any memory."""

_FINISH_TIMEOUT: Final = 2.0

_GATHERED_WITHIN: Final = 0.02
"""Seconds that messages are gathered, to be written together: what they report on is busy meanwhile."""

_NOT_IN_TAGS: Final = str.maketrans({"|": "/", ",": ";", ":": "=", "\n": " "})


class SkaFormatter(logging.Formatter):
    """Writes a record in the SKA log format.

    That is version, time, severity, thread, function, place, tags and message.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and those of its exception."""
        # The name of a tag is a word; its value may be anything, an address with colons for example.
        tags = ",".join(
            [f"{name}:{str(value).translate(_NOT_IN_TAGS)}" for name, value in _tags(record).items()]
        )
        line = "|".join(
            (
                "1",
                _time(record),
                record.levelname,
                str(record.threadName),
                record.funcName,
                _place(record),
                tags,
                record.getMessage(),
            )
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        entry = {
            "time": _time(record),
            "level": record.levelname,
            "thread": record.threadName,
            "function": record.funcName,
            "place": _place(record),
            "logger": record.name,
            "message": record.getMessage(),
            **_tags(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def _time(record: logging.LogRecord) -> str:
    return f"{_moment(int(record.created))}.{int(record.msecs):03}Z"


@functools.lru_cache(maxsize=2)
def _moment(seconds: int) -> str:
    # Most messages are of the same second as the one before.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _place(record: logging.LogRecord) -> str:
    return f"{record.filename}#{record.lineno}"


def _tags(record: logging.LogRecord) -> Mapping[str, object]:
    tags: Mapping[str, object] = getattr(record, "tags", {})
    return {name: value for name, value in tags.items() if value is not None}


def make_formatter() -> logging.Formatter:
    """Return the formatter that the environment selects.

    :raises ValueError: if it names an unknown one
    """
    wanted = os.environ.get(FORMAT_VARIABLE, "").strip().lower() or _SKA
    if wanted not in (_SKA, _JSON):
        raise ValueError(f"{FORMAT_VARIABLE} is {wanted!r}: use {_SKA} or {_JSON}")
    return JsonFormatter() if wanted == _JSON else SkaFormatter()


def level_of(line: str) -> int | None:
    """Return the level of a line that one of these formatters has written, None of any other line.

    :param line: of a log
    """
    name = ""
    if line.startswith("1|"):
        name = line.split("|", 3)[2] if line.count("|") > 3 else ""
    elif line.startswith("{"):
        try:
            name = str(json.loads(line).get("level", ""))
        except ValueError:
            return None
    return logging.getLevelNamesMapping().get(name)


class BackgroundHandler(logging.Handler):
    """Passes records to the handlers of the root logger, in a thread of its own.

    Callers do not wait: where more messages wait than fit, the newest are dropped and counted. Errors are
    passed on at once, other messages a moment later.

    :param within: creates the context of the thread
    """

    def __init__(self, within: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        super().__init__()
        self._waiting: queue.SimpleQueue[logging.LogRecord | _Report | None] = queue.SimpleQueue()
        self._hurry: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._within = within
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="oet-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        self.take(record)
        if record.levelno >= logging.ERROR and self._hurry.empty():
            self._hurry.put(None)

    def take(self, item: "logging.LogRecord | _Report") -> None:
        """Take a record, or a report, which makes records when it is its turn."""
        if self._waiting.qsize() >= _WAITING:
            self._dropped += 1
        else:
            self._waiting.put(item)

    def finish(self, timeout: float) -> None:
        """Write the waiting records, and end the thread.

        :param timeout: seconds that it may take: the reader of the log may have stopped reading
        """
        self._waiting.put(None)
        self._hurry.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        with self._within():
            while (item := self._waiting.get()) is not None:
                with suppress(queue.Empty):
                    self._hurry.get(timeout=_GATHERED_WITHIN)
                if not self._handle_all(item):
                    return

    def _handle_all(self, item: "logging.LogRecord | _Report") -> bool:
        """Pass on a record, or those of a report, and all that wait. Returns False if it was asked to end."""
        root = logging.getLogger()
        waiting: logging.LogRecord | _Report | None = item
        while waiting is not None:
            if dropped := self._dropped:
                self._dropped = 0
                root.error("%d messages of this log are lost: it was written too slowly", dropped)
            if isinstance(waiting, _Report):
                waiting.make()
            else:
                root.handle(waiting)
            try:
                waiting = self._waiting.get_nowait()
            except queue.Empty:
                return True
        return False


class _Report(NamedTuple):
    """A function that logs, and where and when it was to do that.

    :param function: calls `log`
    :param time: seconds since 1970
    :param thread: name of the thread
    """

    function: Callable[[], None]
    time: float
    thread: str

    def make(self) -> None:
        """Call the function."""
        _reported.at = self
        try:
            self.function()
        except Exception:  # the next messages must still be written
            logging.getLogger(__name__).exception("A message could not be made")
        finally:
            _reported.at = None


class _Reported(threading.local):
    """The report whose function this thread is calling."""

    at: _Report | None = None


_reported = _Reported()

_running: list[BackgroundHandler] = []


def start(within: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
    """Let a thread of its own write the log of operation.

    :param within: creates the context of the thread
    """
    handler = BackgroundHandler(within)
    _running.append(handler)
    OPERATION.addHandler(handler)
    OPERATION.propagate = False


def finish() -> None:
    """Write the waiting records; from then on, callers write the log of operation."""
    while _running:
        handler = _running.pop()
        OPERATION.removeHandler(handler)
        OPERATION.propagate = True
        handler.finish(_FINISH_TIMEOUT)


def log(level: int, message: str, **tags: object) -> None:
    """Log a message about operation.

    :param level: of Python's logging
    :param message: one line
    :param tags: tags of its subject, by name, e.g. ``procedure=7``; None is left out
    """
    if not OPERATION.isEnabledFor(level):
        return
    # As `Logger.log` makes it, in a third of the time: each state of a procedure has a line.
    caller = sys._getframe(1)  # noqa: SLF001
    code = caller.f_code
    record = logging.LogRecord(
        OPERATION.name, level, code.co_filename, caller.f_lineno, "%s", (message,), None, code.co_name
    )
    record.tags = tags
    if (report := _reported.at) is None:
        OPERATION.handle(record)
        return
    record.created, record.threadName = report.time, report.thread
    record.msecs = 1000 * (report.time % 1)
    logging.getLogger().handle(record)  # it has waited for its turn already


def log_later(function: Callable[[], None]) -> None:
    """Have a function call `log` a moment later, in the thread of the log.

    For those that others wait for: to make messages takes as long as all the rest of what they do. Order and
    time of the messages are those of this call.

    :param function: calls `log`
    """
    report = _Report(function, time.time(), threading.current_thread().name)
    if _running:
        _running[-1].take(report)
    else:
        report.make()
