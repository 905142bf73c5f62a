"""SQL of reconciliation, one function for each statement."""

from collections.abc import Sequence
from datetime import date, datetime

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.reconciliation.model import (
    Changed,
    Days,
    DayState,
    EvidenceLine,
    Leased,
    Numbered,
    Overview,
    ReadingCounts,
    RecordDay,
    RecordFileTaken,
)

_BEGIN = """
INSERT INTO record_days AS d (provider, day, source, leased_until)
VALUES (%s, %s, %s, now() + make_interval(secs => %s))
ON CONFLICT ON CONSTRAINT record_days_pkey DO UPDATE
SET state = 'reading', leased_until = excluded.leased_until, begun_at = now(), tries = d.tries + 1
WHERE (d.state <> 'reading' OR d.leased_until <= now()) AND (%s OR d.leased_until <= now() AND
    (d.state IN ('reading', 'waiting') OR d.read_again_at <= now()))
RETURNING provider, day, reading + 1 AS reading, tries
"""
_DAYS = """
SELECT provider, day, state, source, fault, begun_at, ended_at, lines, matched, unreadable, broken FROM record_days
"""
# Each day of a rail from the first to the last, unless it is final and not to be read again; oldest first.
_DUE = """
SELECT w.day::date AS day FROM generate_series(%s::timestamp, %s::timestamp, interval '1 day') w (day)
LEFT JOIN record_days d ON d.provider = %s AND d.day = w.day::date
WHERE d.day IS NULL OR (d.leased_until <= now() AND (d.state IN ('reading', 'waiting') OR d.read_again_at <= now()))
ORDER BY w.day LIMIT %s
"""
# Days that were not compared, begun or not, and that have no item.
_MISSING = """
SELECT w.day::date AS day, coalesce(d.fault, CASE WHEN d.day IS NULL THEN 'not_begun' ELSE 'not_ended' END) AS fault
FROM generate_series(%s::timestamp, %s::timestamp, interval '1 day') w (day)
LEFT JOIN record_days d ON d.provider = %s AND d.day = w.day::date
WHERE d.ended_at IS NULL AND NOT suspense_knows('record:' || %s || ':day:' || w.day::date || ':missing')
ORDER BY w.day
"""
# The last of consecutive compared days; the day that is being compared counts.
_COVERED = """
SELECT max(day) FROM (
    SELECT day, day - row_number() OVER (ORDER BY day)::integer AS start FROM record_days
    WHERE provider = %s AND day >= %s AND (ended_at IS NOT NULL OR day = %s)) AS days
WHERE start = %s::date - 1
"""
_OF_PROVIDER = """
SELECT least(min(day), %s) AS first, greatest(max(day), %s) AS last FROM record_days
WHERE provider = %s AND ended_at IS NOT NULL
"""
_KNOWN_DAYS = "SELECT min(day) AS first, max(day) FILTER (WHERE ended_at IS NOT NULL) AS last FROM record_days"
_CLEAR = "DELETE FROM record_lines WHERE provider = %s AND day = %s AND reading >= %s"
_ADD = """
COPY record_lines (provider, day, reading, position, source, kind, moved_at, reference, payment, refund_no, of_account,
    of_refund, provider_refund_no, amount, fee, tax, line, counterpart) FROM STDIN
"""
# A line that is in two files of a day is counted once; a line that is twice in one file is counted twice.
_REPEATED = """
DELETE FROM record_lines l USING (
    SELECT position, row_number() OVER (PARTITION BY kind, payment, refund_no, provider_refund_no, reference, amount,
        moved_at, place ORDER BY source) AS file
    FROM (SELECT *, row_number() OVER (PARTITION BY kind, payment, refund_no, provider_refund_no, reference, amount,
              moved_at, source ORDER BY position) AS place
          FROM record_lines WHERE provider = %s AND day = %s AND reading = %s) x) n
WHERE n.file > 1 AND l.provider = %s AND l.day = %s AND l.reading = %s AND l.position = n.position
"""
_COUNT = """
SELECT count(*)::integer AS lines,
    coalesce(sum(fee + CASE kind WHEN 'fee' THEN amount ELSE 0 END), 0)::bigint AS fee,
    coalesce(sum(tax + CASE kind WHEN 'tax' THEN amount ELSE 0 END), 0)::bigint AS tax
FROM record_lines WHERE provider = %s AND day = %s AND reading = %s
"""
_LINE = "provider, day, line, kind, moved_at, reference, payment, refund_no, provider_refund_no, amount, counterpart"
# Lines without a payment or transfer: those of the account itself in statements, and unplaced ones.
_UNPLACED = f"""
SELECT {_LINE} FROM record_lines WHERE provider = %s AND day = %s AND reading = %s
    AND CASE provider WHEN 'account' THEN of_account IS NULL OR payment IS NULL
        WHEN 'float' THEN of_account IS NULL AND kind NOT IN ('fee', 'tax')
        ELSE (payment IS NULL OR kind IN ('settlement', 'other')) AND kind NOT IN ('fee', 'tax') END
ORDER BY position LIMIT %s
"""  # noqa: S608 - columns are a constant
_OF_PAYMENTS = f"""
SELECT {_LINE} FROM record_lines WHERE payment = ANY(%s) ORDER BY moved_at, position LIMIT %s
"""  # noqa: S608
_NUMBERS = """
SELECT position, payment, CASE WHEN of_refund IS NOT NULL AND refund_no IS NOT NULL THEN refund_no END AS refund,
    of_account AS account, CASE WHEN of_refund IS NOT NULL AND kind = 'transfer' THEN refund_no END AS transfer
FROM record_lines
WHERE provider = %s AND day = %s AND reading = %s AND position > %s ORDER BY position LIMIT %s
"""
_CHANGED = """
SELECT coalesce(b.key, n.key) AS key, coalesce(b.kind, n.kind) AS kind,
    coalesce(b.sum, 0)::bigint AS before, coalesce(n.sum, 0)::bigint AS now
FROM (SELECT coalesce(refund_no, provider_refund_no, payment, reference, line) AS key, kind, sum(amount) AS sum
      FROM record_lines WHERE provider = %s AND day = %s AND reading = %s GROUP BY 1, 2) b
FULL JOIN (SELECT coalesce(refund_no, provider_refund_no, payment, reference, line) AS key, kind, sum(amount) AS sum
      FROM record_lines WHERE provider = %s AND day = %s AND reading = %s GROUP BY 1, 2) n USING (key, kind)
WHERE b.sum IS DISTINCT FROM n.sum ORDER BY 1 LIMIT %s
"""
_END = """
UPDATE record_days SET state = %s, reading = %s, fault = NULL, leased_until = now(), ended_at = now(), read_again_at = %s,
    lines = %s, matched = %s, unreadable = %s, broken = %s
WHERE provider = %s AND day = %s AND state = 'reading'
"""
# Never committed, so that no day becomes final.
_LOOK = """
INSERT INTO record_days (provider, day, state, source, reading, leased_until, ended_at)
VALUES (%s, %s, 'final', 'history', %s, now(), now())
ON CONFLICT ON CONSTRAINT record_days_pkey DO UPDATE SET reading = excluded.reading, ended_at = excluded.ended_at
"""
_FORGET = "DELETE FROM record_lines WHERE provider = %s AND day = %s AND reading < %s"
_FAIL = """
UPDATE record_days SET fault = %s,
    state = CASE WHEN ended_at IS NULL THEN 'waiting' WHEN broken > %s THEN 'differing' ELSE 'final' END
WHERE provider = %s AND day = %s AND state = 'reading'
"""
_FILE = """
INSERT INTO record_files (sha256, provider, day, name, layout, bytes, pieces, lines, unreadable, taken_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_KNOWN = "SELECT sha256, provider, day, pieces FROM record_files WHERE sha256 = %s AND provider = %s AND day = %s"
_OLD_FILES = """
SELECT sha256, provider, day, pieces FROM record_files WHERE pieces > 0 AND taken_at < %s ORDER BY taken_at LIMIT %s
"""
_LET_GO = "UPDATE record_files SET pieces = 0 WHERE sha256 = %s"
_OVERVIEW = """
SELECT l.day, l.fault, l.ended_at, (SELECT coalesce(sum(o.broken), 0)::integer FROM record_days o WHERE o.day = l.day) AS broken,
    (SELECT coalesce(min(f.day) FILTER (WHERE f.ended_at IS NULL) - 1, max(f.day)) FROM record_days f) AS compared_until,
    (SELECT count(*)::integer FROM record_days m WHERE m.ended_at IS NULL) AS missing
