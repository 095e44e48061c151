"""Alembic migrations of the journal, run when it is opened; see `ska_oso_oet.event.journal.migrate`."""
