"""Migrations: numbered plain SQL, each applied once, in order, in its own transaction.

Every file first sets `lock_timeout` and `statement_timeout`, so that a migration which cannot get its lock fails
instead of stopping the service. An advisory lock ensures that two processes that start together apply each file once. A
file whose text changed after it was applied is refused.

Functions follow the migrations; each is applied again whenever its text changed. A changed function, like a migration,
must work with the previous version of the application, which runs until it is replaced.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.db import catalog, rights
from meterai.plumbing.db.connections import conninfo
from meterai.plumbing.db.sql_files import FUNCTIONS, Homes, functions, migrations

ADVISORY_LOCK = 0x6D65746572  # "meter"
_HISTORY = """
CREATE TABLE applied_migrations (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_IS_THERE = "SELECT to_regclass('public.applied_migrations')"
_IS_OURS = """
SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class
WHERE oid = 'public.applied_migrations'::regclass
"""
# For a function, the text applied last counts.
_APPLIED = """
INSERT INTO applied_migrations (name, sha256) VALUES (%s, %s)
ON CONFLICT ON CONSTRAINT applied_migrations_pkey
DO UPDATE SET sha256 = excluded.sha256, applied_at = now()
"""
_FORGOTTEN = "DELETE FROM applied_migrations WHERE name = ANY(%s)"
_KNOWN = "SELECT name, sha256 FROM applied_migrations"


class MigrationChanged(CommandRefusal):
    """The text of a migration changed after it was applied."""

    code = "migration_changed"
    status = 500

    def __init__(self, migration: str) -> None:
        super().__init__(f"{migration} was changed after it was applied")
        self.migration = migration


class DatabaseNotMigrated(CommandRefusal):
    """The database lacks a migration that this version needs."""

    code = "database_not_migrated"
    status = 500

    def __init__(self, migration: str) -> None:
        super().__init__(f"{migration} is not applied")
        self.migration = migration


class DatabaseNewer(CommandRefusal):
    """The database has a migration that this version does not know."""

    code = "database_newer"
    status = 500

    def __init__(self, migration: str) -> None:
        super().__init__(f"{migration} was applied by a newer version")
        self.migration = migration


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hashes() -> dict[str, str]:
    """Return the SHA-256 of every SQL file by name."""
    return {name: _sha256(text) for name, text in (*migrations(), *functions())}


def missing(known: Mapping[str, str], beside: Homes = ()) -> list[tuple[str, str]]:
    """Return (name, SQL) of the migrations that are not applied yet. `known` has the SHA-256 of each applied SQL file by name,
    `beside` are the rooms outside the package. Refuses `DatabaseNewer`, `MigrationChanged`.
    """
    ours = dict(migrations(beside))
    _check_known(known, ours)
    for name, text in ours.items():
        if known.get(name, _sha256(text)) != _sha256(text):
            raise MigrationChanged(name)
    return [(name, text) for name, text in ours.items() if name not in known]


def changed(known: Mapping[str, str], beside: Homes = ()) -> list[tuple[str, str]]:
    """Return (name, SQL) of the functions whose text changed since they were applied, and of new ones. `known` has the SHA-256
    of each applied SQL file by name, `beside` are the rooms outside the package.
    """
    ours = functions(beside)
    return [(name, text) for name, text in ours if known.get(name) != _sha256(text)]


def _gone(known: Iterable[str], beside: Homes) -> list[str]:
    """Return applied functions that have no file any more: a migration has dropped them."""
    ours = dict(functions(beside))
    return [name for name in known if f"/{FUNCTIONS}/" in name and name not in ours]


def _check_known(applied: Iterable[str], ours: Iterable[str]) -> None:
    # A function without a file was dropped by a migration, so it does not mean that the database is newer.
    newer = {name for name in set(applied) - set(ours) if f"/{FUNCTIONS}/" not in name}
    if newer:
        raise DatabaseNewer(min(newer))


def check_current(url: str, beside: Homes = ()) -> None:
    """Check that the schema is the one this version was written for.

    Refuses `DatabaseNotMigrated`, `DatabaseNewer`; raises `psycopg.OperationalError` if the database does not answer.
    Whether the text of an applied migration has changed is checked by the audit, not here.
    """
    with psycopg.connect(conninfo(url)) as connection:
        is_there = connection.execute(_IS_THERE).fetchone() != (None,)
        known: dict[str, str] = {}
        if is_there:
            known = dict(connection.execute(_KNOWN).fetchall())
    ours = dict(migrations(beside))
    _check_known(known, ours)
    due = ours.keys() - known.keys()
    due |= {name for name, _ in changed(known, beside)}
    if due:
        raise DatabaseNotMigrated(min(due))


def migrate(url: str, beside: Homes = ()) -> list[str]:
    """Apply missing migrations and changed functions; return their names. Refuses as `missing` does.

    `beside`: rooms outside the package that have SQL of their own.

    The owner of the tables runs this function; it then also grants the application its rights (docs/decisions/0014). Another
    login, such as the application's in production, must find nothing to apply.
    """
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("SET ROLE NONE")  # in case the login begins with another role
        connection.execute(f"SET search_path = {catalog.SEARCH_PATH}".encode())
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        if connection.execute(_IS_THERE).fetchone() == (None,):
            connection.execute(_HISTORY)
        known: dict[str, str] = dict(connection.execute(_KNOWN).fetchall())
        due, again = missing(known, beside), changed(known, beside)
        for name, text in due:
            with connection.transaction():
                _apply(connection, name, text)
        if again:
            _apply_functions(connection, again)
        if gone := _gone(known, beside):
            connection.execute(_FORGOTTEN, [gone])
        if connection.execute(_IS_OURS).fetchone() == (True,):
            rights.grant(connection)
    return [name for name, _ in (*due, *again)]


def _apply(connection: psycopg.Connection[Any], name: str, text: str) -> None:
    connection.execute(text.encode())
    connection.execute(_APPLIED, [name, _sha256(text)])


def _apply_functions(connection: psycopg.Connection[Any], again: Sequence[tuple[str, str]]) -> None:
    """Apply changed functions in one transaction, so that no session sees a new function with an old version of another."""
    with connection.transaction():
        # A function may call another that is applied after it.
        connection.execute("SET LOCAL check_function_bodies = off")
        connection.execute("SET LOCAL lock_timeout = '5s'")
        for name, text in again:
            _apply(connection, name, text)


def names() -> list[str]:
    """Return the names of all migrations and functions that a fully migrated database has applied."""
    return [name for name, _ in (*migrations(), *functions())]
