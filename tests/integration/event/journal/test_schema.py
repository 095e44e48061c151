"""The schema is brought up to date on opening, and a newer one is left alone."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from ska_oso_oet.event.journal import JournalTooNew, migrate, schema

from .support import PATIENCE_S, OpenJournal, document, events, start_child


def _child_needs_alembic(directory: Path) -> str:
    with start_child("imports", str(directory)) as child:
        output, _ = child.communicate(timeout=PATIENCE_S)
    return output.strip()


def test_only_a_migration_takes_the_time_to_load_alembic(tmp_path: Path) -> None:
    assert _child_needs_alembic(tmp_path) == "True"
    assert _child_needs_alembic(tmp_path) == "False"


def test_the_migrations_lead_to_the_tables_that_the_code_uses(opened: OpenJournal, tmp_path: Path) -> None:
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    assert scripts.get_current_head() == schema.REVISION
    opened(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


_NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

def upgrade():
    op.add_column("events", sa.Column("weight", sa.Integer, nullable=False, server_default="7"))
"""
_FAILS = "    raise RuntimeError('half way through')\n"


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a version of the OET that has one migration more."""

    def install(text: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(migrate.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "r0002_next.py").write_text(text)
        monkeypatch.setattr(migrate, "MIGRATIONS", folder)
        monkeypatch.setattr(migrate, "REVISION", "0002")

    return install


def test_a_journal_of_the_version_before_is_migrated_without_anybody_doing_anything(
    open_durable: OpenJournal, next_version: Callable[[str], None]
) -> None:
    journal = open_durable()
    journal.append(events(1, 3000), [document(1), document(2, live=True)])
    journal.close()
    next_version(_NEXT)
    for last in (3010, 3020):
        again = open_durable()
        assert (again.fault, again.recovery) == (None, None)
        again.append(events(again.last_seq + 1, last), [])
        assert again.read_events(0, 5000) == events(1, last)
        assert again.newest_documents("procedure", 10) == [document(1), document(2, live=True)]
        again.close()


def test_a_migration_that_fails_changes_nothing_and_stops_nobody(
    open_durable: OpenJournal, next_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_durable()
    journal.append(events(1, 10), [])
    journal.close()
    next_version(_NEXT + _FAILS)
    journal = open_durable()
    assert "half way through" in (journal.fault or "")
    journal.append(events(journal.last_seq + 1, journal.last_seq + 1), [])
    journal.close()
    # The version before goes on with it.
    monkeypatch.undo()
    assert open_durable().read_events(0, 10) == events(1, 10)


def test_a_newer_schema_is_refused_and_not_touched(opened: OpenJournal, tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, 10), [])
    journal.close()
    _set_revision(tmp_path, "0099")
    with pytest.raises(JournalTooNew, match=r"0099.*does not know"):
        opened(tmp_path)
    _set_revision(tmp_path, schema.REVISION)
    again = opened(tmp_path)
    assert again.read_events(0, 100) == events(1, 10)
    assert again.recovery is None


def _set_revision(directory: Path, revision: str) -> None:
    with closing(sqlite3.connect(directory / "journal.sqlite")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_an_empty_file_is_a_new_database(opened: OpenJournal, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").touch()
    journal = opened(tmp_path)
    journal.append(events(1, 10), [])
    assert (journal.fault, journal.recovery) == (None, None)
