"""SQL of statements and extracts, one function per query."""

from datetime import date, datetime
from typing import NamedTuple

from meterai.ledger import ReasonSum
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.regulator.extracts import ExtractManifest


class Extract(NamedTuple):
    """Extract of a day; `size` (in bytes) and `sha256` describe its file of rows."""

    day: date
    made_at: datetime
    rows: int
    size: int
    sha256: bytes
    manifest: str


class Closed(NamedTuple):
    """Closed month, named by its first day."""

    month: date
    closed_at: datetime


class DaySum(NamedTuple):
    """Sum of the entries of one reason in one book on one day."""

    day: date
    reason: str
    book: str
    entries: int
    amount: int


class BookBalance(NamedTuple):
    """Balance of a book; credits are positive."""

    book: str
    amount: int


_EXTRACT = RowMapper(Extract)
_CLOSED = RowMapper(Closed)
_SUMS = RowMapper(ReasonSum)
_DAY_SUMS = RowMapper(DaySum)
_BALANCES = RowMapper(BookBalance)
_COLUMNS = "day, made_at, rows, size, sha256, manifest"
_SELECT = f"SELECT {_COLUMNS} FROM extracts"  # noqa: S608 - of a constant
_LAST = f"{_SELECT} ORDER BY day DESC LIMIT 1"
_ONE = f"{_SELECT} WHERE day = %s"
_BETWEEN = f"{_SELECT} WHERE day >= %s AND day <= %s ORDER BY day"
_SUMS_OF_DAYS = """
SELECT reason, book, sum(entries)::bigint AS entries, sum(amount)::bigint AS amount
FROM extract_sums WHERE day >= %s AND day <= %s GROUP BY reason, book ORDER BY reason, book
"""
_OPENING = """
SELECT book, sum(amount)::bigint AS amount FROM extract_sums WHERE day < %s GROUP BY book
"""
_INSERT_SUMS = """
INSERT INTO extract_sums (day, reason, book, entries, amount)
SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
"""
_CLOSE_SUMS = """
INSERT INTO statement_sums (month, reason, book, entries, amount)
SELECT %s, reason, book, sum(entries), sum(amount) FROM extract_sums
WHERE day >= %s AND day <= %s GROUP BY reason, book
"""


async def now(tx: ReadTx) -> datetime:
    """Return the database's current time, which its constraints use to check that a day is over."""
    found: datetime = await tx.value("SELECT now()")
    return found


async def last_extract(tx: ReadTx) -> Extract | None:
    """Return the newest extract; None if there is none yet."""
    return await tx.one_as(_EXTRACT, _LAST)


async def extract(tx: ReadTx, day: date) -> Extract | None:
    """Return the extract of a day; None if it does not exist."""
    return await tx.one_as(_EXTRACT, _ONE, day)


async def extracts(tx: ReadTx, first: date, last: date) -> list[Extract]:
    """Return the extracts from the day `first` to the day `last`, the oldest first."""
    return await tx.all_as(_EXTRACT, _BETWEEN, first, last)


async def first_day(tx: ReadTx) -> date | None:
    """Return the day of the first extract; None if there is none yet."""
    found: date | None = await tx.value("SELECT min(day) FROM extracts")
    return found


async def part(tx: ReadTx, day: date, number: int) -> bytes | None:
    """Return the piece `number` of the file of rows of a day's extract; None after the last piece."""
    found = await tx.value(
        "SELECT content FROM extract_parts WHERE day = %s AND part = %s", day, number
    )
    return None if found is None else bytes(found)


async def insert_part(tx: Tx, day: date, number: int, content: bytes) -> None:
    """Store the piece `number` of the file of rows of a day's extract."""
    await tx.run(
        "INSERT INTO extract_parts (day, part, content) VALUES (%s, %s, %s)", day, number, content
    )


async def insert_extract(tx: Tx, made: ExtractManifest, signed: str) -> None:
    """Store an extract with its sums."""
    await tx.run(
        "INSERT INTO extracts (day, rows, size, sha256, manifest) VALUES (%s, %s, %s, %s, %s)",
        made.day,
        made.rows,
        made.size,
        made.sha256,
        signed,
    )
    columns = [list(one) for one in zip(*made.sums.rows(), strict=True)] or [[], [], [], []]
    await tx.run(_INSERT_SUMS, made.day, *columns)


async def lock_making(tx: Tx) -> bool:
    """Lock the making of extracts until the transaction ends. Return false if another process holds the lock."""
    found: bool = await tx.value("SELECT pg_try_advisory_xact_lock(16012, 0)")
    return found


async def opening(tx: ReadTx, day: date) -> list[BookBalance]:
    """Return the balance of every book at the beginning of a day, computed from the extracts."""
    return await tx.all_as(_BALANCES, _OPENING, day)


async def sums_of_days(tx: ReadTx, first: date, last: date) -> list[ReasonSum]:
    """Return the sums over all extracts from `first` to `last`, by reason and book."""
    return await tx.all_as(_SUMS, _SUMS_OF_DAYS, first, last)


async def sums_by_day(tx: ReadTx, first: date, last: date) -> list[DaySum]:
    """Return the sums of each extract from `first` to `last`, by day, reason and book."""
    return await tx.all_as(
        _DAY_SUMS,
        "SELECT day, reason, book, entries, amount FROM extract_sums"
        " WHERE day >= %s AND day <= %s ORDER BY day, reason, book",
        first,
        last,
    )


async def sums_of_statement(tx: ReadTx, month: date) -> list[ReasonSum]:
    """Return the sums of a closed month, as they were stored at its closing."""
    return await tx.all_as(
        _SUMS,
        "SELECT reason, book, entries, amount FROM statement_sums WHERE month = %s"
        " ORDER BY reason, book",
        month,
    )


async def closed(tx: ReadTx) -> list[Closed]:
    """Return every closed month."""
    return await tx.all_as(_CLOSED, "SELECT month, closed_at FROM statements ORDER BY month")


async def close(tx: Tx, first: date, last: date) -> None:
    """Close the month from `first` to `last`: store the sums of its extracts as final. Refuses `MonthClosed`."""
    await tx.run("INSERT INTO statements (month) VALUES (%s)", first)
    await tx.run(_CLOSE_SUMS, first, first, last)
