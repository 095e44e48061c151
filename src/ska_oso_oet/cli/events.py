"""Format of events in full, as the documentation of the OET 5.2.0 shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from ska_oso_oet.model import ActivitySummary, Event, ProcedureSummary, script_to_json

from .rest import read_summary
from .tables import by_order_of_calls
from .text import printable, to_microsecond

_COMMANDS = {
    "request.procedure.create": "PrepareProcessCommand",
    "request.procedure.start": "StartProcessCommand",
    "request.procedure.stop": "StopProcessCommand",
    "request.activity.run": "ActivityCommand",
}
"""Name of the `cmd` of a request in the documentation, by topic."""

_DOCUMENTED = {"pid": "process_uid", "abort": "run_abort"}
"""Name of a field of a client in the documentation."""


def event_text(event: Event) -> Text:
    """Return an event as ``oet listen --long`` shows it.

    :param event: of any topic: a script may publish on topics that are not declared; its number is 0 if it
        has none
    :returns: a line with the topic, and one with the fields; texts of several lines follow in full
    """
    fields = {"msg_src": event.msg_src, **event.fields}
    if event.topic.startswith("request."):
        # The documentation has no such field; the line for people says who asked.
        fields.pop("requested_by", None)
    blocks = {name: value for name, value in fields.items() if isinstance(value, str) and "\n" in value}
    pairs = [
        f"{name!r}: {_field(event.topic, name, value)}"
        for name, value in fields.items()
        if name not in blocks
    ]
    number = f" seq={event.seq}" if event.seq else ""
    data = f"args=() kwargs={{{', '.join(pairs)}}}{number} time='{to_microsecond(event.time)}'"
    text = Text.assemble(("event: ", "dim"), (printable(event.topic), "bold"), "\n", ("data: ", "dim"))
    text.append(printable(data) + "\n")
    for name, value in blocks.items():
        text.append(printable(f"{name}:\n{value.rstrip()}\n"))
    return text


def _field(topic: str, name: str, value: Any) -> str:
    """Return the value of a field: as an object, where its meaning is known."""
    if name == "result" and topic.startswith("procedure."):
        return _result(value, ProcedureSummary)
    if name == "result" and topic.startswith("activity."):
        return _result(value, ActivitySummary)
    if name == "cmd" and topic in _COMMANDS and isinstance(value, dict):
        return _command(_COMMANDS[topic], value)
    return _value(value)


def _result(value: Any, model: type[ProcedureSummary] | type[ActivitySummary]) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_result(item, model) for item in value) + "]"
    try:
        summary = read_summary(value, model)
    except ValueError:
        return _value(value)
    return _procedure(summary) if isinstance(summary, ProcedureSummary) else _activity(summary)


def _procedure(procedure: ProcedureSummary) -> str:
    history = procedure.history
    # The whole stack trace is in an event of its own.
    trace = None if procedure.failure_line is None else "… " + procedure.failure_line
    return (
        f"ProcedureSummary(id={procedure.id}, {_script(script_to_json(procedure.script))}, "
        f"script_args={_calls(procedure.arguments)}, "
        f"history=<ProcessHistory(process_states={_states('ProcedureState', history.process_states)}, "
        f"stacktrace={trace!r})>, state=<ProcedureState.{procedure.state}>)"
    )


def _activity(activity: ActivitySummary) -> str:
    return (
        f"ActivitySummary(id={activity.id}, activity_name={activity.activity_name!r}, "
        f"sbd_id={activity.sbd_id!r}, procedure_id={activity.procedure_id}, "
        f"prepare_only={activity.prepare_only}, script_args={_calls(activity.script_args)}, "
        f"activity_states={_states('ActivityState', activity.activity_states)}, "
        f"state=<ActivityState.{activity.state}>)"
    )


def _command(name: str, command: Mapping[str, Any]) -> str:
    """Return a request as the call that would make it, in the fields that the documentation gives it.

    Older controllers wrote only the fields that a client gives.
    """
    parts = []
    for key, value in command.items():
        documented = _DOCUMENTED.get(key, key)
        match key, value:
            case "script", dict():
                parts.append(_script(value))
            case "script_args", dict():
                pass
            case _ if key == documented or documented not in command:
                parts.append(f"{documented}={_value(value)}")
    calls = command.get("script_args")
    if isinstance(calls, dict) and "run_args" not in command:
        parts += [
            f"{function}_args={_value(arguments)}"
            for function, arguments in by_order_of_calls(calls)
            if f"{function}_args" not in command
        ]
    return f"{name}({', '.join(parts)})"


def _script(script: Mapping[str, Any]) -> str:
    """Return the name of a script: not its text, if that is embedded."""
    hidden = {"script_type", "script"} if script.get("script_uri") else {"script"}
    parts = (f"{key}={_value(value)}" for key, value in script.items() if value and key not in hidden)
    return ", ".join(parts)


def _calls(script_args: Mapping[str, Any]) -> str:
    parts = (
        f"{function!r}: {_call(call.args, call.kwargs)}" for function, call in by_order_of_calls(script_args)
    )
    return "{" + ", ".join(parts) + "}"


def _states(enumeration: str, states: list[tuple[Any, float]]) -> str:
    return "[" + ", ".join(f"({enumeration}.{state}, {time})" for state, time in states) + "]"


def _call(args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """Return the arguments of a call as they would be written in Python."""
    parts = [*map(_value, args), *(f"{name}={_value(value)}" for name, value in kwargs.items())]
    return f"<ProcedureInput({', '.join(parts)})>"


def _value(value: Any) -> str:
    match value:
        case {"args": list(args), "kwargs": dict(kwargs), **rest} if not rest:
            return _call(args, kwargs)
        case dict():
            return "{" + ", ".join(f"{key!r}: {_value(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
