"""SQL of draws, one function per question."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

PAGE = 65_536  # entries that are read at once: a megabyte


class DueDraw(NamedTuple):
    """A line that gathers or is being drawn, and its draw so far; `record` is None before the
    announcement."""

    line: UUID
    name: str
    state: str
    opens_at: datetime
    now: datetime
    attempt: int
    record: str | None
    round_signature: str
    drawn_at: datetime | None


class Entered(NamedTuple):
    """Whether a line took entries, and when."""

    is_open: bool
    at: datetime


class Drawn(NamedTuple):
    """The number of an entry."""

    entry: bytes
    number: int


class EarlierRecord(NamedTuple):
    """The record of an attempt that was replaced."""

    attempt: int
    record: str


_DUE_DRAWS = RowMapper(DueDraw)
_ENTERED = RowMapper(Entered)
_DRAWN = RowMapper(Drawn)
_EARLIER = RowMapper(EarlierRecord)

_DUE = """
SELECT l.line_id AS line, l.name, l.state, l.opens_at, clock_timestamp() AS now, coalesce(d.attempt, 0) AS attempt,
    d.record, coalesce(d.round_signature, '') AS round_signature, d.drawn_at
FROM waiting_room_lines l LEFT JOIN waiting_room_draws d ON d.line_id = l.line_id
    AND d.attempt = (SELECT max(attempt) FROM waiting_room_draws a WHERE a.line_id = l.line_id)
WHERE l.gathers_at IS NOT NULL AND l.opens_at IS NOT NULL
"""
_ALL_DUE = _DUE + " AND l.state IN ('gathering', 'drawing') ORDER BY l.name"
DUE = "SELECT 1 FROM waiting_room_lines WHERE state IN ('gathering', 'drawing')"
_ONE_DUE = _DUE + " AND l.state <> 'ended' AND l.name = %s"
# The line is locked against whoever closes its entries: an entry is in the table before the line is
# `drawing`, or not at all.
_ENTER = """
WITH gathering AS (
    SELECT line_id FROM waiting_room_lines l
    WHERE line_id = %s AND state = 'gathering' AND opens_at > clock_timestamp()
        AND EXISTS (SELECT 1 FROM waiting_room_draws d WHERE d.line_id = l.line_id) FOR SHARE),
put AS (
    INSERT INTO waiting_room_entries (line_id, entry, entered_at)
    SELECT line_id, entry, clock_timestamp() FROM gathering, unnest(%s::bytea[]) AS entry
    ON CONFLICT ON CONSTRAINT waiting_room_entries_pkey DO NOTHING)
