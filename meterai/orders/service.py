"""Orders: place, show, list and withdraw an order; close unpaid orders that lapsed, execute paid ones."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar.connection import ASGIConnection

from meterai import ledger, payments, stamps
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.labels import NO_LABELS, Labels
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.money import Rupiah
from meterai.kit.paging import WHOLE, ListPage
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.ledger import MoneySummary
from meterai.orders import store
from meterai.orders.model import (
    ORDER,
    ExecutionPace,
    Order,
    OrderEvent,
    OrderKey,
    OrderKind,
    OrderState,
    OrderTerms,
    OrderTooLarge,
    PlacedOrder,
    PriceChanged,
    SoldBy,
    request_hash,
)
from meterai.orders.settings import OrderSettings
from meterai.payments import (
    AccountNumber,
    AttemptState,
    Credit,
    Deposit,
    PaymentAttempt,
    PaymentChannel,
    PaymentMethod,
    PaymentQr,
    PaymentService,
    PaymentSettings,
    Redirect,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.work.periodic import each, run_row
from meterai.waiting_room import GuardedAct, WaitingRoom

BATCH = 200  # orders processed in one run of a periodic task
# A function that finds a seller by the name of its page, or by its account.  Refuses `NotFound`, and others.
FindSeller = Callable[[str | UUID], Awaitable[SoldBy]]
# An order can be paid for this many times the longest time to pay of any method, to allow a late change of method.
PAYABLE_FACTOR = 2


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """Payment method and instructions of an order."""

    method: str
    state: str
    amount: int
    qr_content: str | None
    expires_at: datetime
    # Instructions other than a QR: an account number for a transfer, or a page to visit.  The buyer has nothing to do for
    # `deposit` (the seller's deposit is short) and `credit` (a collector pays monthly).
    instructions: AccountNumber | Redirect | Deposit | Credit | msgspec.UnsetType = msgspec.UNSET


class MoneyView(msgspec.Struct, frozen=True, kw_only=True):
    """The state of all money of an order, in whole rupiah.

    captured - charged_back + loss = executed + refunded + in_flight; the provider holds
    captured - charged_back - refunded.  `charged_back` was taken back by the payer's bank.  `loss` was executed or
    refunded, and charged back as well; the operator bears it.
    """

    captured: int
    charged_back: int
    executed: int
    refunded: int
    in_flight: int
    loss: int


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the API returns it; amounts in whole rupiah."""

    id: str
    state: str
    kind: str
    quantity: int
    unit_price: int
    service_fee: int
    total: int
    currency: str
    placed_at: datetime
    paid_at: datetime | None
    refund_due_at: datetime | None
    reference: str | None
    metadata: dict[str, str]
    payment: PaymentView
    money: MoneyView
    seller: str | msgspec.UnsetType = msgspec.UNSET  # name of the seller; absent for our own sale
    seller_fee: int | msgspec.UnsetType = msgspec.UNSET  # the seller's part of `service_fee`


def _pay(order: Order, attempt: PaymentAttempt | None, default: str) -> PaymentView:
    told = attempt.instructions if attempt and order.state == OrderState.PLACED else None
    return PaymentView(
        method=attempt.channel.method if attempt else default,
        state=attempt.state if attempt else AttemptState.OPENING,
        amount=order.total.value,
        qr_content=told.content if isinstance(told, PaymentQr) else None,
        expires_at=order.lapses_at,
        instructions=msgspec.UNSET if told is None or isinstance(told, PaymentQr) else told,
    )


def _shown(order: Order, payment: PaymentView, money: MoneySummary) -> OrderView:
    return OrderView(
        id=show("ord", order.id),
        state=order.state,
        kind=order.kind,
        quantity=order.quantity,
        unit_price=order.unit_price.value,
        service_fee=order.service_fee.value,
        total=order.total.value,
        currency="IDR",
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        refund_due_at=order.money_due_at(money.in_flight, money.captured_at),
        reference=order.reference,
        metadata=dict(order.metadata or {}),
        payment=payment,
        money=MoneyView(
            captured=money.captured.value,
            charged_back=money.charged_back.value,
            executed=money.executed.value,
            refunded=money.refunded.value,
            in_flight=money.in_flight.value,
            loss=money.loss.value,
        ),
        seller=order.seller or msgspec.UNSET,
        seller_fee=order.seller_fee or msgspec.UNSET,
    )


