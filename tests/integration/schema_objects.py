"""Everything a schema consists of, out of PostgreSQL's own catalogs, in comparable form."""

from typing import Any

import psycopg

_QUERIES = {
    "columns": """
        SELECT table_name, ordinal_position, column_name, data_type, numeric_precision,
            numeric_scale, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'public'
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
        FROM pg_trigger WHERE NOT tgisinternal
    """,
    "functions": """
        SELECT proname, pg_get_functiondef(oid)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """,
    "ledger": "SELECT version, name, checksum FROM schema_migrations",
}


def describe(url: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(url) as connection:
        return {
            kind: sorted(connection.execute(query.encode()).fetchall(), key=repr)
            for kind, query in _QUERIES.items()
        }
