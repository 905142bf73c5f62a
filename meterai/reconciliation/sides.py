"""SQL that compares the three sides: record, payments and books.  Each comparison is one statement, so that it reads one
snapshot.

The comparison reads tables of several rooms, as the invariants of the audit do, and writes only our copy of a record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.reconciliation import store
from meterai.reconciliation.model import (
    FLOAT,
    Days,
    Differing,
    Fees,
    FeeTold,
    OfBuyer,
    Unmatched,
    begin_of,
    end_of,
)
from meterai.reconciliation.settings import Agreed

# Near midnight a movement may have a time of one day in our books and of the next in the record: clocks differ by less.
FRESH = timedelta(minutes=15)
WEEKS = timedelta(weeks=6)  # transfers of this time are compared; lines are kept for 100 days
AT_ONCE = 20_000  # payments in one statement

# A line matches plainly if we have its payment with the same sum and reference and an entry of that sum, captured not
# earlier than in the record.  A provider's clock may be ahead by the interval.
CLOCKS = "interval '10 minutes'"
UNMATCHED = f"""
SELECT l.payment, l.reference, a.reference AS our_reference, l.amount, l.moved_at, c.captured_at, c.learned_by
FROM record_lines l
LEFT JOIN captures c ON c.payment = l.payment AND c.learned_by <> 'denial'
LEFT JOIN payment_attempts a ON a.account_id = c.account_id AND a.attempt_id = c.attempt_id
LEFT JOIN legs g ON g.account_id = c.account_id AND g.book = 'bank_clearing'
    AND g.entry_id = 'captured:' || c.attempt_id || ':' || c.payment
WHERE l.provider = %s AND l.day = %s AND l.reading = %s AND l.kind = 'payment' AND l.payment IS NOT NULL
    AND (c.payment IS NULL OR c.amount <> l.amount OR g.debit IS DISTINCT FROM l.amount
         OR (l.reference <> a.reference AND c.learned_by <> 'operator')
         OR l.moved_at > c.captured_at + {CLOCKS})
ORDER BY l.position LIMIT %s
"""  # noqa: S608 - a constant
# Payments with a movement on that day on one side that do not match plainly.  The times of our movements are those of the
# entries in the books; an entry names its payment or its order.  The planner has no statistics of a new reading, so the
# form of the join is forced.
MISSING = """
SELECT e.account_id AS account, substr(e.entry_id, 10, 36)::uuid AS attempt, substr(e.entry_id, 47) AS payment
FROM entries e
WHERE e.reason = 'payment_captured' AND e.posted_at >= %s AND e.posted_at < %s
    AND NOT EXISTS (SELECT 1 FROM record_lines l WHERE l.provider = %s AND l.day = %s AND l.reading = %s
                    AND l.kind = 'payment' AND l.payment = substr(e.entry_id, 47))
LIMIT %s
"""
MOVED = """
SELECT m.payment FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS m (account_id, attempt_id, payment)
JOIN payment_attempts a ON a.account_id = m.account_id AND a.attempt_id = m.attempt_id AND a.provider = %s
UNION
SELECT c.payment FROM entries e
JOIN legs g ON g.account_id = e.account_id AND g.entry_id = e.entry_id AND g.book = 'bank_clearing'
JOIN payment_attempts a ON a.account_id = e.account_id AND a.subject = e.subject AND a.provider = %s
JOIN captures c ON c.account_id = a.account_id AND c.attempt_id = a.attempt_id AND c.learned_by <> 'denial'
WHERE e.reason <> 'payment_captured' AND e.posted_at >= %s AND e.posted_at < %s
UNION
SELECT l.payment FROM record_lines l
WHERE l.provider = %s AND l.day = %s AND l.reading = %s AND l.kind <> 'payment' AND l.payment IS NOT NULL
UNION
SELECT l.payment FROM record_lines l
WHERE l.provider = %s AND l.day = %s AND l.reading = %s AND l.kind = 'payment' AND l.payment IS NOT NULL
GROUP BY l.payment HAVING count(*) > 1
"""
PLACED = """
UPDATE record_lines l SET payment = r.payment FROM refunds r
WHERE l.provider = %s AND l.day = %s AND l.reading = %s AND l.of_refund IS NOT NULL AND l.payment IS NULL
    AND r.account_id = l.of_account AND r.refund_id = l.of_refund
