"""Checks and conversions of arguments by annotations, read from a script's text and from its functions."""

import textwrap
from collections.abc import Callable
from inspect import Signature
from types import ModuleType
from typing import Any

import pytest

from ska_oso_oet.procedure.domain import ArgumentsError, ProcedureInput, signatures
from ska_oso_oet.procedure.domain.script_text import ScriptText
from ska_oso_oet.procedure.worker.functions import call, signature_of

TOP = """
import datetime as dt
import typing as t
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Annotated, Literal, Optional, Union

import numpy as np
from pydantic import BaseModel, Field
from annotated_types import Ge, Unit

class Band(Enum):
    '''Receiver bands.'''
    ONE = "1"
    TWO = "2"

    @property
    def number(self):
        return int(self.value)

@dataclass
class Position:
    ra: float
    dec: float = 0.0
    band: Band = Band.ONE

class Scan(BaseModel):
    target: str
    positions: list[Position] = None

LIMIT = 90
Number = int | float
"""

FITS = {
    "int": ("int", 3, "3"),
    "float": ("float", 0.5, "0.5"),
    "an integer for a float": ("float", 3, "3.0"),
    "a number without a fraction for an int": ("int", 3.0, "3"),
    "str": ("str", "3", "'3'"),
    "bool": ("bool", True, "True"),
    "Literal": ("Literal['a', 2]", 2, "2"),
    "text to Enum": ("Band", "2", "<Band.TWO: '2'>"),
    "within a list": ("list[Band]", ["1", "2"], "[<Band.ONE: '1'>, <Band.TWO: '2'>]"),
    "None for Optional": ("Optional[int]", None, "None"),
    "Union": ("Union[int, str]", "5", "'5'"),
    "list to tuple": ("tuple[int, str]", [1, "a"], "(1, 'a')"),
    "list to tuple of any length": ("tuple[int, ...]", [1, 2, 3.0], "(1, 2, 3)"),
    "dict": ("dict[str, int]", {"a": 1}, "{'a': 1}"),
    "Sequence": ("Sequence[int]", [1], "[1]"),
    "dataclass": ("Position", {"ra": 1, "band": "2"}, "Position(ra=1.0, dec=0.0, band=<Band.TWO: '2'>)"),
    "model": (
        "Scan",
        {"target": "M31", "positions": [{"ra": 2.5}]},
        "Scan(target='M31', positions=[Position(ra=2.5, dec=0.0, band=<Band.ONE: '1'>)])",
    ),
    "text to Path": ("Path", "/tmp/x", "PosixPath('/tmp/x')"),
    "text to datetime": ("dt.datetime", "2026-01-02T03:04:05", "datetime.datetime(2026, 1, 2, 3, 4, 5)"),
    "units and limits": ("Annotated[float, Unit('deg'), Field(ge=0, le=360)]", 1.5, "1.5"),
    "an annotation as text": ("'list[Band]'", ["1"], "[<Band.ONE: '1'>]"),
    "an alias": ("Number", 1.5, "1.5"),
    "an unknown type": ("np.ndarray", [1], "[1]"),
    "a type with unknown parts": ("list[np.ndarray]", [1], "[1]"),
    "what JSON has no value for": ("Callable[[], int]", 1, "1"),
    "what checking would use up": ("Iterable[int]", ["a"], "['a']"),
    "a type of type checkers": ("'NeverImported'", 1, "1"),
}
REFUSED = {
    "text for int": ("int", "three", "value is 'three', and should be a valid integer"),
    "digits for int": ("int", "3", "value is '3', and should be a valid integer"),
    "a fraction for int": ("int", 3.5, "value is 3.5, and should be a valid integer"),
    "a bool for int": ("int", True, "value is True, and should be a valid integer"),
    "a number for str": ("str", 3, "value is 3, and should be a valid string"),
    "a number for bool": ("bool", 1, "value is 1, and should be a valid boolean"),
    "None": ("int", None, "value is None, and should be a valid integer"),
    "Literal": ("Literal['a', 2]", "b", "value is 'b', and should be 'a' or 2"),
    "Enum": ("Band", "3", "value is '3', and should be '1' or '2'"),
    "Optional": ("Optional[int]", "x", "value is 'x', and should be a valid integer"),
    "Union": ("int | str", [], "value is [], and should be a valid integer or should be a valid string"),
    "an item": ("list[int]", [1, "b"], "value[1] is 'b', and should be a valid integer"),
    "a tuple that is too short": ("tuple[int, int]", [1], "value[1] is missing"),
    "a field": ("Position", {"ra": "x"}, "value.ra is 'x', and should be a valid number"),
    "a field that is missing": ("Scan", {}, "value.target is missing"),
    "a field that is not there": ("Position", {"ra": 1, "de": 2}, "value.de is not a field of it"),
    "datetime": ("dt.datetime", "noon", "value is 'noon', and should be a valid datetime"),
    "limits": ("Annotated[float, Ge(0)]", -1, "value is -1, and should be greater than or equal to 0"),
    "Field": ("t.Annotated[int, Field(le=LIMIT)]", 91, "value is 91, and should be less than or equal to 90"),
}


