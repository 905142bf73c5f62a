"""Sales from a deposit: make, show and end them; the deposit, its statement, and its top-ups."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO
from uuid import UUID

import msgspec

from meterai import accounts, ledger, trail
from meterai.distribution import metrics, store
from meterai.distribution.events import DepositLow
from meterai.distribution.model import (
    SALE_KIND,
    Distributor,
    DistributorState,
    Leg,
    LowDeposit,
    NoDistributor,
    ResellerDaySpent,
    ResellerNotOpen,
    ResellerState,
    Sale,
    SaleKey,
    SellerNotOpen,
    SellingDeposit,
    standing_of,
)
from meterai.distribution.settings import DistributionSettings
from meterai.distribution.statement import (
    SECONDS_MAX,
    StatementSpan,
    StatementView,
    Writer,
    by_day,
    legs,
)
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import WIB, Clock
from meterai.kit.ids import new_id, show
from meterai.kit.money import STAMP_DUTY
from meterai.kit.paging import ListPage
from meterai.kit.refusal import Malformed, NotFound
from meterai.orders import OrderService, OrderSettings, OrderTerms, OrderView
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.messages import translate
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.spreadsheets import BYTE_ORDER_MARK, Cell, csv_lines
from meterai.plumbing.work.events import emit
from meterai.plumbing.work.periodic import each, run_row

BATCH = 200  # rows in one run of a periodic task
IN_MEMORY_BYTES_MAX = 1 << 20  # of a statement; a larger statement is in a temporary file
PIECE_BYTES = 1 << 16
BOOK = "deposits"
LANGUAGE = "id"  # of an account made by a sale; its owner may change it


class SaleView(msgspec.Struct, frozen=True, kw_only=True):
    """A sale as its seller sees it.  Amounts in whole rupiah.

    `state` is `waiting` (for your deposit, until `waits_until` at most), `paid` (the stamps are being issued), `executed`,
    `lapsed` or `withdrawn` (your deposit was not touched), `returning` or `returned` (the money goes back to your deposit),
    or `denied` (charged back).  The field `returned` is the amount that went back to your deposit so far.  `reseller` is the
    account that made the sale; null if the distributor made it.
    """

    id: str
    state: str
    quantity: int
    total: int
    returned: int
    order: str
    reference: str | None
    made_at: datetime
    waits_until: datetime
    taken_at: datetime | None
    ended_at: datetime | None
    reseller: str | None


class DepositView(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit.  Amounts in whole rupiah.

    `waiting_rupiah` is the total of the sales that wait for it.  `is_low`: the deposit is below `low_below`, or sales wait.
    """

    state: str
    name: str
    balance: int
    waiting_sales: int
    waiting_rupiah: int
    is_low: bool
    low_below: int
    when_short: str


async def _pieces(kept: IO[bytes]) -> AsyncIterator[bytes]:
    with kept:
        while piece := kept.read(PIECE_BYTES):
            yield piece


def _view(sale: Sale, order: str | None) -> SaleView:
    return SaleView(
        id=show(SALE_KIND, sale.id),
        state=standing_of(sale.state, order),
        quantity=sale.quantity,
        total=sale.total,
        returned=sale.returned,
        order=show("ord", sale.order),
        reference=sale.reference,
        made_at=sale.made_at,
        waits_until=sale.waits_until,
        taken_at=sale.taken_at,
        ended_at=sale.ended_at,
        reseller=show("acc", sale.reseller) if sale.reseller else None,
    )


async def load(tx: ReadTx, account: UUID) -> Distributor:
    """Return a distributor. Refuses `NoDistributor`."""
    found = await store.distributor(tx, account)
    if found is None:
        raise NoDistributor("this account is no distributor")
    return found


async def desk_of(tx: ReadTx, account: UUID) -> SellingDeposit:
    """Return the deposit from which an account sells; the account's own deposit if it is no reseller."""
    return _desk(account, await store.distributor_of(tx, account))


