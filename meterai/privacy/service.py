"""Data requests of people: copies, and erasures over all rooms."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from meterai import accounts, notifications, trail
from meterai.documents import Keeper, Removal, Timeline
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.db.personal import Consent, ErasureWait, Fate, KeepReason, Person, Personal
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.work.periodic import each, run_row
from meterai.privacy import store
from meterai.privacy.copies import (
    FILES_AT_ONCE,
    FILES_MAX,
    ROWS_AT_ONCE,
    ROWS_MAX,
    Copy,
    gather,
    zipped,
)
from meterai.privacy.model import (
    COPIES_PER_DAY_MAX,
    COPY,
    COPY_KEPT,
    ERASURE,
    CopyEvent,
    CopyState,
    DueRequest,
    ErasureEvent,
    ErasureState,
    PrivacyRequestKind,
    Request,
    StaffNotErased,
    TooManyCopies,
    object_of,
    request_of,
)
from meterai.privacy.settings import PrivacySettings

BATCH = 20  # requests per run of a task
REQUESTS_SHOWN_MAX = 20
# Time from closing to erasing an account. Every process notices the end of a session within 5 seconds
# (`accounts`), and clocks differ a little.
SHUT_FOR = timedelta(seconds=15)
# Interval at which a waiting erasure is checked again.
LOOKS_AGAIN = timedelta(hours=1)
SWEPT_EVERY = timedelta(days=2)  # longer than the day for which a mail is tried
# By then the bank has reported every payment, since its nightly records are reconciled.
SWEPT_FOR = timedelta(days=30)
ERASE_SECONDS_MAX = 120  # per statement: enough for an account with a million labels
# Between condemning and deleting an object: several deletion passes of the store.
COPY_GRACE = timedelta(minutes=5)
# Erased last, because the other rooms need the mail address to find their rows.
_LAST = "accounts"


class _Open(Exception):
    """Raised if a session was opened, or pending work began, after the account was closed for its erasure."""


@dataclass(frozen=True, slots=True)
class Mine:
    """Content of the page of personal data of a person."""

    email: str
    is_staff: bool
    requests: Sequence[Request]
    fates: Mapping[str, Sequence[Fate]]  # by room
    waits: Sequence[ErasureWait]
    consents: Sequence[tuple[str, Consent]]  # each with the name of its room

    def open(self, kind: PrivacyRequestKind) -> Request | None:
        """Return the open request of a kind; None if there is no such request."""
        return next((one for one in self.requests if one.kind == kind and not one.ended_at), None)


class PrivacyService:
    """Makes copies of personal data, and erases people."""

    def __init__(
        self,
        database: Database,
        rooms: Mapping[str, Personal],
        objects: ObjectStore,
        stores: tuple[Timeline, Removal],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        # From the highest room to the lowest, so that dependent rows are erased first.
        ordered = [*(name for name in reversed(list(rooms)) if name != _LAST), _LAST]
        self.rooms = {name: rooms[name] for name in ordered if name in rooms}
        self._objects = objects
        self._timeline, self._removal = stores
        self._settings = settings
        self.delay_days = settings.of(PrivacySettings).erasure_delay_days
        self._clock = clock
        self._removal.add(
            Keeper(COPY_GRACE, lambda name: request_of(name) is not None, self._wanted)
        )

    async def _wanted(self, names: Sequence[str]) -> set[str]:
        named = [one for name in names if (one := request_of(name))]
        return {object_of(one) for one in await self._database.once(store.kept_copies, named)}

    async def mine(self, account: UUID) -> Mine:
        """Return the data requests and consents of a person, and the forecast of an erasure."""
        async with self._database.reading() as tx:
            person = await _person(tx, account)
            consents = [
                (name, consent)
                for name, room in self.rooms.items()
                if room.consents
                for consent in await room.consents.given(tx, person)
            ]
            return Mine(
                person.email,
                await accounts.is_staff(tx, account),
                await store.requests_of_account(tx, account, REQUESTS_SHOWN_MAX),
                {name: await room.forecast(tx, person) for name, room in self.rooms.items()},
                await self._waits(tx, person),
                consents,
            )

    async def _waits(self, tx: ReadTx, person: Person) -> list[ErasureWait]:
        return [one for room in self.rooms.values() for one in await room.waiting(tx, person)]

    async def withdraw_consent(
        self, account: UUID, room: str, word: str, which: str, *, actor: Actor
    ) -> None:
        """Withdraw a consent of a person. `room` is the room that recorded the consent, `word` its name, and `which` identifies
        what it was given for. Refuses `NotFound`.
        """
        consents = self.rooms[room].consents if room in self.rooms else None
        if consents is None:
            raise NotFound("no such consent")

        async def act(tx: Tx) -> None:
            await consents.withdraw(tx, await _person(tx, account), which)
            await trail.record(
                tx,
                account,
                actor=actor,
                action="consent_withdrawn",
                subject=show("acc", account),
                consent=word,
                which=which,
            )

        await self._database.run(act)

    # -- copies ----------------------------------------------------------------------------------

    async def ask_copy(self, account: UUID, *, actor: Actor) -> bytes | None:
        """Request a copy.  Return the zip if it is small; else return None, and a periodic task makes the copy.

        A repeat while a copy is being made or stored changes nothing and returns None.  Refuses `TooManyCopies`.
        """
        now, request = self._clock.now(), new_id()

        async def ask(tx: Tx) -> bool:
            # Only one of several concurrent requests is inserted. The others wait here for it, and do not count.
            if not await store.insert(
                tx,
                account,
                request,
                PrivacyRequestKind.COPY,
                at=now,
                acts_at=None,
                look_at=now + LOOKS_AGAIN,
            ):
                return False
            since = now - timedelta(days=1)
            if await store.count_copies(tx, account, since) > COPIES_PER_DAY_MAX:
                raise TooManyCopies
            subject = show("prv", request)
            await trail.record(tx, account, actor=actor, action="copy_asked", subject=subject)
            return True

        if not await self._database.run(ask):
            return None
        copy = await self.copy_of(account, (ROWS_AT_ONCE, FILES_AT_ONCE))
        if copy.is_cut:
            await self._database.run(partial(_look_now, account=account, request=request, at=now))
            return None
        content = await asyncio.to_thread(zipped, copy)
        await self._database.run(
            partial(self._written, account=account, request=request, is_kept=False)
        )
        return content

    async def copy_of(self, account: UUID, most: tuple[int, int]) -> Copy:
        """Return the data of a person; `most` limits rows per table and files per room.  Refuses `NotFound`."""
        async with self._database.reading() as tx:
            person = await _person(tx, account)
            return await gather(tx, self.rooms, person, self._settings, self._clock.now(), most)

    async def _written(self, tx: Tx, account: UUID, request: UUID, *, is_kept: bool) -> None:
        found = await store.locked(tx, account, request)
        if found is None or found.state != CopyState.ASKED:
            return
        now = self._clock.now()
        state = COPY.after(CopyState.ASKED, CopyEvent.WRITTEN)
        if not is_kept:
            state = COPY.after(state, CopyEvent.LET_GO)
        await store.move(
            tx,
            found,
            state,
            look_at=now + COPY_KEPT if is_kept else None,
            answered_at=now,
            ended_at=None if is_kept else now,
        )
        await trail.record(
            tx,
            account,
            actor=Actor(ActorKind.JOB, "privacy.make_copies"),
            action="copy_made",
            subject=found.shown,
            kept=is_kept,
        )
        await _tell(tx, found, "copy_made", at=_times(now))

    async def fetch_copy(self, account: UUID) -> bytes:
        """Return the stored copy as a zip.  Refuses `NotFound`."""
        async with self._database.reading() as tx:
            found = await store.requests_of_account(tx, account, REQUESTS_SHOWN_MAX)
        made = [
            one
            for one in found
            if one.kind == PrivacyRequestKind.COPY and one.state == CopyState.MADE
        ]
        content = await self._objects.get(made[0].object) if made else None
        if content is None:
            raise NotFound("no copy is stored")
        return content

    async def make_copies(self) -> int:
        """Periodic task: make the requested copies, one after another; return their number."""
        found = await self._due(store.COPIES, PrivacyRequestKind.COPY, CopyState.ASKED)
        return await each(
            self._database, store.COPIES, found, self._make, subject="request", at_once=1
        )

    async def _make(self, due: DueRequest) -> None:
        copy = await self.copy_of(due.account, (ROWS_MAX, FILES_MAX))
        content = await asyncio.to_thread(zipped, copy)
        await self._timeline.check_writable()
        await self._objects.put(object_of(due.request), content)
        await run_row(self._database, self._written, due.account, due.request, is_kept=True)

    async def let_copies_go(self) -> int:
        """Periodic task: mark stored copies for deletion once their storage time of a day is over; return their number."""
        found = await self._due(store.LETTING_GO, PrivacyRequestKind.COPY, CopyState.MADE)
        return await each(self._database, store.LETTING_GO, found, self._let_go, subject="request")

    async def _let_go(self, due: DueRequest) -> None:
        async def act(tx: Tx) -> None:
            found = await store.locked(tx, due.account, due.request)
            if found is None or found.state != CopyState.MADE:
                return
            await self._removal.condemn(tx, [found.object], COPY_GRACE)
            state = COPY.after(CopyState.MADE, CopyEvent.LET_GO)
            await store.move(tx, found, state, look_at=None, ended_at=self._clock.now())

        await run_row(self._database, act)

    # -- erasures --------------------------------------------------------------------------------

    async def ask_erasure(self, account: UUID, *, actor: Actor) -> None:
        """Request an erasure. It is carried out after `erasure_delay_days`, once nothing is pending. A repeat changes
        nothing.

        Refuses `StaffNotErased`.
        """
        now = self._clock.now()
        acts_at, request = now + timedelta(days=self.delay_days), new_id()

        async def act(tx: Tx) -> None:
            if await accounts.is_staff(tx, account):
                raise StaffNotErased("a member of staff is erased after its roles end")
            person = await _person(tx, account)
            if not await store.insert(
                tx,
                account,
                request,
                PrivacyRequestKind.ERASURE,
                at=now,
                acts_at=acts_at,
                look_at=acts_at,
            ):
                return
            found = await store.request(tx, account, request)
            assert found is not None
            await trail.record(
                tx,
                account,
                actor=actor,
                action="erasure_asked",
                subject=found.shown,
                acts_at=acts_at.isoformat(),
            )
            waits = await self._waits(tx, person)
            said = {one: _waits_sentence(waits, one) for one in LANGUAGES}
            await _tell(tx, found, "erasure_asked", acts_at=_times(acts_at), waits=said)

        await self._database.run(act)

    async def withdraw_erasure(self, account: UUID, *, actor: Actor) -> None:
        """Withdraw an erasure that was not carried out yet.  Refuses `NotFound`."""

        async def act(tx: Tx) -> None:
            found = await store.open_of(tx, account, PrivacyRequestKind.ERASURE)
            if found is None:
                raise NotFound("no erasure was requested")
            state = ERASURE.after(ErasureState(found.state), ErasureEvent.WITHDRAWN)
            await store.move(tx, found, state, look_at=None, ended_at=self._clock.now())
            await trail.record(
                tx, account, actor=actor, action="erasure_withdrawn", subject=found.shown
            )
            await _tell(tx, found, "erasure_withdrawn")

        await self._database.run(act)

    async def carry_out_erasures(self) -> int:
        """Periodic task: advance due erasures (close the account, erase it, and later erase once more); return their
        number.
        """
        states = (ErasureState.ASKED, ErasureState.CLOSING, ErasureState.ERASED)
        found = await self._due(store.ERASURES, PrivacyRequestKind.ERASURE, *states)
        return await each(
            self._database, store.ERASURES, found, self._bring_on, subject="request", at_once=1
        )

    async def _bring_on(self, due: DueRequest) -> None:
        try:
            await run_row(self._database, self._step, due)
        except _Open:
            await run_row(self._database, self._shut_again, due)

    async def _step(self, tx: Tx, due: DueRequest) -> None:
        found = await store.locked(tx, due.account, due.request)
        if found is None or found.kind != PrivacyRequestKind.ERASURE:
            return
        await tx.allow(ERASE_SECONDS_MAX)
        match found.state:
            case ErasureState.ASKED:
                await self._close(tx, found)
            case ErasureState.CLOSING:
                await self._erase(tx, found)
            case ErasureState.ERASED:
                await self._sweep(tx, found)
            case _:
                pass  # withdrawn meanwhile

    async def _close(self, tx: Tx, found: Request) -> None:
        """End sessions and credentials of the account if nothing is pending; otherwise check again later."""
        now = self._clock.now()
        person = await _person(tx, found.account)
        waits = await self._waits(tx, person)
        if waits or await accounts.is_staff(tx, found.account):
            await store.move(tx, found, found.state, look_at=now + LOOKS_AGAIN)
            return
        await accounts.end_access(
            tx, found.account, actor=Actor(ActorKind.JOB, "privacy.carry_out_erasures"), at=now
        )
        state = ERASURE.after(ErasureState.ASKED, ErasureEvent.SHUT)
        await store.move(tx, found, state, look_at=now + SHUT_FOR)

    async def _erase(self, tx: Tx, found: Request) -> None:
        """Erase the account.  Raises `_Open` if a session was opened or pending work began since it was closed."""
        now = self._clock.now()
        person = await _person(tx, found.account)
        # From here on, a concurrent sign-in waits until the transaction ends.
        await accounts.remove_from_directory(tx, person)
        waits, opened = (
            await self._waits(tx, person),
            await accounts.end_access(
                tx, found.account, actor=Actor(ActorKind.JOB, "privacy.carry_out_erasures"), at=now
            ),
        )
        if waits or opened or await accounts.is_staff(tx, found.account):
            raise _Open
        contact = await accounts.contact(tx, found.account)
        fates = await self._erase_rooms(tx, person, now)
        await trail.record(
            tx,
            found.account,
            actor=Actor(ActorKind.JOB, "privacy.carry_out_erasures"),
            action="account_erased",
            subject=found.shown,
        )
        # Sent to the address that was just removed from the account. The next sweep removes it from the sent mail.
        await notifications.queue_to(
            tx,
            found.account,
            contact.email,
            contact.language,
            f"{found.shown}:erased",
            "account_erased",
            {"kept": {one: kept_sentences(fates, one) for one in LANGUAGES}},
        )
        state = ERASURE.after(ErasureState.CLOSING, ErasureEvent.DONE)
        told = [_fate_as_json(one) for one in fates]
        await store.move(tx, found, state, look_at=now + SWEPT_EVERY, ended_at=now, fates=told)

    async def _erase_rooms(self, tx: Tx, person: Person, at: datetime) -> list[Fate]:
        return [fate for room in self.rooms.values() for fate in await room.erase(tx, person, at)]

    async def _sweep(self, tx: Tx, found: Request) -> None:
        """Erase the person once more, because mails that were queued have been sent since, and a payment may have
        arrived late.
        """
        now = self._clock.now()
        await self._erase_rooms(tx, Person(found.account, ""), now)
        assert found.ended_at is not None
        if now < found.ended_at + SWEPT_FOR:
            await store.move(tx, found, found.state, look_at=now + SWEPT_EVERY)
            return
        state = ERASURE.after(ErasureState.ERASED, ErasureEvent.SWEPT)
        await store.move(tx, found, state, look_at=None)

    async def _shut_again(self, tx: Tx, due: DueRequest) -> None:
        """If something is pending, schedule the next check after `LOOKS_AGAIN`. Otherwise end sessions that were opened since
        the account was closed, and schedule the next check after `SHUT_FOR`, when every process knows that they ended.
        """
        found = await store.locked(tx, due.account, due.request)
        if found is None or found.state != ErasureState.CLOSING:
            return
        now = self._clock.now()
        waits = await self._waits(tx, await _person(tx, due.account))
        if not waits:
            await accounts.end_access(
                tx, due.account, actor=Actor(ActorKind.JOB, "privacy.carry_out_erasures"), at=now
            )
        await store.move(tx, found, found.state, look_at=now + (LOOKS_AGAIN if waits else SHUT_FOR))

    async def _due(self, task: str, kind: PrivacyRequestKind, *states: str) -> Sequence[DueRequest]:
        now = self._clock.now()
        query = partial(store.due, task=task, kind=kind, states=states, now=now, limit=BATCH)
        return await self._database.once(query)


async def _look_now(tx: Tx, account: UUID, request: UUID, at: datetime) -> None:
    """Let the periodic task process a data request at its next run; `at` is the current time."""
    found = await store.locked(tx, account, request)
    if found is not None:
        await store.move(tx, found, found.state, look_at=at)


async def _person(tx: ReadTx, account: UUID) -> Person:
    found = await accounts.person_of(tx, account)
    if found is None:
        raise NotFound("no person signs in to this account")
    return found


async def _tell(tx: Tx, about: Request, template: str, /, **facts: object) -> None:
    """Queue a mail about a data request to the person who made it."""
    cause = f"{about.shown}:{template.rpartition('_')[2]}"
    await notifications.queue(tx, about.account, cause=cause, template=template, facts=facts)


def _times(at: datetime) -> dict[str, str]:
    return {one: format_datetime(at, one) for one in LANGUAGES}


def wait_sentence(one: ErasureWait, language: str) -> str:
    """Return the sentence about a reason for which an erasure waits, with its end or the necessary action."""
    said = translate(f"wait.{one.word}", language, count=one.number)
    if one.until is None:
        return said
    until = format_datetime(one.until, language)
    return f"{said} {translate('wait.until', language, until=until)}"


def _waits_sentence(waits: Sequence[ErasureWait], language: str) -> str:
    if not waits:
        return translate("wait.nothing", language)
    return " ".join(wait_sentence(one, language) for one in waits)


def kept_sentences(fates: Sequence[Fate], language: str) -> str:
    """Return one text about the data that an erasure keeps: for each reason, the tables and the end of retention."""
    lines = []
    for kept in KeepReason:
        of = [one for one in fates if one.kept == kept]
        if not of:
            continue
        # Only the name of a table is needed: the rest of its description lists data that are deleted too.
        names = ", ".join(
            translate(f"personal.{one.table}", language).partition(":")[0] for one in of
        )
        until = max((one.until for one in of if one.until), default=None)
        line = f"{names}: {translate(f'kept.{kept}', language)}"
        if until is not None:
            line += (
                f" ({translate('kept.until', language, until=format_datetime(until, language))})"
            )
        lines.append(line)
    return "\n".join(lines)


def _fate_as_json(fate: Fate) -> dict[str, object]:
    """Return the result of an erasure for one table as JSON, as it is stored with the erasure; it has no personal data."""
    return {
        "table": fate.table,
        "rows": fate.rows,
        "deletes": fate.deletes,
        "blanked": list(fate.blanked),
        "kept": fate.kept,
        "until": fate.until.isoformat() if fate.until else None,
    }