def module(source: str) -> ModuleType:
    made = ModuleType("observe")
    exec(textwrap.dedent(source), vars(made))
    return made


def of_text(source: str) -> Signature:
    signature = ScriptText(source, "observe.py").outlines()["main"].signature
    assert signature is not None
    return signature


def of_function(source: str) -> Signature:
    signature = signature_of(module(source).main)
    assert signature is not None
    return signature


SOURCES: list[Callable[[str], Signature]] = [of_text, of_function]


def script(annotation: str) -> str:
    return f"{TOP}\ndef main(value: {annotation}):\n    return value\n"


@pytest.mark.parametrize("case", FITS)
def test_what_fits_reaches_the_function_as_its_type_demands(case: str) -> None:
    annotation, value, expected = FITS[case]
    source = script(annotation)
    signatures.check("main", of_text(source), ProcedureInput(value))
    assert repr(call(module(source), "main", ProcedureInput(value=value))) == expected


@pytest.mark.parametrize("read", SOURCES)
@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_named_with_what_would(case: str, read: Callable[[str], Signature]) -> None:
    annotation, value, reason = REFUSED[case]
    with pytest.raises(ArgumentsError) as raised:
        signatures.check("main", read(script(annotation)), ProcedureInput(value))
    assert str(raised.value).startswith(f"the arguments of main() do not fit: {reason}")


@pytest.mark.parametrize("read", SOURCES)
def test_all_faults_are_named_at_once(read: Callable[[str], Signature]) -> None:
    source = "def main(a: int, *rest: int, b: float = 1, **more: str): ..."
    with pytest.raises(ArgumentsError) as raised:
        signatures.check("main", read(source), ProcedureInput(1, 2, "c", b="d", e=5))
    assert str(raised.value) == (
        "the arguments of main() do not fit: rest[1] is 'c', and should be a valid integer; "
        "b is 'd', and should be a valid number; e is 5, and should be a valid string; "
        "the script defines main(a: int, *rest: int, b: float = 1, **more: str)"
    )


@pytest.mark.parametrize("read", SOURCES)
def test_a_parameter_may_be_given_its_default_of_none(read: Callable[[str], Signature]) -> None:
    signature = read("def main(n: int = None): ...")
    assert signatures.check("main", signature, ProcedureInput(None)) == ProcedureInput(None)


@pytest.mark.parametrize(
    "source",
    [
        "int = type(3)\ndef main(value: int): ...",
        "from units import *\ndef main(value: int): ...",
        "from units import Band\ndef main(value: Band): ...",
        "try:\n    from typing import List as L\nexcept Exception:\n    L = str\ndef main(value: L): ...",
        "class A:\n    x: int\ndef main(value: A): ...",
        "import dataclasses as d\n@d.dataclass\nclass A:\n  def __post_init__(s): 1\ndef main(value: A): ...",
        "import pydantic as p\nclass A(p.BaseModel):\n  x: int\n  model_config = {}\ndef main(value: A): ...",
        "import os\ndef main(value: os.system('x')): ...",
        "def main(value: [int]): ...",
    ],
)
def test_what_the_text_does_not_say_is_left_to_the_scripts_process(source: str) -> None:
    given: Any = object()
    assert signatures.check("main", of_text(source), ProcedureInput(given)).args == (given,)


def test_values_of_python_pass_as_they_are() -> None:
    script_module = module(script("Band"))
    assert call(script_module, "main", ProcedureInput(script_module.Band.ONE)) is script_module.Band.ONE
