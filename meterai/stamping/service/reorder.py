"""Reorder: an order that was not paid in time is placed again."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from meterai import accounts, documents, orders
from meterai.documents import DocumentForgotten, DocumentService, DocumentSettings
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.orders import (
    Order,
    OrderKind,
    OrderService,
    OrderSettings,
    OrderState,
    OrderTerms,
    OrderView,
    PlacedOrder,
    SoldBy,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.stamping import store
from meterai.stamping.model import Stamping, request_hash
from meterai.stamping.service.again import check_not_again

_UNPAID = (OrderState.LAPSED, OrderState.WITHDRAWN)


def reorder_key(order_id: UUID) -> str:
    """Return the Idempotency-Key of the reorder of an order, so that a repeated request makes only one new order."""
    return f"reorder:{show('ord', order_id)}"


class ReorderService:
    """Places the content of expired or cancelled orders again, at the current terms.

    The new order has the documents that were uploaded for the earlier one, with the same placements; none is sent again. The
    earlier order is cancelled in the same transaction, so that late money for it is refunded, and no document is stamped twice.
    """

    def __init__(
        self,
        database: Database,
        service: OrderService,
        kept: DocumentService,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._orders = service
        self._kept = kept
        sale = settings.of(OrderSettings)
        # Longest time until a new order is paid and executed.
        wanted = service.payable_seconds_max + sale.documents_due_seconds
        self._kept_seconds = max(settings.of(DocumentSettings).document_kept_seconds, wanted)
        self._clock = clock

    async def reorder(
        self,
        account: UUID,
        order_id: UUID,
        member: UUID | None = None,
        sold: SoldBy | None = None,
    ) -> OrderView:
        """Place an order again; a repeated call finds the same new order.

        `member` acts for the account; `sold` is the seller of the new order, or None if the operator sells. Refuses `NotFound`,
        `NotAllowedNow` for an order that can still be paid or was paid, `DocumentForgotten`, `StampedBefore`, and
        `IdempotencyKeyReused` if a program of this account used the key of the reorder for another order. Refuses
        `StoreNotOurs` if the order has documents and the object store does not belong to the database. Refuses what placing an
        order and `accounts.use_stamps` refuse.
        """
        key = reorder_key(order_id)
        async with self._database.reading() as tx:
            earlier = await orders.load(tx, account, order_id)
            found = await store.stampings_of_orders(tx, account, [order_id])
        if found:
            # A store that is not writable does not have the originals either.
            await self._kept.contents.check_writable()
        terms = await self._terms(earlier, key, found, sold)
        place = partial(self._place, terms=terms, earlier=earlier, found=found, member=member)
        placed = await self._database.run(place)
        if placed.created:
            return await self._orders.opened(terms, placed, wait_for_qr=True)
        if placed.request != terms.request:
            raise IdempotencyKeyReused("the key of this reorder was used for another order")
        return await self._orders.view(account, placed.id)

    async def _terms(
        self, earlier: Order, key: str, found: Sequence[Stamping], sold: SoldBy | None
    ) -> OrderTerms:
        parts: list[object] = [earlier.quantity]
        if earlier.kind == OrderKind.DOCUMENTS:
            parts = [request_hash(one.sha256_original, one.placements).hex() for one in found]
        request = orders.request_hash(earlier.kind, *parts)
        return await self._orders.terms(
            earlier.account, key, request, earlier.kind, earlier.quantity, sold=sold
        )

    async def _place(
        self,
        tx: Tx,
        terms: OrderTerms,
        earlier: Order,
        found: Sequence[Stamping],
        member: UUID | None,
    ) -> PlacedOrder:
        account, sha256 = terms.account, [one.sha256_original for one in found]
        await store.lock_documents(tx, account, sha256)
        placed = await orders.place_documents(tx, terms)
        if not placed.created:
            return placed
        await self._withdraw_earlier(tx, account, earlier.id)
        until = self._clock.now() + timedelta(seconds=self._kept_seconds)
        if not await documents.keep_longer(tx, account, sha256, until):
            raise DocumentForgotten("an original is no longer kept")
        made = {new_id(): one for one in found}
        for position, (stamping, one) in enumerate(made.items(), start=1):
            await store.insert_waiting(
                tx,
                account,
                stamping,
                placed.id,
                position,
                request=request_hash(one.sha256_original, one.placements),
                sha256=one.sha256_original,
                placements=one.placements,
                is_repaired=one.is_repaired,
                before=one.id,
            )
        new = {stamping: one.sha256_original for stamping, one in made.items()}
        # Stampings before the earlier order need no agreement now: its buyer agreed to them then.
        await check_not_again(tx, account, new, (), since=earlier.placed_at)
        # Counted after the earlier order was cancelled, which returned its stamps to the limit of the member.
        uses = {placed.id: terms.quantity} if found else {}
        await accounts.use_stamps(tx, account, member, uses)
        return placed

    async def _withdraw_earlier(self, tx: Tx, account: UUID, order_id: UUID) -> None:
        """Cancel the earlier order. Refuses `NotAllowedNow` if it has been paid since it was read."""
        state = (await orders.load(tx, account, order_id)).state
        if state not in _UNPAID:
            raise NotAllowedNow("the order", state, "reordered")
        await orders.withdraw(tx, account, order_id)


def may_reorder(order: OrderView, found: Sequence[Stamping]) -> bool:
    """True if the order can be placed again without an upload, because every original is still stored."""
    is_there = order.kind == OrderKind.STAMPS or bool(found)
    return is_there and order.state in _UNPAID and not any(one.is_forgotten for one in found)
