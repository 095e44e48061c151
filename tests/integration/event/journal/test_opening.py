"""Opening a journal in a process that has prepared for it."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, pathlib, sys
from ska_oso_oet.event.journal import open_journal, prepare_to_open

if sys.argv[2] == "prepared":
    prepare_to_open()
before = set(sys.modules)
open_journal(pathlib.Path(sys.argv[1])).close()
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def imported_by_opening(folder: Path, how: str) -> set[str]:
    """Return the packages of which something is imported only when the journal is opened."""
    command = [sys.executable, "-c", PROGRAM, str(folder), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_nothing_large_is_imported_by_who_has_prepared(tmp_path: Path) -> None:
    """A command of a device may have to open one: it has no time for that."""
    large = {"sqlalchemy", "alembic"}
    assert imported_by_opening(tmp_path / "1", "at once") >= large
    assert not imported_by_opening(tmp_path / "2", "prepared") & large
