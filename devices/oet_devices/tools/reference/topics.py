"""The topics of the event bus as Markdown, from their AsyncAPI description."""

from functools import cache
from typing import Any

from ska_oso_oet.event.asyncapi import asyncapi

from . import schemas
from .markdown import prose

_PREFIX = "topic"

_COMMON = ("seq", "time", "topic", "msg_src")
"""Fields of all events."""


@cache
def _description() -> dict[str, Any]:
    return asyncapi()


def topics() -> str:
    """Return all topics, by the first part of their names: who publishes on them, and the fields."""
    groups: dict[str, list[str]] = {}
    for name in _description()["channels"]:
        groups.setdefault(name.split(".")[0], []).append(_topic(name))
    return "\n\n".join("\n\n".join((f"## {first}", *sections)) for first, sections in groups.items())


def objects() -> str:
    """Return the objects in the fields of events."""
    return schemas.objects(_description()["components"]["schemas"], _PREFIX)


def _topic(name: str) -> str:
    payload = _description()["components"]["messages"][name]["payload"]
    own = {field: schema for field, schema in payload["properties"].items() if field not in _COMMON}
    parts = [
        f"### {name}",
        prose(_description()["channels"][name]["description"]),
        _description()["operations"][name]["description"]
        + ("" if "seq" in payload["properties"] else " Without a number (`seq`)."),
        schemas.fields({**payload, "properties": own}, _PREFIX) if own else "No fields of its own.",
    ]
    return "\n\n".join(parts)
