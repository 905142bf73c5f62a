"""Acts on cases, each in a separate transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import structlog

from meterai import accounts, sealing
from meterai.accounts import normalized
from meterai.cases import steps, store
from meterai.cases.answers import answer
from meterai.cases.events import ComplaintSent
from meterai.cases.gathering import NOTHING, CaseFacts, about_order
from meterai.cases.model import (
    CASE_KIND,
    CASE_SUBJECT,
    OF_MONEY,
    CameMeanwhile,
    Case,
    CaseEvent,
    CaseMessage,
    CaseOutcome,
    Complaint,
    ComplaintSubject,
    DueCase,
    Filter,
    Matter,
    PictureNone,
    TooManyCases,
    address_account,
    written,
)
from meterai.cases.settings import CaseSettings
from meterai.cases.steps import DigestedAnswer, Moment
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.networks import Buckets, nested
from meterai.plumbing.work.events import emit
from meterai.plumbing.work.periodic import each, run_row
from meterai.room import Offers
from meterai.room.timelines import found as find
from meterai.room.timelines import timeline
from meterai.sealing import PHOTO_BYTES_MAX, PhotoUnreadable

CLOSING = "close_cases"
BATCH = 100  # cases per run of the periodic task
LISTED_MAX = 100  # cases per page of staff
_ADDRESS_REFILLS_SECONDS = 3_600.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CaseTold:
    """A case with messages, picture ids, and the timeline of its subject."""

    case: Case
    messages: Sequence[CaseMessage]
    pictures: Sequence[UUID]
    happenings: Sequence[Happening]


class CaseService:
    """Takes complaints, answers them automatically from our records, and adds messages of people and staff."""

    def __init__(
        self, database: Database, gathering: CaseFacts, offers: Offers, settings: Settings, clock: Clock
    ) -> None:  # fmt: skip
        self._database = database
        self._gathering = gathering
        self._offers = offers
        self._settings = settings.of(CaseSettings)
        self._clock = clock
        most = self._settings.cases_per_hour_per_network_max
        self._networks = Buckets(most, _ADDRESS_REFILLS_SECONDS)
        self._addresses = Buckets(most, _ADDRESS_REFILLS_SECONDS)
        self._pool = sealing.Pool(processes=1)
        self._slots = sealing.Slots(1)

    def _now(self, actor: Actor) -> Moment:
        return Moment(self._clock.now(), actor, self._settings)

    def take_turn(self, network: str, address: str) -> None:
        """Count a complaint against the hourly quotas of its network and its address.

        Refuses `TooManyCases`.
        """
        names = nested(network)
        if not self._networks.take(names):
            raise TooManyCases("the limit of cases of a network is reached")
        if not self._addresses.take((address,)):
            self._networks.give_back(names)
            raise TooManyCases("the limit of cases of an address is reached")

    async def redrawn(self, picture: bytes, client: str) -> bytes:
        """Return a picture re-encoded as WebP.  Refuses `PictureNone`, `ExaminationBusy`."""
        if not 0 < len(picture) <= PHOTO_BYTES_MAX:
            raise PictureNone("the picture is empty, or larger than the limit")
        try:
            return await self._pool.finish(sealing.redrawing(picture), client, self._slots)
        except PhotoUnreadable:
            raise PictureNone("the picture cannot be decoded") from None

    # -- complaints --------------------------------------------------------------------------------

    async def complain(
        self, account: UUID, complaint: Complaint, *, actor: Actor, staff: UUID | None = None
    ) -> Case:
        """Take a complaint of an account, or one that a member of staff enters; answer it from our records if possible.

        Refuses `TooManyCases`, `TooManyPictures`, `IdempotencyKeyReused`.
        """
        about, found = await self._looked_up(account, complaint)
        taking = partial(
            steps.take,
            account=account,
            complaint=complaint,
            about=about,
            found=found,
            now=self._now(actor),
            staff=staff,
        )
        try:
            return await self._database.run(taking)
        except CameMeanwhile:
            return await self._database.run(taking)

    async def _looked_up(
        self, account: UUID, complaint: Complaint
    ) -> tuple[ComplaintSubject, DigestedAnswer | None]:
        """Return the subject of a complaint, and the automatic answer; None as answer if our records do not answer it.

        If the complaint names no subject, `CaseFacts.meant` chooses an order.  A subject of another account is treated like one
        that does not exist, so that nothing about it is revealed.
        """
        if complaint.digest is not None or complaint.about.strip():
            about = await self._gathering.about(account, complaint)
        else:
            about = await self._gathering.meant(account, complaint.matter)
        if about.order is not None and complaint.matter in OF_MONEY:
            await self._gathering.ask_the_bank(account, about.order)
        return about, await self._found(account, complaint.matter, about)

    async def _found(
        self, account: UUID, matter: Matter, about: ComplaintSubject
    ) -> DigestedAnswer | None:
        facts = await self._gathering.of(account, about)
        said = answer(matter, facts) if facts is not None else None
        return (
            DigestedAnswer(said, facts.digest) if said is not None and facts is not None else None
        )

    async def send(self, email: str, network: str, complaint: Complaint) -> None:
        """Take a complaint without sign-in; its answer goes by mail.

        Nothing is looked up here: neither the answer nor its time reveals whether the order or the address exists.
        Refuses `Malformed`, `TooManyCases`.
        """
        address = normalized(email)
        self.take_turn(network, address)

        async def tell(tx: Tx) -> None:
            await emit(
                tx,
                ComplaintSent(
                    account=address_account(address),
                    case=new_id(),
                    email=address,
                    language=complaint.language,
                    matter=complaint.matter,
                    about=complaint.about,
                    words=complaint.words,
                ),
            )

        await self._database.run(tell)

    async def take_sent(self, tx: Tx, event: ComplaintSent) -> None:
        """Open the case of a complaint without sign-in, under the key of its address.

        The case is answered from our records if the account with that address owns the subject.  The bank is not asked, since
        only a signed-in account may cause such queries.
        """
        complaint = Complaint(
            Matter(event.matter),
            event.words,
            event.language,
            event.about,
            key=f"sent:{event.case}",
            contact=event.email,
        )
        about, found = NOTHING, None
        account = await accounts.account_known(tx, event.email)
        if account is not None:
            named = await self._gathering.about(account, complaint)
            found = await self._found(account, complaint.matter, named)
            about = named if found is not None else NOTHING
        now = self._now(Actor(ActorKind.JOB, "take_complaint"))
        if not await steps.take_unsigned(tx, complaint, about, found, now):
            _log.warning("complaint_beyond_bound", case=str(event.case))

    # -- the person --------------------------------------------------------------------------------

    async def keys_of(self, account: UUID) -> tuple[UUID, ...]:
        """Return the keys under which the cases of a person are stored.

        These are the id of the account and, for cases sent without sign-in, the key derived from its mail address.
        """
        async with self._database.reading() as tx:
            try:
                contact = await accounts.contact(tx, account)
            except NotFound:
                return (account,)
        return (account, address_account(contact.email)) if contact.email else (account,)

    async def mine(self, account: UUID, case_id: UUID) -> Case:
        """Return a case of an account.  Refuses `NotFound`."""
        for key in await self.keys_of(account):
            if (case := await self._database.once(store.case, key, case_id)) is not None:
                return case
        raise NotFound("no such case of this account")

    async def page(self, account: UUID, page: ListPage) -> tuple[list[Case], bool]:
        """Return a page of the cases of an account, newest first, and whether there are older ones."""
        keys = await self.keys_of(account)
        return page.cut(
            await self._database.once(store.cases_of_accounts, keys, page.before, page.wanted)
        )

    async def told(self, case: Case) -> CaseTold:
        """Return all that is shown of a case.  The timeline includes entries for staff, which the person's pages leave out."""
        async with self._database.reading() as tx:
            return CaseTold(
                case,
                await store.messages(tx, case),
                await store.pictures(tx, case),
                await timeline(tx, self._offers, subject_of(case)),
            )

    async def picture(self, case: Case, picture_id: UUID) -> bytes:
        """Return a picture of a case, in WebP.  Refuses `NotFound`."""
        found = await self._database.once(store.picture, case, picture_id)
        if found is None:
            raise NotFound("no such picture of this case")
        return found

    async def say(self, case: Case, words: str, pictures: Sequence[bytes], *, actor: Actor) -> Case:
        """Add a message of the person, as `steps.say` does, in a new transaction."""
        act = partial(steps.say, words=written(words), pictures=pictures, now=self._now(actor))
        return await self._with(case, act)

    async def not_answered(self, case: Case, words: str, *, actor: Actor) -> Case:
        """Send a case to staff, as `steps.not_answered` does, in a new transaction; `words` may be empty."""
        said = written(words) if words.strip() else ""
        return await self._with(case, partial(steps.not_answered, words=said, now=self._now(actor)))

    async def accept(self, case: Case, *, actor: Actor) -> Case:
        """Close a case that the person accepts as answered, in a new transaction (`steps.accept`)."""
        return await self._with(case, partial(steps.accept, now=self._now(actor)))

    async def _with(self, of: Case, act: Callable[..., Awaitable[Case]]) -> Case:
        async def locked(tx: Tx) -> Case:
            return await act(tx, await steps.locked(tx, of.account, of.id))

        return await self._database.run(locked)

    # -- staff -------------------------------------------------------------------------------------

    async def one(self, case_id: UUID) -> Case:
        """Return a case of any account, for staff.  Refuses `NotFound`."""
        found = await self._database.once(store.case_by_id, case_id)
        if found is None:
            raise NotFound("no such case")
        return found

    async def listed(self, filtered: Filter, number: int) -> tuple[list[Case], int]:
        """Return a page (`number`, from 1) of the cases that match a filter, and the number of all that match.

        Cases sent without sign-in come last; the others are sorted by urgency.
        """
        async with self._database.reading() as tx:
            count = await store.count(tx, filtered)
            skipped = (number - 1) * LISTED_MAX
            return await store.listed(tx, filtered, LISTED_MAX, skipped), count

    async def own(self, case: Case, staff: UUID, *, actor: Actor) -> None:
        """Assign a case to a member of staff."""

        async def act(tx: Tx) -> None:
            await steps.own(
                tx, await steps.locked(tx, case.account, case.id), staff, self._now(actor)
            )

        await self._database.run(act)

    async def write_as_staff(
        self, case: Case, event: CaseEvent, words: str, staff: UUID, *, actor: Actor,
        outcome: CaseOutcome | None = None,
    ) -> Case:  # fmt: skip
        """Answer a case, ask its person, or close it, as staff.  Refuses `Malformed`, `NotAllowedNow`, `CaseFull`."""
        act = partial(
            steps.write_as_staff,
            words=written(words),
            staff=staff,
            now=self._now(actor),
            event=event,
            outcome=outcome,
        )
        return await self._with(case, act)

    async def open_as_staff(self, complaint: Complaint, staff: UUID, *, actor: Actor) -> Case:
        """Open a case for a complaint that a buyer made to staff.

        Refuses `NotFound` if the complaint names no order or stamping of this installation.
        """
        async with self._database.reading() as tx:
            subjects = await find(tx, self._offers, complaint.about, 1)
        accounts_of = [one.account for one in subjects if one.account is not None]
        if not accounts_of:
            raise NotFound("no object has this identifier")
        complaint = replace(complaint, words=written(complaint.words))
        return await self.complain(accounts_of[0], complaint, actor=actor, staff=staff)

    # -- automatic ---------------------------------------------------------------------------------

    async def money_is_back(self, tx: Tx, account: UUID, order: UUID) -> None:
        """Close the cases about the money of an order after a settled refund, once all its money has left the platform."""
        cases = await store.open_cases_of_order(tx, account, order)
        wanted = [one for one in cases if one.matter in OF_MONEY]
        if not wanted:
            return
        facts = await self._gathering.of(account, about_order(order))
        if facts is None or facts.order is None or facts.order.money.in_flight:
            return
        said = answer(Matter.REFUND_WHERE, facts)
        if said is None or not said.code.startswith("refund_settled"):
            return
        now = self._now(Actor(ActorKind.JOB, "close_with_money"))
        for case in wanted:
            await steps.money_is_back(tx, case, DigestedAnswer(said, facts.digest), now)

    async def close_silent(self) -> int:
        """Periodic task: close cases that waited for the person who complained, and got no reply in time."""
        found = await self._database.once(store.to_close, self._clock.now(), BATCH)
        return await each(self._database, CLOSING, found, self._close_silent, subject="case")

    async def _close_silent(self, due: DueCase) -> None:
        now = self._now(Actor(ActorKind.JOB, CLOSING))

        async def close(tx: Tx) -> None:
            case = await steps.locked(tx, due.account, due.case)
            if case.closes_at is not None and case.closes_at <= now.at:
                await steps.move(tx, case, CaseEvent.TIME_RAN_OUT, now, CaseOutcome.SILENT)

        await run_row(self._database, close)


def subject_of(case: Case) -> Subject:
    """Return the subject whose timeline is shown with a case: its order or stamping, or else the case itself.

    A case sent without sign-in always has its own timeline.
    """
    if case.about and not case.is_unsigned:
        return Subject(about_kind(case), case.about, case.account)
    return Subject(CASE_SUBJECT.kind, show(CASE_KIND, case.id), case.account)


def about_kind(case: Case) -> str:
    """Return the kind of the subject that a case is about: order or stamping."""
    return SubjectKind.STAMPING if case.order is None else SubjectKind.ORDER
