"""What a script's text tells of its functions, and what is said of arguments that do not fit."""

import json
import re
import textwrap
from typing import Any

import pytest

from ska_oso_oet.procedure.domain import ArgumentsDoNotFit, ProcedureInput, ScriptDefective, signatures
from ska_oso_oet.procedure.domain.signatures import Outline


def outline(source: str, function: str = "main") -> Outline:
    return signatures.read_outline(textwrap.dedent(source), "observe.py")[function]


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
}
ABSENT = {
    "nothing": "",
    "only init": "def init(): ...",
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
    with pytest.raises(ScriptDefective, match=r"observe\.py has no function main\(\): define what is to run"):
        outline(ABSENT[case])


@pytest.mark.parametrize("case", DEFECTIVE)
def test_a_script_that_is_no_python(case: str) -> None:
    source, reason = DEFECTIVE[case]
    with pytest.raises(ScriptDefective, match=r"observe\.py is no valid Python.*; mend the script") as raised:
        outline(source)
    assert reason in str(raised.value)


def test_the_source_may_have_any_encoding_that_it_declares() -> None:
    source = "# -*- coding: latin-1 -*-\ndef main(größe): ...".encode("latin-1")
    found = signatures.read_outline(source, "observe.py")["main"].signature
    assert found is not None
    assert list(found.parameters) == ["größe"]
    with pytest.raises(ScriptDefective, match=r"unknown encoding|utf-8"):
        signatures.read_outline("def main(größe): ...".encode("latin-1"), "observe.py")


def test_init_is_optional() -> None:
    assert outline("def main(): ...", "init") == Outline(False, None)
    assert outline("def init(a): ...\ndef main(): ...", "init").signature is not None


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
    with pytest.raises(ArgumentsDoNotFit) as raised:
        signatures.check("main", signature, arguments)
    told = str(raised.value)
    assert told.startswith("the arguments of main() do not fit: ")
    assert reason in told
    assert told.endswith("the script defines main(target, exposure=…, /, *tags, filter, simulate=…)")


def test_too_many_arguments() -> None:
    signature = outline("def main(): ...").signature
    assert signature is not None
    with pytest.raises(ArgumentsDoNotFit, match=r"too many positional arguments; .* defines main\(\)$"):
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
    """Something that can be called and is no function."""

    def __call__(self, target: str, exposure: float = 1.0) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "definition"),
    [
        (lambda a, /, b=1, *c, d, **e: None, "main(a, /, b=…, *c, d, **e)"),
        (Scan(), "main(target, exposure=…)"),
        (Scan().__call__, "main(target, exposure=…)"),
        (Scan, "main()"),
    ],
)
def test_a_worker_tells_the_signature_of_what_it_has_loaded(function: Any, definition: str) -> None:
    told = json.loads(json.dumps(signatures.to_json(function)))
    misfit = ProcedureInput(1, 2, 3, nonsense=4) if definition == "main()" else ProcedureInput()
    with pytest.raises(ArgumentsDoNotFit, match=re.escape(f"the script defines {definition}")):
        signatures.check("main", signatures.from_json(told), misfit)


@pytest.mark.parametrize("function", [dict, type, 7])
def test_what_does_not_tell_its_signature_tells_nothing(function: Any) -> None:
    assert signatures.to_json(function) is None