"""
# A line with only our reference belongs to the payment of its attempt, if the attempt has just one.
PLACED_BY_ATTEMPT = """
UPDATE record_lines l SET payment = c.payment FROM captures c
WHERE l.provider = %s AND l.day = %s AND l.reading = %s AND l.of_refund IS NOT NULL AND l.payment IS NULL
    AND l.kind <> 'payment' AND c.account_id = l.of_account AND c.attempt_id = l.of_refund AND c.learned_by <> 'denial'
    AND NOT EXISTS (SELECT 1 FROM captures o WHERE o.account_id = c.account_id AND o.attempt_id = c.attempt_id
                    AND o.payment <> c.payment AND o.learned_by <> 'denial')
"""
# A payment number under two references of ours stands for two payments; the booked one, if any, keeps the number.
TWICE = """
SELECT payment FROM record_lines
WHERE provider = %s AND day = %s AND reading = %s AND kind = 'payment' AND reference IS NOT NULL AND payment IS NOT NULL
GROUP BY payment HAVING count(DISTINCT reference) > 1
"""
PARTED = """
UPDATE record_lines l SET payment = n.payment || '/' || n.place
FROM (
    SELECT x.position, x.payment, dense_rank() OVER (PARTITION BY x.payment
        ORDER BY x.reference IS DISTINCT FROM a.reference, x.reference) AS place
    FROM record_lines x
    LEFT JOIN captures c ON c.payment = x.payment AND c.learned_by <> 'denial'
    LEFT JOIN payment_attempts a ON a.account_id = c.account_id AND a.attempt_id = c.attempt_id
    WHERE x.provider = %s AND x.day = %s AND x.reading = %s AND x.kind = 'payment' AND x.payment = ANY(%s)) n
WHERE n.place > 1 AND l.provider = %s AND l.day = %s AND l.reading = %s AND l.position = n.position
"""
# Sums of these payments on each side: of the record up to that day, and ours up to its end (which the record must have
# then) and until now (which it may have).  A day without a record counts on neither side.  A refund by transfer is not
# counted, since its money left another account.
DIFFERING = """
WITH asked AS (SELECT unnest(%s::text[]) AS payment),
theirs AS (
    SELECT q.payment, count(l.kind)::integer AS lines, min(l.reference) AS reference,
        coalesce(sum(l.amount) FILTER (WHERE l.kind = 'payment'), 0)::bigint AS captured,
        coalesce(sum(CASE WHEN l.kind IN ('refund', 'transfer') THEN l.amount
                          WHEN l.kind IN ('refund_reversed', 'transfer_returned') THEN -l.amount END), 0)::bigint
            AS refunded,
        coalesce(sum(CASE l.kind WHEN 'chargeback' THEN l.amount WHEN 'chargeback_won' THEN -l.amount END), 0)::bigint
            AS charged_back
    FROM asked q LEFT JOIN (record_lines l JOIN record_days d USING (provider, day))
        ON l.payment = q.payment AND l.day <= %s
        AND l.reading = CASE WHEN l.provider = %s AND l.day = %s THEN %s ELSE d.reading END
    GROUP BY q.payment),
ours AS (
    SELECT q.payment, min(a.reference) AS reference, sum(c.amount)::bigint AS captured,
        coalesce(sum(c.amount) FILTER (WHERE c.captured_at >= %s AND c.captured_at < %s), 0)::bigint AS captured_least,
        coalesce(sum(r.now + coalesce(b.returned_posted, 0)), 0)::bigint AS refunded,
        coalesce(sum(r.least + CASE WHEN b.last_told_at >= %s AND b.last_told_at < %s THEN b.returned_posted ELSE 0 END), 0)
            ::bigint AS refunded_least,
        coalesce(sum(b.posted - b.won), 0)::bigint AS charged_back,
        coalesce(sum(b.posted - b.won) FILTER (WHERE b.last_told_at >= %s AND b.last_told_at < %s), 0)::bigint
            AS charged_back_least,
        coalesce(sum(g.booked), 0)::bigint AS booked,
        coalesce(sum(t.captured - f.refunded), 0)::bigint AS due,
        coalesce(array_agg(r.numbers) FILTER (WHERE r.numbers <> ''), '{}') AS refunds
    FROM asked q
    JOIN captures c ON c.payment = q.payment AND c.learned_by <> 'denial'
    JOIN payment_attempts a ON a.account_id = c.account_id AND a.attempt_id = c.attempt_id
    LEFT JOIN chargebacks b ON b.account_id = c.account_id AND b.attempt_id = c.attempt_id AND b.payment = c.payment
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(r.amount - r.reversed), 0) AS now,
            coalesce(sum(r.amount - r.reversed) FILTER (WHERE r.settled_at >= %s AND r.settled_at < %s), 0) AS least,
            coalesce(string_agg(r.refund_no, ' ') FILTER (WHERE NOT EXISTS (
                SELECT 1 FROM record_lines l WHERE l.payment = c.payment AND l.refund_no = r.refund_no)), '') AS numbers
        FROM refunds r WHERE r.account_id = c.account_id AND r.order_id = a.subject AND r.attempt_id = c.attempt_id
            AND r.payment = c.payment AND r.state = 'settled' AND r.way = 'provider') r
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(g.debit - g.credit), 0) AS booked FROM entries e
        JOIN legs g ON g.account_id = e.account_id AND g.entry_id = e.entry_id AND g.book = 'bank_clearing'
        WHERE e.account_id = c.account_id AND e.subject = a.subject) g
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(o.amount - coalesce(k.posted - k.won + k.returned_posted, 0)), 0) AS captured
        FROM payment_attempts m JOIN captures o ON o.account_id = m.account_id AND o.attempt_id = m.attempt_id
            AND o.learned_by <> 'denial'
        LEFT JOIN chargebacks k ON k.account_id = o.account_id AND k.attempt_id = o.attempt_id
            AND k.payment = o.payment
        WHERE m.account_id = c.account_id AND m.subject = a.subject) t
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(x.amount - x.reversed), 0) AS refunded FROM refunds x
        WHERE x.account_id = c.account_id AND x.order_id = a.subject AND x.state = 'settled' AND x.way = 'provider') f
    GROUP BY q.payment),
