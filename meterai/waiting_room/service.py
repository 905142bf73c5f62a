"""Waiting lines in a web process: taking a place, coming in, using a turn."""

import asyncio
import hashlib
import os
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.types import Scope

from meterai.draw import address_of, entry_of
from meterai.kit.clock import Clock
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, DatabaseAway, Tx
from meterai.plumbing.http.requests import cookie_name
from meterai.plumbing.networks import Buckets
from meterai.plumbing.observe.stations import Stations
from meterai.plumbing.signed import DocumentSigner
from meterai.waiting_room import metrics, store
from meterai.waiting_room.cookies import ticket_cookie, turn_cookie, values_of
from meterai.waiting_room.crowds import CROWD_NUMBERS, EARLY_FIRST
from meterai.waiting_room.entrance import Entrance
from meterai.waiting_room.estimate import Range, waiting_range
from meterai.waiting_room.gathering import NO_NUMBER, Gathering
from meterai.waiting_room.model import (
    EARLY_SECONDS_MAX,
    PATH,
    TURN_SECONDS,
    TURN_SECONDS_MAX,
    GuardedAct,
    LineClosed,
    LineState,
    LineUnknown,
    NumberNotServed,
    TicketInvalid,
    TurnNotYours,
    TurnOver,
    WaitingLine,
    WaitInLine,
    is_line_name,
)
from meterai.waiting_room.places import MS, NumberSupply
from meterai.waiting_room.spacing import Spacing, VerifiedNumbers
from meterai.waiting_room.store import KeptPlace, NumberBlock
from meterai.waiting_room.tokens import HOLDER_BYTES, LineTokens, Ticket, Turn

LOOK_SECONDS = 0.5  # between two queries of a process for the state of all lines
CROWDED_SECONDS = 5.0  # for which a line that only this process engaged stays engaged, unless a worker confirms it
OLD_SECONDS = 5.0  # an older copy of the lines' state is refreshed before it is used
_TURN_HEADER = b"waiting-turn"  # for programs; browsers send a cookie


def ms(at: datetime) -> int:
    """Convert a time to milliseconds since 1970."""
    return int(at.timestamp() * MS)


def moment(milliseconds: int) -> datetime:
    """Convert milliseconds since 1970 to a time in UTC."""
    return datetime.fromtimestamp(milliseconds / MS, UTC)


