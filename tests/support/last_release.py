"""An installation of the last release, as `scripts/release_state.py` left it, moved in time as if it had
stopped now."""

import json
import sqlite3
import subprocess
import tarfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from meterai.kit.clock import SystemClock
from meterai.plumbing.db.embedded import EmbeddedPostgres, programs

ARCHIVE = Path(__file__).parents[1] / "flows" / "last_release.tar.xz"
# The audit chains its points by hashes. This one was taken when nothing was old enough to be covered.
_UNMOVED = "audit_points"
_TIMES = """
SELECT table_name::text, string_agg(format('%%1$I = %%1$I + %%2$L', column_name, %s::interval), ', ')
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> %s
    AND data_type = 'timestamp with time zone'
GROUP BY table_name
"""
# The audit trail has the same end of a session as the session.
_UNTIL = """
UPDATE audit_events SET facts = facts || jsonb_build_object(
    'until', (facts->>'until')::timestamptz + %s::interval) WHERE facts ? 'until'
"""


@dataclass(frozen=True)
class LastRelease:
    """The data directory of the last release, in which only the database runs."""

    data: Path
    manifest: dict[str, Any]
    stamped: bytes
    database: EmbeddedPostgres

    @property
    def url(self) -> str:
        """URL of its database, as the owner."""
        return self.database.url.replace("/postgres?", "/meterai?")


def restored(folder: Path) -> LastRelease:
    """Unpack it, start its database, and move its past to now. Otherwise all its open work would be overdue."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    manifest = json.loads((folder / "manifest.json").read_text())
    found = LastRelease(
        folder, manifest, (folder / "stamped.pdf").read_bytes(), EmbeddedPostgres(folder)
    )
    server = found.database.start()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE meterai ENCODING 'UTF8' TEMPLATE template0")
    command = [
        str(programs() / "psql"),
        "--quiet",
        "--no-psqlrc",
        "--set=ON_ERROR_STOP=1",
        found.url,
    ]
    subprocess.run([*command, f"--file={folder / 'meterai.sql'}"], check=True, capture_output=True)
    passed = SystemClock().now() - datetime.fromisoformat(manifest["made_at"])
    _move(found.url, passed)
    for one in (folder / "standins").rglob("*.sqlite"):
        _move_standin(one, passed)
    return found


def _move(url: str, passed: timedelta) -> None:
    with psycopg.connect(url) as connection:
        # All times move together, so that references and checks of triggers stay true.
        connection.execute("SET session_replication_role = replica")
        for table, assignments in connection.execute(_TIMES, (passed, _UNMOVED)).fetchall():
            connection.execute(f"UPDATE {table} SET {assignments}".encode())
        connection.execute(_UNTIL, (passed,))


def _move_standin(file: Path, passed: timedelta) -> None:
    """Times of the stand-in are milliseconds, in columns with names that end so."""
    by = passed // timedelta(milliseconds=1)
    with sqlite3.connect(file) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            for _, column, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if column.endswith("_at") or column == "valid_until":
                    connection.execute(f"UPDATE {table} SET {column} = {column} + ?", (by,))
    connection.close()
