"""Resellers: accounts that sell from the deposit of a distributor, one level below it, within a daily limit."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from meterai import accounts, notifications, trail
from meterai.distribution import store
from meterai.distribution.model import (
    RESELLER,
    AlreadyReseller,
    Distributor,
    DistributorState,
    FeesTooHigh,
    Reseller,
    ResellerEvent,
    ResellerState,
    ResellerTerms,
    SellerNotOpen,
    SellsAlready,
    TooManyResellers,
)
from meterai.distribution.service import desk_of, load
from meterai.distribution.settings import DistributionSettings
from meterai.distribution.statement import StatementSpan
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx

NAME_LENGTH_MAX = 60  # characters, on pages and in mails of buyers
RESELLERS_MAX = 200  # of one distributor, without ended ones; a list that a person can read


class ResellerView(msgspec.Struct, frozen=True, kw_only=True):
    """A reseller and its distributor, as both of them see it.  Amounts in whole rupiah.

    `day_rupiah` is the part of the deposit that the reseller may sell in a day (WIB); `left_today` is the part that is left
    today.  `fee` is the reseller's fee for each stamp.
    """

    account: str
    name: str
    state: str
    fee: int
    day_rupiah: int
    sold_today: int
    left_today: int
    distributor: str
    distributor_name: str


class SoldDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day (WIB) of a reseller, in whole rupiah: `sold` was taken from the deposit, `returned` was returned to it."""

    day: date
    sales: int
    sold: int
    returned: int


