"""Record of one long-running command, and its JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import Any

from .enums import ResultCode, TaskStatus

MAX_RESULT_BYTES = 64 * 1024
"""Longest JSON text of a result. Clients get results in events, over and over: see `lrcFinished`."""

_ELLIPSIS = " ... "
_TRUNCATED = "truncated"
"""Member of a JSON object that names those which are left out."""


@dataclass(frozen=True)
class JsonText:
    """A JSON value that has been written already.

    :param text: the value as JSON, in ASCII
    """

    text: str


def to_json(value: Any) -> str:
    """Return a value as JSON. It is all ASCII, because a Tango string cannot contain every character.

    :param value: a JSON value, or a `JsonText`; any other value in it appears as its text
    """
    if isinstance(value, JsonText):
        return value.text
    return encode_basestring_ascii(value) if type(value) is str else json.dumps(value, default=str)


def json_object(**members: str) -> str:
    """Return a JSON object.

    :param members: its members, as JSON texts
    """
    return "{" + ", ".join([f"{to_json(name)}: {text}" for name, text in members.items()]) + "}"


class Result:
    """Result of a command.

    :param code: the short form
    :param message: a sentence, any other JSON value, or a `JsonText`
    :param pointer: sentence that says where to find all of a message that is too long for events
    :ivar text: ``[code, message]`` as JSON, written once: many attributes and events contain it. If an object
        is too long, its longest members are left out, and named in its member ``truncated``; of a long text,
        the middle is left out. Any other value that is too long becomes an object without its member
        ``value``.
    """

    def __init__(self, code: ResultCode, message: Any, pointer: str = "") -> None:
        self.text = f"[{code:d}, {to_json(message)}]"
        if len(self.text) > MAX_RESULT_BYTES:
            value = json.loads(self.text)[1]
            if not isinstance(value, str):
                members = value if isinstance(value, dict) else {"value": value}
                self.text = f"[{code:d}, {_without_longest(members, MAX_RESULT_BYTES - len('[0, ]'))}]"
                return
            tail = _ELLIPSIS + (pointer or "The rest was cut off: results are at most 64 kB long.")
            room = MAX_RESULT_BYTES - len(to_json([int(code), _ELLIPSIS + tail]))
            self.text = to_json([int(code), _without_middle(value, room) + tail])


def _without_longest(value: dict[str, Any], room: int) -> str:
    """Return a JSON object without its longest members, which fits into a number of bytes of JSON.

    :param value: the object; its member ``truncated``, if there is one, is a list of names
    :param room: the number of bytes
    """
    left_out: list[str] = list(value.get(_TRUNCATED, ()))
    members = {name: to_json(member) for name, member in value.items() if name != _TRUNCATED}
    while len(text := json_object(**members, **{_TRUNCATED: to_json(left_out)})) > room and members:
        longest = max(members, key=lambda name: len(members[name]))
        del members[longest]
        left_out = [*(name for name in left_out if name != longest), longest]
    return text


def _without_middle(text: str, room: int) -> str:
    """Return the beginning and the end of a text, which fit into a number of bytes of JSON.

    The end of a stack trace describes the error.
    """
    end = _head(text[::-1], room // 2)[::-1]
    return f"{_head(text, room // 2)}{_ELLIPSIS}{end}"


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
    :param is_abort: whether this command aborts others, and is not aborted by others
    """

    id: str
    name: str
    on_abort: Callable[[], object] | None = None
    pointer: str = ""
    is_abort: bool = False
    status: TaskStatus = TaskStatus.STAGING
    progress: int | None = None
    result: Result | None = None
    abort_requested: bool = False
    expires: float = 0.0
    """When a finished command leaves the attributes of protocol version 1, on the monotonic clock."""
    entry: str = ""
    """Its entry of lrcQueue, lrcExecuting or lrcFinished, written once: it is sent with every later event."""

    def __post_init__(self) -> None:
        # Members that no longer change, as JSON texts.
        self.id_and_status = (self.id, self.status.name)
        self._members = {"uid": to_json(self.id), "name": to_json(self.name), "submitted_time": _now()}

    def enter(self, status: TaskStatus, result: Result | None = None) -> None:
        """Move to another status, and note the time.

        :param status: the status
        :param result: how the command ended, if it has ended
        """
        self.status = status
        self.id_and_status = (self.id, status.name)
        self.result = result
        if status is TaskStatus.IN_PROGRESS:
            self._members["started_time"] = _now()
        elif status.is_final:
            self._members["finished_time"] = _now()
            self._members["status"] = to_json(status.name)
        if result is not None:
            self._members["result"] = result.text
        self.entry = json_object(**self._members)

    def advance(self, percent: int) -> None:
        """Note the progress of the command."""
        self.progress = percent
        self.entry = json_object(**self._members, progress=str(percent))


def _now() -> str:
    """Return the time of day as ISO 8601 text, in UTC, as JSON."""
    return f'"{datetime.now(UTC).isoformat()}"'
