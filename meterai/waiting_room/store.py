"""SQL of waiting lines, one function per query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.draw import DrawSubject
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.observe.stations import Backlog
from meterai.waiting_room.crowds import Crowd
from meterai.waiting_room.model import AccountPlace, AccountTurn, LineMoments, Policy, WaitingLine
from meterai.waiting_room.rate import Gap, first_rate
from meterai.waiting_room.tokens import Ticket, Turn

_COLUMNS = (
    "line_id AS id, name, act, state, is_automatic, is_engaged, is_paused, policy, rate, rate_max, serving,"
    " next_number, flow_fast, flow_slow, spread, held_share, reason_id, reason_en, gathers_at, opens_at,"
    " closes_at, advanced_at, document, spaced"
)


def _crowds(flat: list[int]) -> list[Crowd]:
    """Return the crowds (counts of spaced places) of a waiting line.

    `flat` is a column of its row: for each crowd, its first number, its last number and its count of places.
    """
    return [Crowd(*three) for three in zip(flat[::3], flat[1::3], flat[2::3], strict=True)]


_LINES = RowMapper(WaitingLine, spaced=_crowds)
CROWDS_MAX = 1_000  # crowds that a step reads singly; all later ones are merged into one
LOAD_SECONDS = 5  # older reports of processes do not count
STEP_SECONDS = 1.0  # between two steps of a line
REST_SECONDS = 10.0  # between two steps of an idle line


@dataclass(frozen=True, slots=True)
class LockedLine:
    """A waiting line whose row is locked, with its internal columns and the time of the database."""

    line: WaitingLine
    now: datetime
    carried: float
    away: float
    called: float
    learned_to: datetime
    busy_at: datetime | None
    decreased_at: datetime | None
    engaged_at: datetime | None


class LoadReport(NamedTuple):
    """Load reported by a web process or a worker for the last second, or the total of all reports.

    In the total `refused` and `arrivals` (each per second) are added up, `pressure` is the highest of all
    (`plumbing.observe.stations`), and `is_crowded` is True if at least one process has more visitors than it admits.
    """

    refused: float
    arrivals: float
    pressure: float
    is_crowded: bool


class Inside(NamedTuple):
    """Numbers of visitors with a turn: `inside` have not finished, and `finished` have finished lately.

    `admitted` came in lately, and `usual` came in during a longer time.
    """

    inside: int
    finished: int
    admitted: int
    usual: int


class EndedWaits(NamedTuple):
    """Numbers of waits that ended inside and outside the range of waiting time that was shown."""

    inside: int
    outside: int


class NumberBlock(NamedTuple):
    """First number of a leased block of numbers, and the time of the lease by the clock of the database."""

    first: int
    now: datetime


class HeldTurn(NamedTuple):
    """A turn that was given, as stored in the database."""

    holder: bytes
    admitted_at: datetime
    ended_at: datetime | None
    used_by: UUID | None


class KeptPlace(NamedTuple):
    """A place that an account keeps, as stored in the database."""

    number: int
    holder: bytes
    taken_at: datetime
    shown_low: int
    shown_high: int
    serial: int
    since: int


class LineSample(NamedTuple):
    """Sample of a waiting line: its time, the highest number called, and the number of places called so far."""

    at: datetime
    serving: int
    called: float | None


class NearTurn(NamedTuple):
    """An account to notify that its turn in a waiting line is near."""

    account: UUID
    line: UUID
    name: str
    number: int


_BLOCKS = RowMapper(NumberBlock)
_TOLD = RowMapper(LoadReport)
_INSIDES = RowMapper(Inside)
_WAITS = RowMapper(EndedWaits)
_TURNS = RowMapper(HeldTurn)
_PLACES = RowMapper(KeptPlace)
_SAMPLES = RowMapper(LineSample)
_NEAR = RowMapper(NearTurn)
_GAPS = RowMapper(Gap)
_CROWDS = RowMapper(Crowd)

_LOOK = f"""
WITH told AS (
    INSERT INTO waiting_room_loads (process, told_at, refused, arrivals, pressure, is_crowded)
    VALUES (%s, clock_timestamp(), %s, %s, %s, %s)
    ON CONFLICT ON CONSTRAINT waiting_room_loads_pkey DO UPDATE
    SET told_at = excluded.told_at, refused = excluded.refused, arrivals = excluded.arrivals,
        pressure = excluded.pressure, is_crowded = excluded.is_crowded)