class SoldView(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a reseller from `begins` to before `ends`, in whole rupiah; days without sales or returns are left out."""

    begins: datetime
    ends: datetime
    sales: int
    sold: int
    returned: int
    days: list[SoldDay]


def _view(one: Reseller) -> ResellerView:
    return ResellerView(
        account=show("acc", one.account),
        name=one.name,
        state=one.state,
        fee=one.fee,
        day_rupiah=one.day_rupiah,
        sold_today=one.sold_today,
        left_today=max(0, one.day_rupiah - one.sold_today),
        distributor=show("acc", one.distributor),
        distributor_name=one.distributor_name,
    )


class ResellerService:
    """Commands of distributors about their resellers, and of resellers about themselves."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._own = settings.of(DistributionSettings)
        self._clock = clock

    # -- by the distributor -----------------------------------------------------------------

    async def resellers(self, distributor: UUID) -> list[ResellerView]:
        """Return the resellers of a distributor, also those that ended. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            await load(tx, distributor)
            return [_view(one) for one in await store.resellers(tx, distributor, self._clock.now())]

    async def reseller(self, distributor: UUID, account: UUID) -> ResellerView:
        """Return a reseller of a distributor, by its account. Refuses `NotFound`."""
        found = await self._database.once(store.reseller, distributor, account, self._clock.now())
        return _view(_existing(found))

    async def invite(
        self, distributor: UUID, account: UUID, terms: ResellerTerms, *, actor: Actor
    ) -> ResellerView:
        """Invite an account as a reseller, or change an invitation that is not accepted yet. The first invitation is announced
        by mail.

        Refuses `Malformed`, `FeesTooHigh`, `NoDistributor`, `SellerNotOpen`, `NotFound`, `AlreadyReseller`,
        `TooManyResellers`.
        """
        if account == distributor:
            raise Malformed("account", "another_value")

        async def invite(tx: Tx) -> None:
            seller = await self._locked(tx, distributor)
            if seller.state not in (DistributorState.APPROVED, DistributorState.OPEN):
                raise SellerNotOpen(state=seller.state)
            found = await store.reseller(tx, distributor, account, self._clock.now())
            if found is None or found.state == ResellerState.ENDED:
                await accounts.contact(tx, account)
                if await store.count_resellers(tx, distributor) >= RESELLERS_MAX:
                    raise TooManyResellers(resellers_max=RESELLERS_MAX)
            elif found.state != ResellerState.INVITED:
                raise AlreadyReseller("it sells already")
            await self._set(tx, seller, account, ResellerState.INVITED, terms)
            await _record(
                tx, distributor, account, "invited", ResellerState.INVITED, actor, terms=terms
            )
            if found is None or found.state == ResellerState.ENDED:
                facts: dict[str, object] = {"name": seller.name, "shop": terms.name}
                facts |= {"day": str(Rupiah(terms.day_rupiah)), "fee": str(Rupiah(terms.fee))}
                await self._tell(tx, distributor, account, "reselling_invited", actor, facts)

        await self._database.run(invite)
        return await self.reseller(distributor, account)

    async def change(
        self, distributor: UUID, account: UUID, terms: ResellerTerms, *, actor: Actor
    ) -> ResellerView:
        """Change the terms of a reseller, from the next sale on. Refuses `Malformed`, `FeesTooHigh`, `NotFound`,
        `NotAllowedNow`.
        """

        async def change(tx: Tx) -> None:
            seller = await self._locked(tx, distributor)
            found = _existing(await store.reseller(tx, distributor, account, self._clock.now()))
            RESELLER.after(found.state, ResellerEvent.ENDED)  # an ended reseller keeps its terms
            await self._set(tx, seller, account, found.state, terms)
            await _record(tx, distributor, account, "changed", found.state, actor, terms=terms)

        await self._database.run(change)
        return await self.reseller(distributor, account)

    async def pause(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Stop a reseller from selling for now. A repeat changes nothing. Refuses `NotFound`, `NotAllowedNow`."""
        return await self._move(distributor, account, ResellerEvent.PAUSED, actor)

    async def resume(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Let a paused reseller sell again. A repeat changes nothing. Refuses `NotFound`, `NotAllowedNow`."""
        return await self._move(distributor, account, ResellerEvent.RESUMED, actor)

    async def end(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """End a reseller, and notify it by mail; or withdraw an invitation, without a mail.

        Sales of the reseller that wait for the deposit remain waiting. A repeat changes nothing. Refuses `NotFound`.
        """
        return await self._move(distributor, account, ResellerEvent.ENDED, actor)

    # -- by the reseller --------------------------------------------------------------------

    async def offers(self, account: UUID) -> list[ResellerView]:
        """Return an entry for each distributor that invited an account, and for the distributor for which the account sells."""
        at = self._clock.now()
        return [_view(one) for one in await self._database.once(store.distributors_of, account, at)]

    async def accept(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Accept an invitation: the account sells from the deposit of a distributor from now on. A repeat changes nothing.

        Refuses `NotFound`, `NotAllowedNow`, `SellsAlready`.
        """
        return await self._move(distributor, account, ResellerEvent.ACCEPTED, actor)

    async def leave(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Decline an invitation, or stop selling for a distributor. Sales that wait for its deposit still wait. A repeat
        changes nothing.

        Refuses `NotFound`.
        """
        return await self._move(distributor, account, ResellerEvent.ENDED, actor, is_own=True)

    async def sold(self, distributor: UUID, account: UUID, of: StatementSpan) -> SoldView:
        """Return number and rupiah of the sales of a reseller, and the rupiah returned, by day of a period.

        Refuses `NotFound`.
        """
        async with self._database.reading() as tx:
            _existing(await store.reseller(tx, distributor, account, self._clock.now()))
            found = await store.sold_by_day(tx, distributor, account, of.begins, of.ends)
        return SoldView(
            begins=of.begins,
            ends=of.ends,
            sales=sum(one.sales for one in found),
            sold=sum(one.sold for one in found),
            returned=sum(one.returned for one in found),
            days=[SoldDay(**one._asdict()) for one in found],
        )

    async def sold_by(self, account: UUID, of: StatementSpan) -> SoldView:
        """Return the same as `sold`, for the distributor for which the account sells or sold last. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            desk = await desk_of(tx, account)
        if desk.reseller is None:
            raise NotFound("the account is no reseller")
        return await self.sold(desk.distributor, account, of)

    # -- shared parts -----------------------------------------------------------------------

    async def _locked(self, tx: Tx, distributor: UUID) -> Distributor:
        """Lock a distributor against sales and changes of its terms, and return it. Refuses `NoDistributor`."""
        await store.lock(tx, distributor)
        return await load(tx, distributor)

    async def _set(
        self,
        tx: Tx,
        seller: Distributor,
        account: UUID,
        state: ResellerState,
        terms: ResellerTerms,
    ) -> None:
        own = self._own
        if not 1 <= len(terms.name) <= NAME_LENGTH_MAX or not terms.name.isprintable():
            raise Malformed("name", "shown_text", length_max=NAME_LENGTH_MAX)
        for field, number, least, most in (
            ("fee", terms.fee, 0, own.distribution_fee_rupiah_max),
            ("day_rupiah", terms.day_rupiah, 1, own.deposit_rupiah_max),
        ):
            if not least <= number <= most:
                raise Malformed(field, "within_bounds", maximum=most)
        fees, fees_max = seller.fee + terms.fee, own.distribution_fee_rupiah_max
        if fees > fees_max:
            raise FeesTooHigh(fees=fees, fees_max=fees_max)
        await store.set_reseller(
            tx,
            seller.account,
            account,
            state,
            terms,
            distributor_fee=seller.fee,
            fees_max=fees_max,
        )

    async def _move(
        self,
        distributor: UUID,
        account: UUID,
        event: ResellerEvent,
        actor: Actor,
        *,
        is_own: bool = False,
    ) -> ResellerView:
        async def move(tx: Tx) -> None:
            await store.lock(tx, distributor)
            found = _existing(await store.reseller(tx, distributor, account, self._clock.now()))
            if found.state == _TARGETS[event]:
                return
            state = RESELLER.after(found.state, event)
            if event == ResellerEvent.ACCEPTED and not await store.claim(tx, account, distributor):
                raise SellsAlready("the account sells from another deposit")
            if event == ResellerEvent.ENDED:
                await store.release(tx, account, distributor)
            await store.set_reseller_state(tx, distributor, account, state)
            await _record(tx, distributor, account, event, state, actor)
            sold = found.state != ResellerState.INVITED
            if event == ResellerEvent.ENDED and sold and not is_own:
                facts: dict[str, object] = {"name": found.distributor_name, "shop": found.name}
                await self._tell(tx, distributor, account, "reselling_ended", actor, facts)

        await self._database.run(move)
        return await self.reseller(distributor, account)

    async def _tell(
        self,
        tx: Tx,
        distributor: UUID,
        account: UUID,
        what: str,
        actor: Actor,
        facts: dict[str, object],
    ) -> None:
        """Record an act of a distributor in the audit trail of a reseller, and queue the mail that tells the reseller."""
        at, subject = self._clock.now().isoformat(), show("acc", distributor)
        await trail.record(tx, account, actor=actor, action=what, subject=subject, at=at)
        cause = f"{what}:{subject}:{at}"
        await notifications.queue(tx, account, cause=cause, template=what, facts=facts)


_TARGETS = {event: state for _, event, state in RESELLER.edges()}


def _existing(found: Reseller | None) -> Reseller:
    if found is None:
        raise NotFound("no such reseller of this distributor")
    return found


async def _record(
    tx: Tx,
    distributor: UUID,
    account: UUID,
    what: str,
    state: ResellerState,
    actor: Actor,
    *,
    terms: ResellerTerms | None = None,
) -> None:
    """Record an act on a reseller in the audit trail of its distributor.

    The name of the reseller's shop is left out, since it may name a person.
    """
    facts = {"fee": terms.fee, "day_rupiah": terms.day_rupiah} if terms else {}
    await trail.record(
        tx,
        distributor,
        actor=actor,
        action=f"reseller_{what}",
        subject=show("acc", account),
        state=state,
        **facts,
    )
