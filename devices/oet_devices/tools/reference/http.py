"""The REST interface as Markdown, from its OpenAPI description."""

import json
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from ska_oso_oet.sidecar import openapi_text
from ska_oso_oet.sidecar.middleware import is_open

from . import schemas
from .markdown import code, prose, table

_PREFIX = "rest"

_ERRORS = 400


@cache
def _description() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(openapi_text())
    return described


def operations() -> str:
    """Return all operations by their tags: parameters, bodies, answers, who may use them."""
    groups: dict[str, list[str]] = {}
    for path, methods in _description()["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method.upper(), path, operation))
    return "\n\n".join("\n\n".join((f"## {tag}", *sections)) for tag, sections in groups.items())


def objects() -> str:
    """Return the objects in requests and answers."""
    return schemas.objects(_description()["components"]["schemas"], _PREFIX)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [
        f"### {operation['summary']}",
        f"```text\n{method} {path}\n```",
        prose(operation.get("description", "")),
        f"For {_role(method, path)}.",
        _parameters(operation.get("parameters", [])),
        _body(operation),
        _answers(operation["responses"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _role(method: str, path: str) -> str:
    if is_open(path):
        return "everybody"
    return "viewers and operators" if method == "GET" else "operators"


def _parameters(parameters: list[dict[str, Any]]) -> str:
    if not parameters:
        return ""
    rows = [
        (
            code(each["name"]),
            each["in"],
            schemas.type_of(each["schema"], _PREFIX),
            "needed" if each.get("required") else _default(each["schema"]),
            schemas.meaning({**each["schema"], "description": each.get("description", "")}),
        )
        for each in parameters
    ]
    return table(("parameter", "in", "type", "default", "meaning"), rows)


def _default(schema: dict[str, Any]) -> str:
    return code(json.dumps(schema["default"])) if schema.get("default") is not None else "none"


def _body(operation: dict[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    return "Body: " + "; ".join(_contents(operation["requestBody"])) + "."


def _contents(answer: dict[str, Any]) -> Iterator[str]:
    """Return the types of an answer or a body, by its media types."""
    for media_type, content in answer.get("content", {}).items():
        kind = schemas.type_of(content.get("schema", {}), _PREFIX)
        yield kind if media_type == "application/json" else f"{kind} as {code(media_type)}"


def _answers(responses: dict[str, Any]) -> str:
    answered = [
        f"{status} {'; '.join(_contents(answer)) or answer['description']}"
        for status, answer in responses.items()
        if int(status) < _ERRORS
    ]
    errors = ", ".join(
        f"{status} {HTTPStatus(int(status)).phrase}" for status in sorted(responses) if int(status) >= _ERRORS
    )
    return f"Answers: {', '.join(answered)}. Errors: {errors}."