FROM record_days l ORDER BY l.day DESC, l.ended_at NULLS FIRST LIMIT 1
"""
_LEASED = RowMapper(Leased)
_RECORDS = RowMapper(RecordDay)
_COUNTED = RowMapper(ReadingCounts)
_LINES = RowMapper(EvidenceLine)
_CHANGES = RowMapper(Changed)
_FILES = RowMapper(RecordFileTaken)
_NUMBERED = RowMapper(Numbered)
_OVERVIEWS = RowMapper(Overview)

_NESTED_LOOPS = "SELECT set_config('enable_nestloop', %s, true)"


async def begin(
    tx: Tx, provider: str, day: date, source: str, seconds: float, *, is_asked: bool
) -> Leased | None:
    """Lease a day for some seconds; None if another process has leased it, or if it is not due.  With `is_asked` (a person
    requests the comparison) the day need not be due.
    """
    return await tx.one_as(_LEASED, _BEGIN, provider, day, source, seconds, is_asked)


async def day_of(tx: ReadTx, provider: str, day: date) -> RecordDay | None:
    """Return the record of one day, with the result of its comparison; None if its comparison was never begun."""
    return await tx.one_as(_RECORDS, f"{_DAYS} WHERE provider = %s AND day = %s", provider, day)


async def not_final(tx: ReadTx, day: date) -> list[str]:
    """Return the records of a day that are not final, each with its state; empty if all are final.

    A record is not final if it was not compared, or has more differences than are listed.  If the day has no record, the
    list contains a text that says so.
    """
    found = await days_of(tx, day)
    if not found:
        return ["none was compared"]
    return [f"{one.provider} {one.state}" for one in found if one.state is not DayState.FINAL]


async def days_of(tx: ReadTx, day: date) -> list[RecordDay]:
    """Return the records of one day, of all providers."""
    return await tx.all_as(_RECORDS, f"{_DAYS} WHERE day = %s ORDER BY provider", day)


async def days_due(
    tx: ReadTx, provider: str, first: date, last: date, limit: int
) -> Sequence[date]:
    """Return the days whose records are due to be compared, oldest first."""
    return [row["day"] for row in await tx.all(_DUE, first, last, provider, limit)]


async def missing_days(
    tx: ReadTx, provider: str, first: date, last: date
) -> list[tuple[date, str]]:
    """Return days that were not compared and about which no item in suspense exists yet, oldest first, each with the reason why
    it was not compared.
    """
    found = await tx.all(_MISSING, first, last, provider, provider)
    return [(row["day"], row["fault"]) for row in found]


async def known_days(tx: ReadTx) -> tuple[date | None, date | None]:
    """Return the first day whose comparison was begun, and the last compared day."""
    row = await tx.one(_KNOWN_DAYS)
    return (row["first"], row["last"]) if row else (None, None)


async def days_of_provider(tx: ReadTx, provider: str, day: date) -> tuple[date, date]:
    """Return the first and the last compared day of one provider; `day`, which is being compared, counts as compared."""
    row = await tx.one(_OF_PROVIDER, day, day, provider)
    assert row is not None, "an aggregate has a row"
    return row["first"], row["last"]


async def covered_until(tx: ReadTx, of: Days, begins: date) -> date | None:
    """Return the last day up to which every day since `begins` was compared with the record of this provider.

    None if `begins` itself was not compared.
    """
    found: date | None = await tx.value(_COVERED, of.provider, begins, of.day, begins)
    return found


async def clear(tx: Tx, provider: str, day: date, reading: int) -> None:
    """Delete the lines that an interrupted process stored when it read the record."""
    await tx.run(_CLEAR, provider, day, reading)


async def add(tx: Tx, lines: str) -> None:
    """Add lines to our copy of a record; `lines` is text in the format of PostgreSQL's COPY."""
    await tx.copy(_ADD, lines)


