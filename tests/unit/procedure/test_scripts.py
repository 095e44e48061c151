"""Scripts and arguments: what they are named by, and how they cross borders."""

import json
from pathlib import Path
from typing import Any

import pytest

from ska_oso_oet.model import GitArgs, script_from_json, script_to_json
from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureInput,
)
from ska_oso_oet.utils.ui import convert_request_dict_to_procedure_input

SCRIPTS = [
    FileSystemScript("file:///scripts/observe.py"),
    FileSystemScript("file://observe.py"),
    EmbeddedStringScript("def main():\n    print('Größe 🚀')\n"),
    EmbeddedStringScript(""),
    GitScript(
        "git:///a/b.py", GitArgs(git_repo="https://example.org/r.git", git_branch=None, git_commit="1f")
    ),
    GitScript("git:///a/b.py", GitArgs(), create_env=True),
]


@pytest.mark.parametrize("script", SCRIPTS, ids=repr)
def test_a_script_survives_its_journey(script: ExecutableScript) -> None:
    assert script_from_json(json.loads(json.dumps(script_to_json(script)))) == script


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///scripts/observe.py", "/scripts/observe.py"),
        ("file:///with%20blank/%C3%9Cber.py", "/with blank/Über.py"),
        ("file:///100%25.py", "/100%.py"),
        ("file:///not/%zz.py", "/not/%zz.py"),
        ("file://observe.py", "observe.py"),
        ("file:///a/../b.py", "/a/../b.py"),
    ],
)
def test_the_path_that_a_uri_names(uri: str, path: str) -> None:
    assert FileSystemScript(uri).path == Path(path)


def test_a_path_survives_as_a_uri_whatever_bytes_it_holds() -> None:
    path = Path("/scripts/\udcff\udc80 🚀%.py")
    assert FileSystemScript(path.as_uri()).path == path


@pytest.mark.parametrize(
    "uri",
    ["", "observe.py", "/scripts/observe.py", "file:", "file://", "http://a/b.py", "FILE:///a.py", "git://"],
)
def test_what_is_no_uri_of_a_file(uri: str) -> None:
    with pytest.raises(ValueError, match=r"write file:///path/to/script\.py"):
        FileSystemScript(uri)


@pytest.mark.parametrize("uri", ["file:///a.py", "git://", "a.py"])
def test_what_is_no_uri_of_a_git_script(uri: str) -> None:
    with pytest.raises(ValueError, match=r"write git:///path/to/script\.py"):
        GitScript(uri)


@pytest.mark.parametrize("uri", ["file:///a\0.py", "file:///a%00.py"])
def test_a_path_holds_no_zero_byte(uri: str) -> None:
    with pytest.raises(ValueError, match="cannot contain a NUL"):
        FileSystemScript(uri)


@pytest.mark.parametrize(
    "name", ["self", "args", "kwargs", "name", "environment", "model", "class", "with blank"]
)
def test_any_name_may_be_that_of_a_keyword_argument(name: str) -> None:
    arguments = ProcedureInput(1, **{name: 2})
    assert (arguments.args, arguments.kwargs) == ((1,), {name: 2})
    assert convert_request_dict_to_procedure_input({"args": [1], "kwargs": {name: 2}}) == arguments


def test_arguments_are_equal_when_they_are_the_same() -> None:
    assert ProcedureInput(1, a=2) == ProcedureInput(1, a=2)
    assert ProcedureInput(1) != ProcedureInput(2)
    assert ProcedureInput(a=1) != ProcedureInput(a=2)
    other: Any = (1,)
    assert ProcedureInput(1) != other
    assert repr(ProcedureInput(1, "x", a=[])) == "<ProcedureInput(1, 'x', a=[])>"


def test_a_request_is_converted_or_refused() -> None:
    assert convert_request_dict_to_procedure_input({}) == ProcedureInput()
    for name, value in (("arguments", []), ("args", 1), ("kwargs", ["a"])):
        with pytest.raises(ValueError, match=name):
            convert_request_dict_to_procedure_input({name: value})
