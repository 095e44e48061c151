"""The contract of a journal, kept by the one in PostgreSQL."""

from pathlib import Path

import psycopg
import pytest
from tests.support.journal_contract import DurableJournalContract, Execute
from tests.support.journals import OpenJournal

from .support import PostgresServer


class TestPostgresJournal(DurableJournalContract):
    """The journal in a schema of PostgreSQL."""

    @pytest.fixture
    def open_one(
        self, tmp_path: Path, opened: OpenJournal, postgres_server: PostgresServer, namespace: str
    ) -> OpenJournal:
        """Open the journal in a schema of its own."""
        return lambda **options: opened(tmp_path, postgres_server.url, namespace=namespace, **options)

    @pytest.fixture
    def execute(self, postgres_server: PostgresServer, namespace: str) -> Execute:
        """Execute a statement in the schema of the journal."""

        def execute(statement: str) -> None:
            with psycopg.connect(postgres_server.url) as connection:
                connection.execute(f"SET search_path = {namespace}")
                connection.execute(statement)

        return execute