SELECT {_COLUMNS} FROM waiting_room_lines WHERE state <> 'ended' ORDER BY name
"""  # noqa: S608 - columns are a constant
_LIST = f"SELECT {_COLUMNS} FROM waiting_room_lines ORDER BY created_at"  # noqa: S608
_NAMED = f"""
SELECT {_COLUMNS} FROM waiting_room_lines WHERE name = %s AND state <> 'ended'
"""  # noqa: S608
_ENDED = f"""
SELECT {_COLUMNS} FROM waiting_room_lines WHERE name = %s AND state = 'ended'
ORDER BY ended_at DESC LIMIT 1
"""  # noqa: S608
_LEASE = """
UPDATE waiting_room_lines SET next_number = next_number + %s
WHERE line_id = %s AND state = 'open' AND (closes_at > clock_timestamp()) IS NOT FALSE
RETURNING next_number - %s AS first, clock_timestamp() AS now
"""
# Like `_LEASE`, for serials, which are not numbers of the sequence.
_LEASE_SERIALS = """
UPDATE waiting_room_lines SET next_serial = next_serial + %s
WHERE line_id = %s AND state = 'open' AND (closes_at > clock_timestamp()) IS NOT FALSE
RETURNING next_serial - %s AS first, clock_timestamp() AS now
"""
_COUNT_SPACED = """
INSERT INTO waiting_room_spaced (line_id, first, last, places)
SELECT line_id, first, last, places
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[]) AS told (line_id, first, last, places)
ON CONFLICT ON CONSTRAINT waiting_room_spaced_pkey DO UPDATE
SET places = waiting_room_spaced.places + excluded.places
"""
_UNCOUNT_SPACED = """
UPDATE waiting_room_spaced s SET places = greatest(s.places - told.places, 0)
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[]) AS told (line_id, first, last, places)
WHERE s.line_id = told.line_id AND s.first = told.first AND s.last = told.last
"""
_FORGET_SPACED = "DELETE FROM waiting_room_spaced WHERE line_id = %s AND last <= %s"
_SPACED_OF = """
SELECT first, last, places FROM waiting_room_spaced
WHERE line_id = %s AND places > 0 ORDER BY first, last LIMIT %s
"""
_SPACED_BEHIND = """
SELECT min(first) AS first, max(last) AS last, sum(places)::bigint AS places FROM (
    SELECT first, last, places FROM waiting_room_spaced
    WHERE line_id = %s AND places > 0 ORDER BY first, last OFFSET %s) AS behind
HAVING count(*) > 0
"""
_GIVE_BACK = "SELECT line_give_back(%s, %s, %s)"
_FORGET_GAPS = "DELETE FROM waiting_room_gaps WHERE line_id = %s AND last <= %s"
_GAPS_OF = "SELECT first, last FROM waiting_room_gaps WHERE line_id = %s ORDER BY first LIMIT 1000"
_STANDING = f"""
SELECT {_COLUMNS}, clock_timestamp() AS now, carried, away, called, learned_to, busy_at, decreased_at, engaged_at
FROM waiting_room_lines WHERE line_id = %s AND state <> 'ended' FOR UPDATE
"""  # noqa: S608
# An idle line is not engaged, has called every number, and nobody came to it or was refused lately: a step only changes
# the time in its document.  So it is due only every `REST_SECONDS`, which also notices late jobs.
DUE = f"""
SELECT line_id FROM waiting_room_lines
WHERE state <> 'ended' AND advanced_at < clock_timestamp() - interval '{STEP_SECONDS * 0.9} seconds'
    AND (is_engaged OR state <> 'open' OR closes_at IS NOT NULL OR serving <> next_number - 1
        OR advanced_at < clock_timestamp() - interval '{REST_SECONDS} seconds'
        OR EXISTS (SELECT 1 FROM waiting_room_loads WHERE (refused > 0 OR arrivals > 0 OR pressure > 1)
            AND told_at > clock_timestamp() - interval '{LOAD_SECONDS} seconds'))
