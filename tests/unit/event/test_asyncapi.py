"""The AsyncAPI description of the topics."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from ska_oso_oet.event import topics
from ska_oso_oet.event._registration import definitions
from ska_oso_oet.event.asyncapi import asyncapi

API = asyncapi()
TREE = {
    name: definition
    for name, definition in definitions(topics, topics.__name__)
    if hasattr(definition, "msgDataSpec")
}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def payload(topic: str) -> dict[str, Any]:
    found: dict[str, Any] = API["components"]["messages"][topic]["payload"]
    return found


@pytest.mark.parametrize("part", ["channels", "operations"])
def test_every_topic_is_described_and_nothing_else(part: str) -> None:
    assert API[part].keys() == API["components"]["messages"].keys() == TREE.keys()


def test_every_field_of_a_topic_has_a_type() -> None:
    for topic, definition in TREE.items():
        fields = set(definition.msgDataSpec.__annotations__) - {"return"}
        if topic.startswith(("request.", "queue.")):
            fields |= {"requested_by"}  # added by the controller
        described = payload(topic)["properties"]
        assert described.keys() | {"seq"} == fields | {"seq", "time", "topic", "msg_src"}
        assert ("seq" in described) == ("seq" in payload(topic)["required"])
        untyped = {
            name for name, schema in described.items() if not {"type", "anyOf", "$ref"} & schema.keys()
        }
        assert untyped <= {"error"}, topic
        jsonschema.Draft202012Validator.check_schema(payload(topic))


def test_what_it_refers_to_is_there() -> None:
    for reference in references(API):
        place: Any = API
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


@pytest.mark.parametrize(
    ("topic", "publisher"),
    [
        ("request.procedure.create", "OETController"),
        ("procedure.lifecycle.created", "OETController"),
        ("user.script.refused", "OETController"),
        ("user.script.announce", "scripts"),
        ("subarray.fault", "scripts"),
    ],
)
def test_who_publishes(topic: str, publisher: str) -> None:
    assert API["operations"][topic]["tags"] == [{"name": publisher}]


def test_messages_are_told_from_others() -> None:
    event = {"seq": 1, "time": 1.5, "topic": "subarray.configured", "msg_src": "1", "subarray_id": 2}
    schema = {**API, "$ref": "#/components/messages/subarray.configured/payload"}
    jsonschema.validate(event, schema)
    for wrong in ({"subarray_id": "2"}, {"topic": "subarray.fault"}, {"seq": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**event, **wrong}, schema)
    assert json.loads(json.dumps(API)) == API


def test_requests_for_lists_and_their_answers_have_no_number() -> None:
    unnumbered = {topic for topic in TREE if "seq" not in payload(topic)["properties"]}
    assert unnumbered == {topic for topic in TREE if topic.endswith(".list")}
