"""A new database has the tables that the migrations lead to, and a newer schema is not touched."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from tests.support.journals import OpenJournal, events

from ska_oso_oet.journal import JournalTooNewError, schema


def _tables(upgraded: bool) -> list[tuple[Any, ...]]:
    """Return what SQLite says of a database: tables, indexes, and the rows of `alembic_version`."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        if upgraded:
            schema.upgrade(connection, None, "test")
        else:
            schema.create(connection)
        found = [
            *connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"))
        ]
        found += connection.execute(text("SELECT * FROM alembic_version"))
    engine.dispose()
    return [tuple(row) for row in found]


def test_a_new_database_has_exactly_the_tables_that_the_migrations_make() -> None:
    created, migrated = _tables(upgraded=False), _tables(upgraded=True)
    assert len(created) > 5
    assert _without_spaces(created) == _without_spaces(migrated)


def _without_spaces(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(" ".join(str(value).split()) for value in row) for row in rows]


def test_alembic_finds_nothing_to_change_in_a_new_database(opened: OpenJournal, tmp_path: Path) -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.REVISION
    opened(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == schema.REVISION
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_newer_schema_is_refused_and_not_touched(opened: OpenJournal, tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, 10), [])
    journal.close()
    _set_revision(tmp_path, "0099")
    with pytest.raises(JournalTooNewError, match=r"0099.*does not know"):
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