async def paid_orders(tx: ReadTx, account: UUID, limit: int) -> list[OrderView]:
    """Return up to `limit` of the newest paid orders of an account, for its receipts."""
    found = await store.paid_of(tx, account, limit)
    ids = [order.id for order in found]
    paid_by = [order.paid_attempt for order in found if order.paid_attempt is not None]
    attempts = await payments.attempts_of(tx, account, ids, paid_by)
    money = await ledger.money_summaries(tx, account, ids)
    return [_shown(one, _pay(one, attempts.get(one.id), ""), money[one.id]) for one in found]


async def pace(tx: ReadTx) -> ExecutionPace:
    """Return how many orders were executed in the last 15 minutes, and the median time from payment to execution."""
    return await store.pace(tx)


async def load(tx: ReadTx, account: UUID, order_id: UUID) -> Order:
    """Return an order of this account.  Refuses `NotFound`."""
    found = await store.order(tx, account, order_id)
    if found is None:
        raise NotFound("no such order of this account")
    return found


async def key_of(tx: ReadTx, order_id: UUID) -> OrderKey:
    """Return account and id of the order with this id, of any account; for staff only.  Refuses `NotFound`."""
    found = await store.by_id(tx, order_id)
    if len(found) != 1:
        raise NotFound("no such order")
    return found[0]


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> dict[OrderKey, str]:
    """Return the marks of these orders; unknown orders are left out.

    The mark of an order changes whenever its `OrderView`, its money or its stamps do.
    """
    return {OrderKey(one.account, one.order): one.mark for one in await store.marks(tx, wanted)}


async def finish(tx: Tx, account: UUID, order_id: UUID) -> bool:
    """Mark an order as executed, since all its documents are stamped; False if the order is not in the state `paid`."""
    return await store.finish(tx, account, order_id)


async def place_documents(tx: Tx, terms: OrderTerms) -> PlacedOrder:
    """Place an order in the transaction of the caller, which also writes other rows, such as the order's documents."""
    return await store.place(tx, terms)


async def withdraw(tx: Tx, account: UUID, order_id: UUID) -> None:
    """Withdraw an unpaid order and close its payment attempts.  A repeat changes nothing.

    The caller should cancel the attempts at the provider after the commit (`PaymentService.take_back`); if it does not, a
    periodic task of payments does so later.  Refuses `NotFound`, and `NotAllowedNow` for an order that was paid.
    """
    state = await store.abandon(tx, account, order_id, OrderState.WITHDRAWN)
    if state is None:
        raise NotFound("no such order of this account")
    if state != OrderState.WITHDRAWN:
        ORDER.after(state, OrderEvent.WITHDRAWN)
    await payments.close(tx, account, order_id)