class WaitingRoom:
    """All waiting lines, as known in one process.

    The process has a copy of the lines' state that is some seconds old at most.  While the database is unavailable the copy
    does not change, and so no further visitors are called.
    """

    def __init__(
        self,
        database: Database,
        tokens: LineTokens,
        signer: DocumentSigner,
        settings: Settings,
        clock: Clock,
        stations: Stations,
    ) -> None:
        self.tokens = tokens
        self.signer = signer
        self._database = database
        self._settings = settings
        self._clock = clock
        self._stations = stations
        self._lines: dict[str, WaitingLine] = {}
        self._by_act: dict[GuardedAct, WaitingLine] = {}
        self._numbers: dict[UUID, NumberSupply] = {}
        self._serials: dict[UUID, NumberSupply] = {}
        self._spacing: dict[UUID, Spacing] = {}
        self._own: dict[UUID, VerifiedNumbers] = {}
        self._spaced: Counter[tuple[UUID, int, int]] = (
            Counter()
        )  # since the last report to the database
        self._gathering = Gathering(database)
        self._entrances: dict[UUID, Entrance] = {}
        self._admitted = Buckets(1.0, TURN_SECONDS)
        self._crowded_until: dict[UUID, float] = {}
        self._seen_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._process = f"{socket.gethostname()}:{os.getpid()}"
        self.refused_since: Callable[[], int] = lambda: (
            0
        )  # returns the visitors with paid work that the limiter refused since the last call
        self._refused = self._arrivals = 0  # since the last report to the database
        self._told_at = 0.0

    async def close(self) -> None:
        """Wait for background work and return unused numbers; called when the process ends."""
        if self._looking is not None:
            await asyncio.gather(self._looking, return_exceptions=True)
        for numbers in (*self._numbers.values(), *self._serials.values()):
            await numbers.close()

    # -- state of the lines ------------------------------------------------------------------

    def now_ms(self) -> int:
        """Return the current time in milliseconds since 1970."""
        return ms(self._clock.now())

    async def look(self) -> None:
        """Refresh the copy of the lines' state if it is older than `LOOK_SECONDS`, in the background.

        The caller waits for the refresh only if the copy is older than `OLD_SECONDS`.
        """
        age = monotonic() - self._seen_at
        if age > LOOK_SECONDS and self._looking is None:
            # In a new context: the query serves all requests, so the first request's time limit must not apply to it.
            self._looking = asyncio.create_task(self._look(), context=Context())
        if age > OLD_SECONDS and self._looking is not None:
            await asyncio.shield(self._looking)

    async def _look(self) -> None:
        began = monotonic()
        since = max(began - self._told_at, LOOK_SECONDS) if self._told_at else LOOK_SECONDS
        self._refused += self.refused_since()
        refused, arrivals = self._refused, self._arrivals
        is_crowded = any(until > began for until in self._crowded_until.values())
        try:
            found = await self._database.once(
                store.look,
                self._process,
                store.LoadReport(
                    refused / since, arrivals / since, self._stations.pressure(), is_crowded
                ),
            )
        except Refusal:
            pass  # the database is unavailable or busy: the copy is kept, and the counts are reported later
        else:
            self._told_at = began
            self._refused, self._arrivals = self._refused - refused, self._arrivals - arrivals
            self._take_view(found)
            await self._report_spaced()
        finally:
            # Set after a failure too, so that the next query waits its interval.
            self._seen_at = monotonic()
            self._looking = None

    async def tell_waits(self) -> int:
        """Periodic task: report the mean wait in each backlog (work for a worker or an outside machine) as a part of the load."""
        for backlog in self._stations.backlogs:
            mean_seconds = await self._database.once(store.mean_wait, backlog)
            self._stations.found(backlog, mean_seconds)
        await self.look()
        return 0

    def _take_view(self, found: list[WaitingLine]) -> None:
        for line in found:
            if line.is_engaged:  # a worker has engaged it
                self._crowded_until.pop(line.id, None)
        found = [self._as_seen_here(line) for line in found]
        self._lines = {line.name: line for line in found}
        self._by_act = {line.act: line for line in found}
        known = {line.id for line in found}
        for gone in self._numbers.keys() - known:
            del self._numbers[gone]
        # A disengaged line lets all waiting visitors pass, so its state of fair queueing is forgotten.
        standing = {line.id for line in found if line.stands_in_the_way}
        for of_lines in (self._spacing, self._own, self._serials):
            for gone in of_lines.keys() - standing:
                del of_lines[gone]

    async def _report_spaced(self) -> None:
        counts, self._spaced = self._spaced, Counter()
        if counts:
            try:
                await self._database.run(partial(store.count_spaced, places=counts))
            except Refusal:
                self._spaced.update(counts)  # reported with the next refresh

    def line(self, name: str) -> WaitingLine:
        """Return the waiting line of this name that has not ended.

        Refuses `LineUnknown`, and `DatabaseAway` before the first query of this process has succeeded.
        """
        self._check_seen()
        found = self._lines.get(name)
        if found is None:
            raise LineUnknown(f"no line {name}")
        return found

    async def line_or_ended(self, name: str) -> WaitingLine:
        """Return the waiting line of this name, even if it has ended.  Refuses `LineUnknown`, `DatabaseAway`."""
        await self.look()
        try:
            return self.line(name)
        except LineUnknown:
            if not is_line_name(name):
                raise  # no line can have such a name, and the database may not accept the text
            ended = await self._database.once(store.ended_line, name)
            if ended is None:
                raise
            return ended

    def _check_seen(self) -> None:
        """Check that the state of the waiting lines is known.

        Refuses `DatabaseAway` before the first query of this process has succeeded.
        """
        if not self._told_at:
            raise DatabaseAway("no line was read from the database yet")

    def line_before(self, act: GuardedAct) -> WaitingLine | None:
        """Return the waiting line in which visitors must wait before an act; None if no engaged line guards the act."""
        found = self._by_act.get(act)
        return found if found and found.stands_in_the_way else None

    def any_line_of(self, act: GuardedAct) -> WaitingLine | None:
        """Return the waiting line that guards an act, engaged or not; None if no line guards it."""
        return self._by_act.get(act)

    def arrived(self) -> None:
        """Count a visitor without a turn who came for a guarded act and was served."""
        self._arrivals += 1

    def let_in(self, line: WaitingLine) -> None:
        """Count a visitor that this process has admitted to the line."""
        self._entrance(line).let_in()

    def has_room(self, line: WaitingLine) -> bool:
        """True if this process may admit one more visitor to the line now."""
        return self._entrance(line).has_room(line.rate, monotonic())

    def admits(self, line: WaitingLine, ticket: Ticket) -> bool:
        """True if the holder of a called number may come in now; False if the holder must wait some seconds more.

        The limit of this process (`entrance`) applies, since many called visitors may come together after a pause.  Each
        ticket is counted once, so that its holder may reload the page, or sign in first, and is then neither counted again nor
        refused.
        """
        names = (f"{line.id}/{ticket.key}",)
        if not self._admitted.have(names):
            return True
        if not self.has_room(line):
            return False
        self._admitted.take(names)
        self.let_in(line)
        return True

    def line_to_wait_in(self, scope: Scope, act: GuardedAct) -> WaitingLine | None:
        """Return the engaged line in which a visitor must wait before the act.

        None if no engaged line guards the act, or the visitor has a turn.
        """
        line = self._by_act.get(act)
        if line is None or self.turn_shown(scope, line) is not None:
            return None
        self._stand_if_crowded(line)
        return self.line_before(act)

    def _stand_if_crowded(self, line: WaitingLine) -> None:
        """Engage an automatic waiting line in this process immediately if the process admits no more visitors.

        A worker confirms that later.
        """
        now = monotonic()
        if line.is_automatic and not line.is_engaged and not self.has_room(line):
            self._crowded_until[line.id] = now + CROWDED_SECONDS
            self._lines[line.name] = self._by_act[line.act] = self._as_seen_here(line)

    def _entrance(self, line: WaitingLine) -> Entrance:
        processes = self._settings.process.workers
        return self._entrances.setdefault(line.id, Entrance(processes))

    def _as_seen_here(self, line: WaitingLine) -> WaitingLine:
        """Return the waiting line as this process treats it: engaged also if only this process has engaged it."""
        is_crowded = self._crowded_until.get(line.id, 0.0) > monotonic()
        return replace(line, is_engaged=True) if is_crowded else line

    # -- places ----------------------------------------------------------------------------

    def range_of(self, line: WaitingLine, number: int, *, is_spaced: bool = False) -> Range | None:
        """Return the range of time from now until this number is called; None if no range can be shown."""
        if line.is_paused or line.state not in (LineState.OPEN, LineState.CLOSING):
            return None
        places = line.places_to(number, is_spaced=is_spaced)
        return waiting_range(places, line.flow_fast, line.flow_slow, line.spread)

    async def take_place(
        self, line: WaitingLine, holder: bytes | None = None, networks: Sequence[str] = ()
    ) -> Ticket:
        """Take a new place in a line, and return its ticket.

        With `networks` (those of the visitor, narrow to wide) fair queueing among networks decides when the place is
        called.  Without a `holder` a new one is made.  Refuses `LineClosed`, `DatabaseBusy`, `DatabaseAway`.
        """
        if line.state != LineState.OPEN:
            raise LineClosed(f"{line.name} is {line.state}")
        called_with = 0
        if networks and line.stands_in_the_way:
            spacing = self._spacing.setdefault(line.id, Spacing())
            called_with = spacing.take(networks, line.next_number)
        is_spaced = called_with > line.next_number
        numbers = self._serials_of(line) if is_spaced else self._numbers_of(line)
        key, at = numbers.at_once() or await numbers.take()
        if line.closes_at is not None and at >= ms(line.closes_at):
            raise LineClosed(f"{line.name} has closed")  # the number was leased before it closed
        metrics.PLACES.labels(line=line.name).inc()
        number, serial, since = (called_with, key, line.next_number) if is_spaced else (key, 0, 0)
        if is_spaced:
            self._count(line, number)
        low, high = self.range_of(line, number, is_spaced=is_spaced) or (0, 0)
        mine = holder or secrets.token_bytes(HOLDER_BYTES)
        return Ticket(line.id, number, mine, at, low, high, serial, since)

    def _count(self, line: WaitingLine, number: int, more: int = 1) -> None:
        """Add `more` to the number of spaced places that are called with a number in the same range as `number`.

        Spaced places are counted by ranges of `CROWD_NUMBERS` numbers.
        """
        first = number - number % CROWD_NUMBERS
        self._spaced[line.id, max(first, 1), first + CROWD_NUMBERS - 1] += more

    def count_again(self, line: WaitingLine, ticket: Ticket) -> None:
        """Count a waiting spaced place again if it is missing in the counts of its line.

        The count is missing if the process that gave the place was killed before it reported the count.  This is noticed only
        if the line counts no waiting place at all.
        """
        if ticket.serial and ticket.number > line.serving and not line.waiting:
            self._count(line, ticket.number)

    def _numbers_of(self, line: WaitingLine) -> NumberSupply:
        if (found := self._numbers.get(line.id)) is None:
            found = self._numbers[line.id] = NumberSupply(line.id, self._lease, self._give_back)
        return found

    def _serials_of(self, line: WaitingLine) -> NumberSupply:
        if (found := self._serials.get(line.id)) is None:
            found = self._serials[line.id] = NumberSupply(line.id, self._lease_serials, _drop)
        return found

    async def _lease(self, line: UUID, count: int) -> NumberBlock | None:
        return await self._database.once(store.lease, line, count)

    async def _lease_serials(self, line: UUID, count: int) -> NumberBlock | None:
        return await self._database.once(store.lease_serials, line, count)

    async def _give_back(self, line: UUID, first: int, end: int) -> None:
        await self._database.once(store.give_back, line, first, end)

    async def enter(self, line: WaitingLine) -> Ticket:
        """Make a new entry in the draw of a line that opens later, and return its ticket, without a number.

        Refuses `LineClosed`, `DatabaseBusy`, `DatabaseAway`.
        """
        if line.state != LineState.GATHERING:
            raise LineClosed(f"{line.name} is {line.state}")
        ticket = await self._gathering.enter(line)
        metrics.ENTRIES.labels(line=line.name).inc()
        return ticket

    async def drawn(
        self, line: WaitingLine, ticket: Ticket, networks: Sequence[str] = ()
    ) -> Ticket:
        """Return the ticket of an entry with its drawn number; unchanged while no number is drawn.

        If the line is open and the entry was in no draw, a new place is taken.
        """
        if ticket.number != NO_NUMBER or line.state not in (LineState.OPEN, LineState.CLOSING):
            return ticket
        drawn = await self._gathering.number_of(ticket)
        if drawn is None and line.state == LineState.OPEN:
            # The entry is not in the draw's list, so the visitor gets a new place.
            return await self.take_place(line, networks=networks)
        return drawn or ticket

    def read_ticket(self, line: WaitingLine, text: str | bytes) -> Ticket:
        """Decode a ticket of this line from its text.  Refuses `TicketInvalid`."""
        ticket = self.tokens.read_ticket(text)
        if ticket.line != line.id:
            raise TicketInvalid("of another line")
        return ticket

    # -- turns -----------------------------------------------------------------------------

    async def come_in(self, line: WaitingLine, ticket: Ticket) -> Turn:
        """Give the turn to the holder of a ticket whose number was called; a repeated call returns the same turn.

        Refuses `NumberNotServed`, `TurnOver`, `TicketInvalid`.
        """
        return await self._database.run(partial(self._come_in, line=line, ticket=ticket))

    async def come_in_as(self, line: WaitingLine, account: UUID, ticket: Ticket) -> Turn:
        """Give the turn of the place that the account keeps in the waiting line.

        The account keeps the earlier of two places: the place that it kept so far, and the ticket's place.  So an account has
        one turn, however many browsers it waits with.  Refuses like `come_in`, and `TurnNotYours` if another account used the
        turn of this ticket.
        """

        async def act(tx: Tx) -> Turn:
            kept = await self._keep(tx, line, account, ticket)
            if kept is None:
                raise TurnNotYours(line.name, str(ticket.number))
            turn = await self._come_in(tx, line, _ticket_of(line, kept))
            return turn._replace(holder=_holder_of(line.id, account), is_bound=True)

        return await self._database.run(act)

    async def _come_in(self, tx: Tx, line: WaitingLine, ticket: Ticket) -> Turn:
        taken_at = moment(ticket.taken_at)
        now = max(self._clock.now(), taken_at)  # our clock may be behind the database's
        called = await store.called_at(tx, line.id, ticket.number, taken_at)
        waited = int(((called or now) - taken_at).total_seconds())
        turn = await store.admit(tx, ticket, taken_at, now, max(waited, 0))
        if turn is not None:
            metrics.ADMITTED.labels(line=line.name).inc()
        else:
            turn = await store.turn(tx, line.id, ticket.key)
        if turn is None:
            raise NumberNotServed(f"{ticket.number} of {line.name}")
        if turn.holder != ticket.holder:
            raise TicketInvalid("another holder has the number")
        if (now - turn.admitted_at).total_seconds() > TURN_SECONDS_MAX:
            raise TurnOver(line.name, str(ticket.number))
        return self._for_full_time(Turn(line.id, ticket.key, turn.holder, ms(turn.admitted_at), 0))

    def _for_full_time(self, turn: Turn) -> Turn:
        """Return the turn with a new end: `TURN_SECONDS` from now, but not beyond the turn's maximum life."""
        most = EARLY_SECONDS_MAX if turn.is_early else TURN_SECONDS_MAX
        until = min(self.now_ms() + TURN_SECONDS * MS, turn.admitted_at + most * MS)
        return turn._replace(until=until)

    def early_turn(self, line: WaitingLine, account: UUID | None) -> Turn:
        """Return a new early turn, for a visitor who comes while the line is not engaged.

        It uses no number of the line.  The early turn of an account is valid for that account only.
        """
        holder = _holder_of(line.id, account) if account else secrets.token_bytes(HOLDER_BYTES)
        number = EARLY_FIRST + secrets.randbelow(EARLY_FIRST)
        turn = Turn(line.id, number, holder, self.now_ms(), 0, is_early=True)
        return self._for_full_time(turn._replace(is_bound=account is not None))

    def is_of(self, turn: Turn, account: UUID) -> bool:
        """True if the turn belongs to this account, or to no particular account."""
        return not turn.is_bound or turn.holder == _holder_of(turn.line, account)

    def valid_turn(self, line: WaitingLine, text: str | bytes) -> Turn | None:
        """Decode a turn of this line from its text; None if it is invalid or expired."""
        try:
            turn = self.tokens.read_turn(text)
        except TicketInvalid:
            return None
        return turn if turn.line == line.id and self.now_ms() < turn.until else None

    def renewed(self, turn: Turn) -> Turn | None:
        """Return the turn with a later end, if half of its time has passed and a later end is allowed; else None."""
        if turn.until - self.now_ms() > TURN_SECONDS * MS / 2:
            return None
        renewed = self._for_full_time(turn)
        return renewed if renewed.until > turn.until else None

    async def use(self, line: WaitingLine, turn: Turn, account: UUID) -> None:
        """Mark a turn as used by an account, which does the guarded act.  Refuses `WaitInLine`, `TurnNotYours`, `TurnOver`."""
        if not self.is_of(turn, account):
            if turn.is_early:
                raise WaitInLine(line.name)
            raise TurnNotYours(line.name, f"{turn.number} (of_another)")
        outcome = await self._database.once(
            store.use_turn, line.id, turn, moment(turn.admitted_at), account, self._over_since()
        )
        if outcome in ("of_another", "has_another"):
            raise TurnNotYours(line.name, f"{turn.number} ({outcome})")
        if outcome != "used":
            raise TurnOver(line.name, str(turn.number))

    # -- checks before a guarded act -------------------------------------------------------

    def ticket_shown(self, scope: Scope, line: WaitingLine) -> Ticket | None:
        """Return the first valid ticket of this line in the cookies of a request; None if it has none."""
        name = cookie_name(ticket_cookie(line.name), self._settings.process).encode()
        for text in values_of(scope["headers"], name):
            with suppress(TicketInvalid):
                return self.read_ticket(line, text)
        return None

    def turn_shown(self, scope: Scope, line: WaitingLine) -> Turn | None:
        """Return the first valid turn of this line in a request, from its header, or without the header from a cookie.

        None if the request has no valid turn.
        """
        name = cookie_name(turn_cookie(line.name), self._settings.process).encode()
        told = [value for header, value in scope["headers"] if header == _TURN_HEADER]
        shown = (self.valid_turn(line, text) for text in told or values_of(scope["headers"], name))
        return next((turn for turn in shown if turn is not None), None)

    async def waiting_line(
        self, connection: ASGIConnection[Any, Any, Any, Any], act: GuardedAct
    ) -> WaitingLine | None:
        """Refresh the state of the waiting lines, then return the line in which the visitor must wait (`line_to_wait_in`)."""
        await self.look()
        return self.line_to_wait_in(connection.scope, act)

    async def check_turn(
        self, connection: ASGIConnection[Any, Any, Any, Any], account: UUID | None, act: GuardedAct
    ) -> None:
        """Check that a visitor may do a guarded act now, and use the turn for the account if one is given.

        While no line is engaged the check needs no query.  Refuses `WaitInLine`, `TurnNotYours`, `TurnOver`.
        """
        await self.look()
        self._check_seen()
        line = self.line_before(act)
        if line is None:
            return
        turn = self.turn_shown(connection.scope, line)
        if turn is None:
            raise WaitInLine(line.name)
        if account is not None:
            await self.use(line, turn, account)

    # -- places kept with an account -------------------------------------------------------

    async def keep(self, line: WaitingLine, account: UUID, ticket: Ticket | None) -> Ticket | None:
        """Keep the place of a ticket with an account, and return the place that the account keeps now: the earliest of its
        places.

        Without a ticket, return the place that the account keeps, or None if it keeps no place.  The ticket's place is not
        kept if another account used its turn.
        """
        if ticket is None:
            async with self._database.reading() as tx:
                kept = await store.place(tx, account, line.id)
        else:
            keep = partial(self._keep, line=line, account=account, ticket=ticket)
            kept = await self._database.run(keep)
        return _ticket_of(line, kept) if kept else None

    async def _keep(
        self, tx: Tx, line: WaitingLine, account: UUID, ticket: Ticket
    ) -> KeptPlace | None:
        turn = await store.turn(tx, ticket.line, ticket.key)
        if turn is not None and turn.used_by not in (None, account):
            return await store.place(tx, account, ticket.line)
        if ticket.is_behind and line.stands_in_the_way and ticket.number > line.serving:
            had = await store.place(tx, account, ticket.line)
            if had is not None and had.serial == ticket.serial:
                return had
            ticket = self._with_number_of_its_own(line, ticket)
        at, now = moment(ticket.taken_at), self._clock.now()
        return await store.keep(tx, account, ticket, at, now, self._over_since())

    def _with_number_of_its_own(self, line: WaitingLine, ticket: Ticket) -> Ticket:
        """Give a spaced place an earlier number, since its holder has signed in and so verified a mail address.

        The new number is the one that was next when the place was taken, or the first free one after it.  If that number is not
        earlier, the place is returned unchanged.
        """
        own = self._own.setdefault(line.id, VerifiedNumbers())
        number = own.take(max(ticket.since, line.serving + 1))
        if number >= ticket.number:
            return ticket
        self._spaced[line.id, number, number] += 1
        self._count(line, ticket.number, -1)
        return ticket._replace(number=number, since=number)

    async def place_of(self, line: WaitingLine, account: UUID) -> Ticket:
        """Return the place that the account keeps.

        If it keeps no place, or the turn of that place was used or has expired, a new place is taken and kept.
        """
        kept = await self.keep(line, account, None)
        if kept is None or await self._is_used(line, kept.key):
            fresh = await self.take_place(line)
            kept = await self.keep(line, account, fresh)
        assert kept is not None
        return kept

    async def _is_used(self, line: WaitingLine, number: int) -> bool:
        async with self._database.reading() as tx:
            turn = await store.turn(tx, line.id, number)
        return turn is not None and (
            turn.ended_at is not None or turn.admitted_at <= self._over_since()
        )

    def _over_since(self) -> datetime:
        """Return the time `TURN_SECONDS_MAX` ago; turns that began before it have expired."""
        return self._clock.now() - timedelta(seconds=TURN_SECONDS_MAX)

    async def set_wants_mail(self, line: WaitingLine, account: UUID, *, wants_mail: bool) -> bool:
        """Set whether an account gets a mail when its turn is near.  Returns False if the account keeps no place."""
        return await self._database.once(store.set_wants_mail, account, line.id, wants_mail)

    async def wants_mail(self, line: WaitingLine, account: UUID) -> bool:
        """True if an account asked for a mail when its turn is near."""
        return await self._database.once(store.wants_mail, account, line.id)

    # -- proof -----------------------------------------------------------------------------

    def receipt(self, line: WaitingLine, ticket: Ticket) -> str:
        """Return the signed receipt of a place: its number, the time it was taken, and the time the line closes."""
        return self.signer.sign(
            RECEIPT,
            {
                "line": line.name,
                "line_id": str(line.id),
                "number": ticket.number,
                "taken_at": moment(ticket.taken_at).isoformat(),
                "closes_at": line.closes_at.isoformat() if line.closes_at else None,
                "was_in_time": line.closes_at is None or moment(ticket.taken_at) < line.closes_at,
                "issued_at": self._clock.now().isoformat(timespec="seconds"),
            },
        )

    def entry_receipt(self, line: WaitingLine, ticket: Ticket) -> str:
        """Return the signed receipt of an entry in the draw of this line.

        When the list of entries is closed, it must contain this entry.
        """
        return self.signer.sign(
            ENTRY_RECEIPT,
            {
                "line": line.name,
                "line_id": str(line.id),
                "entry": entry_of(line.id, ticket.holder).hex(),
                "entered_at": moment(ticket.taken_at).isoformat(),
                "opens_at": line.opens_at.isoformat() if line.opens_at else None,
                "files": address_of(PATH, line.name, line.id),
                "issued_at": self._clock.now().isoformat(timespec="seconds"),
            },
        )


RECEIPT = "meterai-line-receipt"
ENTRY_RECEIPT = "meterai-draw-entry"


def _holder_of(line: UUID, account: UUID) -> bytes:
    """Return the id (16 bytes) under which an account holds its turns in a waiting line, derived from the ids of both."""
    told = b"early turn\n" + line.bytes + account.bytes
    return hashlib.sha256(told).digest()[:HOLDER_BYTES]


def _ticket_of(line: WaitingLine, kept: KeptPlace) -> Ticket:
    shown = (kept.shown_low, kept.shown_high)
    taken_at = ms(kept.taken_at)
    return Ticket(
        line.id, kept.number, kept.holder, taken_at, *shown, serial=kept.serial, since=kept.since
    )


async def _drop(_line: UUID, _first: int, _end: int) -> None:
    """Give up leased serials of spaced places that were not used: they need not be returned as unused numbers are.

    Spaced places are not called in the order of their serials, and there are enough serials.
    """
