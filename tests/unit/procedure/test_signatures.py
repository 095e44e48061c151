"""Signatures from a script's text, and messages about arguments that do not fit."""

import inspect
import json
import re
import textwrap
from typing import Any

import pytest

from ska_oso_oet.procedure.domain import ArgumentsError, ProcedureInput, ScriptDefectiveError, signatures
from ska_oso_oet.procedure.domain.script_text import Outline, ScriptText
from ska_oso_oet.procedure.worker.functions import signature_of


def outline(source: str, function: str = "main") -> Outline:
    return ScriptText(textwrap.dedent(source), "observe.py").outlines()[function]


def parameters(source: str) -> str | None:
    found = outline(source)
    assert found.defined
    return None if found.signature is None else ", ".join(found.signature.parameters)


# Texts that define main, and its parameters if they are certain.
CERTAIN = {
    "plain": ("def main(a, b=1): ...", "a, b"),
    "all kinds": ("def main(a, /, b, *c, d, e=1, **f): ...", "a, b, c, d, e, f"),
    "async": ("async def main(a): ...", "a"),
    "annotated": ("def main(a: 'int' = 1, *, b: str) -> None: ...", "a, b"),
    "after a star import": ("from math import *\ndef main(a): ...", "a"),
    "within an if": ("if True:\n    def main(a): ...", "a"),
    "within a try": ("try:\n    def main(a): ...\nfinally:\n    pass", "a"),
    "within a with": ("with open('x') as f:\n    def main(a): ...", "a"),
    "within a match": ("match 1:\n    case 1:\n        def main(a): ...", "a"),
    "another main in a class": ("class A:\n    def main(self): ...\ndef main(a): ...", "a"),
    "called by itself": ("def main(a):\n    if a: main(a - 1)", "a"),
    "after a thousand conditions": ("if 0: ...\n" + "elif 1: ...\n" * 900 + "def main(a): ...", "a"),
    "global to read": ("def main(a): ...\ndef f():\n    global main\n    return main", "a"),
    "another main in a function": ("def f():\n    def main(b): ...\ndef main(a): ...", "a"),
}
UNCERTAIN = {
    "decorated": "@str\ndef main(a): ...",
    "twice": "def main(a): ...\ndef main(b): ...",
    "conditional": "if 1 < 2:\n    def main(a): ...\nelse:\n    def main(b): ...",
    "in try and except": "try:\n    def main(a): ...\nexcept Exception:\n    def main(b): ...",
    "rebound": "def main(a): ...\nmain = str(main)",
    "before a star import": "def main(a): ...\nfrom math import *",
    "lambda": "main = lambda a: a",
    "annotated assignment": "main: object = print",
    "unpacked": "init, (main, x) = 1, (2, 3)",
    "walrus": "(main := print)",
    "class": "class main:\n    def __init__(self, a): ...",
    "imported": "from observing import main",
    "imported under that name": "import observing as main",
    "star import alone": "from observing import *",
    "loop variable": "for main in [print]: ...",
    "context": "with open('x') as main: ...",
    "match": "match [print]:\n    case [main]: ...",
    "caught": "try:\n    import a\nexcept Exception:\n    from b import main",
    "global in a function": "def setup():\n    global main\n    main = print\nsetup()",
    "rebound by a function": "def main(a): ...\ndef setup():\n    global main\n    main = print\nsetup()",
    "put into globals": "globals()['main'] = print",
    "executed": "exec('def main(): ...')",
    "of the module": "def __getattr__(name): return print",
    "evaluated": "eval('1')\ndef main(a): ...",
    "put into locals": "def main(a): ...\nlocals()['main'] = print",
    "put into vars": "def main(a): ...\nvars()['main'] = print",
    "through its module": "import sys\ndef main(a): ...\ndef init(): sys.modules[__name__].main = print",
    "through its import": "def main(a): ...\ndef init():\n    import __main__\n    __main__.main = print",
    "through a function": "def main(a): ...\ndef init(): main.__globals__['main'] = print",
    "in a class in a function": "def main(a): ...\ndef f():\n  class A:\n    global main\n    main = 1",
    "deleted": "def main(a): ...\ndef init():\n    global main\n    del main",
    "exception": "try:\n    pass\nexcept Exception as main:\n    pass",
    "walrus in a function's default": "def f(x=(main := print)): ...",
}
ABSENT = {
    "nothing": "",
    "only run": "def run(): ...",
    "method": "class A:\n    def main(self): ...",
    "nested": "def f():\n    def main(): ...",
    "only used": "main()",
    "attribute": "import a\na.main = 1",
    "other case": "def Main(): ...",
    "in a text": "'def main(): ...'",
}
DEFECTIVE = {
    "unclosed": ("def main(:\n", "in line 1"),
    "indentation": ("def main():\nreturn", "in line 2"),
    "return outside": ("def main(): ...\nreturn 1", "in line 2: 'return' outside function"),
    "await outside": ("def main():\n    await x", "in line 2: 'await' outside async function"),
    "same parameter twice": ("def main(a, a): ...", "in line 1: duplicate argument 'a'"),
    "nonlocal": ("def main(): ...\nnonlocal x", "in line 2"),
    "break": ("def main(): ...\nbreak", "in line 2: 'break' outside loop"),
    "zero byte": ("def main(): ...\0", "null bytes"),
    "half a character": ("def main(): '\ud800'", "surrogates not allowed"),
    "nested brackets": ("(" * 500, "too many nested parentheses"),
    "nested operators": ("def main(): ...\n" + "-" * 50_000 + "1", "too deeply nested"),
}


