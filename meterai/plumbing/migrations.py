"""Migrations: numbered plain SQL, each applied once, in order, in its own transaction.

Every file sets `lock_timeout` and `statement_timeout` first, so that a migration which cannot
get its lock fails instead of stopping the service.  An advisory lock makes two processes that
start together apply each file once.  A file whose text changed after it was applied is refused.
"""

import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg

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


class MigrationChanged(Exception):
    """A migration that was already applied has another text now."""


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
    """(name, SQL) of what was not applied yet.  Raises `MigrationChanged`."""
    for name, text in migrations():
        if known.get(name, _sha256(text)) != _sha256(text):
            raise MigrationChanged(f"{name} was changed after it was applied")
    return [(name, text) for name, text in migrations() if name not in known]


def migrate(url: str) -> list[str]:
    """Apply what is missing and return the names that were applied.

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
