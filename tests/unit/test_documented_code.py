"""Files, folders, classes and functions that the explanations name exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from tests.support.site import PROJECT

from oet_devices.controller import OETController
from ska_oso_oet.procedure.domain.syntax import parse_module

PACKAGES = (PROJECT / "src" / "ska_oso_oet", PROJECT / "devices" / "oet_devices")
PAGES = [
    PROJECT / "docs" / "explanation" / f"{name}.md"
    for name in ("architecture", "life-of-an-event", "life-of-a-procedure")
]


@cache
def files() -> frozenset[str]:
    """Paths of all files and folders of the packages, each with all of its endings."""
    found = [path for package in PACKAGES for path in (package, *package.rglob("*"))]
    parts = [path.relative_to(PROJECT).parts for path in found if "__pycache__" not in path.parts]
    return frozenset("/".join(each[start:]) for each in parts for start in range(len(each)))


@cache
def members() -> dict[str, set[str]]:
    """Names of the functions of all classes, by the names of the classes."""
    found: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            for node in ast.walk(parse_module(path.read_text(), path.name)):
                if isinstance(node, ast.ClassDef):
                    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
                    names = {each.name for each in node.body if isinstance(each, functions)}
                    found.setdefault(node.name, set()).update(names)
    return found


def named(page: Path, pattern: str) -> list[str]:
    return re.findall(rf"`({pattern})`", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_files_that_an_explanation_names_are_there(page: Path) -> None:
    paths = named(page, r"[\w/]+\.py") + named(
        page, r"(?:src/ska_oso_oet|ska_oso_oet|oet_devices|devices)/\w+"
    )
    assert len(paths) > 5
    assert set(paths) <= files()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_classes_and_functions_that_an_explanation_names_are_there(page: Path) -> None:
    model = OETController.TangoClassClass
    of_the_device = {*model.cmd_list, *model.attr_list, *model.device_property_list}
    for name in named(page, r"[A-Z]\w+\.\w+"):
        cls, function = name.split(".")
        assert function in members()[cls], name
    for cls in named(page, r"(?:[A-Z][a-z]+){2,}"):
        assert cls in members() or cls in of_the_device, cls