suspended AS (
    SELECT q.payment, sum(i.booked)::bigint AS came, coalesce(sum(i.booked) FILTER (WHERE i.resolution = 'returned'), 0)::bigint
        AS went, coalesce(sum(i.booked) FILTER (WHERE i.state = 'open'), 0)::bigint AS open
    FROM asked q JOIN suspense_items i ON i.payment = q.payment AND i.booked > 0
        AND coalesce(i.resolution, '') NOT IN ('explained', 'applied', 'matched')
    GROUP BY q.payment),
off AS (  -- differences that two people wrote off are in the books
    SELECT q.payment, coalesce(sum(i.difference) FILTER (WHERE starts_with(i.reason, 'payment')), 0)::bigint AS captured,
        coalesce(-sum(i.difference) FILTER (WHERE starts_with(i.reason, 'refund')), 0)::bigint AS refunded,
        coalesce(-sum(i.difference) FILTER (WHERE starts_with(i.reason, 'chargeback')), 0)::bigint AS charged_back
    FROM asked q JOIN suspense_items i ON i.payment = q.payment AND i.resolution = 'written_off' AND i.booked = 0
    GROUP BY q.payment),
sides AS (
    SELECT t.payment, coalesce(o.reference, t.reference) AS reference, t.lines,
        t.captured, coalesce(o.captured_least, 0) + coalesce(w.captured, 0) AS captured_least,
        coalesce(o.captured, 0) + coalesce(s.came, 0) + coalesce(w.captured, 0) AS captured_ours,
        t.refunded, coalesce(o.refunded_least, 0) + coalesce(w.refunded, 0) AS refunded_least,
        coalesce(o.refunded, 0) + coalesce(s.went, 0) + coalesce(w.refunded, 0) AS refunded_ours,
        t.charged_back, coalesce(o.charged_back_least, 0) + coalesce(w.charged_back, 0) AS charged_back_least,
        coalesce(o.charged_back, 0) + coalesce(w.charged_back, 0) AS charged_back_ours,
        coalesce(o.booked, 0) AS booked, coalesce(o.due, 0) AS due, coalesce(s.open, 0) AS suspended,
        coalesce(o.refunds, '{}') AS refunds
    FROM theirs t LEFT JOIN ours o USING (payment) LEFT JOIN suspended s USING (payment) LEFT JOIN off w USING (payment))
SELECT * FROM sides
WHERE captured NOT BETWEEN captured_least AND captured_ours OR refunded NOT BETWEEN refunded_least AND refunded_ours
    OR charged_back NOT BETWEEN charged_back_least AND charged_back_ours OR booked <> due OR suspended > 0
ORDER BY payment LIMIT %s
"""
# Fees by payment, with the agreed fee of its method.  A fee without a payment of ours was not agreed.
_FEES = """
WITH kept AS (
    SELECT payment, sum(fee + CASE kind WHEN 'fee' THEN amount ELSE 0 END)::bigint AS fee,
        sum(tax + CASE kind WHEN 'tax' THEN amount ELSE 0 END)::bigint AS tax
    FROM record_lines WHERE provider = %s AND day = %s AND reading = %s AND (fee > 0 OR tax > 0 OR kind IN ('fee', 'tax'))
    GROUP BY payment),