SELECT EXISTS (SELECT 1 FROM gathering) AS is_open, clock_timestamp() AS at
"""
_NUMBERS_OF = """
SELECT entry, number FROM waiting_room_drawn WHERE line_id = %s AND entry = ANY (%s)
"""
_ANNOUNCE = """
INSERT INTO waiting_room_draws (line_id, attempt, record, announced_at) VALUES (%s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT waiting_room_draws_pkey DO NOTHING
"""
_CLOSE_ENTRIES = """
UPDATE waiting_room_lines SET state = 'drawing'
WHERE line_id = %s AND state = 'gathering' AND opens_at <= clock_timestamp()
"""
# Nobody could enter: no worker was there to announce a draw before the line was to open.
_OPEN_UNDRAWN = """
UPDATE waiting_room_lines l SET state = 'open', gathers_at = NULL
WHERE line_id = %s AND state = 'gathering' AND opens_at <= clock_timestamp()
    AND NOT EXISTS (SELECT 1 FROM waiting_room_draws d WHERE d.line_id = l.line_id)
"""
# Whoever extends a record that another has extended meanwhile changes nothing.
_EXTEND = """
UPDATE waiting_room_draws SET record = %s, count = %s, drawn_at = %s
WHERE line_id = %s AND attempt = %s AND record = %s
"""
_ENTRIES = """
SELECT string_agg(entry, ''::bytea ORDER BY entry) FROM (
    SELECT entry FROM waiting_room_entries WHERE line_id = %s AND entry > %s ORDER BY entry LIMIT %s) AS page
"""
_LAST_NUMBER = "SELECT coalesce(max(number), 0) FROM waiting_room_drawn WHERE line_id = %s"
_PUT_NUMBERS = """
INSERT INTO waiting_room_drawn (line_id, entry, number, drawn_at)
SELECT %s, entry, %s + place - 1, clock_timestamp() FROM unnest(%s::bytea[]) WITH ORDINALITY AS drawn (entry, place)
ON CONFLICT ON CONSTRAINT waiting_room_drawn_pkey DO NOTHING
"""
_OPEN = """
UPDATE waiting_room_lines SET state = 'open', next_number = %s WHERE line_id = %s AND state = 'drawing'
"""
_OPENED = """
UPDATE waiting_room_draws SET opened_at = clock_timestamp() WHERE line_id = %s AND attempt = %s
"""
_SET_ROUND = """
UPDATE waiting_room_draws SET round_signature = %s WHERE line_id = %s AND attempt = %s
"""
_RECORDS_BEFORE = """
SELECT attempt, record FROM waiting_room_draws WHERE line_id = %s AND attempt < %s ORDER BY attempt
"""


# -- those who enter -----------------------------------------------------------------------


async def enter(tx: Tx, line: UUID, entries: list[bytes]) -> Entered:
    """Put entries into a draw.  One statement; all of them or none."""
    found = await tx.one_as(_ENTERED, _ENTER, line, entries)
    assert found is not None
    return found


async def numbers_of(tx: ReadTx, line: UUID, entries: list[bytes]) -> list[Drawn]:
    """The numbers that these entries drew."""
    return await tx.all_as(_DRAWN, _NUMBERS_OF, line, entries)


# -- steps ---------------------------------------------------------------------------------


async def due(tx: ReadTx) -> list[DueDraw]:
    """Lines that gather or are being drawn."""
    return await tx.all_as(_DUE_DRAWS, _ALL_DUE)


async def draw_of(tx: ReadTx, name: str) -> DueDraw | None:
    """The draw of a line that has not ended."""
    return await tx.one_as(_DUE_DRAWS, _ONE_DUE, name)


async def announce(tx: Tx, line: UUID, attempt: int, record: str, at: datetime) -> None:
    """Begin a draw, unless another has."""
    await tx.run(_ANNOUNCE, line, attempt, record, at)


async def close_entries(tx: Tx, line: UUID) -> bool:
    """From now on no entry is added.  False where that is done, or not due."""
    return await tx.run(_CLOSE_ENTRIES, line) == 1


async def open_undrawn(tx: Tx, line: UUID) -> bool:
    """Open a line whose draw was never announced; False where it is not due."""
    return await tx.run(_OPEN_UNDRAWN, line) == 1


async def records_before(tx: ReadTx, line: UUID, attempt: int) -> list[EarlierRecord]:
    """The records of the attempts before this one."""
    return await tx.all_as(_EARLIER, _RECORDS_BEFORE, line, attempt)


async def extend(tx: Tx, draw: DueDraw, record: str, count: int, drawn_at: datetime | None) -> bool:
    """Write one more part; False where another did."""
    values = (record, count, drawn_at, draw.line, draw.attempt, draw.record)
    return await tx.run(_EXTEND, *values) == 1


async def entries_after(tx: ReadTx, line: UUID, entry: bytes) -> bytes:
    """Up to `PAGE` entries behind one, in order, one behind the other; empty at the end."""
    found: bytes | None = await tx.value(_ENTRIES, line, entry, PAGE)
    return found or b""


async def last_number(tx: ReadTx, line: UUID) -> int:
    """The highest number that is written; they are written in order."""
    return int(await tx.value(_LAST_NUMBER, line))


async def put_numbers(tx: Tx, line: UUID, first: int, entries: list[bytes]) -> None:
    """Write the numbers of entries as they were drawn, beginning with `first`."""
    await tx.run(_PUT_NUMBERS, line, first, entries)


async def open_line(tx: Tx, draw: DueDraw, next_number: int) -> bool:
    """Open the line behind the numbers that were drawn."""
    if await tx.run(_OPEN, next_number, draw.line) != 1:
        return False
    await tx.run(_OPENED, draw.line, draw.attempt)
    return True


# -- operator ------------------------------------------------------------------


async def set_round(tx: Tx, line: UUID, attempt: int, signature: str) -> None:
    """Keep the signature of the round that was carried in."""
    await tx.run(_SET_ROUND, signature, line, attempt)
