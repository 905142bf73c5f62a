"""Audit over a large history: `python -m bench.audit [ORDERS] [ORDERS_PER_ACCOUNT]`.

SQL makes the history as the product's own functions would have left it. Half of the orders bought stamps, and most of these
stamps are on a document; some orders were refunded. The bench reports the seconds of a full audit, the seconds of an
incremental audit after further orders, and the slowest invariants.
"""

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from meterai.apps.rooms import registered_of
from meterai.audit.auditor import Auditor
from meterai.plumbing.db import invariants
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate

ORDERS = 200_000
PER_ACCOUNT = 2
DELTA_BYTES = 16_000
FRESH = 1_000  # orders after the first audit

# Makes a valid serial from a number: its check characters are the first 20 characters modulo 1021.
_HELPERS = """
CREATE FUNCTION pg_temp.letters(p_value numeric, p_length integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
        (div(p_value, 32::numeric ^ place) % 32)::integer + 1, 1), '' ORDER BY place DESC)
    FROM generate_series(0, p_length - 1) AS place
$$;
CREATE FUNCTION pg_temp.serial(p_number bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_temp.letters(p_number * 1021::numeric, 20) || '00'
$$;
CREATE FUNCTION pg_temp.id(p_kind integer, p_number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(p_number), 12, '0') || '7000' || lpad(to_hex(32768 + p_kind), 4, '0')
            || '000000000000')::uuid
$$;
"""
_STATEMENTS = """
CREATE TEMP TABLE n AS SELECT n, pg_temp.id(1, n / %(per_account)s) AS account_id,
    pg_temp.id(2, n) AS order_id, pg_temp.id(3, n) AS attempt_id, pg_temp.id(4, n) AS stamping_id,
    pg_temp.id(5, n) AS refund_id, 'P' || n AS payment,
    n %% 4 = 0 AS is_returned, sha256(n::text::bytea) AS sha256,
    %(at)s::timestamptz + n * interval '1 microsecond' AS at
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n;
ANALYZE n;
INSERT INTO accounts (account_id, email, created_at)
SELECT DISTINCT account_id, account_id || '@example.id', %(at)s::timestamptz FROM n;
INSERT INTO email_directory SELECT DISTINCT account_id || '@example.id', account_id FROM n;
INSERT INTO sale_terms VALUES (10000, 500, %(at)s) ON CONFLICT DO NOTHING;
INSERT INTO audit_events (account_id, actor, action, subject, facts, happened_at)
SELECT account_id, 'account', 'account_made', 'acc_' || lower(compact(account_id)),
    jsonb_build_object('digest', encode(sha256(
        uuid_send(account_id) || convert_to(account_id || '@example.id', 'UTF8')), 'hex')),
    %(at)s::timestamptz FROM (SELECT DISTINCT account_id FROM n) x;
INSERT INTO orders SELECT account_id, order_id, n::text, '', 'stamps', 1, 10000, 500, 10500,
    CASE WHEN is_returned THEN 'returned' ELSE 'executed' END, 900, at, at + interval '15 minutes',
    at, at + interval '15 minutes', at, attempt_id, payment FROM n;
INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state, provider_reference,
    opened_at, expires_at, leased_until, ask_at, asked, instructed_at, instructions)
SELECT account_id, attempt_id, order_id, 'EM' || compact(account_id) || compact(attempt_id), 10500, 'paid',
    'R' || n, at, at + interval '15 minutes', at, now() + interval '1 day', 1, at,
    '{"kind": "qr", "content": "x"}' FROM n;
INSERT INTO captures SELECT account_id, attempt_id, payment, 10500, 'notification', at FROM n;
INSERT INTO stamp_lots SELECT account_id, order_id, 'stamps_available', 10000, 500, 1, 0,
    (NOT is_returned)::integer, is_returned::integer, at FROM n;
INSERT INTO entries SELECT account_id, 'captured:' || attempt_id || ':' || payment,
    'payment_captured', order_id, at FROM n
UNION ALL SELECT account_id, 'issued:' || order_id, 'stamps_issued', order_id, at FROM n
UNION ALL SELECT account_id, 'affixed:' || stamping_id, 'stamps_affixed', stamping_id, at FROM n
    WHERE NOT is_returned
UNION ALL SELECT account_id, 'refund:' || refund_id, 'refund_requested', order_id, at FROM n
    WHERE is_returned
UNION ALL SELECT account_id, 'settled:' || refund_id, 'refund_settled', order_id, at FROM n
    WHERE is_returned;
INSERT INTO legs SELECT account_id, 'captured:' || attempt_id || ':' || payment, x.* FROM n,
    (VALUES ('bank_clearing', 'IDR', 10500, 0), ('buyer_funds', 'IDR', 0, 10500)) x
UNION ALL SELECT account_id, 'issued:' || order_id, x.* FROM n,
    (VALUES ('stamps_issued', 'STAMP', 1, 0), ('stamps_available', 'STAMP', 0, 1),
     ('buyer_funds', 'IDR', 10500, 0), ('duty_payable', 'IDR', 0, 10000),
     ('service_fee', 'IDR', 0, 500)) x
UNION ALL SELECT account_id, 'affixed:' || stamping_id, x.* FROM n,
    (VALUES ('stamps_available', 'STAMP', 1, 0), ('stamps_affixed', 'STAMP', 0, 1)) x
    WHERE NOT is_returned
UNION ALL SELECT account_id, 'refund:' || refund_id, x.* FROM n,
    (VALUES ('stamps_available', 'STAMP', 1, 0), ('stamps_issued', 'STAMP', 0, 1),
     ('duty_payable', 'IDR', 10000, 0), ('service_fee', 'IDR', 500, 0),
     ('refunds_payable', 'IDR', 0, 10500)) x WHERE is_returned
UNION ALL SELECT account_id, 'settled:' || refund_id, x.* FROM n,
    (VALUES ('refunds_payable', 'IDR', 10500, 0), ('bank_clearing', 'IDR', 0, 10500)) x
    WHERE is_returned;
INSERT INTO balances SELECT DISTINCT account_id, book, 0, 0 FROM n,
    unnest(ARRAY['buyer_funds', 'stamps_available', 'refunds_payable']) AS book
    ON CONFLICT DO NOTHING;
INSERT INTO refunds SELECT account_id, refund_id, 'asked:' || refund_id, 'asked', order_id,
    attempt_id, payment, 10500, 1, 'settled', 'RF' || compact(account_id) || compact(refund_id),
    'B' || n, at, at + interval '15 minutes', at, 1, NULL, at FROM n WHERE is_returned;
INSERT INTO audit_events SELECT account_id, refund_id, 'account', 'refund_asked',
    'ord_' || lower(compact(order_id)), '{"stamps": 1}', at FROM n WHERE is_returned;
INSERT INTO documents SELECT account_id, sha256, 'surat.pdf', 1000, 1, at, at, at, order_id,
    sha256(uuid_send(order_id) || 'surat.pdf') FROM n
    WHERE NOT is_returned;
INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash, sha256_original,
    placements, quantity, state, requested_at, due_at, sha256_stamped, delivered_at)
SELECT account_id, stamping_id, n::text, '', sha256, '[1]', 1, 'delivered', at,
    at + interval '15 minutes', sha256, at FROM n WHERE NOT is_returned;
INSERT INTO stamping_keys SELECT account_id, n::text, '', ARRAY[stamping_id], at FROM n
    WHERE NOT is_returned;
INSERT INTO holds SELECT account_id, stamping_id, 'stamps_available', 1, 'posted', stamping_id, at,
    at FROM n WHERE NOT is_returned;
INSERT INTO stamps SELECT account_id, pg_temp.serial(n), stamping_id, order_id, 1, 'affixed', at,
    at FROM n WHERE NOT is_returned;
INSERT INTO serial_directory SELECT pg_temp.serial(n), account_id FROM n WHERE NOT is_returned;
INSERT INTO deltas SELECT account_id, stamping_id, sha256(d.delta), d.delta FROM n,
    LATERAL (SELECT decode(repeat(md5(n::text), %(delta)s / 16), 'hex') AS delta) d
    WHERE NOT is_returned;
INSERT INTO mails SELECT account_id, refund_id, x.cause, x.template, 'id',
    account_id || '@example.id', '{}', 'sent', at, at, 1, at FROM n, LATERAL (VALUES
    ('order_executed:' || order_id, 'order_executed_stamps', true)) AS x (cause, template, yes);
INSERT INTO mails SELECT account_id, gen_random_uuid(), x.cause, x.template, 'id',
    account_id || '@example.id', '{}', 'sent', at, at, 1, at FROM n, LATERAL (VALUES
    ('stamping_delivered:' || stamping_id, 'stamping_delivered', NOT is_returned),
    ('refund_requested:' || refund_id, 'refund_requested', is_returned),
    ('refund_settled:' || refund_id, 'refund_settled', is_returned)) AS x (cause, template, yes)
    WHERE x.yes;
DROP TABLE n
"""


