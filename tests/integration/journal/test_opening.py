"""Imports for opening a journal."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.patience import LONG_PATIENCE

PROGRAM = """
import json, pathlib, sys
from ska_oso_oet.journal import open_journal, prepare_to_open

if sys.argv[2] == "prepared":
    prepare_to_open()
before = set(sys.modules)
open_journal(pathlib.Path(sys.argv[1])).close()
print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""


def imported(folder: Path, how: str) -> tuple[set[str], set[str]]:
    """Return the modules that are imported before the journal is opened, and only while it is opened."""
    command = [sys.executable, "-c", PROGRAM, str(folder), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_PATIENCE)
    assert done.returncode == 0, done.stderr
    before, opening = map(set, json.loads(done.stdout))
    return before, opening


def test_opening_after_preparation_imports_nothing_large(tmp_path: Path) -> None:
    """A command of a device may have to open one: it has no time for that."""
    assert "sqlalchemy" in imported(tmp_path / "1", "at once")[1]
    assert "sqlalchemy" not in imported(tmp_path / "2", "prepared")[1]


def test_neither_a_new_nor_an_existing_journal_needs_alembic_or_another_database(tmp_path: Path) -> None:
    for how in ("prepared", "at once"):
        modules = set().union(*imported(tmp_path, how))
        assert modules.isdisjoint({"alembic", "sqlalchemy.dialects.postgresql"})
