"""JSON Schema as Markdown."""

import json
from collections.abc import Mapping
from typing import Any

from .markdown import code, prose, table

Schema = Mapping[str, Any]

_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "minLength": "shortest length",
    "maxLength": "longest length",
    "minItems": "fewest items",
    "maxItems": "most items",
}


def objects(schemas: Mapping[str, Schema], prefix: str) -> str:
    """Return a section for each schema, sorted by name.

    :param schemas: the schemas, by their names
    :param prefix: beginning of the labels of the sections
    """
    return "\n\n".join(_section(name, schemas[name], prefix) for name in sorted(schemas))


def _section(name: str, schema: Schema, prefix: str) -> str:
    parts = [f"({label(name, prefix)})=\n## {name}", prose(str(schema.get("description", "")))]
    if "properties" in schema:
        parts.append(fields(schema, prefix))
    elif "enum" in schema:
        parts.append("One of " + ", ".join(map(_value, schema["enum"])) + ".")
    else:
        parts.append(f"JSON: {type_of(schema, prefix)}.")
    return "\n\n".join(part for part in parts if part)


def label(name: str, prefix: str) -> str:
    """Return the label of the section of a schema."""
    return f"{prefix}-{name.lower()}"


def fields(schema: Schema, prefix: str) -> str:
    """Return the fields of an object as a table.

    :param schema: of the object
    :param prefix: beginning of the labels of what it refers to
    """
    required = schema.get("required", ())
    rows = [
        (code(name), type_of(each, prefix), _presence(name in required, each), meaning(each))
        for name, each in schema["properties"].items()
    ]
    return table(("field", "type", "default", "meaning"), rows)


def meaning(schema: Schema) -> str:
    """Return the description of a value, with its limits."""
    limits = [f"{words} {schema[key]}" for key, words in _LIMITS.items() if key in schema]
    text = prose(str(schema.get("description", "")))
    return "; ".join(part for part in (text, ", ".join(limits)) if part)


def _presence(required: bool, schema: Schema) -> str:
    if required or "const" in schema:
        return "always there"
    return _value(schema["default"]) if "default" in schema else "may be missing"


def _value(value: object) -> str:
    return code(json.dumps(value, ensure_ascii=False))


def type_of(schema: Schema, prefix: str) -> str:
    """Return the type of a value, with links to what it refers to.

    :param schema: of the value
    :param prefix: beginning of the labels of what it refers to
    """
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{label(name, prefix)})"
    if "const" in schema:
        return _value(schema["const"])
    if "enum" in schema:
        return " or ".join(map(_value, schema["enum"]))
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_of(each, prefix) for each in schema[key]))
    return _plain_type(schema, prefix)


def _plain_type(schema: Schema, prefix: str) -> str:
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return "list of " + ", ".join(type_of(each, prefix) for each in schema["prefixItems"])
        case "array":
            return "list" if not schema.get("items") else f"list of {type_of(schema['items'], prefix)}"
        case "object" if isinstance(inside := schema.get("additionalProperties"), dict) and inside:
            return f"object of {type_of(inside, prefix)}"
        case "string" if "format" in schema:
            return f"string ({schema['format']})"
        case None:
            return "any JSON value"
        case str(name):
            return name
        case names:
            return " or ".join(names)
