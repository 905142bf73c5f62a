"""SQLite files that hold what a stand-in knows, so that it survives a restart."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_WAIT_SECONDS = 5.0  # a person may look into the file with the sqlite3 shell meanwhile


def open_state(path: Path, schema: str) -> sqlite3.Connection:
    """Open or make the file; every statement commits by itself unless inside `transaction`."""
    connection = sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL may lose the last commits when the machine (not the process) dies: enough for a
    # stand-in, and ten times faster in a rehearsal.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(schema)
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing.  Holds no `await`, so calls never mix."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
