"""The schema is brought up to date on opening, and a newer one is left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from ska_oso_oet.event.journal import JournalTooNew, migrate, schema

from .support import PATIENCE_S, OpenJournal, events, start_child


def _child_needs_alembic(directory: Path) -> str:
    with start_child("imports", str(directory)) as child:
        output, _ = child.communicate(timeout=PATIENCE_S)
    return output.strip()


def test_only_a_migration_takes_the_time_to_load_alembic(tmp_path: Path) -> None:
    assert _child_needs_alembic(tmp_path) == "True"
    assert _child_needs_alembic(tmp_path) == "False"


def test_the_migrations_lead_to_the_tables_that_the_code_uses(opened: OpenJournal, tmp_path: Path) -> None:
    scripts = ScriptDirectory(str(Path(migrate.__file__).with_name("migrations")))
    assert scripts.get_current_head() == schema.REVISION
    opened(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()


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