ORDER BY line_id
"""  # noqa: S608 - seconds are constants
_LOADS = """
SELECT coalesce(sum(refused), 0)::double precision AS refused,
    coalesce(sum(arrivals), 0)::double precision AS arrivals,
    coalesce(max(pressure), 0) AS pressure, coalesce(bool_or(is_crowded), false) AS is_crowded
FROM waiting_room_loads WHERE told_at > clock_timestamp() - make_interval(secs => %s)
"""
_INSIDE = """
SELECT count(*) FILTER (WHERE ended_at IS NULL) AS inside, count(*) FILTER (WHERE ended_at > %s) AS finished,
    count(*) FILTER (WHERE admitted_at > %s) AS admitted, count(*) FILTER (WHERE admitted_at > %s) AS usual
FROM waiting_room_turns WHERE line_id = %s AND admitted_at > %s
"""
_ADMITTED_SINCE = "SELECT count(*) FROM waiting_room_turns WHERE line_id = %s AND admitted_at > %s"
_CAME = """
SELECT (SELECT count(*) FROM waiting_room_turns
    WHERE line_id = %s AND number > %s AND number <= %s AND called_with IS NULL)
  + (SELECT count(*) FROM waiting_room_turns WHERE line_id = %s AND called_with > %s AND called_with <= %s)
"""
_OLDEST_SAMPLE = """
SELECT at, serving, called FROM waiting_room_samples WHERE line_id = %s AND at > %s ORDER BY at LIMIT 1
"""
_LAST_SAMPLE_BEFORE = """
SELECT at, serving, called FROM waiting_room_samples WHERE line_id = %s AND at <= %s ORDER BY at DESC LIMIT 1
"""
# The time of the first sample that shows the call.
_CALLED_AT = """
SELECT min(at) FROM waiting_room_samples WHERE line_id = %s AND serving >= %s AND at > %s
"""
_ENDED_WAITS = """
SELECT count(*) FILTER (WHERE waited BETWEEN shown_low AND shown_high) AS inside,
    count(*) FILTER (WHERE waited NOT BETWEEN shown_low AND shown_high) AS outside
FROM waiting_room_turns WHERE line_id = %s AND admitted_at > %s AND admitted_at <= %s AND shown_high > 0
"""
_ADVANCE = """
UPDATE waiting_room_lines SET state = %s, is_engaged = %s, rate = %s, serving = %s, carried = %s, away = %s,
    flow_fast = %s, flow_slow = %s, spread = %s, held_share = coalesce(%s, held_share), learned_to = %s,
    busy_at = %s, decreased_at = %s, engaged_at = %s, advanced_at = %s, document = %s, next_number = %s, called = %s,
    spaced = %s
WHERE line_id = %s
"""
_SAMPLE = """
INSERT INTO waiting_room_samples
    (line_id, at, serving, next_number, admitted, inside, rate, is_engaged, is_paused, refused, called)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT waiting_room_samples_pkey DO NOTHING
"""
_ADMIT = """
INSERT INTO waiting_room_turns
    (line_id, number, called_with, holder, taken_at, admitted_at, shown_low, shown_high, waited)
SELECT line_id, %s, %s, %s, %s, %s, %s, %s, %s FROM waiting_room_lines
WHERE line_id = %s AND serving >= %s AND state IN ('open', 'closing') AND NOT is_paused
ON CONFLICT ON CONSTRAINT waiting_room_turns_pkey DO NOTHING
RETURNING holder, admitted_at, ended_at, used_by
"""
_TURN = """
SELECT holder, admitted_at, ended_at, used_by FROM waiting_room_turns WHERE line_id = %s AND number = %s
"""
_USE_TURN = "SELECT turn_use(%s, %s, %s, %s, %s, %s) AS outcome"
_CREATE = """
INSERT INTO waiting_room_lines
    (line_id, name, act, state, is_automatic, is_engaged, policy, rate, rate_max, spread, reason_id, reason_en,
     gathers_at, opens_at, closes_at, learned_to, advanced_at, created_at)
VALUES (%s, %s, %s, 'planned', false, true, %s, %s, %s, %s, '', '', %s, %s, %s, %s, %s, %s)
"""
_SET_RATE = "UPDATE waiting_room_lines SET policy = %s, rate = %s, rate_max = %s WHERE line_id = %s"
_SET_PAUSED = """
UPDATE waiting_room_lines SET is_paused = %s, reason_id = %s, reason_en = %s WHERE line_id = %s
"""
# Not before every process knows the closing time: a place given until then is in time, even if the wanted time is past.
_SET_TIMES = """
UPDATE waiting_room_lines SET closes_at = CASE WHEN %s::timestamptz IS NOT NULL
    THEN greatest(%s, clock_timestamp() + make_interval(secs => %s)) END
