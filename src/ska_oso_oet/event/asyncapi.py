"""The topics of the event bus as AsyncAPI, generated from the topic tree and the models."""

import inspect
import json
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import Field, JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from ska_oso_oet import __version__
from ska_oso_oet.model import (
    ActivityState,
    ActivitySummary,
    AtCheckpoint,
    Event,
    ProcedureState,
    ProcedureSummary,
    Question,
    QueueEntry,
    QueueState,
    Requester,
)

from . import topics
from ._registration import OPTIONAL, definitions

_SCHEMAS = "#/components/schemas/{model}"
_MODE: JsonSchemaMode = "serialization"

_CONTROLLER = "OETController"
_SCRIPTS = "scripts"
_REST = "oet-sidecar"

_UNNUMBERED = frozenset(
    {"request.procedure.list", "request.activity.list", "procedure.pool.list", "activity.pool.list"}
)
"""Topics that the REST service publishes on, without a number, to those who listen at that moment."""

_PUBLISHERS = {
    "request": _CONTROLLER,
    "procedure": _CONTROLLER,
    "activity": _CONTROLLER,
    "queue": _CONTROLLER,
    "user.script.refused": _CONTROLLER,
}
"""Publisher on topics that begin like this; scripts publish on all others, and on topics of their own."""

_FIELDS: dict[str, Any] = {
    "request_id": Annotated[
        float, Field(description="time of the request, seconds since 1970; the same in all events it causes")
    ],
    "cmd": Annotated[dict[str, Any], Field(description="the request, as a client made it")],
    "requested_by": Annotated[
        Requester | None, Field(description="who made the request; null if the OET did by itself")
    ],
    "pids": Annotated[list[int] | None, Field(description="procedures asked for; null for all")],
    "activity_ids": Annotated[list[int] | None, Field(description="activities asked for; null for all")],
    "entry_id": Annotated[int, Field(description="ID of the entry of the queue")],
    "reason": Annotated[
        str | None, Field(description="why the queue is in its state; null if that needs none")
    ],
    "checkpoint": Annotated[str, Field(description="label of the checkpoint")],
    "number": Annotated[int, Field(description="how many checkpoints the script has reached")],
    "at_checkpoint": Annotated[
        AtCheckpoint | None, Field(description="what happens at the next checkpoint; null if nothing does")
    ],
    "question": Question,
    "activity_id": Annotated[int, Field(description="ID of the activity")],
    "stacktrace": Annotated[str, Field(description="stack trace, or the reason")],
    "sb_id": Annotated[str, Field(description="ID of the Scheduling Block")],
    "scan_id": Annotated[int | None, Field(description="ID of the scan")],
    "subarray_id": Annotated[int, Field(description="ID of the subarray")],
    "error": Annotated[JsonValue, Field(description="what the subarray answered")],
    "msg": Annotated[str | None, Field(description="a sentence for people")],
    "progress": Annotated[float, Field(description="percentage done, 0 to 100")],
    "refused_topic": Annotated[str, Field(description="topic of the event that was not published")],
    "size": Annotated[int | None, Field(description="its size in bytes, if it was too large")],
    "limit": Annotated[int | None, Field(description="bytes that are allowed, if it was too large")],
}
"""Types of the fields that mean the same on all topics."""

_FIELDS_BELOW: dict[str, dict[str, Any]] = {
    "procedure.lifecycle": {"result": ProcedureSummary, "new_state": ProcedureState},
    "procedure.pool": {"result": list[ProcedureSummary]},
    "activity.lifecycle": {"result": ActivitySummary, "new_state": ActivityState},
    "queue": {"result": QueueEntry, "new_state": QueueState},
    "activity.pool": {"result": list[ActivitySummary]},
}
"""Types of fields whose type depends on the topic, by the beginning of its name."""


_ADDED = {"request": ("requested_by",), "queue": ("requested_by",)}
"""Fields that the controller adds to events, by the beginning of their topics.

They are not in the topic tree: pypubsub would refuse listeners of scripts that were written without them."""