async def repeated(tx: Tx, of: Days) -> int:
    """Delete lines of a file that are also in an earlier file of the same day, and return their number."""
    this = (of.provider, of.day, of.reading)
    return await tx.run(_REPEATED, *this, *this)


async def counted(tx: ReadTx, of: Days) -> ReadingCounts:
    """Count the lines of a day's record as it was read, and sum up its fees."""
    found = await tx.one_as(_COUNTED, _COUNT, of.provider, of.day, of.reading)
    assert found is not None
    return found


async def unplaced(tx: ReadTx, of: Days, limit: int) -> list[EvidenceLine]:
    """Return the lines of the record that belong to no payment or transfer, as evidence."""
    return await tx.all_as(_LINES, _UNPLACED, of.provider, of.day, of.reading, limit)


async def lines_of(tx: ReadTx, payments: Sequence[str], limit: int) -> list[EvidenceLine]:
    """Return the lines of records that belong to these payments, as evidence."""
    return await tx.all_as(_LINES, _OF_PAYMENTS, list(payments), limit)


async def numbers_after(tx: ReadTx, of: Days, position: int, limit: int) -> list[Numbered]:
    """Return the lines that follow a position in a day's record, each with the payment, refund and transfer numbers in it."""
    return await tx.all_as(_NUMBERED, _NUMBERS, of.provider, of.day, of.reading, position, limit)


