"""SQLite files that hold the state of a stand-in, so that it survives a restart."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LOCK_WAIT_SECONDS = 5.0  # a person may read the file with the sqlite3 shell meanwhile


def open_state(
    path: Path,
    schema: str,
    renamed: Mapping[str, str] | None = None,
    added: Mapping[tuple[str, str], str] | None = None,
) -> sqlite3.Connection:
    """Open or make the file. Every statement outside `transaction` is committed by itself. `renamed` maps former names of
    tables (in files of earlier versions) to their names in `schema`; `added` has the definitions of columns, by table and
    name, that such files lack.
    """
    connection = sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL may lose the last commits when the machine (not the process) fails, which does no harm to a stand-in; a
    # rehearsal is ten times faster with it.
    connection.execute("PRAGMA synchronous = NORMAL")
    _rename(connection, renamed or {})
    connection.executescript(schema)
    for (table, column), kind in (added or {}).items():
        if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    return connection


def _rename(connection: sqlite3.Connection, renamed: Mapping[str, str]) -> None:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    present = {name for (name,) in connection.execute(query)}
    for former, name in renamed.items():
        if former in present and name not in present:
            connection.execute(f"ALTER TABLE {former} RENAME TO {name}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make all changes of the body, or none. The body must not `await`: the connection is shared by all calls."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
