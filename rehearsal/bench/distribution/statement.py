"""Bench of a statement over a million legs of the ledger: `python -m bench.distribution.statement [LEGS]`.

SQL makes the books of one distributor as sales would have left them, and as many legs of other accounts. The
bench reports the seconds from the request to the last byte, and the processor time of this process and of the
database, compared with a bare COPY of the same legs.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psutil
import psycopg

from bench.machine import Group
from meterai.distribution.statement import StatementSpan, Writer, as_csv, as_json, by_day
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate

LEGS = 1_000_000
SECONDS_AIM = 10.0
ACCOUNT = UUID("01a00000-0000-7000-8000-000000000001")
MONTH = "2026-10"
_BOOKS = """
CREATE TEMP TABLE n AS SELECT n, %(account)s::uuid AS account_id, md5('s' || n)::uuid AS sale_id,
    timestamptz '2026-10-01 00:00+07' + n * (interval '30 days' / %(legs)s) AS at
FROM generate_series(1, %(legs)s::bigint) AS n;
INSERT INTO n SELECT n, md5('a' || n / 1000)::uuid, md5('t' || n)::uuid, at FROM n;
INSERT INTO entries (account_id, entry_id, reason, subject, posted_at)
SELECT account_id, 'taken:' || sale_id, 'deposit_taken', sale_id, at FROM n;
INSERT INTO legs (account_id, entry_id, book, unit, debit, credit)
SELECT account_id, 'taken:' || sale_id, x.* FROM n,
    (VALUES ('bank_clearing', 'IDR', 0, 10500), ('deposits', 'IDR', 10500, 0)) x;
"""
_COPY = """
COPY (SELECT *, sum(amount) OVER (ORDER BY posted_at, entry_id ROWS UNBOUNDED PRECEDING)
FROM ledger_book_lines(%s, 'deposits', '2026-09-30 17:00Z', '2026-10-31 17:00Z') ORDER BY posted_at, entry_id) TO STDOUT
"""


async def _written(database: Database, write: Writer) -> int:
    written = 0
    async with database.reading() as tx:
        async for piece in write(tx, ACCOUNT, StatementSpan.read(MONTH, None), "id"):
            written += len(piece)
    return written


async def _summed(database: Database) -> int:
    async with database.reading() as tx:
        found = await by_day(tx, ACCOUNT, StatementSpan.read(MONTH, None))
    return len(found.days)


async def _copied(url: str) -> int:
    """Read the same legs and balances by a bare COPY of PostgreSQL, the fastest possible way. Return the number
    of bytes.
    """
    async with await psycopg.AsyncConnection.connect(url) as connection:
        copied = 0
        async with connection.cursor().copy(_COPY.encode(), (ACCOUNT,)) as pieces:
            async for piece in pieces:
                copied += len(piece)
        return copied


async def _run(url: str, folder: Path, legs: int) -> None:
    server = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    group = Group(psutil.Process(server))
    database = Database(url, connections=2)
    await database.open()
    limit = 0.0
    for name, work in (
        ("bare COPY", _copied(url)),
        ("by day", _summed(database)),
        ("CSV", _written(database, as_csv)),
        ("JSON", _written(database, as_json)),
    ):
        before = group.cpu()
        began, cpu = time.monotonic(), time.process_time()
        written = await work
        seconds, of_us = time.monotonic() - began, time.process_time() - cpu
        of_database = group.cpu() - before
        limit = limit or of_us + of_database
        print(
            f"{legs} legs {name}: {seconds:.1f} s ({seconds / SECONDS_AIM:.2f} of {SECONDS_AIM:.0f} s),"
            f" of a processor {of_us:.1f} s here and {of_database:.1f} s in the database,"
            f" {(of_us + of_database) / limit:.1f} of the bare COPY; {written} written"
        )
    await database.close()


def main() -> None:
    """Make books, write statements, report."""
    legs = int(sys.argv[1]) if len(sys.argv) > 1 else LEGS
    print(f"{datetime.now(UTC):%Y-%m-%d}: statements of {legs} legs, beside as many of others")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder)
        url = server.start()
        try:
            migrate(url)
            with psycopg.connect(url, autocommit=True) as connection:
                told = {"account": ACCOUNT, "legs": legs}
                # A call with parameters takes one statement.
                for statement in filter(str.strip, _BOOKS.split(";")):
                    used = told if "%(" in statement else None
                    connection.execute(statement.encode(), used)
                connection.execute("VACUUM ANALYZE entries, legs")
            asyncio.run(_run(url, folder, legs))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
