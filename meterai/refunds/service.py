"""Refunds of orders: request, show and list them; begin refunds of orders that were not executed in time."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

import msgspec

from meterai import orders, payments, stamps, suspense, trail
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock, SystemClock
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound
from meterai.orders import OrderKey, OrderSettings, OrderState
from meterai.payments import WHOLESALE, Refund, RefundCause, Stage, Way
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.work.periodic import each, run_row
from meterai.refunds import store
from meterai.refunds.banks import DOTS, NUMBER_SHOWN, bank_name
from meterai.refunds.model import NothingToRefund, OrderTakesNoMoney

OVERDUE_BATCH = 200
DAY = timedelta(days=1)
NOTHING = Rupiah(0)
# States of an order whose unused stamps can be given back, as in order_return_unused.sql.
_GIVES_BACK = frozenset({OrderState.PAID, OrderState.EXECUTED, OrderState.CHARGED_BACK})


class RefundAccountState(StrEnum):
    """State of a bank account as the target of a refund."""

    NAMED = "named"  # the refund goes, or went, to this account
    HELD = "held"  # a person examines the account before the refund goes to it
    REFUSED = "refused"  # the bank takes no money for this account: the buyer must name another


class RefundAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A bank account of a refund: the name of its bank, and the last digits of its number.

    `state` is `named`: the refund goes, or went, to this account; `held`: a person examines the account first; or
    `refused`: the bank takes no money for this account, so name another.
    """

    state: str
    bank: str
    last: str

    @property
    def shown(self) -> str:
        """The account as shown to people: the bank and the last digits."""
        return f"{self.bank} {DOTS}{self.last}"


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund.  `amount` and `compensation` are in whole rupiah.

    `is_for_seller`: the order was paid from the deposit of a seller, to which the money returns; the buyer gets none of it.

    `way` is the route of the money: by the `provider` of its payment, by `transfer` to the bank account that the buyer named,
    or by `claim`: the buyer must name a bank account.  `stage` is the progress of the refund, and says more than `state`:
    whether something prevents sending it, whether it waits for a bank account, and whether the record of the bank confirms it.
    Right after it began, a refund has the stage `decided` and the way `provider`, until its way is chosen: query it again.
    `account` is the bank account of a refund that does not go back by its provider, once an account is named.

    The state `refused` is not final: the bank declined to send the money, which we still hold for the buyer.  We send it
    again automatically; past `due_at` the operator settles it with the bank: ask the operator and give `refund_number`.
    A refund in state `rerouted` continues as another refund, by another way.
    """

    id: str
    order_id: str
    state: str
    cause: str
    amount: int
    stamps: int
    currency: str
    requested_at: datetime
    due_at: datetime
    settled_at: datetime | None
    refund_number: str
    provider_refund_number: str | None
    way: str
    stage: str
    compensation: int  # for its lateness, so far
    account: RefundAccount | None = None
    is_for_seller: bool = False

    @property
    def way_word(self) -> str:
        """Last part of the message key `way.refund.*` for the way of this refund."""
        if self.is_for_seller:
            return "seller"
        if self.stage == Stage.DECIDED and self.way == Way.PROVIDER:
            return "undecided"
        return "account" if self.goes_to else self.way

    @property
    def stage_word(self) -> str:
        """Last part of the message key `stage.refund.*` for the stage of this refund."""
        is_waiting = self.stage == Stage.WAITING_FOR_ACCOUNT
        return f"{self.stage}.{self.account.state}" if is_waiting and self.account else self.stage

    @property
    def goes_to(self) -> str:
        """The bank account that was named for the refund, as shown to people; empty if no account was named."""
        one = self.account
        return one.shown if one and one.state == RefundAccountState.NAMED else ""


def shown(
    refund: Refund, compensation: Rupiah = NOTHING, account: RefundAccount | None = None
) -> RefundView:
    """Return a refund as the API and the pages show it."""
    return RefundView(
        id=show("rfd", refund.id),
        order_id=show("ord", refund.subject),
        state=refund.state,
        cause=refund.cause,
        amount=refund.amount.value,
        stamps=refund.stamps,
        currency="IDR",
        requested_at=refund.requested_at,
        due_at=refund.due_at,
        settled_at=refund.settled_at,
        refund_number=refund.number,
        provider_refund_number=refund.provider_number,
        way=refund.way,
        stage=payments.stage_of(refund),
        compensation=compensation.value,
        account=account,
        is_for_seller=is_for_seller(refund),
    )


def is_for_seller(refund: Refund) -> bool:
    """True if the order was paid from the deposit of a seller: the money goes back to that deposit."""
    return refund.payment.startswith(f"{WHOLESALE}:")


async def all_shown(tx: ReadTx, account: UUID, found: Sequence[Refund]) -> list[RefundView]:
    """Return these refunds of an account as the API and the pages show them.

    Runs no database statement if every refund is in time and goes back by its provider.
    """
    now = SystemClock().now()
    late = [one.began_as for one in found if one.due_at + DAY <= (one.settled_at or now)]
    paid = await payments.compensations_of(tx, account, late) if late else {}
    where = await _accounts_of(tx, account, found)
    return [shown(one, paid.get(one.began_as, NOTHING), where.get(one.id)) for one in found]


async def _accounts_of(
    tx: ReadTx, account: UUID, found: Sequence[Refund]
) -> dict[UUID, RefundAccount]:
    """The bank account of each refund that has one."""
    where: dict[UUID, RefundAccount] = {}
    if sent := [one.id for one in found if one.way is Way.TRANSFER]:
        for one in (await payments.payees_of(tx, account, sent)).values():
            where[one.refund] = _account(RefundAccountState.NAMED, one.bank_code, one.account_no)
    if waiting := [one.id for one in found if payments.stage_of(one) is Stage.WAITING_FOR_ACCOUNT]:
        wanted = await _account_wanted(tx, account)
        where |= dict.fromkeys(waiting, wanted) if wanted else {}
    return where


async def _account_wanted(tx: ReadTx, account: UUID) -> RefundAccount | None:
    """The bank account to show while a buyer's money waits for one: the account that a person examines, else the one that the
    bank refused; None if there is neither.
    """
    if held := await store.held_account_claim(tx, account):
        return _account(RefundAccountState.HELD, held.bank_code, held.account_no)
    if refused := await payments.refused_payee(tx, account):
        return _account(RefundAccountState.REFUSED, refused.bank_code, refused.account_no)
    return None


def _account(state: RefundAccountState, bank_code: str, account_no: str) -> RefundAccount:
    bank = bank_name(bank_code) or bank_code
    return RefundAccount(state=state, bank=bank, last=account_no[-NUMBER_SHOWN:])


async def load(tx: ReadTx, account: UUID, refund_id: UUID) -> Refund:
    """One refund of this account.  Refuses `NotFound`."""
    found = await payments.refund(tx, account, refund_id)
    if found is None:
        raise NotFound("no such refund of this account")
    return found


async def refunds_of_order(tx: ReadTx, account: UUID, order: UUID) -> list[RefundView]:
    """Refunds of one order, oldest first; if there are very many, only the newest."""
    return await all_shown(tx, account, await payments.refunds_of_subject(tx, account, order))


async def refunds_of_orders(tx: ReadTx, account: UUID, orders: Sequence[UUID]) -> list[RefundView]:
    """Refunds of these orders, oldest first; if there are very many, only the newest."""
    return await all_shown(tx, account, await payments.refunds_of_subjects(tx, account, orders))


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """Version tags by order, which change whenever a refund of the order changes; an order without refunds has no
    entry.
    """
    columns = [one.account for one in wanted], [one.order for one in wanted]
    found = await payments.refund_marks(tx, *columns)
    return {OrderKey(one.account, one.subject): one.mark for one in found}


async def apply(tx: Tx, item: UUID, account: UUID, order_id: UUID) -> None:
    """Pay an order with the money of an item in suspense; the caller must resolve the item first.

    The order must be open, and its total must equal the money: a surplus could not be refunded, since the bank has the
    payment under another reference.  Refuses `NotFound`, `OrderTakesNoMoney`, `NotApplied`.
    """
    found = await suspense.load(tx, item)
    payment = await check_applies(tx, found, account, order_id)
    await payments.apply(tx, account, order_id, payment, found.booked)


async def check_applies(tx: ReadTx, item: suspense.Item, account: UUID, order_id: UUID) -> str:
    """The payment number of an item in suspense whose money can be applied to this order.

    Refuses `NotFound`, `OrderTakesNoMoney`.
    """
    order = await orders.load(tx, account, order_id)
    is_open = order.state in (OrderState.PLACED, OrderState.LAPSED)
    if not is_open or order.total != item.booked or item.payment is None:
        raise OrderTakesNoMoney(f"{order.state}, {order.total}: not for {item.booked}")
    return item.payment


async def resolve_item(
    tx: Tx, item: UUID, how: suspense.Resolution, *, actor: Actor, note: str
) -> None:
    """Resolve an item in suspense.

    If the item is a notification that a payment was given back, and the money is still in the books, the only possible
    resolution is `returned`, which books that the money has left.  Raises the refusals of `suspense.resolve`.
    """
    if about := _given_back(await suspense.load(tx, item)):
        if how is suspense.Resolution.RETURNED:
            await payments.given_back_as_told(tx, *about)
        elif await payments.not_booked_of(tx, *about):
            raise suspense.MoneyBooked("the money is still in the books")
    await suspense.resolve(tx, item, how, actor=actor, note=note)


def _given_back(item: suspense.Item) -> tuple[str, str, int | None] | None:
    """Return (reference, payment number, rupiah) of an item about a payment that its provider gave back; None for any other
    item.
    """
    if item.reason != "refunded_there" or item.reference is None or item.payment is None:
        return None
    return item.reference, item.payment, None if item.amount is None else item.amount.value


async def unused(tx: ReadTx, account: UUID, order_id: UUID) -> tuple[int, Rupiah]:
    """The number of unused stamps of an order, and the rupiah that were paid for them.  Refuses `NotFound`,
    `NothingToRefund`.
    """
    order = await orders.load(tx, account, order_id)
    lot = (await stamps.lots(tx, account, [order_id])).get(order_id)
    if lot is None or not lot.free or order.state not in _GIVES_BACK:
        raise NothingToRefund("the order has no unused stamps")
    return lot.free, (order.unit_price + order.service_fee) * lot.free


async def return_unused(
    tx: Tx,
    account: UUID,
    order_id: UUID,
    *,
    cause: RefundCause,
    due_at: datetime,
    of: UUID | None = None,
) -> tuple[UUID, int]:
    """Give the unused stamps of an order back and begin their refund; returns (refund id, number of stamps).

    `of` is the id of what caused the refund, such as a failed stamping: a repeated call with the same `of` begins no second
    refund.  Without `of`, each call begins another refund.
    """
    refund = new_id()
    given = await store.unused(
        tx,
        account,
        order_id,
        refund,
        cause_key=f"{cause}:{of or refund}",
        cause=cause,
        number=payments.refund_number(account, refund),
        due_at=due_at,
    )
    return refund, given


async def give_back_unserved(tx: Tx, account: UUID, order_id: UUID, *, due_at: datetime) -> None:
    """Begin the refund of a paid order, whether or not its due time has passed; does nothing if the order was executed
    meanwhile.
    """
    refund = new_id()
    number = payments.refund_number(account, refund)
    await store.not_executed(tx, account, order_id, refund, number, due_at)


async def ask(
    tx: Tx, account: UUID, order_id: UUID, key: str | None, *, due_at: datetime, actor: Actor
) -> RefundView:
    """Request the refund of the unused stamps of an order.

    A repeat with the same idempotency key returns the same refund.  If the order has no unused stamp left, a request with any
    other key also returns the refund requested before.  Refuses `NotFound`, `NothingToRefund`, `IdempotencyKeyReused`.
    """
    await orders.load(tx, account, order_id)
    refund, request = new_id(), hashlib.sha256(order_id.bytes).digest()
    number = payments.refund_number(account, refund)
    found = await store.ask(
        tx, account, order_id, refund, number=number, due_at=due_at, key=key, request=request
    )
    if found is None:
        raise NothingToRefund("the order has no unused stamps")
    if found.request != request:
        raise IdempotencyKeyReused("another request used this key")
    if found.given:
        await trail.record(
            tx,
            account,
            actor=actor,
            action="refund_asked",
            subject=show("ord", order_id),
            stamps=found.given,
        )
    else:
        note_replay()
    return shown(await load(tx, account, found.id))


class RefundService:
    """Shows refunds, and begins them: when an account requests one, and when an order was not executed in time."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._due_seconds = settings.of(OrderSettings).stamps_due_seconds
        self._clock = clock

    def due(self) -> datetime:
        """The due time of a refund that begins now."""
        return self._clock.now() + timedelta(seconds=self._due_seconds)

    async def ask(
        self, account: UUID, order_id: UUID, key: str | None = None, *, actor: Actor
    ) -> RefundView:
        """Run the function `ask` in a new transaction."""
        command = partial(
            ask, account=account, order_id=order_id, key=key, due_at=self.due(), actor=actor
        )
        return await self._database.run(command)

    async def view(self, account: UUID, refund_id: UUID) -> RefundView:
        """One refund.  Refuses `NotFound`."""
        async with self._database.reading() as tx:
            [found] = await all_shown(tx, account, [await load(tx, account, refund_id)])
        return found

    async def list(self, account: UUID, page: ListPage) -> tuple[list[RefundView], bool]:
        """(a page of an account's refunds, newest first; True if there are older refunds)."""
        async with self._database.reading() as tx:
            wanted = await payments.refunds_of_account(tx, account, page.before, page.wanted)
            found, is_more = page.cut(wanted)
            return await all_shown(tx, account, found), is_more

    async def refund_overdue(self) -> int:
        """Periodic task: begin refunds of paid orders not executed by their due time; returns how many were processed."""
        found = await self._database.once(orders.unexecuted, OVERDUE_BATCH)
        return await each(
            self._database, orders.TURNING, found, self._begin_refund, subject="order"
        )

    async def _begin_refund(self, overdue: OrderKey) -> None:
        begin = partial(give_back_unserved, due_at=self.due())
        await run_row(self._database, begin, *overdue)