@pytest.mark.parametrize("case", CERTAIN)
def test_a_signature_that_is_certain(case: str) -> None:
    source, expected = CERTAIN[case]
    assert parameters(source) == expected


@pytest.mark.parametrize("case", UNCERTAIN)
def test_a_signature_that_only_running_the_script_can_tell(case: str) -> None:
    assert parameters(UNCERTAIN[case]) is None


@pytest.mark.parametrize("case", ABSENT)
def test_a_script_without_main(case: str) -> None:
    with pytest.raises(
        ScriptDefectiveError, match=r"observe\.py has no function main\(\): define what is to run"
    ):
        outline(ABSENT[case])


def test_a_script_with_init_alone_is_admitted() -> None:
    assert outline("def init(): ...") == Outline(False, None)


@pytest.mark.parametrize(
    "expression",
    [" + ".join(["a"] * 2_980), "f(" * 150 + ")" * 150, "-" * 2_000 + "a", "a" + ".b" * 2_500],
    ids=["sum", "calls", "signs", "attributes"],
)
def test_a_script_may_be_as_deep_as_python_compiles(expression: str) -> None:
    source = f"def main(a): return {expression}"
    assert outline(source).defined


@pytest.mark.parametrize("case", DEFECTIVE)
def test_a_script_that_is_no_python(case: str) -> None:
    source, reason = DEFECTIVE[case]
    with pytest.raises(
        ScriptDefectiveError, match=r"observe\.py is not valid Python.*; fix the script"
    ) as raised:
        outline(source)
    assert reason in str(raised.value)


def test_the_source_may_have_any_encoding_that_it_declares() -> None:
    source = "# -*- coding: latin-1 -*-\ndef main(größe): ...".encode("latin-1")
    found = ScriptText(source, "observe.py").outlines()["main"].signature
    assert found is not None
    assert list(found.parameters) == ["größe"]
    with pytest.raises(ScriptDefectiveError, match=r"unknown encoding|utf-8"):
        ScriptText("def main(größe): ...".encode("latin-1"), "observe.py")


def test_init_is_optional() -> None:
    assert outline("def main(): ...", "init") == Outline(False, None)
    assert outline("def init(a): ...\ndef main(): ...", "init").signature is not None


def from_text(source: str) -> inspect.Signature:
    found = ScriptText(source, "observe.py").outlines()["main"].signature
    assert found is not None
    return found


def from_worker(source: str) -> inspect.Signature:
    names: dict[str, Any] = {"__name__": "observe"}
    exec(source, names)
    signature = signature_of(names["main"])
    assert signature is not None
    return signatures.from_json(json.loads(json.dumps(signatures.to_json(signature))))


SOURCES = {"text": from_text, "loaded": from_worker}

OBSERVE = "def main(target, exposure=1.0, /, *tags, filter, simulate: bool = True): ..."


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (ProcedureInput(filter="V"), "missing a required argument: 'target'"),
        (ProcedureInput("Vega"), "'filter'"),
        (ProcedureInput("Vega", filter="V", colour="red"), "unexpected keyword argument 'colour'"),
        (ProcedureInput(target="Vega", filter="V"), "'target'"),
    ],
)
def test_what_does_not_fit_is_named_and_the_definition_is_shown(
    arguments: ProcedureInput, reason: str
) -> None:
    signature = outline(OBSERVE).signature
    assert signature is not None
    with pytest.raises(ArgumentsError) as raised:
        signatures.check("main", signature, arguments)
    reported = str(raised.value)
    assert reported.startswith("the arguments of main() do not fit: ")
    assert reason in reported
    defined = "main(target, exposure=1.0, /, *tags, filter, simulate: bool = True)"
    assert reported.endswith(f"the script defines {defined}")


MODES = """
import enum, pathlib
class Mode(enum.Enum):
    FAST = 1
class Own:
    def __repr__(self): raise RuntimeError
SCANS = 4
"""