WHERE line_id = %s RETURNING closes_at
"""
_SET_ENGAGED = """
UPDATE waiting_room_lines SET is_automatic = %s, is_engaged = %s, serving = %s, rate = %s, away = %s * away,
    engaged_at = clock_timestamp() WHERE line_id = %s
"""
_END = """
UPDATE waiting_room_lines SET state = 'ended', is_engaged = false, ended_at = clock_timestamp()
WHERE line_id = %s
"""
_KEEP = """
INSERT INTO waiting_room_places
    (account_id, line_id, number, holder, taken_at, shown_low, shown_high, serial, since, kept_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT waiting_room_places_pkey DO UPDATE
SET number = excluded.number, holder = excluded.holder, taken_at = excluded.taken_at,
    shown_low = excluded.shown_low, shown_high = excluded.shown_high, serial = excluded.serial,
    since = excluded.since, told_at = NULL
WHERE (excluded.number < waiting_room_places.number AND NOT EXISTS (
    SELECT 1 FROM waiting_room_turns t
    WHERE t.line_id = waiting_room_places.line_id AND t.number = greatest(waiting_room_places.serial, waiting_room_places.number)))
OR EXISTS (
    SELECT 1 FROM waiting_room_turns t
    WHERE t.line_id = waiting_room_places.line_id AND t.number = greatest(waiting_room_places.serial, waiting_room_places.number)
        AND (t.ended_at IS NOT NULL OR t.admitted_at <= %s))
"""
_PLACE = """
SELECT number, holder, taken_at, shown_low, shown_high, serial, since FROM waiting_room_places
WHERE account_id = %s AND line_id = %s
"""
_TELL_ME = """
UPDATE waiting_room_places SET wants_mail = %s WHERE account_id = %s AND line_id = %s
"""
_WANTS_MAIL = """
SELECT wants_mail FROM waiting_room_places WHERE account_id = %s AND line_id = %s
"""
_TO_TELL = """
SELECT p.account_id AS account, p.line_id AS line, l.name, p.number
FROM waiting_room_lines l JOIN waiting_room_places p ON p.line_id = l.line_id
WHERE l.state IN ('open', 'closing') AND l.is_engaged AND p.wants_mail AND p.told_at IS NULL
    AND p.number > l.serving AND p.number <= l.serving + ceil(greatest(l.flow_fast, l.flow_slow) * %s)
ORDER BY p.line_id, p.number LIMIT %s
"""
_WAS_TOLD = """
UPDATE waiting_room_places SET told_at = clock_timestamp()
WHERE account_id = %s AND line_id = %s AND told_at IS NULL
"""


async def look(tx: Tx, process: str, report: LoadReport) -> list[WaitingLine]:
    """Store the load report of this process, and return every waiting line that has not ended, in one statement."""
    return await tx.all_as(_LINES, _LOOK, process, *report)


async def lines(tx: ReadTx) -> list[WaitingLine]:
    """Return every waiting line, ended ones included, the oldest first."""
    return await tx.all_as(_LINES, _LIST)


async def line_named(tx: ReadTx, name: str) -> WaitingLine | None:
    """Return the waiting line of this name that has not ended; None if no such line exists."""
    return await tx.one_as(_LINES, _NAMED, name)


async def ended_line(tx: ReadTx, name: str) -> WaitingLine | None:
    """Return the waiting line of this name that ended last; None if none has ended."""
    return await tx.one_as(_LINES, _ENDED, name)


async def lease(tx: Tx, line: UUID, count: int) -> NumberBlock | None:
    """Lease `count` numbers to a process; None if the waiting line takes no new places."""
    return await tx.one_as(_BLOCKS, _LEASE, count, line, count)


async def lease_serials(tx: Tx, line: UUID, count: int) -> NumberBlock | None:
    """Lease `count` serials of spaced places to a process; None if the waiting line takes no new places."""
    return await tx.one_as(_BLOCKS, _LEASE_SERIALS, count, line, count)


async def count_spaced(tx: Tx, places: Mapping[tuple[UUID, int, int], int]) -> None:
    """Add counts of spaced places, by waiting line and by the first and last number with which they are called.

    A negative count removes places that are now called with other numbers.
    """
    for query, sign in ((_COUNT_SPACED, 1), (_UNCOUNT_SPACED, -1)):
        rows = [(*where, sign * more) for where, more in places.items() if sign * more > 0]
        if rows:
            await tx.run(query, *(list(column) for column in zip(*rows, strict=True)))


async def spaced(tx: Tx, line: UUID, serving: int) -> list[Crowd]:
    """Return the counts of spaced places that are not called yet, in order, and delete the counts of places that are called."""
    await tx.run(_FORGET_SPACED, line, serving)
    found = await tx.all_as(_CROWDS, _SPACED_OF, line, CROWDS_MAX)
    if len(found) == CROWDS_MAX:
        found += await tx.all_as(_CROWDS, _SPACED_BEHIND, line, CROWDS_MAX)
    return found


async def give_back(tx: Tx, line: UUID, first: int, end: int) -> None:
    """Give back leased numbers of a waiting line that nobody took, from `first` to `end` - 1.

    See sql/functions/line_give_back.sql.
    """
    await tx.run(_GIVE_BACK, line, first, end)


async def gaps(tx: Tx, line: UUID, serving: int) -> list[Gap]:
    """Return the gaps (numbers of a waiting line that nobody has) after the number `serving`, in order, and delete the earlier
    gaps.
    """
    await tx.run(_FORGET_GAPS, line, serving)
    return await tx.all_as(_GAPS, _GAPS_OF, line)


# -- steps of lines ------------------------------------------------------------------------


def _locked_line(**row: object) -> LockedLine:
    names = WaitingLine.__dataclass_fields__
    line = {name: value for name, value in row.items() if name in names}
    line["spaced"] = _crowds(line["spaced"])  # type: ignore[arg-type]
    return LockedLine(
        WaitingLine(**line),  # type: ignore[arg-type]  # the columns are those of a line
        **{name: value for name, value in row.items() if name not in names},  # type: ignore[arg-type]
    )


async def due(tx: ReadTx) -> list[UUID]:
    """Return the waiting lines whose last step is `STEP_SECONDS` ago, and the idle lines whose last step is `REST_SECONDS`
    ago.
    """
    return [row["line_id"] for row in await tx.all(DUE)]


async def lock_line(tx: Tx, line: UUID) -> LockedLine | None:
    """Lock and return a waiting line; None if it has ended."""
    row = await tx.one(_STANDING, line)
    return _locked_line(**row) if row else None


async def mean_wait(tx: ReadTx, backlog: Backlog) -> float:
    """Return the mean wait in a backlog (work for a worker or an outside machine), in seconds; 0 if nobody waits in it."""
    return float(await tx.value(backlog.mean_seconds) or 0.0)


async def loads(tx: ReadTx) -> LoadReport:
    """Return the total of the recent load reports of all processes."""
    found = await tx.one_as(_TOLD, _LOADS, LOAD_SECONDS)
    assert found is not None
    return found


async def inside(
    tx: ReadTx,
    line: UUID,
    *,
    since: datetime,
    finished_since: datetime,
    admitted_since: datetime,
    usual_since: datetime,
) -> Inside:
    """Count the visitors whose turns in a waiting line began after `since`.

    `finished`, `admitted` and `usual` are counted after the times `finished_since`, `admitted_since` and `usual_since`.
    """
    found = await tx.one_as(
        _INSIDES, _INSIDE, finished_since, admitted_since, usual_since, line, since
    )
    assert found is not None
    return found


async def admitted_since(tx: ReadTx, line: UUID, since: datetime) -> int:
    """Count the visitors whose turns in a waiting line began after a time."""
    return int(await tx.value(_ADMITTED_SINCE, line, since))


async def came(tx: ReadTx, line: UUID, after: int, to: int) -> int:
    """Count the visitors of a waiting line who came in with the numbers from `after` + 1 to `to`."""
    return int(await tx.value(_CAME, line, after, to, line, after, to))


async def oldest_sample(tx: ReadTx, line: UUID, since: datetime) -> LineSample | None:
    """Return the first sample of a waiting line after a time."""
    return await tx.one_as(_SAMPLES, _OLDEST_SAMPLE, line, since)


async def last_sample_before(tx: ReadTx, line: UUID, moment: datetime) -> LineSample | None:
    """Return the last sample of a waiting line at or before a time."""
    return await tx.one_as(_SAMPLES, _LAST_SAMPLE_BEFORE, line, moment)


async def called_at(tx: ReadTx, line: UUID, number: int, since: datetime) -> datetime | None:
    """Return the time at which a number of a waiting line was called, accurate to some seconds; None if no sample shows it."""
    found: datetime | None = await tx.value(_CALLED_AT, line, number, since)
    return found


async def ended_waits(tx: ReadTx, line: UUID, since: datetime, until: datetime) -> EndedWaits:
    """Count the waits that ended after `since` up to `until`; a wait for which no range of waiting time was shown is left out."""
    found = await tx.one_as(_WAITS, _ENDED_WAITS, line, since, until)
    assert found is not None
    return found


async def advance(tx: Tx, line: UUID, values: tuple[object, ...]) -> None:
    """Store the state of a waiting line after a step; values in the order of the columns in `_ADVANCE`."""
    await tx.run(_ADVANCE, *values, line)


async def sample(tx: Tx, line: UUID, values: tuple[object, ...]) -> None:
    """Insert a sample of a waiting line; values in the order of the columns in `_SAMPLE`."""
    await tx.run(_SAMPLE, line, *values)


# -- turns ---------------------------------------------------------------------------------


async def admit(
    tx: Tx, ticket: Ticket, taken_at: datetime, now: datetime, waited: int
) -> HeldTurn | None:
    """Insert the turn of a ticket; None if its number is not called, or its turn was given before.

    `waited` is in seconds.
    """
    return await tx.one_as(
        _TURNS,
        _ADMIT,
        ticket.key,
        ticket.number if ticket.serial else None,
        ticket.holder,
        taken_at,
        now,
        ticket.low,
        ticket.high,
        waited,
        ticket.line,
        ticket.number,
    )


async def turn(tx: ReadTx, line: UUID, number: int) -> HeldTurn | None:
    """Return the turn of a place by its number (or serial); None if no turn was given."""
    return await tx.one_as(_TURNS, _TURN, line, number)


async def use_turn(
    tx: Tx, line: UUID, turn: Turn, admitted_at: datetime, account: UUID, since: datetime
) -> str:
    """Mark a turn as used by an account; returns `used`, or the reason why this is impossible (sql/functions/turn_use.sql).

    Turns that began at `since` or before have expired.
    """
    early_at = admitted_at if turn.is_early else None
    # A bound turn has the account's holder, not that of the place; the caller has compared the account.
    holder = None if turn.is_bound and not turn.is_early else turn.holder
    found = await tx.value(_USE_TURN, line, turn.number, holder, account, since, early_at)
    assert isinstance(found, str)
    return found


# -- operator ------------------------------------------------------------------------------


async def create(tx: Tx, values: tuple[object, ...]) -> None:
    """Insert a waiting line; values in the order of the columns in `_CREATE`."""
    await tx.run(_CREATE, *values)


async def set_rate(tx: Tx, line: UUID, policy: str, rate: float, rate_max: float) -> None:
    """Set the policy of a waiting line, its rate and its highest rate, in people a second."""
    await tx.run(_SET_RATE, policy, rate, rate_max, line)


async def set_paused(tx: Tx, line: UUID, paused: bool, reason_id: str, reason_en: str) -> None:  # noqa: FBT001
    """Pause or resume a waiting line, with the reason in both languages."""
    await tx.run(_SET_PAUSED, paused, reason_id, reason_en, line)


async def set_closing(
    tx: Tx, line: UUID, closes_at: datetime | None, seconds_min: float
) -> datetime | None:
    """Set the time until which a waiting line takes new places, at least `seconds_min` from now, and return it."""
    found: datetime | None = await tx.value(_SET_TIMES, closes_at, closes_at, seconds_min, line)
    return found


async def set_engaged(tx: Tx, line: WaitingLine, *, automatic: bool, engaged: bool) -> None:
    """Set whether a waiting line is engaged, and whether it is automatic (engaged by load).

    When it becomes engaged or disengaged, all places taken before are called immediately.  When it becomes engaged, the rate
    (if measured) and the share of visitors who do not come are reset.
    """
    begins = engaged and not line.is_engaged
    serving = line.serving if line.is_engaged == engaged else line.next_number - 1
    is_new = begins and line.policy == Policy.MEASURED
    rate = first_rate(line.rate_max, 0.0) if is_new else line.rate
    await tx.run(_SET_ENGAGED, automatic, engaged, serving, rate, int(not begins), line.id)


async def end(tx: Tx, line: UUID) -> None:
    """End a waiting line, so that visitors may do the guarded act without a turn."""
    await tx.run(_END, line)


# -- places that an account keeps ----------------------------------------------------------


async def keep(
    tx: Tx, account: UUID, ticket: Ticket, taken_at: datetime, now: datetime, over_since: datetime
) -> KeptPlace:
    """Keep the place of a ticket with an account, and return the place that the account keeps now; its row is locked.

    Of the place that it had and the ticket's place, the account keeps the earlier.  But a place whose turn was given is kept
    until this turn was used or has expired; then the ticket's place replaces it.  A turn that began at `over_since` or before
    has expired.
    """
    await tx.run(
        _KEEP,
        account,
        ticket.line,
        ticket.number,
        ticket.holder,
        taken_at,
        ticket.low,
        ticket.high,
        ticket.serial,
        ticket.since,
        now,
        over_since,
    )
    found = await place(tx, account, ticket.line)
    assert found is not None
    return found


async def place(tx: ReadTx, account: UUID, line: UUID) -> KeptPlace | None:
    """Return the place that an account keeps in a waiting line; None if it keeps no place."""
    return await tx.one_as(_PLACES, _PLACE, account, line)


async def set_wants_mail(tx: Tx, account: UUID, line: UUID, wants_mail: bool) -> bool:  # noqa: FBT001
    """Set whether an account gets a mail when its turn is near.  Returns False if the account keeps no place."""
    return bool(await tx.run(_TELL_ME, wants_mail, account, line))


async def wants_mail(tx: ReadTx, account: UUID, line: UUID) -> bool:
    """True if an account asked for a mail when its turn is near."""
    return bool(await tx.value(_WANTS_MAIL, account, line))


async def near_turns(tx: ReadTx, seconds: float, limit: int) -> list[NearTurn]:
    """Return up to `limit` accounts whose turn comes within `seconds`, who asked for a mail about it and got none yet."""
    return await tx.all_as(_NEAR, _TO_TELL, seconds, limit)


async def set_notified(tx: Tx, account: UUID, line: UUID) -> bool:
    """Record that the mail about a near turn is sent; False if it was recorded before."""
    return bool(await tx.run(_WAS_TOLD, account, line))


_LINES_TOLD, _PLACES_TOLD, _TURNS_TOLD = (
    RowMapper(LineMoments),
    RowMapper(AccountPlace),
    RowMapper(AccountTurn),
)
_PLACES_OF = """
SELECT l.name AS line, p.number, p.taken_at, p.told_at
FROM waiting_room_places p JOIN waiting_room_lines l USING (line_id) WHERE p.account_id = %s LIMIT %s
"""
_TURNS_OF = """
SELECT l.name AS line, t.number, t.admitted_at
FROM waiting_room_turns t JOIN waiting_room_lines l USING (line_id) WHERE t.used_by = %s LIMIT %s
"""


async def line_moments(tx: ReadTx, name: str) -> LineMoments | None:
    """Return the times of the waiting line of this name that has not ended; None if no such line exists."""
    return await tx.one_as(
        _LINES_TOLD,
        "SELECT line_id AS id, created_at, opens_at, engaged_at, closes_at FROM waiting_room_lines"
        " WHERE name = %s AND state <> 'ended'",
        name,
    )


async def account_places(tx: ReadTx, account: UUID, limit: int) -> list[AccountPlace]:
    """Return up to `limit` places that an account keeps."""
    return await tx.all_as(_PLACES_TOLD, _PLACES_OF, account, limit)


async def account_turns(tx: ReadTx, account: UUID, limit: int) -> list[AccountTurn]:
    """Return up to `limit` turns that an account used."""
    return await tx.all_as(_TURNS_TOLD, _TURNS_OF, account, limit)


class MailWish(NamedTuple):
    """A request of an account for a mail when its turn in a waiting line is near."""

    line: UUID
    name: str
    since: datetime


_WISHES = RowMapper(MailWish)


async def wishes(tx: ReadTx, account: UUID) -> list[MailWish]:
    """Return the requests of an account for a mail about a near turn, if that mail was not sent yet."""
    return await tx.all_as(
        _WISHES,
        "SELECT p.line_id AS line, l.name, p.kept_at AS since FROM waiting_room_places p"
        " JOIN waiting_room_lines l ON l.line_id = p.line_id"
        " WHERE p.account_id = %s AND p.wants_mail AND p.told_at IS NULL ORDER BY p.kept_at",
        account,
    )


# -- draws ---------------------------------------------------------------------------------


class EntryResult(NamedTuple):
    """Result of inserting entries into a draw: whether the waiting line accepted them, and the time of the insertion."""

    is_open: bool
    at: datetime


_SUBJECTS = RowMapper(DrawSubject)
_ENTERED = RowMapper(EntryResult)
_SUBJECT = """
SELECT line_id AS id, name, opens_at AS closes_at, state = 'gathering' AS is_gathering, state = 'drawing' AS is_drawing
FROM waiting_room_lines WHERE gathers_at IS NOT NULL AND opens_at IS NOT NULL
"""
_SUBJECTS_DUE = _SUBJECT + " AND state IN ('gathering', 'drawing') ORDER BY name"
_SUBJECT_NAMED = _SUBJECT + " AND state <> 'ended' AND name = %s"
DRAWS_DUE = "SELECT 1 FROM waiting_room_lines WHERE state IN ('gathering', 'drawing')"
# The lock excludes the step that closes the list: an entry is in the table before the line is `drawing`, or not at all.
_ENTER = """
WITH gathering AS (
    SELECT line_id FROM waiting_room_lines
    WHERE line_id = %s AND state = 'gathering' AND opens_at > clock_timestamp() FOR SHARE)
SELECT coalesce((SELECT draw_enter(line_id, %s) FROM gathering), false) AS is_open, clock_timestamp() AS at
"""
_CLOSE_ENTRIES = """
UPDATE waiting_room_lines SET state = 'drawing'
WHERE line_id = %s AND state = 'gathering' AND opens_at <= clock_timestamp()
"""
_OPEN_UNDRAWN = """
UPDATE waiting_room_lines SET state = 'open', gathers_at = NULL
WHERE line_id = %s AND state = 'gathering' AND opens_at <= clock_timestamp()
"""
_OPEN_DRAWN = """
UPDATE waiting_room_lines SET state = 'open', next_number = %s WHERE line_id = %s AND state = 'drawing'
"""


async def subjects_due(tx: ReadTx) -> list[DrawSubject]:
    """Return the waiting lines that take entries for a draw, or whose draw is under way."""
    return await tx.all_as(_SUBJECTS, _SUBJECTS_DUE)


async def subject_named(tx: ReadTx, name: str) -> DrawSubject | None:
    """Return the waiting line of this name in the form that its draw needs; None if it has no draw, or has ended."""
    return await tx.one_as(_SUBJECTS, _SUBJECT_NAMED, name)


async def enter(tx: Tx, line: UUID, entries: list[bytes]) -> EntryResult:
    """Insert entries into the draw of a waiting line, all or none, in one statement."""
    found = await tx.one_as(_ENTERED, _ENTER, line, entries)
    assert found is not None
    return found


async def close_entries(tx: Tx, line: UUID) -> bool:
    """Close the list of entries of a waiting line.  False if it was closed before, or is not due."""
    return await tx.run(_CLOSE_ENTRIES, line) == 1


async def open_undrawn(tx: Tx, line: UUID) -> bool:
    """Open a waiting line that has no draw, because none was announced in time; nobody has entered it.

    False if the line is open already, or its opening time has not come.
    """
    return await tx.run(_OPEN_UNDRAWN, line) == 1


async def open_drawn(tx: Tx, line: UUID, next_number: int) -> bool:
    """Open a waiting line after its draw; new places get numbers from `next_number` on.  False if it was opened before."""
    return await tx.run(_OPEN_DRAWN, next_number, line) == 1
