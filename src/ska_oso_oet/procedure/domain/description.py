"""Descriptions of scripts: docstrings, and parameters of functions, read without running the script."""

import ast
import inspect
import re
from typing import Any

import orjson

from ska_oso_oet.model import FunctionDescription, ScriptDescription

from .annotations import UNKNOWN, Annotation
from .script_context import is_filled
from .script_text import ScriptText, signature_of
from .signatures import FUNCTIONS

_PARAM = re.compile(r"^[ \t]*:param (?:[^:\n]*[ \t])?(\w+):((?:.*\n?)(?:[ \t]+(?!:)\S.*\n?)*)", re.MULTILINE)

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def describe(text: ScriptText, uri: str | None) -> ScriptDescription:
    """Return the description of a script.

    :param text: the script
    :param uri: its URI, None if it has none
    :raises ScriptDefectiveError: if it has neither ``main`` nor ``init``
    """
    outlines = text.outlines()
    functions = {
        function: _describe(function, text, text.definition(function))
        for function in FUNCTIONS
        if outlines[function].defined
    }
    return ScriptDescription(uri=uri, doc=text.doc, functions=functions)


def _describe(
    function: str, text: ScriptText, definition: ast.FunctionDef | ast.AsyncFunctionDef | None
) -> FunctionDescription:
    if definition is None:  # it is imported, or bound when the script is loaded
        return FunctionDescription()
    doc = ast.get_docstring(definition)
    documented = {name: " ".join(said.split()) for name, said in _PARAM.findall(doc or "")}
    defaults = _defaults(definition.args)
    properties: dict[str, Any] = {}
    required: list[str] = []
    rest: Any = False
    definitions: dict[str, Any] = {}
    for parameter in signature_of(definition.args, text.names).parameters.values():
        if is_filled(function, parameter):
            continue
        schema = _schema(parameter, text, defaults.get(parameter.name))
        definitions.update(schema.pop("$defs", {}))
        if parameter.name in documented:
            schema["description"] = documented[parameter.name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            rest = schema or True
            continue
        properties[parameter.name] = schema
        if parameter.default is parameter.empty and parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            required.append(parameter.name)
    parameters = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": rest,
    }
    return FunctionDescription(
        doc=doc, parameters=parameters | ({"$defs": definitions} if definitions else {})
    )


def _schema(parameter: inspect.Parameter, text: ScriptText, default: ast.expr | None) -> dict[str, Any]:
    """Return the JSON Schema of a parameter."""
    schema: dict[str, Any] = {}
    if isinstance(parameter.annotation, Annotation):
        schema = parameter.annotation.json_schema
        definitions = schema.pop("$defs", None)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            schema = {"type": "array", "items": schema}
        schema["annotation"] = parameter.annotation.text
        if definitions is not None:
            schema["$defs"] = definitions
    elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        schema = {"type": "array"}
    if parameter.kind not in _NAMED and parameter.kind is not inspect.Parameter.VAR_KEYWORD:
        schema["kind"] = parameter.kind.name
    if default is not None and (value := _as_json(text.names.default(default))) is not UNKNOWN:
        schema["default"] = value
    return schema


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    """Return the defaults of parameters, by name."""
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {argument.arg: default for argument, default in pairs if default is not None}


def _as_json(value: Any) -> Any:
    """Return a value as JSON has it, `UNKNOWN` if it has no form for it."""
    try:
        return UNKNOWN if value is UNKNOWN else orjson.loads(orjson.dumps(value))
    except ValueError:
        return UNKNOWN
