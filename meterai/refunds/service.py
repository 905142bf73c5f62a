"""Refunds: ask for one, show and list them; begin those that are due, and send them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from meterai import audit, orders, payments
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.orders import OrderSettings
from meterai.payments import (
    OutcomeUnknown,
    PaymentSettings,
    ProviderRefused,
    ProviderUnreachable,
    RefundMade,
    SnapProvider,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Row, Tx
from meterai.plumbing.paging import Page
from meterai.plumbing.periodic import each, own_transaction
from meterai.refunds import store
from meterai.refunds.model import (
    NothingToRefund,
    Refund,
    RefundCause,
    RefundState,
    lease_seconds,
    try_again_after,
)

BATCH = 20  # provider calls under way in one run
OVERDUE_BATCH = 200
_log = structlog.get_logger()


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as the API shows it.  Amount in whole rupiah."""

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


def _refund(row: Row) -> Refund:
    return Refund(
        row["account_id"],
        row["refund_id"],
        row["order_id"],
        row["attempt_id"],
        row["payment"],
        RefundCause(row["cause"]),
        Rupiah(row["amount"]),
        row["stamps"],
        RefundState(row["state"]),
        row["refund_no"],
        row["provider_refund_no"],
        row["requested_at"],
        row["due_at"],
        row["settled_at"],
        row["tries"],
    )


def shown(refund: Refund) -> RefundView:
    """A refund as the API shows it."""
    return RefundView(
        id=show("rfd", refund.id),
        order_id=show("ord", refund.order),
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
    )


async def load(tx: Tx, account: UUID, refund_id: UUID) -> Refund:
    """One refund of this account.  Refuses `NotFound`."""
    row = await store.refund(tx, account, refund_id)
    if row is None:
        raise NotFound("no such refund of this account")
    return _refund(row)


async def refunds_of_order(tx: Tx, account: UUID, order: UUID) -> list[RefundView]:
    """Refunds of one order, oldest first; the newest of very many."""
    return [shown(_refund(row)) for row in await store.refunds_of_order(tx, account, order)]


class RefundService:
    """Begins refunds, sends them, and runs its periodic tasks."""

    def __init__(
        self, database: Database, provider: SnapProvider, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._provider = provider
        self._due_seconds = settings.of(OrderSettings).stamps_due_seconds
        self._lease_seconds = lease_seconds(settings.of(PaymentSettings).bank_timeout_seconds)
        self._clock = clock

    def due(self) -> datetime:
        """By when a refund that begins now is to be settled."""
        return self._clock.now() + timedelta(seconds=self._due_seconds)

    async def ask(self, account: UUID, order_id: UUID) -> RefundView:
        """The buyer wants the money of the unused stamps of an order.

        Asking again finds the refund that was asked for.  Refuses `NotFound`,
        `NothingToRefund`.
        """
        async with self._database.transaction() as tx:
            await orders.load(tx, account, order_id)
            refund = new_id()
            given = await store.unused(
                tx,
                account,
                order_id,
                refund,
                cause_key=f"asked:{refund}",
                cause=RefundCause.ASKED,
                number=payments.refund_number(account, refund),
                due_at=self.due(),
            )
            if given:
                await audit.record(
                    tx,
                    account,
                    actor="account",
                    action="refund_asked",
                    subject=show("ord", order_id),
                    stamps=given,
                )
                return shown(await load(tx, account, refund))
            earlier = await refunds_of_order(tx, account, order_id)
        asked = [one for one in earlier if one.cause == RefundCause.ASKED]
        if not asked:
            raise NothingToRefund("the order has no unused stamp")
        return asked[-1]

    async def view(self, account: UUID, refund_id: UUID) -> RefundView:
        """One refund.  Refuses `NotFound`."""
        async with self._database.transaction() as tx:
            return shown(await load(tx, account, refund_id))

    async def list(self, account: UUID, page: Page) -> tuple[list[RefundView], bool]:
        """A page of an account's refunds, newest first, and whether there are older ones."""
        rows = await self._database.read(store.OF_ACCOUNT, account, page.before, page.wanted)
        found, is_more = page.cut(rows)
        return [shown(_refund(row)) for row in found], is_more

    async def refund_overdue(self) -> int:
        """Periodic task: what is paid and not executed by its due time goes back."""
        rows = await self._database.read(store.OVERDUE, OVERDUE_BATCH)
        return await each(self._database, store.TURNING, rows, self._turn, subject="order_id")

    async def _turn(self, row: Row) -> None:
        account, refund = row["account_id"], new_id()
        number = payments.refund_number(account, refund)
        async with own_transaction(self._database) as tx:
            await tx.one(store.NOT_EXECUTED, account, row["order_id"], refund, number, self.due())

    async def send_due(self) -> int:
        """Periodic task: ask the provider to give money back, and ask again where we do not know."""
        lease = self._lease_seconds
        rows = await self._database.read(store.TO_TRY, lease, lease, BATCH)
        return await each(
            self._database, store.SENDING, rows, self._send, subject="refund_id", at_once=BATCH
        )

    async def _send(self, row: Row) -> None:
        # The row says 'sent' by now.  A crash here leaves it so, and a later run makes the
        # same call with the same number, which the provider answers as it did before.
        refund = _refund(row)
        try:
            made = await self._made(refund)
        except ProviderRefused as refusal:
            await self._refused(refund, refusal)
            return
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            await self._answered(refund, str(refusal), is_refused=False)
            return
        await self._database.call(store.SETTLE, refund.account, refund.id, made.provider_number)
        _log.info("refund_settled", refund=show("rfd", refund.id), tries=refund.tries)

    async def _made(self, refund: Refund) -> RefundMade:
        """The refund at the provider, made by an earlier try or now."""
        reference = payments.reference_of(refund.account, refund.attempt)
        if refund.tries > 1:
            # The outcome of the earlier tries is unknown: ask for it before sending again.
            try:
                made = await self._provider.refunded(reference, refund.number, refund.amount)
            except ProviderRefused:
                made = None  # the provider cannot tell; the same number makes a repeat safe
            if made is not None:
                return made
        return await self._provider.refund(reference, refund.payment, refund.number, refund.amount)

    async def _refused(self, refund: Refund, refusal: ProviderRefused) -> None:
        stopped = await self._database.call(store.VOID, refund.account, refund.id)
        if stopped is not None and stopped["state"] == RefundState.VOID:
            return
        _log.error("refund_refused", refund=show("rfd", refund.id), answer=refusal.response_code)
        await self._answered(refund, str(refusal), is_refused=True)

    async def _answered(self, refund: Refund, answer: str, *, is_refused: bool) -> None:
        pause = try_again_after(refund.tries)
        await self._database.call(
            store.ANSWERED, is_refused, answer[:200], pause, refund.account, refund.id
        )
