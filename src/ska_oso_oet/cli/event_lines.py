"""Format of events with one line each: number, time, topic, subject, and a short text."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from ska_oso_oet.model import ActivityState, Event, ProcedureState, QueueEntryState, Requester, failure_line

from .rest import summary_id
from .tables import state_style
from .text import day_and_time, one_line

_WORDS = 200
"""Characters of what is said about an event, at most: the rest is in its full form."""

_KNOWN = frozenset({"request_id", "msg_src"})
"""Fields that do not say what has happened."""

_TALK = ("procedure.checkpoint.", "procedure.question.")

_STATES = frozenset({*ProcedureState, *ActivityState, *QueueEntryState})

_KINDS = {"activity.": "A", "request.activity.": "A", "queue.entry.": "Q"}
"""Prefix of the subject's number, by the beginning of the topic; other topics are about procedures."""


def event_line(event: Event) -> Text:
    """Return an event as one line for people.

    :param event: of any topic: a script may publish on topics that are not declared; its number is 0 if it
        has none
    """
    line = Text.assemble(
        (f"{event.seq or '':>4} {day_and_time(event.time)}", "dim"),
        f"  {one_line(event.topic):36} {_subject(event):>4}  ",
    )
    words = " ".join(filter(None, (_words(event), _requester(event.fields.get("requested_by")))))
    shown = one_line(words)
    line.append(shown if len(shown) <= _WORDS else f"{shown[:_WORDS]}…", _style(words))
    line.rstrip()
    return line


def _style(words: str) -> str:
    last = words.rpartition(" ")[2]
    return state_style(last) if last in _STATES else ""


def _subject(event: Event) -> str:
    """Return the subject of an event: procedure ``#3``, activity ``A3``, entry ``Q3`` of the queue."""
    fields = event.fields
    kind = next((kind for start, kind in _KINDS.items() if event.topic.startswith(start)), "#")
    command = fields.get("cmd")
    numbers = (
        fields.get("entry_id"),
        fields.get("activity_id"),
        summary_id(fields.get("result")),
        command.get("pid") if isinstance(command, Mapping) else None,
    )
    for number in numbers:
        if isinstance(number, int):
            return f"{kind}{number}"
    source = event.msg_src or ""
    return f"#{source}" if source.isdigit() else ""


def _words(event: Event) -> str:
    """Return the text of an event."""
    fields = event.fields
    if event.topic.startswith(_TALK):
        return _words_of_talk(fields)
    match fields:
        case {"new_state": state, "reason": str(reason)}:
            return f"{state}: {reason}"
        case {"new_state": state}:
            return str(state)
        case {"result": dict(summary)} if "state" in summary:
            return f"{_name(summary)} is {summary['state']}"
        case {"result": list(results)}:
            return f"{len(results)} found"
        case {"cmd": dict(command)}:
            return _request(command)
        case {"stacktrace": str(stacktrace)}:
            return failure_line(stacktrace)
        case {"progress": progress} if isinstance(progress, int | float) and not isinstance(progress, bool):
            message = fields.get("msg")
            return f"{progress:.1f} %" + ("" if message is None else f", {message}")
        case {"msg": message}:
            return str(message)
    return ", ".join(f"{name}={value!r}" for name, value in fields.items() if name not in _KNOWN)


def _requester(given: Any) -> str:
    """Return who has made a request, empty if that is not known."""
    try:
        return "" if given is None else f"by {Requester.model_validate(given)}"
    except ValueError:  # a script may publish what it likes
        return ""


def _words_of_talk(fields: Mapping[str, Any]) -> str:
    """Return the text of an event about a checkpoint or a question."""
    match fields:
        case {"question": {"text": str(text), "answer": answer, "answered_by": by}} if answer is not None:
            who = f" by {by['user']}" if isinstance(by, Mapping) and by.get("user") else ""
            return f"{text} {answer}{who}"
        case {"question": {"text": str(text)}}:
            return text
        case {"checkpoint": label}:
            return str(label)
        case {"at_checkpoint": None}:
            return "nothing at the next checkpoint"
        case {"at_checkpoint": what}:
            return f"{what} at the next checkpoint"
    return ""


def _request(command: Mapping[str, Any]) -> str:
    """Return the text of a request."""
    match command:
        case {"script": dict(script)}:
            calls = _calls(command.get("script_args"), "init", "main")
            return f"{_script_name(script)} {calls}".rstrip()
        case {"activity_name": name}:
            return f"{name} of {command.get('sbd_id') or command.get('sbd_uri')}"
        case {"question": number, "answer": answer}:
            return f"question {number}: {answer}"
        case {"topic": topic, "fields": fields}:
            return f"{topic} {fields}"
        case {"at": "checkpoint"}:
            return "at the next checkpoint" + (", with abort" if command.get("abort") else "")
        case {"abort": True}:
            return "with abort"
        case {"script_args": script_args}:
            return _calls(script_args, "main")
    return ""


def _calls(script_args: Any, *functions: str) -> str:
    """Return the calls of a script's functions that have arguments."""
    shown = []
    for function in functions:
        match script_args:
            case {**calls} if isinstance(call := calls.get(function), Mapping):
                parts = [repr(value) for value in call.get("args") or ()]
                parts += [f"{name}={value!r}" for name, value in (call.get("kwargs") or {}).items()]
                if parts:
                    shown.append(f"{function}({', '.join(parts)})")
    return " ".join(shown)


def _name(summary: Mapping[str, Any]) -> str:
    """Return the name of a procedure, an activity or an entry of the queue."""
    if isinstance(request := summary.get("request"), Mapping):
        return _name(request.get("procedure") or request.get("activity") or {})
    if isinstance(script := summary.get("script"), Mapping):
        return _script_name(script)
    return str(summary.get("activity_name", ""))


def _script_name(script: Mapping[str, Any]) -> str:
    uri = script.get("script_uri")
    return "embedded script" if not uri else str(uri).rpartition("/")[2]
