"""The contract of a journal, kept by those in memory and in SQLite."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.journal_contract import DurableJournalContract, Execute, JournalContract
from tests.support.journals import OpenJournal

from ska_oso_oet.journal import MemoryJournal


class TestMemoryJournal(JournalContract):
    """The journal in memory."""

    @pytest.fixture
    def open_one(self) -> OpenJournal:
        """Return the class itself."""
        return MemoryJournal


class TestSqliteJournal(DurableJournalContract):
    """The journal in a file of SQLite."""

    @pytest.fixture
    def open_one(self, tmp_path: Path, opened: OpenJournal) -> OpenJournal:
        """Open the journal in the folder of the test."""
        return lambda **options: opened(tmp_path, **options)

    @pytest.fixture
    def execute(self, tmp_path: Path) -> Execute:
        """Execute a statement in the file of the journal."""

        def execute(statement: str) -> None:
            with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database, database:
                database.execute(statement)

        return execute
