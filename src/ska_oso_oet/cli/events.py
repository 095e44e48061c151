"""Events as people read them: the topic, and its fields by name."""

from typing import Any

from rich.text import Text

from ska_oso_oet.model import Activity, Event, FunctionArgs, Procedure

from .rest import read_summary
from .tables import script_name
from .text import printable
from .times import to_microsecond


def event_text(event: Event) -> Text:
    """Return an event as ``oet listen`` shows it.

    :param event: of any topic: a script may publish what nobody has declared
    :returns: a line with the topic, and one with the fields; texts of several lines follow in full
    """
    fields = {"msg_src": event.msg_src, **event.fields}
    blocks = {name: value for name, value in fields.items() if isinstance(value, str) and "\n" in value}
    pairs = [
        f"{name}={_field(event.topic, name, value)}" for name, value in fields.items() if name not in blocks
    ]
    pairs += [f"seq={event.seq}", f"time='{to_microsecond(event.time)}'"]
    text = Text.assemble(("event: ", "dim"), (printable(event.topic), "bold"), "\n", ("data: ", "dim"))
    text.append(printable(" ".join(pairs)) + "\n")
    for name, value in blocks.items():
        text.append(printable(f"{name}:\n{value.rstrip()}\n"))
    return text


def _field(topic: str, name: str, value: Any) -> str:
    """Return the value of a field in short, where its meaning is known, else in full."""
    if name == "result":
        if topic.startswith("procedure."):
            return _result(value, Procedure)
        if topic.startswith("activity."):
            return _result(value, Activity)
    return _value(value)


def _result(value: Any, model: type[Procedure] | type[Activity]) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_result(item, model) for item in value) + "]"
    try:
        summary = read_summary(value, model)
    except ValueError:
        return _value(value)
    return _procedure(summary) if isinstance(summary, Procedure) else _activity(summary)


def _procedure(procedure: Procedure) -> str:
    return (
        f"Procedure(id={procedure.id}, script={script_name(procedure.script)!r}, "
        f"{_calls(procedure.script_args)}state={procedure.state})"
    )


def _activity(activity: Activity) -> str:
    return (
        f"Activity(id={activity.id}, activity_name={activity.activity_name!r}, sbd_id={activity.sbd_id!r}, "
        f"procedure_id={activity.procedure_id}, {_calls(activity.script_args)}state={activity.state})"
    )


def _calls(script_args: dict[str, FunctionArgs]) -> str:
    return "".join(f"{name}{_call(call.args, call.kwargs)}, " for name, call in script_args.items())


def _call(args: list[Any], kwargs: dict[str, Any]) -> str:
    """Return arguments as they would be written in Python."""
    return "(" + ", ".join([*map(_value, args), *(f"{name}={_value(v)}" for name, v in kwargs.items())]) + ")"


def _value(value: Any) -> str:
    match value:
        case {"args": list(args), "kwargs": dict(kwargs), **rest} if not rest:
            return _call(args, kwargs)
        case dict():
            return "{" + ", ".join(f"{key!r}: {_value(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
