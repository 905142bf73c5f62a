"""Rows of any table, made from its columns as the catalogue has them."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

# A value (SQL) of a column, by its type.
VALUES = {
    "uuid": "gen_random_uuid()",
    "text": "gen_random_uuid()::text",
    "bigint": "1",
    "integer": "1",
    "smallint": "1",
    "double precision": "1",
    "boolean": "false",
    "bytea": "sha256(gen_random_uuid()::text::bytea)",
    "jsonb": "'{}'::jsonb",
    "date": "current_date",
    "uuid[]": "'{}'::uuid[]",
    "text[]": "'{}'::text[]",
    "timestamp with time zone": "now()",
}


def types(connection: psycopg.Connection[Any], table: str) -> Iterator[tuple[str, str]]:
    """Columns of a table with their types."""
    for row in _columns(connection, table):
        yield row["name"], row["type"]


def insert(
    connection: psycopg.Connection[Any], table: str, given: Mapping[str, str] | None = None
) -> None:
    """A row with `given` values (SQL) by column; of others, each that must have a value has one of its type.

    No foreign key is asked; checks that are in the way were taken off before.
    """
    values = {
        row["name"]: VALUES[row["type"]] for row in _columns(connection, table) if row["is_needed"]
    } | dict(given or {})
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})".encode()
    )
    connection.execute("SET session_replication_role = origin")


def _columns(connection: psycopg.Connection[Any], table: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(
            "SELECT attname AS name, format_type(atttypid, NULL) AS type,"
            " attnotnull AND NOT atthasdef AND attidentity = '' AS is_needed FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [table],
        ).fetchall()
