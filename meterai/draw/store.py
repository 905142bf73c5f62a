"""SQL of random draws, one function per query.  The tables call the id of a draw `line_id`."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.draw.subjects import DrawSubject
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

PAGE = 65_536  # entries read at once: one megabyte


class DueDraw(NamedTuple):
    """A subject (such as a waiting line) and the state of its draw; before the announcement, `attempt` is 0 and `record` is
    None.
    """

    id: UUID
    name: str
    closes_at: datetime
    is_gathering: bool
    is_drawing: bool
    attempt: int
    record: str | None
    round_signature: str


class LastAttempt(NamedTuple):
    """The latest attempt to carry out a draw."""

    attempt: int
    record: str
    round_signature: str


class DrawnNumber(NamedTuple):
    """An entry and its drawn number."""

    entry: bytes
    number: int


class EarlierRecord(NamedTuple):
    """Record of an attempt that was replaced by a later one."""

    attempt: int
    record: str


_LAST_ATTEMPTS = RowMapper(LastAttempt)
_DRAWN = RowMapper(DrawnNumber)
_EARLIER = RowMapper(EarlierRecord)

_LAST_OF = """
SELECT attempt, record, round_signature FROM waiting_room_draws WHERE line_id = %s ORDER BY attempt DESC LIMIT 1
"""
_IS_ANNOUNCED = "SELECT EXISTS (SELECT 1 FROM waiting_room_draws WHERE line_id = %s)"
_NUMBERS_OF = """
SELECT entry, number FROM waiting_room_drawn WHERE line_id = %s AND entry = ANY (%s)
"""
_ANNOUNCE = """
INSERT INTO waiting_room_draws (line_id, attempt, record, announced_at) VALUES (%s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT waiting_room_draws_pkey DO NOTHING
"""
# The condition on the old record makes a concurrent extension a no-op.
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
_OPENED = """
UPDATE waiting_room_draws SET opened_at = clock_timestamp() WHERE line_id = %s AND attempt = %s
"""
_SET_ROUND = """
UPDATE waiting_room_draws SET round_signature = %s WHERE line_id = %s AND attempt = %s
"""
_RECORDS_BEFORE = """
SELECT attempt, record FROM waiting_room_draws WHERE line_id = %s AND attempt < %s ORDER BY attempt
"""


# -- numbers -----------------------------------------------------------------------


async def numbers_of(tx: ReadTx, draw: UUID, entries: list[bytes]) -> list[DrawnNumber]:
    """Return the drawn numbers of these entries; entries without a number are left out."""
    return await tx.all_as(_DRAWN, _NUMBERS_OF, draw, entries)


# -- steps ---------------------------------------------------------------------------------


async def draw_of(tx: ReadTx, subject: DrawSubject) -> DueDraw:
    """Return the draw of a subject."""
    last = await tx.one_as(_LAST_ATTEMPTS, _LAST_OF, subject.id)
    return DueDraw(*subject, *(last or (0, None, "")))


async def is_announced(tx: ReadTx, draw: UUID) -> bool:
    """True if a draw was announced."""
    return bool(await tx.value(_IS_ANNOUNCED, draw))


async def announce(tx: Tx, draw: UUID, attempt: int, record: str, at: datetime) -> None:
    """Insert an attempt of a draw with its record, unless another worker has inserted it."""
    await tx.run(_ANNOUNCE, draw, attempt, record, at)


async def records_before(tx: ReadTx, draw: UUID, attempt: int) -> list[EarlierRecord]:
    """Return the records of all attempts of a draw before the attempt with this number."""
    return await tx.all_as(_EARLIER, _RECORDS_BEFORE, draw, attempt)


async def extend(tx: Tx, draw: DueDraw, record: str, count: int, drawn_at: datetime | None) -> bool:
    """Replace the record of a draw by the extended `record`; False if another worker has extended it already."""
    values = (record, count, drawn_at, draw.id, draw.attempt, draw.record)
    return await tx.run(_EXTEND, *values) == 1


async def entries_after(tx: ReadTx, draw: UUID, entry: bytes) -> bytes:
    """Return up to `PAGE` entries greater than `entry`, ascending and concatenated; empty bytes after the last one."""
    found: bytes | None = await tx.value(_ENTRIES, draw, entry, PAGE)
    return found or b""


async def last_number(tx: ReadTx, draw: UUID) -> int:
    """Return the highest drawn number that is stored, 0 if there is none.

    Numbers are stored in ascending order, so that all lower numbers are stored too.
    """
    return int(await tx.value(_LAST_NUMBER, draw))


async def put_numbers(tx: Tx, draw: UUID, first: int, entries: list[bytes]) -> None:
    """Insert ascending numbers, beginning with `first`, for entries in their drawn order."""
    await tx.run(_PUT_NUMBERS, draw, first, entries)


async def opened(tx: Tx, draw: DueDraw) -> None:
    """Mark a draw as finished: every number is stored, and the subject is open."""
    await tx.run(_OPENED, draw.id, draw.attempt)


# -- operator ------------------------------------------------------------------


async def set_round(tx: Tx, draw: UUID, attempt: int, signature: str) -> None:
    """Store the signature of the deciding round, which the operator entered by hand."""
    await tx.run(_SET_ROUND, signature, draw, attempt)
