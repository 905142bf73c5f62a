"""Rows of any table, made from the columns and checks in the PostgreSQL catalogue.

A value is SQL. `{n}` stands for a number that no other row has, and `{at}` for a time.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Values = Mapping[str, str]
TRIES_MAX = 5_000  # takes some seconds
# Values by type of the column. The first one is used for a column that must have a value.
_VALUES: Mapping[str, tuple[str, ...]] = {
    "uuid": ("gen_random_uuid()",),
    "text": ("'Ani {n}'",),
    "bigint": ("{n}", "1", "0"),
    "integer": ("{n}", "1", "0"),
    "smallint": ("{n}", "1", "0"),
    "double precision": ("1",),
    "boolean": ("false", "true"),
    "bytea": ("sha256('Ani {n}')", "decode(md5('Ani {n}'), 'hex')"),
    "jsonb": ("""'{"name": "Ani {n}"}'::jsonb""", """'[{"name": "Ani {n}"}]'::jsonb"""),
    "date": ("current_date", "date_trunc('month', current_date)::date"),
    "uuid[]": ("'{}'::uuid[]",),
    "text[]": ("'{}'::text[]", "ARRAY['Ani {n}']"),
    "timestamp with time zone": (
        "'{at}'::timestamptz",
        "'{at}'::timestamptz - interval '1 hour'",
        "'{at}'::timestamptz + interval '1 hour'",
    ),
}
_NUMBERS = count(1)


def types(connection: Connection, table: str) -> Iterator[tuple[str, str]]:
    """Columns of a table with their types."""
    for row in _columns(connection, table):
        yield row["name"], row["type"]


def insert(
    connection: Connection, table: str, given: Values | None = None, at: datetime | None = None
) -> None:
    """Insert a row with the `given` values; every other required column gets a value of its type.

    Foreign keys are not checked.
    """
    needed = {
        row["name"]: _VALUES[row["type"]][0]
        for row in _columns(connection, table)
        if row["is_needed"]
    }
    _insert(connection, table, {**needed, **(given or {})}, at or datetime.now(UTC), next(_NUMBERS))


def possible(
    connection: Connection,
    table: str,
    given: Values,
    at: datetime,
    only: str,
    filled: Collection[str] = (),
) -> Values:
    """Values of a row that satisfies the table's checks and the condition `only` (SQL).

    `given` values stay unchanged. Columns of `filled` get a value unless a check forbids it. While a check
    fails, one of its columns is changed at random, the same way in each run.
    """
    choice = Random(table)
    columns = {one["name"]: one for one in _columns(connection, table) if one["name"] not in given}
    values: dict[str, str | None] = {
        name: _VALUES[one["type"]][0] if one["is_needed"] or name in filled else None
        for name, one in columns.items()
    }
    refusal = ""
    with connection.transaction(force_rollback=True):
        _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT wanted CHECK ({only}) NOT VALID")
        checks = {row["name"]: row for row in _rows(connection, _CHECKS, table)}
        for _ in range(TRIES_MAX):
            chosen = {name: one for name, one in values.items() if one is not None} | dict(given)
            try:
                with connection.transaction(force_rollback=True):
                    _insert(connection, table, chosen, at, 1)
            except psycopg.errors.CheckViolation as refused:
                check = checks[str(refused.diag.constraint_name)]
                name = choice.choice([one for one in check["columns"] if one in columns])
                values[name] = choice.choice(_candidates(columns[name], check["text"]))
                refusal = check["name"]
            else:
                return chosen
    raise AssertionError(f"no row of {table} was found that {refusal} allows")


_CHECKS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS text, ARRAY(SELECT attname::text FROM pg_attribute
    WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS columns
FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass
"""


def _insert(connection: Connection, table: str, values: Values, at: datetime, number: int) -> None:
    told = ", ".join(values.values())
    told = told.replace("{n}", str(number)).replace("{at}", at.isoformat())
    connection.execute("SET session_replication_role = replica")
    _run(connection, f"INSERT INTO {table} ({', '.join(values)}) VALUES ({told})")
    connection.execute("SET session_replication_role = origin")


def _candidates(column: Mapping[str, Any], check: str) -> list[str | None]:
    """Possible values of a column, also those named in the check."""
    left_out: list[str | None] = [] if column["is_needed"] else [None]
    kind = column["type"]
    told = re.findall(rf"'([^']*)'::{re.escape(kind)}", check)
    if kind == "text":  # `text` also covers lists of words
        told = [word for one in told for word in one.strip("{}").split(",")]
    return [*left_out, *_VALUES[kind], *(f"'{one}'::{kind}" for one in told)]


def _columns(connection: Connection, table: str) -> list[dict[str, Any]]:
    return _rows(
        connection,
        "SELECT attname AS name, format_type(atttypid, NULL) AS type,"
        " attnotnull AND NOT atthasdef AND attidentity = '' AS is_needed FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        table,
    )


def _rows(connection: Connection, query: str, *parameters: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def _run(connection: Connection, sql: str) -> None:
    connection.execute(sql.encode())
