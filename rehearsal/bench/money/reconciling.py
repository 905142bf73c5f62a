"""Bench of the reconciliation of a day of a million lines: `python -m bench.money.reconciling [LINES]`.

SQL makes the books as the product's own functions would have left them, and the record is a file as a provider writes it,
in which one line of ten thousand differs. The bench reports the seconds and the memory of the process; the database is
another process.
"""

import asyncio
import resource
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from meterai.apps.settings import settings_of
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import WIB, SystemClock
from meterai.payments import PaymentService, PaymentSettings, Rails
from meterai.payments.room import RAILS
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from meterai.plumbing.objects import ObjectStore
from meterai.reconciliation import Reconciliation

LINES = 1_000_000
DIFFERS = 10_000  # interval of differing lines
SECONDS_MAX, MEGABYTES_MAX = 120.0, 500.0
SUM = 10_500

_BOOKS = """
CREATE TEMP TABLE n AS SELECT n, md5('a' || n / 2)::uuid AS account_id, md5('o' || n)::uuid AS order_id,
    md5('t' || n)::uuid AS attempt_id, 'qrpy_' || lpad(n::text, 12, '0') AS payment,
    %(at)s::timestamptz + n * interval '50 milliseconds' AS at
FROM generate_series(1, %(lines)s::bigint) AS n;
INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state, provider_reference, opened_at,
    expires_at, leased_until, ask_at)
SELECT account_id, attempt_id, order_id, 'EM' || compact(account_id) || compact(attempt_id), 10500, 'paid', payment, at,
    at + interval '15 minutes', at, 'infinity' FROM n;
INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by, captured_at)
SELECT account_id, attempt_id, payment, 10500, 'notification', at + interval '1 second' FROM n;
INSERT INTO entries (account_id, entry_id, reason, subject, posted_at)
SELECT account_id, 'captured:' || attempt_id || ':' || payment, 'payment_captured', order_id, at + interval '1 second' FROM n;
INSERT INTO legs (account_id, entry_id, book, unit, debit, credit)
SELECT account_id, 'captured:' || attempt_id || ':' || payment, x.* FROM n,
    (VALUES ('bank_clearing', 'IDR', 10500, 0), ('buyer_funds', 'IDR', 0, 10500)) x;
"""
_READ = """
SELECT 'EM' || compact(account_id) || compact(attempt_id), payment, at FROM n ORDER BY n
"""


def _write(connection: psycopg.Connection, path: Path) -> None:
    head = "Product ID,Transaction ID,Transaction Type,Line Type,Payment Channel,Reference,Currency,Amount,Balance,Created Date"
    balance = 0
    with path.open("w", newline="") as out, connection.cursor("lines") as cursor:
        out.write(head + "\r\n")
        cursor.itersize = 10_000
        for number, (reference, payment, at) in enumerate(cursor.execute(_READ), 1):
            amount = SUM + 1_000 if number % DIFFERS == 0 else SUM
            balance += amount
            moved = at.astimezone(WIB).isoformat()
            out.write(
                f"{payment},txn_{number},PAYMENT,TRANSACTION,QRIS,{reference},IDR,{amount}.00,{balance}.00,{moved}\r\n"
            )


def _processor_of_database(folder: Path) -> float:
    """Return the processor seconds of the living processes of the server."""
    server = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    spent = [one.cpu_times() for one in (server, *server.children())]
    return float(sum(one.user + one.system for one in spent))


async def _run(url: str, folder: Path, path: Path, at: datetime) -> None:
    settings = settings_of(data=str(folder), database_url=url)
    database, clock = Database(url, connections=2), SystemClock()
    await database.open()
    paying = PaymentService(database, Rails(settings, RAILS), settings.of(PaymentSettings), clock)
    objects = ObjectStore(folder, bytes(32))
    service = Reconciliation(database, paying, objects, settings, clock)
    before = _processor_of_database(folder)
    began, cpu = time.monotonic(), time.process_time()
    found = await service.reconcile("bank", at.date(), [path], Actor(ActorKind.OPERATOR, "bench"))
    seconds, of_us = time.monotonic() - began, time.process_time() - cpu
    of_database = _processor_of_database(folder) - before
    await database.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{found.lines} lines: {found.state}, {found.matched_percent:.3f} % matched, {found.broken} differ\n"
        f"{seconds:.1f} s in all ({seconds / SECONDS_MAX:.2f} of {SECONDS_MAX:.0f} s), of a processor {of_us:.1f} s here and"
        f" {of_database:.1f} s in the database;"
        f" {memory:.0f} MB ({memory / MEGABYTES_MAX:.2f} of {MEGABYTES_MAX:.0f} MB)"
    )


def main() -> None:
    """Make books and record, reconcile, report."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    local = SystemClock().now().astimezone(WIB) - timedelta(days=1)
    at = local.replace(hour=0, minute=1, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder)
        url = server.start()
        try:
            migrate(url)
            path = folder / "record.csv"
            with psycopg.connect(url) as connection:
                connection.execute("SET session_replication_role = replica")
                for statement in _BOOKS.split(";")[:-1]:
                    connection.execute(statement.encode(), {"lines": lines, "at": at})
                _write(connection, path)
                connection.commit()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ANALYZE")
            print(f"{path.stat().st_size / 1e6:.0f} MB of record")
            asyncio.run(_run(url, folder, path, at))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
