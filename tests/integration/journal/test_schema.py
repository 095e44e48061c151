"""A new schema of PostgreSQL has the tables that the migrations lead to."""

from typing import Any

from sqlalchemy import Connection, create_engine, text

from ska_oso_oet.journal import schema

from .support import PostgresServer

_DESCRIPTIONS = (
    """SELECT table_name, ordinal_position, column_name, data_type, character_maximum_length, is_nullable,
              column_default, collation_name, is_identity
       FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = current_schema()::regnamespace ORDER BY 1, 2""",
    """SELECT indexname, replace(indexdef, current_schema(), '') FROM pg_indexes
       WHERE schemaname = current_schema() ORDER BY 1""",
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace ORDER BY 1",
    "SELECT version_num FROM alembic_version",
)


def test_a_new_schema_has_exactly_the_tables_that_the_migrations_make(
    postgres_server: PostgresServer, namespace: str
) -> None:
    engine = create_engine(postgres_server.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        _enter(connection, f"{namespace}_a")
        schema.create(connection)
        created = _described(connection)
        _enter(connection, f"{namespace}_b")
        schema.upgrade(connection, None, "test")
        migrated = _described(connection)
    engine.dispose()
    assert len(created) > 10
    assert created == migrated


def _enter(connection: Connection, namespace: str) -> None:
    connection.execute(text(f"CREATE SCHEMA {namespace}"))
    connection.execute(text(f"SET LOCAL search_path = {namespace}"))


def _described(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for query in _DESCRIPTIONS for row in connection.exec_driver_sql(query)]
