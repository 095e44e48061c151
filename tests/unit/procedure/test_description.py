"""Descriptions of scripts, read from their texts."""

import textwrap
from typing import Any

from ska_oso_oet.procedure.domain.description import describe
from ska_oso_oet.procedure.domain.script_text import ScriptText

OBSERVE = """
'''Observe a target.'''
from enum import Enum
from typing import Annotated, Literal
from dataclasses import dataclass
import observing

class Band(Enum):
    LOW = "low"
    HIGH = "high"

@dataclass
class Position:
    ra: Annotated[float, "deg"]
    band: Band = Band.LOW

SCANS = 3

def init(subarray_id: int = 1): ...

async def main(target, position: Position, /, scans: int = SCANS, *tags: str,
               exposure: Annotated[float, "s"] = 1.5, mode: Literal["fast", "deep"] = "fast",
               band: Band = Band.HIGH, receiver: observing.Receiver = observing.DEFAULT, **more: int):
    '''Run the scans.

    :param target: name in
        the catalogue
    :param float exposure: of one scan
    :returns: nothing
    '''
"""


def described(source: str) -> dict[str, Any]:
    return describe(ScriptText(textwrap.dedent(source).lstrip(), "observe.py"), None).model_dump()


def test_docstrings_types_defaults_units_and_choices() -> None:
    found = described(OBSERVE)
    assert found["doc"] == "Observe a target."
    assert found["functions"]["init"] == {
        "doc": None,
        "parameters": {
            "type": "object",
            "properties": {"subarray_id": {"type": "integer", "annotation": "int", "default": 1}},
            "required": [],
            "additionalProperties": False,
        },
    }
    main = found["functions"]["main"]
    assert main["doc"].startswith("Run the scans.")
    parameters = main["parameters"]
    band = {"enum": ["low", "high"], "title": "Band", "type": "string"}
    assert parameters["$defs"]["Band"] == band
    assert parameters["$defs"]["Position"]["required"] == ["ra"]
    assert parameters["required"] == ["target", "position"]
    assert parameters["additionalProperties"] == {"type": "integer", "annotation": "int"}
    assert list(parameters["properties"].items()) == [
        ("target", {"kind": "POSITIONAL_ONLY", "description": "name in the catalogue"}),
        (
            "position",
            {"$ref": "#/$defs/Position", "annotation": "Position", "kind": "POSITIONAL_ONLY"},
        ),
        ("scans", {"type": "integer", "annotation": "int", "default": 3}),
        (
            "tags",
            {"type": "array", "items": {"type": "string"}, "annotation": "str", "kind": "VAR_POSITIONAL"},
        ),
        (
            "exposure",
            {
                "type": "number",
                "unit": "s",
                "annotation": "Annotated[float, 's']",
                "default": 1.5,
                "description": "of one scan",
            },
        ),
        (
            "mode",
            {
                "enum": ["fast", "deep"],
                "type": "string",
                "annotation": "Literal['fast', 'deep']",
                "default": "fast",
            },
        ),
        ("band", {"$ref": "#/$defs/Band", "annotation": "Band", "default": "high"}),
        ("receiver", {"annotation": "observing.Receiver"}),
    ]


def test_a_decorated_function_is_described_by_its_definition() -> None:
    found = described("@retried\ndef main(scans: int): ...")
    assert list(found["functions"]["main"]["parameters"]["properties"]) == ["scans"]


def test_of_a_function_that_only_loading_brings_nothing_is_said() -> None:
    found = described("from observing import main")
    assert found["functions"] == {"main": {"doc": None, "parameters": {}}}