class OrderService:
    """Places, shows and withdraws orders, and runs their periodic tasks."""

    def __init__(
        self,
        database: Database,
        service: PaymentService,
        lines: WaitingRoom,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._lines = lines
        self._payments = service
        self._settings = settings.of(OrderSettings)
        self.process = settings.process  # determines the names of cookies
        self._lease_seconds = settings.of(PaymentSettings).bank_lease_seconds
        self._clock = clock
        self._find_seller: FindSeller | None = None

    def sell_by(self, find: FindSeller) -> None:
        """Set the function that finds a seller by its account or by the name of its page; the function belongs to a room that
        this room must not call.
        """
        self._find_seller = find

    async def sold_by(
        self, account: UUID, key: str, slug: str | None, fee: int | None = None
    ) -> SoldBy | None:
        """Return the seller of an order to place, by the name of the seller's page; None for our own sale.

        `fee` is the fee that the buyer was shown. Refuses `Malformed` for a fee without a seller, and `PriceChanged` if the
        fee differs. The function that finds the seller may refuse, for example with `NotFound`. Refuses nothing if the
        idempotency key already has an order.
        """
        if not slug:
            if fee is not None:
                raise Malformed("seller", "given")
            return None
        try:
            found = await self.seller(slug)
            if fee not in (None, found.fee):
                raise PriceChanged(f"the shown seller's fee was {fee}, but it is {found.fee}")
        except Refusal:
            if not await self._database.once(store.is_placed, account, key):
                raise
            return SoldBy(slug, UUID(int=0), "", 0)  # the order exists, and is found by the key
        return found

    async def seller(self, slug: str) -> SoldBy:
        """Return the seller whose page has this name. The function that finds the seller may refuse, for example with
        `NotFound`.
        """
        if self._find_seller is None:
            raise NotFound("no other seller sells here")
        return await self._find_seller(slug)

    async def sells_again(self, account: UUID, order_id: UUID) -> SoldBy | None:
        """Return the seller of an order, with the seller's current fee, so that the buyer can place the same order again.

        None if the order has no seller, the seller does not sell now, or the buyer is the seller.
        """
        seller = await self._database.once(store.seller_of, account, order_id)
        if seller is None or self._find_seller is None:
            return None
        try:
            sold = await self._find_seller(seller)
        except Refusal:
            return None
        return sold if sold.account != account else None

    @property
    def unit(self) -> int:
        """Current price of a stamp that we sell, with the service fee, in rupiah."""
        return self.unit_of(None)

    def unit_of(self, sold: SoldBy | None) -> int:
        """Return the current price of a stamp from a seller (None: from us) with all fees, in rupiah."""
        own = self._settings.stamp_price + self._settings.service_fee
        return own + (sold.fee if sold else 0)

    async def check_price(
        self, account: UUID, key: str, shown: str, sold: SoldBy | None = None
    ) -> None:
        """Check that the price `shown` by a page is the current `unit_of`.  Refuses `PriceChanged`.

        An empty `shown`, as from pages of an earlier release, is accepted.  Refuses nothing if the idempotency key already has
        an order, since the refusal would wrongly say that no order was placed.
        """
        unit = self.unit_of(sold)
        if shown in ("", str(unit)):
            return
        if not await self._database.once(store.is_placed, account, key):
            raise PriceChanged(f"the shown price was {shown[:20]}, but it is {unit}")

    def _checked(self, quantity: int, unit: int) -> int:
        most = self._settings.order_total_max // unit
        if quantity < 1:
            raise Malformed("quantity", "at_least_one")
        if quantity > most:
            raise OrderTooLarge(quantity=quantity, quantity_max=most)
        return quantity

    async def ways(self, quantity: int, sold: SoldBy | None = None) -> Sequence[PaymentMethod]:
        """Return the methods by which `quantity` stamps can be paid now, the default first, each with its time to pay."""
        return await self.ways_of(quantity * self.unit_of(sold))

    async def ways_of(self, rupiah: int) -> Sequence[PaymentMethod]:
        """Return the methods by which a sum in rupiah can be paid now, the default first, each with its time to pay."""
        methods = (await self._payments.look_at_rails()).methods(rupiah)
        default = self._settings.order_lapses_seconds
        return [replace(one, lapses_seconds=one.lapses_seconds or default) for one in methods]

    @property
    def payable_seconds_max(self) -> float:
        """Longest time from the placing of an order until it can no longer be paid, in seconds, however often its buyer changes
        the method.
        """
        default = self._settings.order_lapses_seconds
        return PAYABLE_FACTOR * self._payments.rails.lapses_seconds_max(default)

    async def terms(
        self,
        account: UUID,
        key: str,
        request: bytes,
        kind: OrderKind,
        quantity: int,
        *,
        method: str | None = None,
        sold: SoldBy | None = None,
    ) -> OrderTerms:
        """Return the terms of an order at current prices.

        Without a `method` the default method is used, without a seller (`sold`) we sell. The caller that places the order
        must open its attempt. Refuses `Malformed`, `OrderTooLarge`, `AmountNotPayable`, `MethodOut`. If the order is paid
        from a seller's deposit or on a collector's credit, the adapter of that payment method may refuse too.
        """
        if sold is not None and sold.account == account:
            raise Malformed("seller", "another_value")
        unit = self.unit_of(sold)
        self._checked(quantity, unit)
        sale = self._settings
        is_stamps = kind == OrderKind.STAMPS
        attempt, reference = payments.new_attempt(account)
        rails = await self._payments.look_at_rails()
        # An order of a seller always has our service fee, even if the seller's fee is 0.
        is_at_face = sold is None and rails.is_at_face(method)
        fee = 0 if is_at_face else unit - sale.stamp_price
        total = quantity * (sale.stamp_price + fee)
        channel, terms = rails.channel(method, total, attempt, is_at_face=is_at_face)
        await rails.admit(channel, account, total)
        lapses = terms.lapses_seconds or sale.order_lapses_seconds
        if not is_stamps:  # documents are not kept longer than this
            lapses = min(lapses, self.payable_seconds_max)
        return OrderTerms(
            account=account,
            order=new_id(),
            key=key,
            request=request,
            kind=kind,
            quantity=quantity,
            unit_price=sale.stamp_price,
            service_fee=fee,
            lapses_seconds=lapses,
            due_seconds=sale.stamps_due_seconds if is_stamps else sale.documents_due_seconds,
            attempt=attempt,
            reference=reference,
            lease_seconds=self._lease_seconds,
            unpaid_max=sale.unpaid_orders_max,
            provider=channel.provider,
            method=channel.method,
            sold=sold,
        )

    async def check_turn(
        self, connection: ASGIConnection[Any, Any, Any, Any], account: UUID, key: str
    ) -> None:
        """Check that the account has a turn to buy, if buyers must wait in a line now.

        Refuses like `WaitingRoom.check_turn`. No turn is needed if the idempotency key already has an order.
        """
        try:
            await self._lines.check_turn(connection, account, GuardedAct.BUY)
        except Refusal:
            if not await self._database.once(store.is_placed, account, key):
                raise

    async def place(
        self,
        account: UUID,
        key: str,
        quantity: int,
        *,
        wait_for_qr: bool = True,
        method: str | None = None,
        written: Labels = NO_LABELS,
        sold: SoldBy | None = None,
    ) -> OrderView:
        """Place an order of stamps; a repeat with the same idempotency key returns the same order.

        Without a `method` the default method is used, without a seller (`sold`) we sell.  With `wait_for_qr` the answer
        has the QR if the provider makes it in time; otherwise the worker opens the attempt (`Prefer: respond-async`,
        RFC 7240).  Refuses `Malformed`, `OrderTooLarge`, `AmountNotPayable`, `MethodOut`, `IdempotencyKeyReused`,
        `TooManyUnpaidOrders`.
        """
        more = [one for one in (method, written, sold and f"seller:{sold.slug}") if one]
        request = request_hash(OrderKind.STAMPS, quantity, *more)
        terms = await self.terms(
            account,
            key,
            request,
            OrderKind.STAMPS,
            quantity,
            method=method,
            sold=sold,
        )
        # Without a waiting caller the worker opens the attempt.
        lease = terms.lease_seconds if wait_for_qr else 0.0
        terms = replace(terms, labels=written, lease_seconds=lease)
        return await self._placed(terms, wait_for_qr=wait_for_qr)

    async def place_deposit(
        self, account: UUID, key: str, pieces: int, method: str | None, *, wait_for_qr: bool
    ) -> OrderView:
        """Place an order for a seller's deposit of `pieces` times the price of a stamp.

        A repeat with the same idempotency key returns the same order.  Refuses `AmountNotPayable`, `MethodOut`,
        `IdempotencyKeyReused`, `TooManyUnpaidOrders`.
        """
        terms = await self.deposit_terms(account, key, pieces, method)
        if wait_for_qr:
            terms = replace(terms, lease_seconds=self._lease_seconds)
        return await self._placed(terms, wait_for_qr=wait_for_qr)

    async def deposit_terms(
        self, account: UUID, key: str, pieces: int, method: str | None
    ) -> OrderTerms:
        """Return the terms of an order for a seller's deposit of `pieces` times the price of a stamp.

        The worker opens the payment attempt of the order.  Refuses `AmountNotPayable`, `MethodOut`.
        """
        request = request_hash(OrderKind.DEPOSIT, pieces, *([method] if method else []))
        attempt, reference = payments.new_attempt(account)
        sale = self._settings
        rails = await self._payments.look_at_rails()
        channel, way = rails.channel(method, pieces * sale.stamp_price, attempt)
        return OrderTerms(
            account=account,
            order=new_id(),
            key=key,
            request=request,
            kind=OrderKind.DEPOSIT,
            quantity=pieces,
            unit_price=sale.stamp_price,
            service_fee=0,
            lapses_seconds=way.lapses_seconds or sale.order_lapses_seconds,
            due_seconds=sale.stamps_due_seconds,
            attempt=attempt,
            reference=reference,
            lease_seconds=0.0,
            unpaid_max=sale.unpaid_orders_max,
            provider=channel.provider,
            method=channel.method,
        )

    async def _placed(self, terms: OrderTerms, *, wait_for_qr: bool) -> OrderView:
        placed = await self._database.once(store.place, terms)
        if not placed.created:
            if placed.request != terms.request:
                raise IdempotencyKeyReused("another request used this key")
            note_replay()
            return await self.view(terms.account, placed.id)
        return await self.opened(terms, placed, wait_for_qr=wait_for_qr)

    async def opened(
        self, terms: OrderTerms, placed: PlacedOrder, *, wait_for_qr: bool
    ) -> OrderView:
        """Return the view of an order that was just placed, from its terms, without reading the order from the database.

        With `wait_for_qr` the payment attempt is opened first.
        """
        order = Order(
            terms.account,
            placed.id,
            terms.kind,
            OrderState.PLACED,
            terms.quantity,
            Rupiah(terms.unit_price),
            Rupiah(terms.service_fee),
            Rupiah(terms.total),
            placed.placed,
            placed.lapses,
            None,
            None,
            terms.due_seconds,
            reference=terms.labels.reference,
            metadata=terms.labels.metadata,
            seller=terms.sold.name if terms.sold else None,
            seller_fee=terms.sold.fee if terms.sold else None,
        )
        attempt = PaymentAttempt(
            terms.account,
            terms.attempt,
            order.id,
            PaymentChannel(terms.provider, terms.method),
            terms.reference,
            order.total,
            AttemptState.OPENING,
            None,
            order.lapses_at,
        )
        if wait_for_qr and (told := await self._payments.open(attempt)):
            attempt = replace(attempt, state=AttemptState.WAITING, instructions=told)
        return _shown(order, _pay(order, attempt, terms.method), ledger.NOTHING)

    async def view(self, account: UUID, order_id: UUID) -> OrderView:
        """Return an order of the account.  Refuses `NotFound`."""
        async with self.view_within(account, order_id) as (_, found):
            return found

    @asynccontextmanager
    async def view_within(
        self, account: UUID, order_id: UUID
    ) -> AsyncIterator[tuple[ReadTx, OrderView]]:
        """Yield an order of the account, and the read transaction that read it, in which the caller can run further
        statements.

        Refuses `NotFound`.
        """
        async with self._database.reading() as tx:
            found = [await load(tx, account, order_id)]
            yield tx, (await self._views(tx, account, found))[0]

    async def _views(
        self, tx: ReadTx, account: UUID, found: Sequence[Order]
    ) -> Sequence[OrderView]:
        ids = [order.id for order in found]
        paid_by = [order.paid_attempt for order in found if order.paid_attempt is not None]
        to_show = await payments.attempts_of(tx, account, ids, paid_by)
        attempts = {one: self._payments.payable(attempt) for one, attempt in to_show.items()}
        money = await ledger.money_summaries(tx, account, ids)
        default = self._payments.rails.default
        return [
            _shown(order, _pay(order, attempts.get(order.id), default), money[order.id])
            for order in found
        ]

    async def list(
        self, account: UUID, page: ListPage = WHOLE, reference: str | None = None
    ) -> tuple[list[OrderView], bool]:
        """Return a page of an account's orders, newest first, and True if older orders exist.

        With `reference` only orders with this reference of the client are listed.
        """
        async with self._database.reading() as tx:
            wanted = await store.orders_of(tx, account, page.before, page.wanted, reference)
            found, is_more = page.cut(wanted)
            views = await self._views(tx, account, found)
        return list(views), is_more

    async def withdraw(self, account: UUID, order_id: UUID) -> OrderView:
        """Withdraw an unpaid order, then cancel its attempts at the provider; return the order.

        If the process crashes between the two steps, the periodic task `cancel_closed` of payments cancels the attempts.
        Refuses like the function `withdraw`.
        """
        await self._database.run(partial(withdraw, account=account, order_id=order_id))
        await self._payments.take_back(account, order_id)
        return await self.view(account, order_id)

    async def pay_by(self, account: UUID, order_id: UUID, method: str) -> OrderView:
        """Change the payment method of an unpaid order: its open attempts are cancelled, and another is opened.

        Refuses `NotFound`, `Malformed`, `AmountNotPayable`, `MethodOut`, `AttemptsSpent`, and `NotAllowedNow`
        for an order that cannot be paid any more.
        """
        async with self._database.reading() as tx:
            order = await load(tx, account, order_id)
            attempts = await payments.attempts_of(tx, account, [order_id], [])
            if await payments.is_covered(tx, account, order_id):
                order = replace(order, state=OrderState.PAID)
        # This refuses an order that cannot be paid any more: only an unpaid order can lapse.
        ORDER.after(order.state, OrderEvent.TIME_RAN_OUT)
        new = payments.new_attempt(account)
        rails = await self._payments.look_at_rails()
        # The total stays that of the placing, so an order without our fee can be paid only by a rail without our fee.
        before = [one.channel.method for one in attempts.values()]
        is_at_face = any(map(rails.is_at_face, before))
        channel, terms = rails.channel(method, order.total.value, new[0], is_at_face=is_at_face)
        await rails.admit(channel, account, order.total.value)
        seconds = terms.lapses_seconds or self._settings.order_lapses_seconds
        outcome = await self._database.once(
            store.pay_by,
            account,
            order_id,
            new,
            channel,
            (seconds, max(self.payable_seconds_max, PAYABLE_FACTOR * order.waits_seconds)),
            payments.ATTEMPTS_PER_SUBJECT_MAX,
        )
        if outcome == "spent":
            raise payments.AttemptsSpent
        if outcome == "closed":
            raise NotAllowedNow(ORDER.subject, order.state, OrderEvent.TIME_RAN_OUT)
        await self._payments.take_back(account, order_id)
        await self._payments.open_now(account, order_id)
        return await self.view(account, order_id)

    async def expire_unpaid(self) -> int:
        """Periodic task: close orders whose time to pay ran out; returns their number."""
        found = await self._database.once(store.to_expire, BATCH)
        return await each(self._database, store.LAPSING, found, self._expire, subject="order")

    async def _expire(self, unpaid: OrderKey) -> None:
        await run_row(self._database, store.abandon, *unpaid, OrderState.LAPSED)

    async def execute_paid(self) -> int:
        """Periodic task: execute orders that were paid while issuing was stopped; returns their number."""
        issuing = await self._database.once(stamps.issuing)
        if not issuing.is_open:
            return 0
        found = await self._database.once(store.to_execute, BATCH)
        return await each(self._database, store.EXECUTING, found, self._execute, subject="order")

    async def _execute(self, paid: OrderKey) -> None:
        await run_row(self._database, store.execute, *paid)