judged AS (
    SELECT k.*, t.method, c.amount,
        coalesce(abs(k.fee * 1000 - a.rupiah * 1000 - c.amount * a.permille) <= %s * 1000, false) AS fits,
        coalesce(abs(k.tax * 100 - k.fee * %s) <= %s * 100 AND a.method IS NOT NULL, false) AS tax_fits
    FROM kept k LEFT JOIN captures c ON c.payment = k.payment AND c.learned_by <> 'denial'
    LEFT JOIN payment_attempts t ON t.account_id = c.account_id AND t.attempt_id = c.attempt_id
    LEFT JOIN unnest(%s::text[], %s::bigint[], %s::bigint[]) AS a (method, rupiah, permille) ON a.method = t.method)
"""
FEES_AGREED = f"""{_FEES}
SELECT coalesce(sum(fee) FILTER (WHERE fits), 0)::bigint AS fee, coalesce(sum(tax) FILTER (WHERE tax_fits), 0)::bigint AS tax
FROM judged
"""  # noqa: S608 - a constant
FEES_UNMATCHED = f"""{_FEES}
SELECT payment, method, amount, fee, tax FROM judged WHERE NOT (fits AND tax_fits) ORDER BY payment LIMIT %s
"""  # noqa: S608 - a constant
# A bank takes a fee for each transfer, up to the agreed one.
FEES_OF_TRANSFERS = """
SELECT coalesce(sum(amount), 0)::bigint AS fee, 0::bigint AS tax FROM (
    SELECT amount FROM record_lines WHERE provider = %s AND day = %s AND reading = %s AND kind = 'fee' AND amount <= %s
    ORDER BY position LIMIT (SELECT count(*) FROM record_lines
        WHERE provider = %s AND day = %s AND reading = %s AND kind = 'transfer')) f
"""
# Transfers of some weeks by buyer: a line names the buyer by the number in it, and an entry belongs to the buyer's account.
BUYERS = """
WITH theirs AS (
    SELECT l.of_account AS account, coalesce(sum(l.amount) FILTER (WHERE l.kind = 'transfer'), 0)::bigint AS gone,
        coalesce(sum(l.amount) FILTER (WHERE l.kind = 'transfer_returned'), 0)::bigint AS back
    FROM record_lines l JOIN record_days d USING (provider, day)
    WHERE l.provider = %s AND l.day BETWEEN %s AND %s AND l.of_account IS NOT NULL
        AND l.reading = CASE l.day WHEN %s THEN %s ELSE d.reading END
    GROUP BY l.of_account),
ours AS (
    SELECT g.account_id AS account, sum(g.credit)::bigint AS gone, sum(g.debit)::bigint AS back,
        coalesce(sum(g.credit) FILTER (WHERE e.posted_at < %s), 0)::bigint AS gone_least,
        coalesce(sum(g.debit) FILTER (WHERE e.posted_at < %s), 0)::bigint AS back_least
    FROM entries e JOIN legs g USING (account_id, entry_id)
    WHERE g.book = 'refund_float' AND e.posted_at >= %s AND e.account_id <> '00000000-0000-0000-0000-000000000000'
    GROUP BY g.account_id),
off AS (
    SELECT split_part(item_key, ':', 4)::uuid AS account, sum(difference)::bigint AS written_off FROM suspense_items
    WHERE reason = 'float_differs' AND resolution = 'written_off' GROUP BY 1),
sides AS (
    SELECT account, coalesce(t.gone, 0) AS gone, coalesce(o.gone_least, 0) AS gone_least, coalesce(o.gone, 0) AS gone_ours,
        coalesce(t.back, 0) AS back, coalesce(o.back_least, 0) AS back_least, coalesce(o.back, 0) AS back_ours,
        coalesce(f.written_off, 0) AS written_off
    FROM theirs t FULL JOIN ours o USING (account) LEFT JOIN off f USING (account))