async def changed(tx: ReadTx, of: Days, limit: int) -> list[Changed]:
    """Return the sums that changed since the day's record was read before."""
    this = (of.provider, of.day)
    return await tx.all_as(_CHANGES, _CHANGED, *this, of.reading - 1, *this, of.reading, limit)


async def end(
    tx: Tx,
    of: Days,
    state: str,
    again: datetime | None,
    *counts: int,
) -> None:
    """Store the result of a comparison, and delete the lines that were stored when the record was read before.

    The record is read again at `again`.  `counts` are the numbers of all lines and of matched, unreadable and differing
    lines.
    """
    await tx.run(_END, state, of.reading, again, *counts, of.provider, of.day)
    await tx.run(_FORGET, of.provider, of.day, of.reading)


async def look(tx: Tx, provider: str, day: date, reading: int) -> None:
    """Use the lines that were stored with the number `reading` as the record of a day, until the transaction is rolled back."""
    await tx.run(_LOOK, provider, day, reading)


async def fail(tx: Tx, leased: Leased, fault: str, listed_max: int) -> None:
    """Store why a record could not be read or compared; the next try follows when the lease of the day ends.

    A day that was compared before stays compared; it becomes final if it had at most `listed_max` differences.
    """
    await tx.run(_FAIL, fault, listed_max, leased.provider, leased.day)


async def keep_file(
    tx: Tx,
    file: RecordFileTaken,
    name: str,
    layout: str,
    size: int,
    lines: int,
    unreadable: int,
    by: str,
) -> None:
    """Insert an accepted file."""
    await tx.run(
        _FILE,
        file.sha256,
        file.provider,
        file.day,
        name,
        layout,
        size,
        file.pieces,
        lines,
        unreadable,
        by,
    )


async def file_of(tx: ReadTx, sha256: bytes, provider: str, day: date) -> RecordFileTaken | None:
    """Return the accepted file of a day with this SHA-256; None if no such file was accepted."""
    return await tx.one_as(_FILES, _KNOWN, sha256, provider, day)


async def old_files(tx: ReadTx, before: datetime, limit: int) -> list[RecordFileTaken]:
    """Return files accepted before a moment whose contents are still stored, the oldest first."""
    return await tx.all_as(_FILES, _OLD_FILES, before, limit)


async def let_go(tx: Tx, sha256: bytes) -> None:
    """Record that the contents of an accepted record file are deleted."""
    await tx.run(_LET_GO, sha256)


async def overview(tx: ReadTx) -> Overview | None:
    """Return the overview of the newest day; None if no comparison was ever begun."""
    return await tx.one_as(_OVERVIEWS, _OVERVIEW)


async def allow_nested_loops(tx: ReadTx, *, is_allowed: bool) -> None:
    """Allow or forbid nested loops in query plans of this transaction. The planner cannot choose well by itself, since it has
    no statistics of lines that were just stored.
    """
    await tx.value(_NESTED_LOOPS, "on" if is_allowed else "off")
