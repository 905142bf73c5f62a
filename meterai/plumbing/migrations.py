"""Migrations: numbered plain SQL, each applied once, in order, in its own transaction.

Every file sets `lock_timeout` and `statement_timeout` first, so that a migration which cannot
get its lock fails instead of stopping the service.  An advisory lock makes two processes that
start together apply each file once.  A file whose text changed after it was applied is refused.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg

from meterai.kit.refusal import Refusal
from meterai.plumbing import catalog, rights
from meterai.plumbing.catalog import Description
from meterai.plumbing.link import conninfo

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
_KNOWN = "SELECT name, sha256 FROM applied_migrations"


class MigrationChanged(Refusal):
    """A migration that was already applied has another text now."""

    code = "migration_changed"
    status = 500

    def __init__(self, migration: str) -> None:
        super().__init__(f"{migration} was changed after it was applied")
        self.migration = migration


class DatabaseNotMigrated(Refusal):
    """The database lacks a migration that this version needs."""

    code = "database_not_migrated"
    status = 500

    def __init__(self, migration: str) -> None:
        super().__init__(f"{migration} is not applied")
        self.migration = migration


class DatabaseNewer(Refusal):
    """The database has a migration that this version does not know."""

    code = "database_newer"
    status = 500

    def __init__(self, migration: str) -> None:
        super().__init__(f"{migration} was applied by a newer version")
        self.migration = migration


def _folder() -> Traversable:
    # In a checkout the files lie beside the package; in a wheel they are packed into it.
    beside = Path(__file__).parents[2] / "migrations"
    return beside if beside.is_dir() else resources.files("meterai") / "migrations"


def migrations() -> Iterator[tuple[str, str]]:
    """(name, SQL) of every migration, in order."""
    files = [file for file in _folder().iterdir() if file.name.endswith(".sql")]
    for file in sorted(files, key=lambda file: file.name):
        yield file.name, file.read_text()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hashes() -> dict[str, str]:
    """SHA-256 of every migration by its name."""
    return {name: _sha256(text) for name, text in migrations()}


def described() -> Description:
    """What a database is like that these migrations have just built."""
    return catalog.read((_folder() / "schema.toml").read_text())


def missing(known: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, SQL) of what was not applied yet.  Refuses `DatabaseNewer`, `MigrationChanged`."""
    ours = dict(migrations())
    _check_known(known)
    for name, text in ours.items():
        if known.get(name, _sha256(text)) != _sha256(text):
            raise MigrationChanged(name)
    return [(name, text) for name, text in ours.items() if name not in known]


def _check_known(applied: Iterable[str]) -> None:
    if unknown := sorted(set(applied) - set(names())):
        raise DatabaseNewer(unknown[0])


def check_current(url: str) -> None:
    """The schema is the one this version was written for.

    Refuses `DatabaseNotMigrated`, `DatabaseNewer`; raises `psycopg.OperationalError` where the
    database does not answer.  Whether a migration was another text is for the audit to say.
    """
    with psycopg.connect(conninfo(url)) as connection:
        is_there = connection.execute(_IS_THERE).fetchone() != (None,)
        rows = connection.execute(_KNOWN).fetchall() if is_there else []
    applied = {name for name, _ in rows}
    _check_known(applied)
    if due := sorted(set(names()) - applied):
        raise DatabaseNotMigrated(due[0])


def migrate(url: str) -> list[str]:
    """Apply what is missing and return the names that were applied.  Refuses as `missing`.

    For the owner of the tables; another login, as the application's in production, finds that
    nothing is missing.  The application gets its rights here too: docs/decisions/0014.
    """
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("SET ROLE NONE")  # whatever role the login begins with
        connection.execute(f"SET search_path = {catalog.SEARCH_PATH}".encode())
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        if connection.execute(_IS_THERE).fetchone() == (None,):
            connection.execute(_HISTORY)
        due = missing(dict(connection.execute(_KNOWN).fetchall()))
        for name, text in due:
            with connection.transaction():
                connection.execute(text.encode())
                connection.execute(
                    "INSERT INTO applied_migrations (name, sha256) VALUES (%s, %s)",
                    [name, _sha256(text)],
                )
        if connection.execute(_IS_OURS).fetchone() == (True,):
            rights.grant(connection)
    return [name for name, _ in due]


def names() -> list[str]:
    """The names a fully migrated database has applied."""
    return [name for name, _ in migrations()]