SELECT * FROM sides
WHERE gone NOT BETWEEN gone_least AND gone_ours OR back NOT BETWEEN back_least AND back_ours ORDER BY account LIMIT %s
"""


class Missing(NamedTuple):
    """A payment of any rail that is in the books and has no line in the record of the compared day."""

    account: UUID
    attempt: UUID
    payment: str


class Named(NamedTuple):
    """A payment that a query found, by its number."""

    payment: str


_MISSING = RowMapper(Missing)
_NAMED = RowMapper(Named)
_UNMATCHED = RowMapper(Unmatched)
_DIFFERING = RowMapper(Differing)
_AGREED = RowMapper(Fees)
_FEES_TOLD = RowMapper(FeeTold)
_BUYERS = RowMapper(OfBuyer)


async def unmatched(tx: ReadTx, of: Days, limit: int) -> list[Unmatched]:
    """Return lines of the record about payments that do not match a payment of ours exactly, in number, sum, reference and time
    (the SQL `UNMATCHED`).
    """
    return await tx.all_as(_UNMATCHED, UNMATCHED, of.provider, of.day, of.reading, limit)


async def moved(tx: Tx, of: Days, limit: int) -> list[str]:
    """Return the payments whose sums must be compared because of that day: captures without a line in the record, payments with
    several lines, and payments with any movement other than a capture, in the record or in the books.
    """
    span = (begin_of(of.day) - FRESH, end_of(of.day) - FRESH)
    this = (of.provider, of.day, of.reading)
    await store.allow_nested_loops(tx, is_allowed=False)
    missing = await tx.all_as(_MISSING, MISSING, *span, *this, limit)
    await store.allow_nested_loops(tx, is_allowed=True)
    columns = [list(column) for column in zip(*missing, strict=True)] or [[], [], []]
    found = await tx.all_as(_NAMED, MOVED, *columns, of.provider, of.provider, *span, *this, *this)
    return [one.payment for one in found]


async def differing(tx: ReadTx, of: Days, payments: Sequence[str], limit: int) -> list[Differing]:
    """Return those of these payments whose sums differ between record and books, or that have money in suspense."""
    this = (of.provider, of.day, of.reading)
    span = (begin_of(of.first), of.until - FRESH)
    found: list[Differing] = []
    for start in range(0, len(payments), AT_ONCE):
        some = list(payments[start : start + AT_ONCE])
        found += await tx.all_as(
            _DIFFERING, DIFFERING, some, of.upto, *this, *(span * 4), limit - len(found)
        )
    return found


@dataclass(frozen=True, slots=True)
class Contract:
    """Agreed fees of one provider, the tax on them, and the tolerance of rounding."""

    agreed: Sequence[Agreed]
    vat_percent: int
    tolerance: int

    @property
    def columns(self) -> list[list[object]]:
        """The agreed fees as three lists: methods, rupiah, and thousandths of the payment."""
        return [list(column) for column in zip(*self.agreed, strict=True)] or [[], [], []]


async def fees(tx: Tx, of: Days, by: Contract, limit: int) -> tuple[Fees, list[FeeTold]]:
    """Return the sums of the agreed fees and taxes in the day's record, and up to `limit` payments whose fee is not as
    agreed.
    """
    this = (of.provider, of.day, of.reading)
    if of.provider == FLOAT:
        most = max((one.rupiah for one in by.agreed), default=0)
        return await _whole(tx, FEES_OF_TRANSFERS, *this, most, *this), []
    asked = (*this, by.tolerance, by.vat_percent, by.tolerance, *by.columns)
    await store.allow_nested_loops(tx, is_allowed=False)
    agreed = await _whole(tx, FEES_AGREED, *asked)
    unmatched = await tx.all_as(_FEES_TOLD, FEES_UNMATCHED, *asked, limit)
    await store.allow_nested_loops(tx, is_allowed=True)
    return agreed, unmatched


async def _whole(tx: Tx, query: str, *parameters: object) -> Fees:
    found = await tx.one_as(_AGREED, query, *parameters)
    assert found is not None, "an aggregate has a row"
    return found


async def buyers(tx: ReadTx, of: Days, limit: int) -> list[OfBuyer]:
    """Return buyers whose transfers differ between the statements of the last `WEEKS` and the books."""
    first, last = await store.days_of_provider(tx, of.provider, of.day)
    first, until = max(first, last - WEEKS), end_of(last) - FRESH
    days = (of.provider, first, last, of.day, of.reading)
    return await tx.all_as(_BUYERS, BUYERS, *days, until, until, begin_of(first), limit)


async def placed(tx: Tx, of: Days) -> None:
    """In our copy of the record, set the payment to which a line belongs, if the line does not name it.

    If lines with the same payment number have two different references, two people paid: `/2` is appended to the payment number
    in the lines of the second.
    """
    this = (of.provider, of.day, of.reading)
    await tx.run(PLACED, *this)
    await tx.run(PLACED_BY_ATTEMPT, *this)
    if twice := [one.payment for one in await tx.all_as(_NAMED, TWICE, *this)]:
        await tx.run(PARTED, *this, twice, *this)
