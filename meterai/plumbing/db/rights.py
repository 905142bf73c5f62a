"""The rights of the application to the tables, enforced by PostgreSQL.

The application works as the role `meterai_app` (NOLOGIN). It may insert into every table. It can neither change nor
delete records of the past, not even by a fault of ours or over a stolen connection. Only the owner of the tables can,
and migrations run as this owner. See docs/decisions/0014.

A room lists its records of the past in `sql/rights.toml`. To a table that no room lists the role has every right except
TRUNCATE.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from meterai.plumbing.db import sql_files

ROLE = "meterai_app"

# Written only by the owner, with each migration.
OWNERS = frozenset({"applied_migrations"})


def _told() -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Return (names of tables whose rows never change; for other tables, by name, the columns that never change), as the rooms
    declare them in `rights.toml`.
    """
    past: set[str] = set()
    kept: dict[str, frozenset[str]] = {}
    for text in sql_files.rights():
        found = tomllib.loads(text)
        past.update(found.get("past", ()))
        kept |= {table: frozenset(columns) for table, columns in found.get("kept", {}).items()}
    return frozenset(past), kept


# PAST: tables whose rows never change and are never deleted. KEPT: columns that never change, of tables whose rows are
# never deleted.
PAST, KEPT = _told()


class Right(NamedTuple):
    """One right to a table, or to one column of it."""

    table: str
    privilege: str
    column: str = ""


def rights_due(columns: Mapping[str, frozenset[str]]) -> frozenset[Right]:
    """Return the rights that the application should have to the tables of a schema, given their columns."""
    due: set[Right] = set()
    for table, names in columns.items():
        due.add(Right(table, "SELECT"))
        if table in OWNERS:
            continue
        due.add(Right(table, "INSERT"))
        if table in PAST:
            continue
        fixed = KEPT.get(table, frozenset())
        due |= {Right(table, "UPDATE", name) for name in names - fixed}
        if table not in KEPT:
            due.add(Right(table, "DELETE"))
    return frozenset(due)


COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped
"""
# The rights that the role has, whether granted to it, to PUBLIC or to a role of which it is a member.
HELD = f"""
SELECT c.relname AS table, p.privilege, '' AS column FROM pg_class c,
    unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE']) AS p (privilege)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND has_table_privilege('{ROLE}', c.oid, p.privilege)
UNION ALL
SELECT c.relname, 'UPDATE', a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped
    AND has_column_privilege('{ROLE}', c.oid, a.attnum, 'UPDATE')
"""  # noqa: S608 - a constant


def by_table(rows: Iterable[Mapping[str, str]]) -> dict[str, frozenset[str]]:
    """Return the columns of every table, from the rows of `COLUMNS`."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["relname"], set()).add(row["attname"])
    return {table: frozenset(names) for table, names in found.items()}


def _columns(connection: Connection[Any]) -> dict[str, frozenset[str]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return by_table(cursor.execute(COLUMNS.encode()).fetchall())


def _held(connection: Connection[Any]) -> frozenset[Right]:
    rows = connection.execute(HELD.encode()).fetchall()
    return frozenset(Right(*row) for row in rows)


def _grants(due: frozenset[Right], tables: frozenset[str]) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA public TO {ROLE}"
    for table in sorted(tables):
        yield f"REVOKE ALL ON {table} FROM {ROLE}"
        whole = sorted(r.privilege for r in due if r.table == table and not r.column)
        yield f"GRANT {', '.join(whole)} ON {table} TO {ROLE}"
        if names := sorted(r.column for r in due if r.table == table and r.column):
            yield f"GRANT UPDATE ({', '.join(names)}) ON {table} TO {ROLE}"


def grant(connection: Connection[Any]) -> bool:
    """Create the role if it is missing, and grant it its rights. Return False if the current login may not do so.

    The owner of the tables runs it after migrating. A role belongs to the whole server: several databases share it, and
    two may create it at once. If the owner may not create roles, the administrator of the server creates it once
    (docs/operations.md).
    """
    if not _made(connection):
        return False
    columns = _columns(connection)
    due = rights_due(columns)
    if _held(connection) != due:
        with connection.transaction():
            # In one transaction: no session may run between REVOKE and GRANT.
            connection.execute(";".join(_grants(due, frozenset(columns))).encode())
    return True


def _made(connection: Connection[Any]) -> bool:
    found = connection.execute(
        "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s", [ROLE]
    ).fetchone()
    try:
        if found is None:
            with (
                suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation),
                connection.transaction(),
            ):
                connection.execute(f"CREATE ROLE {ROLE} NOLOGIN".encode())
        if found is None or not found[0]:
            # Creating a role does not make its creator a member of it.
            with connection.transaction():
                connection.execute(f"GRANT {ROLE} TO CURRENT_USER".encode())
    except psycopg.errors.InsufficientPrivilege:
        return found is not None
    return True


# Nothing happens if the role does not exist or we may not assume it: then the login works with its own rights, and the
# audit reports whether they are too many.
_TAKE = f"""
SELECT set_config('role', rolname, false) FROM pg_roles
WHERE rolname = '{ROLE}' AND pg_has_role(session_user, oid, 'MEMBER')
"""  # noqa: S608 - a constant


async def take(connection: AsyncConnection[Any]) -> None:
    """Let the connection work as the application's role; called for every new connection of a pool."""
    await connection.execute(_TAKE.encode(), prepare=False)
