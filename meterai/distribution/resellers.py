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
RESELLERS_MAX = 200  # of one distributor that have not ended; a list that a person can read


class ResellerView(msgspec.Struct, frozen=True, kw_only=True):
    """A reseller and its distributor, for either of them.  Amounts in whole rupiah.

    `day_rupiah` is what it may sell of the deposit in a day (WIB), `left_today` what of it is left; `fee` is its own of each
    stamp.
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
    """One day (WIB) of a reseller, in whole rupiah: what the deposit paid of its sales, and what of any came back."""

    day: date
    sales: int
    sold: int
    returned: int


class SoldView(msgspec.Struct, frozen=True, kw_only=True):
    """What a reseller sold from a moment to before another, in whole rupiah; days without any are left out."""

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
        """Return the resellers of a distributor, including ended ones. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            await load(tx, distributor)
            return [_view(one) for one in await store.resellers(tx, distributor, self._clock.now())]

    async def reseller(self, distributor: UUID, account: UUID) -> ResellerView:
        """Return one of its resellers. Refuses `NotFound`."""
        found = await self._database.once(store.reseller, distributor, account, self._clock.now())
        return _view(_existing(found))

    async def invite(
        self, distributor: UUID, account: UUID, terms: ResellerTerms, *, actor: Actor
    ) -> ResellerView:
        """Invite an account as a reseller, or change an offer that is not accepted yet. A mail announces the first
        offer.

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
        """Pause a reseller. A repeat changes nothing. Refuses `NotFound`, `NotAllowedNow`."""
        return await self._move(distributor, account, ResellerEvent.PAUSED, actor)

    async def resume(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Resume a reseller. A repeat changes nothing. Refuses `NotFound`, `NotAllowedNow`."""
        return await self._move(distributor, account, ResellerEvent.RESUMED, actor)

    async def end(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """End a reseller and tell it by mail, or withdraw an invitation. Waiting sales stay as they are.

        A repeat changes nothing. Refuses `NotFound`.
        """
        return await self._move(distributor, account, ResellerEvent.ENDED, actor)

    # -- by the reseller --------------------------------------------------------------------

    async def offers(self, account: UUID) -> list[ResellerView]:
        """Return the invitations of an account, and the distributors for which it sells."""
        at = self._clock.now()
        return [_view(one) for one in await self._database.once(store.distributors_of, account, at)]

    async def accept(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Accept: sell from the deposit of a distributor from now on. A repeat changes nothing.

        Refuses `NotFound`, `NotAllowedNow`, `SellsAlready`.
        """
        return await self._move(distributor, account, ResellerEvent.ACCEPTED, actor)

    async def leave(self, distributor: UUID, account: UUID, *, actor: Actor) -> ResellerView:
        """Decline an invitation, or stop selling. Waiting sales stay as they are. A repeat changes nothing.

        Refuses `NotFound`.
        """
        return await self._move(distributor, account, ResellerEvent.ENDED, actor, is_own=True)

    async def sold(self, distributor: UUID, account: UUID, of: StatementSpan) -> SoldView:
        """Return the sales of a reseller, by day. Refuses `NotFound`."""
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
        """Return the sales of an account as a reseller, current or former. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            desk = await desk_of(tx, account)
        if desk.reseller is None:
            raise NotFound("the account is no reseller")
        return await self.sold(desk.distributor, account, of)

    # -- shared parts -----------------------------------------------------------------------

    async def _locked(self, tx: Tx, distributor: UUID) -> Distributor:
        """Return the distributor, locked against sales and changes of terms. Refuses `NoDistributor`."""
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
                raise SellsAlready("it sells from another deposit")
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
        """Tell an account by mail about an act of its distributor. Its trail has the act, as the cause of the mail."""
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
    """Record in the trail of the distributor, without the name of the shop, which may be that of a person."""
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