@pytest.mark.parametrize("read", SOURCES)
@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ("None", "None"),
        ("'a b'", "'a b'"),
        ("(1, -2.5)", "(1, -2.5)"),
        ("{'a': [True]}", "{'a': [True]}"),
        ("SCANS", "4"),
        ("Mode.FAST", "Mode.FAST"),
        ("list(range(100))", {"text": "list(range(100))", "loaded": "[0, 1, 2, 3, 4, 5, ...]"}),
        ("[Own()]", {"text": "[Own()]", "loaded": "[…]"}),
        ("max", {"text": "max", "loaded": "…"}),
        (f"'{'x' * 100}'", f"'{'x' * 27}...{'x' * 28}'"),
    ],
)
def test_defaults_are_shown(read: str, default: str, shown: str | dict[str, str]) -> None:
    source = f"{MODES}def main(a, subarray_id=1, b={default}): ..."
    with pytest.raises(ArgumentsError) as raised:
        signatures.check("main", SOURCES[read](source), ProcedureInput())
    expected = shown if isinstance(shown, str) else shown[read]
    assert str(raised.value).endswith(f"main(a, subarray_id=1, b={expected})")


def test_too_many_arguments() -> None:
    signature = outline("def main(): ...").signature
    assert signature is not None
    with pytest.raises(ArgumentsError, match=r"too many positional arguments; .* defines main\(\)$"):
        signatures.check("main", signature, ProcedureInput(1))


@pytest.mark.parametrize(
    "arguments",
    [
        ProcedureInput("Vega", filter="V"),
        ProcedureInput("Vega", 2.0, "a", "b", filter="V", simulate=False),
    ],
)
def test_what_fits(arguments: ProcedureInput) -> None:
    signature = outline(OBSERVE).signature
    assert signature is not None
    signatures.check("main", signature, arguments)


def test_any_name_may_be_that_of_a_keyword_argument() -> None:
    signature = outline("def main(**anything): ...").signature
    assert signature is not None
    names = ("self", "args", "kwargs", "function", "signature", "arguments", "name", "environment")
    signatures.check("main", signature, ProcedureInput(**dict.fromkeys(names, 1)))


class Scan:
    """A callable that is not a function."""

    def __call__(self, target: str, exposure: float = 1.0) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "definition"),
    [
        (lambda a, /, b=1, *c, d, **e: None, "main(a, /, b=1, *c, d, **e)"),
        (Scan(), "main(target: str, exposure: float = 1.0)"),
        (Scan().__call__, "main(target: str, exposure: float = 1.0)"),
        (Scan, "main()"),
    ],
)
def test_a_worker_tells_the_signature_of_what_it_has_loaded(function: Any, definition: str) -> None:
    signature = signature_of(function)
    assert signature is not None
    reported = json.loads(json.dumps(signatures.to_json(signature)))
    misfit = ProcedureInput(1, 2, 3, nonsense=4) if definition == "main()" else ProcedureInput()
    with pytest.raises(ArgumentsError, match=re.escape(f"the script defines {definition}")):
        signatures.check("main", signatures.from_json(reported), misfit)


@pytest.mark.parametrize("function", [dict, type, 7])
def test_what_does_not_tell_its_signature_tells_nothing(function: Any) -> None:
    assert signature_of(function) is None


@pytest.mark.parametrize(
    ("given", "other", "expected"),
    [
        (ProcedureInput("M31", 3), ProcedureInput(target="Vega"), ProcedureInput("Vega", 3)),
        (ProcedureInput("M31"), ProcedureInput(scans=5), ProcedureInput("M31", scans=5)),
        (ProcedureInput(target="M31", scans=3), ProcedureInput("Vega"), ProcedureInput("Vega", scans=3)),
        (ProcedureInput("M31", 3), ProcedureInput("Vega"), ProcedureInput("Vega")),
        (ProcedureInput("M31", scans=3), ProcedureInput(scans=5), ProcedureInput("M31", scans=5)),
        (ProcedureInput(), ProcedureInput(target="Vega"), ProcedureInput(target="Vega")),
    ],
)
def test_arguments_that_replace_others(
    given: ProcedureInput, other: ProcedureInput, expected: ProcedureInput
) -> None:
    signature = outline("def main(target, scans=1): ...").signature
    assert signatures.override(signature, given, other) == expected


def test_arguments_that_replace_others_where_the_signature_is_not_known() -> None:
    found = signatures.override(None, ProcedureInput("M31"), ProcedureInput(scans=5))
    assert found == ProcedureInput("M31", scans=5)


def test_an_argument_by_position_only_is_not_replaced_by_name() -> None:
    signature = outline("def main(target, /, **rest): ...").signature
    found = signatures.override(signature, ProcedureInput("M31"), ProcedureInput(target="Vega"))
    assert found == ProcedureInput("M31", target="Vega")
