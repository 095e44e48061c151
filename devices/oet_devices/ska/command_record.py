"""What is known of one long-running command, and how it is written in JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .enums import ResultCode, TaskStatus

MAX_RESULT_BYTES = 64 * 1024
"""Longest JSON text of a result. Clients get results in events, over and over: see `lrcFinished`."""

_ELLIPSIS = " ... "


def to_json(value: Any) -> str:
    """Return a value as JSON. It is all ASCII, for a Tango string cannot hold every character.

    :param value: a JSON value; whatever in it is none appears as its text
    """
    return json.dumps(value, default=str)


def utc_now() -> str:
    """Return the time of day as ISO 8601 text, in UTC."""
    return datetime.now(UTC).isoformat()


@dataclass(frozen=True)
class Result:
    """How a command ended.

    :param code: the short form
    :param message: a sentence, or any other JSON value
    """

    code: ResultCode
    message: Any

    def as_list(self) -> list[Any]:
        """Return the form that goes into JSON texts: ``[code, message]``."""
        return [int(self.code), self.message]

    def shortened(self, pointer: str) -> "Result":
        """Return this result, cut if it is too long for events.

        :param pointer: sentence that says where to find all of it
        """
        if len(to_json(self.as_list())) <= MAX_RESULT_BYTES:
            return self
        text = self.message if isinstance(self.message, str) else to_json(self.message)
        tail = _ELLIPSIS + (pointer or "The rest was cut off: results are at most 64 kB long.")
        room = MAX_RESULT_BYTES - len(to_json([int(self.code), tail]))
        return Result(self.code, _head(text, room) + tail)


def _head(text: str, room: int) -> str:
    """Return as much of the beginning of a text as fits into a number of bytes of JSON."""
    head = text[:room]
    # A character may take twelve bytes in JSON; the quotes around the text do not count.
    while (excess := len(to_json(head)) - 2 - room) > 0:
        head = head[: len(head) - max(1, excess // 12)]
    return head


@dataclass
class CommandRecord:
    """One long-running command.

    :param id: unique ID
    :param name: name of the Tango command
    :param on_abort: called to ask the command to end early
    :param pointer: sentence that says where to find a result that is too long for events
    :param is_abort: whether this command aborts others, and is left alone by those that do
    """

    id: str
    name: str
    on_abort: Callable[[], object] | None = None
    pointer: str = ""
    is_abort: bool = False
    status: TaskStatus = TaskStatus.STAGING
    submitted_time: str = field(default_factory=utc_now)
    started_time: str | None = None
    finished_time: str | None = None
    progress: int | None = None
    result: Result | None = None
    abort_requested: bool = False
    expires: float = 0.0
    """When a finished command leaves the attributes of protocol version 1, on the monotonic clock."""
    finished_entry: str = ""
    """Its entry of lrcFinished, written once: it is sent with every later event of that attribute."""

    def enter(self, status: TaskStatus) -> None:
        """Move to another status, and note the time."""
        self.status = status
        if status is TaskStatus.IN_PROGRESS:
            self.started_time = utc_now()
        elif status.is_final:
            self.finished_time = utc_now()
            self.finished_entry = self._entry(status=status.name, result=self._result_list())

    def queue_entry(self) -> str:
        """Return this command's entry of lrcQueue."""
        return self._entry()

    def executing_entry(self) -> str:
        """Return this command's entry of lrcExecuting."""
        return self._entry(progress=self.progress)

    def result_entry(self) -> str:
        """Return the JSON text of the result that protocol version 1 sends."""
        return to_json(self._result_list())

    def _result_list(self) -> list[Any] | None:
        return None if self.result is None else self.result.as_list()

    def _entry(self, **more: Any) -> str:
        fields = {
            "uid": self.id,
            "name": self.name,
            "submitted_time": self.submitted_time,
            "started_time": self.started_time,
            "finished_time": self.finished_time,
            **more,
        }
        return to_json({name: value for name, value in fields.items() if value is not None})