def _desk(account: UUID, distributor: UUID | None) -> SellingDeposit:
    if distributor in (None, account):
        return SellingDeposit(account, None)
    return SellingDeposit(distributor, account)


async def balance(tx: ReadTx, account: UUID) -> int:
    """Return the balance of a deposit in rupiah."""
    available, _ = await ledger.balance(tx, account, BOOK)
    return available


class DistributionService:
    """Makes sales, and runs the periodic tasks of deposits."""

    def __init__(
        self, database: Database, service: OrderService, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._orders = service
        self._own = settings.of(DistributionSettings)
        self._sale = settings.of(OrderSettings)
        self._clock = clock

    def now(self) -> datetime:
        """Current time."""
        return self._clock.now()

    # -- sales -----------------------------------------------------------------------------

    async def sell(
        self,
        account: UUID,
        key: str,
        *,
        email: str,
        quantity: int,
        reference: str | None,
        actor: Actor,
    ) -> SaleView:
        """Sell stamps to the person with this mail address. A repeat with the same idempotency key returns the same sale.

        Refuses `Malformed`, `SellerNotOpen`, `ResellerNotOpen`, `ResellerDaySpent`, `SalesOfBuyerSpent`,
        `IdempotencyKeyReused`.
        """
        if not 1 <= quantity <= self._own.sale_stamps_max:
            raise Malformed("quantity", "within_bounds", maximum=self._own.sale_stamps_max)
        address = accounts.normalized(email)
        content = "\n".join([address, str(quantity), reference or ""])
        request = hashlib.sha256(content.encode()).digest()
        parties = await self._database.once(store.parties, account, address)
        desk = _desk(account, parties.distributor)
        own, sale = self._own, self._sale
        total = quantity * (sale.stamp_price + sale.service_fee)
        buyer = parties.buyer or await self._new_buyer(desk, address, total, actor)
        made = await self._database.once(
            store.make,
            desk.distributor,
            new_id(),
            key,
            request,
            buyer,
            new_id(),
            new_id(),
            quantity,
            sale.stamp_price,
            sale.service_fee,
            reference,
            sale.stamps_due_seconds,
            own.sale_waits_seconds,
            own.sale_returns_seconds,
            own.sales_per_buyer_day_max,
            desk.reseller,
        )
        if not made.created:
            if made.request != request:
                raise IdempotencyKeyReused("another request had this key")
            note_replay()
        async with self._database.reading() as tx:
            shown = await self._load_view(tx, desk, made.id)
        if made.created:
            metrics.SALES.labels(state=shown.state).inc()
        return shown

    async def _new_buyer(
        self, desk: SellingDeposit, address: str, total: int, actor: Actor
    ) -> UUID:
        """Make an account for an address that has none, if the seller may sell for `total` rupiah.

        The account is made even while sign-up is closed. Otherwise a refusal would reveal to the seller that the address has no
        account. Refuses `SellerNotOpen`, `ResellerNotOpen`, `ResellerDaySpent`.
        """

        async def make(tx: Tx) -> UUID:
            # Only an account that may sell may make accounts.
            seller = await store.distributor(tx, desk.distributor)
            if seller is None or seller.state != DistributorState.OPEN:
                raise SellerNotOpen(state=seller.state if seller else "none")
            if desk.reseller is not None:
                found = await store.reseller(tx, desk.distributor, desk.reseller, self._clock.now())
                if found is None or found.state != ResellerState.OPEN:
                    raise ResellerNotOpen(state=found.state if found else "none")
                if found.sold_today + total > found.day_rupiah:
                    raise ResellerDaySpent(day_rupiah=found.day_rupiah)
            return await accounts.account_of_address(tx, address, LANGUAGE, actor=actor)

        return await self._database.run(make)

    async def desk(self, account: UUID) -> SellingDeposit:
        """Return the deposit from which an account sells, as `desk_of` does."""
        async with self._database.reading() as tx:
            return await desk_of(tx, account)

    async def sale(self, account: UUID, sale_id: UUID) -> SaleView:
        """Return a sale of the account; a distributor sees the sales of its resellers too. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            return await self._load_view(tx, await desk_of(tx, account), sale_id)

    async def _load_view(self, tx: ReadTx, desk: SellingDeposit, sale_id: UUID) -> SaleView:
        found = await store.sale(tx, desk.distributor, sale_id)
        if found is None or desk.reseller not in (None, found.reseller):
            raise NotFound("no such sale of this account")
        return (await self._views(tx, [found]))[0]

    async def sales(
        self,
        account: UUID,
        page: ListPage,
        reference: str | None = None,
        reseller: UUID | None = None,
    ) -> tuple[list[SaleView], bool]:
        """Return a page of sales, newest first, and whether older sales follow. A reseller gets only its own sales."""
        async with self._database.reading() as tx:
            desk = await desk_of(tx, account)
            found = await store.sales(
                tx, desk.distributor, page.before, page.wanted, reference, desk.reseller or reseller
            )
            shown, is_more = page.cut(found)
            return await self._views(tx, shown), is_more

    async def _views(self, tx: ReadTx, found: Sequence[Sale]) -> list[SaleView]:
        states = {one.order: one.state for one in await store.orders_of(tx, found)}
        return [_view(one, states.get(one.order)) for one in found]

    async def end_due(self) -> int:
        """Periodic task: end sales that have waited for too long."""
        found = await self._database.once(store.to_end, BATCH)
        return await each(self._database, store.ENDING, found, self._end_due, subject="sale")

    async def _end_due(self, due: SaleKey) -> None:
        await run_row(self._database, store.end, due.account, due.sale, "due")

    # -- the deposit -----------------------------------------------------------------------

    async def deposit(self, account: UUID) -> DepositView:
        """Return a deposit, and its waiting sales. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            found = await load(tx, account)
            waiting = await store.waiting(tx, account)
            return DepositView(
                state=found.state,
                name=found.name,
                balance=await balance(tx, account),
                waiting_sales=waiting.sales,
                waiting_rupiah=waiting.rupiah,
                is_low=found.low_at is not None,
                low_below=max(found.low_rupiah, found.low_days * found.mean_rupiah),
                when_short=found.short,
            )

    async def terms(self, account: UUID) -> Distributor:
        """Return a distributor with its current terms. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            return await load(tx, account)

    async def moves(self, account: UUID, of: StatementSpan, most: int) -> tuple[list[Leg], bool]:
        """Return the first `most` legs (movements) of a deposit in a span, and whether more follow. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            await load(tx, account)
            found: list[Leg] = []
            async for some in legs(tx, account, of):
                found += some
                if len(found) > most:
                    break
            return found[:most], len(found) > most

    async def statement(self, account: UUID, of: StatementSpan) -> StatementView:
        """Return a statement of a deposit with the sums of its movements by day. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            await load(tx, account)
            return await by_day(tx, account, of)

    async def written(
        self, account: UUID, of: StatementSpan, language: str, write: Writer
    ) -> AsyncIterator[bytes]:
        """Return the file of a statement. The whole file is made before its first byte is sent, so that a slow reader holds no
        database connection.

        Refuses `NoDistributor`, and whatever `write` refuses.
        """
        with ExitStack() as stack:
            kept = stack.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY_BYTES_MAX))
            async with self._database.reading() as tx:
                await load(tx, account)
                async for piece in write(tx, account, of, language):
                    kept.write(piece)
            kept.seek(0)
            stack.pop_all()  # the file stays open: `_pieces` closes it
            return _pieces(kept)

    async def table(self, account: UUID, of: StatementSpan, language: str) -> AsyncIterator[bytes]:
        """Return the sales of an account in a span as CSV. Refuses `NoDistributor`."""
        async with self._database.reading() as tx:
            desk = await desk_of(tx, account)
        return await self.written(desk.distributor, of, language, sales_writer(desk.reseller))

    async def top_up(self, account: UUID, key: str, rupiah: int, method: str | None) -> OrderView:
        """Order a top-up of a deposit, to be paid by a method. A repeat with the same idempotency key returns the same order.

        Refuses `Malformed`, `NoDistributor`, `SellerNotOpen`, and what `OrderService.place_deposit` refuses.
        """
        if rupiah % STAMP_DUTY or not 0 < rupiah <= self._own.deposit_rupiah_max:
            raise Malformed("rupiah", "within_bounds", maximum=self._own.deposit_rupiah_max)
        async with self._database.reading() as tx:
            found = await load(tx, account)
        if found.state not in (DistributorState.APPROVED, DistributorState.OPEN):
            raise SellerNotOpen(state=found.state)
        pieces = rupiah // STAMP_DUTY
        return await self._orders.place_deposit(account, key, pieces, method, wait_for_qr=True)

    async def terms_of_top_up(self, found: Distributor, key: str) -> OrderTerms:
        """Return the terms of the order for a top-up that is placed when the deposit of a distributor is low.

        Its amount and payment method were agreed with the distributor; `key` is the idempotency key of the order.
        """
        pieces = found.topup_rupiah // STAMP_DUTY
        return await self._orders.deposit_terms(found.account, key, pieces, found.topup_method)

    async def watch(self) -> int:
        """Periodic task: notify distributors with a low deposit or with waiting sales."""
        at = self._clock.now()
        found = await self._database.run(partial(store.low, at=at, limit=BATCH))
        return await each(
            self._database, store.WATCHING, found, partial(self._tell_low, at=at), subject="account"
        )

    async def measure(self) -> int:
        """Periodic task: set the gauges of waiting sales and low deposits."""
        async with self._database.reading() as tx:
            found = await store.deposit_figures(tx)
        metrics.WAITING.set(found.waiting)
        metrics.WAITING_SECONDS.set(
            (self._clock.now() - found.oldest_at).total_seconds() if found.oldest_at else 0
        )
        metrics.LOW.set(found.low)
        return 0

    async def _tell_low(self, one: LowDeposit, at: datetime) -> None:
        async def tell(tx: Tx) -> None:
            found = await load(tx, one.account)
            if await store.tell_low(tx, one.account, at, found.low_at):
                await trail.record(
                    tx,
                    one.account,
                    actor=Actor(ActorKind.JOB, "distribution.watch"),
                    action="deposit_low",
                    subject=show("acc", one.account),
                    at=at.isoformat(),
                )
                await emit(tx, DepositLow(account=one.account, told_at=at))

        await run_row(self._database, tell)


def sales_writer(reseller: UUID | None) -> Writer:
    """Return the writer of a table of sales, oldest first: of one reseller, or of a distributor and all its resellers."""

    async def write(
        tx: ReadTx, account: UUID, of: StatementSpan, language: str
    ) -> AsyncIterator[bytes]:
        await tx.allow(SECONDS_MAX)
        at = of.begins
        names = {one.account: one.name for one in await store.resellers(tx, account, at)}
        head = translate("sales.columns", language).split("|")
        yield (BYTE_ORDER_MARK + csv_lines([head], language)).encode()
        await store.open_sales(tx, account, reseller, of.begins, of.ends)
        while some := await store.next_sales(tx):
            states = {one.order: one.state for one in await store.orders_of(tx, some)}
            rows = (_sale_cells(one, states.get(one.order), names, language) for one in some)
            yield csv_lines(rows, language).encode("utf-8", "replace")

    return write


def _sale_cells(
    sale: Sale, order: str | None, names: Mapping[UUID, str], language: str
) -> list[Cell]:
    return [
        _in_wib(sale.made_at),
        show(SALE_KIND, sale.id),
        sale.reference or "",
        names[sale.reseller] if sale.reseller else "",
        sale.quantity,
        sale.total,
        translate(f"sale.stands.{standing_of(sale.state, order)}", language),
        sale.returned,
        show("ord", sale.order),
    ]


def _in_wib(at: datetime) -> str:
    return f"{at.astimezone(WIB):%Y-%m-%d %H:%M:%S}"
