"""Alembic migrations of the journal, which upgrade older databases; see `ska_oso_oet.journal.schema`."""
