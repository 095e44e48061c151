"""The table of environment variables has those that the code reads, and no others."""

import ast
import re

from tests.support.site import PROJECT

from ska_oso_oet.procedure.domain.syntax import parse_module

TABLE = PROJECT / "docs" / "reference" / "environment.md"
VARIABLE = re.compile(
    r"(OET|ODA|SKUID|SUBARRAY|SUBARRAYNODE|CENTRALNODE|SKA|PG|POSTGRES|ADMIN_POSTGRES|TANGO|XDG|OTEL|PYTANGO_DISABLE|TRACE)_?[A-Z0-9_]*[A-Z0-9]"
)
NAMES_OF_CONSTANTS = {"SKUID_URL_VARIABLE"}
"""Texts in the code that look like variables, and are not."""
FLAGS = {"OET_RECORD_EXECUTIONS"}
"""Variables whose names the code puts together."""


def in_code() -> set[str]:
    files = [file for folder in ("src", "devices") for file in (PROJECT / folder).rglob("*.py")]
    constants = (node for file in files for node in ast.walk(parse_module(file.read_text(), file.name)))
    texts = {
        node.value for node in constants if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if VARIABLE.fullmatch(text)} - NAMES_OF_CONSTANTS


def in_table() -> list[str]:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row.split("|")[1])]


def test_the_table_has_what_the_code_reads() -> None:
    assert len(in_code()) > 30
    assert in_code() | FLAGS == set(in_table())


def test_each_variable_is_there_once() -> None:
    assert len(in_table()) == len(set(in_table()))


def test_the_chart_sets_none_that_has_no_meaning() -> None:
    templates = (PROJECT / "charts" / "ska-oso-oet-tango" / "templates").iterdir()
    text = "".join(file.read_text() for file in templates)
    assert set(re.findall(r"name: (OET_[A-Z_]+)$", text, re.MULTILINE)) <= set(in_table())