def make(url: str, first: int, last: int, per_account: int, at: datetime) -> None:
    """Add orders to the history, numbered from `first`."""
    names = {"first": first, "last": last, "per_account": per_account, "at": at}
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(_HELPERS.encode())
        for statement in _STATEMENTS.split(";\n"):
            values = names | {"delta": DELTA_BYTES}
            connection.execute(
                psycopg.ClientCursor(connection).mogrify(statement.encode(), values).encode()
            )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


async def measure(url: str, *, is_incremental: bool) -> None:
    """Run one audit, and report the slowest parts."""
    spent: defaultdict[str, float] = defaultdict(float)
    begun = time.perf_counter()
    part, since = "", begun

    def tell(_done: int, _parts: int, name: str) -> None:
        nonlocal part, since
        now = time.perf_counter()
        spent[part] += now - since
        part, since = name, now

    database = Database(url, connections=2)
    await database.open()
    auditor = Auditor(database, registered_of(), tell, timedelta(0))
    findings, coverage = await auditor.run(is_incremental=is_incremental)
    seconds = time.perf_counter() - begun
    broken = [one for one in findings if not one.holds]
    print(f"{coverage.kind}: {seconds:.1f} s, {len(broken)} broken")
    for one in broken:
        print("  ", one.invariant.name, one.broken, one.evidence[:2])
    for name, took in sorted(spent.items(), key=lambda one: -one[1])[:8]:
        print(f"  {took:7.2f} s  {name}")
    if not broken:
        await auditor.record(coverage)
    await database.close()


def main() -> None:
    """Make the history, audit it, add orders, audit again."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    per_account = int(sys.argv[2]) if len(sys.argv) > 2 else PER_ACCOUNT
    invariants.STATEMENT_SECONDS_MAX = 3600
    with tempfile.TemporaryDirectory() as folder:
        embedded = EmbeddedPostgres(Path(folder))
        url = embedded.start()
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench TEMPLATE template0")
            url = url.replace("/postgres?", "/bench?")
            migrate(url)
            begun = time.perf_counter()
            make(url, 1, orders, per_account, datetime.now(UTC) - timedelta(days=1))
            print(f"{orders} orders made in {time.perf_counter() - begun:.0f} s")
            asyncio.run(measure(url, is_incremental=False))
            make(url, orders + per_account, orders + FRESH, per_account, datetime.now(UTC))
            asyncio.run(measure(url, is_incremental=True))
        finally:
            embedded.stop()


if __name__ == "__main__":
    main()