class _Topic(NamedTuple):
    """A topic of the tree."""

    name: str
    doc: str
    fields: dict[str, Any]
    """Types of its own fields."""
    required: list[str]
    """Names of those that every message has."""

    @property
    def publisher(self) -> str:
        """Who publishes on it."""
        if self.name in _UNNUMBERED:
            return _REST
        return next((who for start, who in _PUBLISHERS.items() if _is_below(self.name, start)), _SCRIPTS)


def _topics() -> Iterator[_Topic]:
    for name, definition in definitions(topics, topics.__name__):
        if not hasattr(definition, "msgDataSpec"):
            continue
        parameters = inspect.signature(definition.msgDataSpec).parameters
        names = [parameter for parameter in parameters if parameter != "msg_src"]
        optional = {each for each in names if parameters[each].default is not inspect.Parameter.empty}
        optional |= set(OPTIONAL.get(name, ()))
        added = [field for start, fields in _ADDED.items() if _is_below(name, start) for field in fields]
        optional |= set(added)
        names += added
        yield _Topic(
            name,
            inspect.cleandoc(definition.__doc__ or ""),
            {field: _type_of(name, field) for field in names},
            [field for field in names if field not in optional],
        )


def _is_below(name: str, start: str) -> bool:
    return name == start or name.startswith(f"{start}.")


def _type_of(topic: str, field: str) -> Any:
    for start, types in _FIELDS_BELOW.items():
        if _is_below(topic, start) and field in types:
            return types[field]
    return _FIELDS[field]


def asyncapi() -> dict[str, Any]:
    """Return the description of all topics: channels, operations, messages and schemas.

    :raises KeyError: if the type of a topic's field is not known here
    """
    known = list(_topics())
    inputs = [
        ((topic.name, field), _MODE, TypeAdapter(kind).core_schema)
        for topic in known
        for field, kind in topic.fields.items()
    ]
    event = (("", "event"), _MODE, TypeAdapter(Event).core_schema)
    found, models = GenerateJsonSchema(ref_template=_SCHEMAS).generate_definitions([*inputs, event])
    schemas = {key: schema for (key, _), schema in found.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Observation Execution Tool: events",
            "version": __version__,
            "description": "Events of a controller. Each of them is sent as one JSON object, by the Tango "
            "attribute `events` and by the REST service on `/api/v1.0/stream`. Of topics that scripts "
            "publish on, the types are a convention that the OET does not check. Events of requests for "
            "lists, and of the answers, are sent by the REST service alone, to the clients that listen at "
            "that moment: they have no number (`seq`), are not kept, and are left out where there are many.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in known},
        "operations": {topic.name: _operation(topic) for topic in known},
        "components": {
            "messages": {topic.name: _message(topic, schemas) for topic in known},
            "schemas": models,
        },
    }


def asyncapi_text() -> str:
    """Return the description as JSON text, as ``asyncapi.json`` has it."""
    return json.dumps(asyncapi(), indent=2, ensure_ascii=False) + "\n"


def _channel(topic: _Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": topic.doc,
        "messages": {"event": {"$ref": f"#/components/messages/{topic.name}"}},
    }


def _operation(topic: _Topic) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "description": f"Published by {topic.publisher}.",
        "tags": [{"name": topic.publisher}],
    }


def _message(topic: _Topic, schemas: dict[tuple[str, str], Any]) -> dict[str, Any]:
    own = {field: schemas[topic.name, field] for field in topic.fields}
    common = dict(Event.model_json_schema(mode=_MODE)["properties"])
    common["topic"] = {**common["topic"], "const": topic.name}
    numbered = ["seq"]
    if topic.name in _UNNUMBERED:
        del common["seq"]
        numbered = []
    payload = {
        "type": "object",
        "properties": {**common, **own},
        "required": [*numbered, "time", "topic", "msg_src", *topic.required],
    }
    return {"name": topic.name, "summary": topic.doc, "payload": payload}
