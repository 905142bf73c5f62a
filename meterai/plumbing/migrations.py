"""Migrations: numbered plain SQL, each applied once, in order, in its own transaction.

Every file sets `lock_timeout` and `statement_timeout` first, so that a migration which cannot
get its lock fails instead of stopping the service.  An advisory lock makes two processes that
start together apply each file once.  A file whose text changed after it was applied is refused.
"""

import hashlib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg

from meterai.plumbing.link import conninfo

ADVISORY_LOCK = 0x6D65746572  # "meter"
_HISTORY = """
CREATE TABLE IF NOT EXISTS applied_migrations (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


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


def migrate(url: str) -> list[str]:
    """Apply what is missing and return the names that were applied."""
    applied: list[str] = []
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        connection.execute(_HISTORY)
        known: dict[str, str] = dict(
            connection.execute("SELECT name, sha256 FROM applied_migrations").fetchall()
        )
        for name, text in migrations():
            if name in known:
                if known[name] != _sha256(text):
                    raise MigrationChanged(f"{name} was changed after it was applied")
                continue
            with connection.transaction():
                connection.execute(text.encode())
                connection.execute(
                    "INSERT INTO applied_migrations (name, sha256) VALUES (%s, %s)",
                    [name, _sha256(text)],
                )
            applied.append(name)
    return applied


def names() -> list[str]:
    """The names a fully migrated database has applied."""
    return [name for name, _ in migrations()]
