"""Orders in bulk: rows of three years of sales, consistent enough for indexes and pages. SQL writes the rows without the
commands of the rooms, so invariants do not hold, and no audit is run.
"""

import time
from dataclasses import dataclass
from typing import Any

import psycopg

from meterai.kit.ids import show
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.payments import reference_of, refund_number

ORDERS_PER_ACCOUNT = 10
YEARS_SECONDS = 3 * 365 * 86_400  # period of their placing
SAMPLED = 40  # sampled rows, spread over all
_PREPARE = """
SET synchronous_commit = off; SET session_replication_role = replica; SET work_mem = '256MB';
SET maintenance_work_mem = '256MB'; SET statement_timeout = 0; SET lock_timeout = 0;
-- A UUID of version 7 of a moment, whose rest is made from a text.
CREATE FUNCTION pg_temp.made(at timestamptz, what text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(h, 1, 3)
        || '8' || substr(h, 4, 15))::uuid FROM (SELECT md5(what) AS h) t
$$;
CREATE TEMP TABLE filled AS
SELECT n, at, n % 50 AS of, 'R' || lpad(n::text, 14, '0') AS payment, n % 7 + 1 AS quantity,
       pg_temp.made(timestamptz '2023-01-01' + n / {each} * interval '1 second', 'account ' || n / {each})
           AS account,
       pg_temp.made(at, 'order ' || n) AS id, pg_temp.made(at, 'attempt ' || n) AS attempt,
       pg_temp.made(at, 'refund ' || n) AS refund, pg_temp.made(at, 'stamping ' || n) AS stamping,
       sha256(('document ' || n)::bytea) AS digest
FROM (SELECT n, now() - interval '1 hour' - ({count} - n) * interval '1 second' * {spread} AS at
      FROM generate_series(1, {count}) n) t;
ANALYZE filled;
"""
# Fifty orders: forty-five executed, two lapsed, two returned, one placed.
_EXECUTED, _RETURNED = "of < 45", "of IN (47, 48)"
_TABLES = {
    "accounts": """
INSERT INTO accounts (account_id, email, language, created_at)
SELECT DISTINCT ON (account) account, 'pembeli' || n / {each} || '@example.id', 'id', at FROM filled ORDER BY account, n
""",
    "email_directory": """
INSERT INTO email_directory (email, account_id)
SELECT DISTINCT ON (account) 'pembeli' || n / {each} || '@example.id', account FROM filled ORDER BY account, n
""",
    "orders": """
INSERT INTO orders (account_id, order_id, idempotency_key, request_hash, kind, quantity, unit_price, service_fee,
    total, state, due_seconds, placed_at, lapses_at, paid_at, due_at, closed_at, paid_attempt, paid_payment)
SELECT account, id, 'key' || n, digest, 'stamps', quantity, 10000, 500, quantity * 10500,
       CASE WHEN {executed} THEN 'executed' WHEN {returned} THEN 'returned' WHEN of = 49 THEN 'placed' ELSE 'lapsed' END,
       900, at, CASE WHEN of = 49 THEN now() + interval '5 days' ELSE at + interval '15 minutes' END,
       CASE WHEN {executed} OR {returned} THEN at + interval '1 minute' END,
       CASE WHEN {executed} OR {returned} THEN at + interval '16 minutes' END,
       CASE WHEN of <> 49 THEN at + interval '2 minutes' END,
       CASE WHEN {executed} OR {returned} THEN attempt END,
       CASE WHEN {executed} OR {returned} THEN payment END FROM filled
""",
    "payment_attempts": """
INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state, instructions, instructed_at, opened_at,
    expires_at, leased_until, ask_at, cancel_at, provider_reference)
SELECT account, attempt, id, 'EM' || compact(account) || compact(attempt), quantity * 10500,
       CASE WHEN {executed} OR {returned} THEN 'paid' WHEN of = 49 THEN 'waiting' ELSE 'expired' END,
       '{{"kind": "qr", "content": ""}}', at, at,
       CASE WHEN of = 49 THEN now() + interval '5 days' ELSE at + interval '15 minutes' END, at, 'infinity', 'infinity',
       'B' || n FROM filled
""",
    "captures": """
INSERT INTO captures (account_id, attempt_id, payment, amount, learned_by, captured_at)
SELECT account, attempt, payment, quantity * 10500, 'notification', at + interval '1 minute' FROM filled
WHERE {executed} OR {returned}
""",
    "stamp_lots": """
INSERT INTO stamp_lots (account_id, lot_id, book, unit_price, service_fee, issued, affixed, issued_at)
SELECT account, id, 'stamps_available', 10000, 500, quantity, 1, at + interval '2 minutes' FROM filled WHERE {executed}
""",
    "documents": """
INSERT INTO documents (account_id, sha256, name, bytes, pages, received_at, kept_until, forgotten_at)
SELECT account, digest, '', 100000, 2, at, at + interval '90 days', at + interval '90 days' FROM filled WHERE {executed}
""",
    "stampings": """
INSERT INTO stampings (account_id, stamping_id, idempotency_key, request_hash, sha256_original, placements, quantity,
    state, requested_at, sha256_stamped, delivered_at, tries)
SELECT account, stamping, 'stamp' || n, digest, digest, '[{{"page": 1, "x": 60, "y": 60, "width": 80}}]', 1,
       'delivered', at + interval '3 minutes', sha256(digest), at + interval '4 minutes', 1 FROM filled WHERE {executed}
""",
    "stamps": """
INSERT INTO stamps (account_id, serial, stamping_id, lot_id, position, state, reserved_at, affixed_at)
SELECT account, 'X' || lpad(n::text, 21, '0'), stamping, id, 1, 'affixed', at + interval '3 minutes',
       at + interval '4 minutes' FROM filled WHERE {executed}
""",
    "serial_directory": """
INSERT INTO serial_directory (serial, account_id) SELECT 'X' || lpad(n::text, 21, '0'), account FROM filled
WHERE {executed}
""",
    "refunds": """
INSERT INTO refunds (account_id, refund_id, cause_key, cause, order_id, attempt_id, payment, amount, state, refund_no,
    provider_refund_no, requested_at, due_at, tries, settled_at)
SELECT account, refund, 'not_executed:' || id, 'not_executed', id, attempt, payment, quantity * 10500, 'settled',
       'RF' || compact(account) || compact(refund), 'BR' || n, at + interval '16 minutes', at + interval '31 minutes', 1,
       at + interval '17 minutes' FROM filled WHERE {returned}
""",
    "entries": """
INSERT INTO entries (account_id, entry_id, reason, subject, posted_at)
SELECT account, 'captured:' || attempt || ':' || payment, 'payment_captured', id, at + interval '1 minute' FROM filled
WHERE {executed} OR {returned}
UNION ALL SELECT account, 'issued:' || id, 'stamps_issued', id, at + interval '2 minutes' FROM filled WHERE {executed}
""",
    "legs": """
INSERT INTO legs (account_id, entry_id, book, unit, debit, credit)
SELECT account, 'captured:' || attempt || ':' || payment, book, 'IDR', debit, credit FROM filled,
    LATERAL (VALUES ('bank_clearing', quantity * 10500, 0), ('buyer_funds', 0, quantity * 10500)) l (book, debit, credit)
WHERE {executed} OR {returned}
UNION ALL SELECT account, 'issued:' || id, book, 'IDR', debit, credit FROM filled,
    LATERAL (VALUES ('buyer_funds', quantity * 10500, 0), ('duty_payable', 0, quantity * 10000),
                    ('service_fee', 0, quantity * 500)) l (book, debit, credit) WHERE {executed}
""",
    "audit_events": """
INSERT INTO audit_events (account_id, actor, action, subject, facts, happened_at)
SELECT account, 'account', 'order_placed', 'ord_' || lower(compact(id)), jsonb_build_object('request', 'bulk-' || lpad(n::text, 12, '0')), at
FROM filled
""",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the orders, with every name by which staff may search it."""

    names: dict[str, str]
    order: str
    account: str


def fill(url: str, count: int, every: int = ORDERS_PER_ACCOUNT) -> tuple[list[Sample], float]:
    """Write `count` orders with their rows. Return a sample of them, and the seconds of writing."""
    began = time.perf_counter()
    terms: dict[str, object] = {
        "count": count,
        "each": every,
        "spread": max(1, YEARS_SECONDS // count),
        "executed": _EXECUTED,
        "returned": _RETURNED,
    }
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(_PREPARE.format(**terms).encode())
        for query in _TABLES.values():
            owner.execute(query.format(**terms).encode())
        samples = _samples(owner, count)
        owner.execute(b"DROP TABLE filled")
        for table in _TABLES:
            owner.execute(f"VACUUM (ANALYZE) {table}".encode())
    return samples, time.perf_counter() - began


def _samples(owner: psycopg.Connection[Any], count: int) -> list[Sample]:
    """Return `count` orders, spread over all orders, each with the serial of one of its stamps."""
    maker, found = SerialMaker(UNLEASED), []
    chosen = owner.execute(
        b"SELECT n, account, id, attempt, refund, payment, digest, of FROM filled"
        b" WHERE of IN (0, 47) AND (n / 50) %% %s = 0 ORDER BY n LIMIT %s",
        [max(1, count // 50 // SAMPLED), 2 * SAMPLED],
    ).fetchall()
    for n, account, order, attempt, refund, payment, digest, of in chosen:
        names = {
            "order": show("ord", order),
            "mail address": f"pembeli{n // ORDERS_PER_ACCOUNT}@example.id",
            "bank reference": payment,
            "our reference": reference_of(account, attempt),
            "request id": f"bulk-{n:012}",
        }
        if of:
            names |= {"refund number": refund_number(account, refund), "bank refund": f"BR{n}"}
        else:
            serial = maker.make().text
            old = f"X{n:021}"
            owner.execute(b"UPDATE stamps SET serial = %s WHERE serial = %s", [serial, old])
            owner.execute(
                b"UPDATE serial_directory SET serial = %s WHERE serial = %s", [serial, old]
            )
            names |= {"serial": serial, "SHA-256": digest.hex()}
        found.append(Sample(names, show("ord", order), show("acc", account)))
    return found
