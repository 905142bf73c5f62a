"""Page "My stamps": balance of an account, and its orders and stampings with their payments and refunds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency

from meterai import stamps
from meterai.accounts import Permission
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read, show
from meterai.kit.paging import ListPage as Part
from meterai.kit.priority import Priority
from meterai.orders import OrderService, OrderView
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import caller_of
from meterai.portal.arrived import covered
from meterai.portal.order_text import OrderNow, OrderText, order_text
from meterai.refunds import RefundView, refunds_of_orders
from meterai.stamping import Stamping, StampingService, StampingState, stampings_of_orders
from meterai.stamps import Lot

OLDER = "old"  # prefix of the id at which the next page begins: the id of an order or a stamping
_clock = SystemClock()
ENTRIES_PER_PAGE = 30  # orders and stampings together; each order may have several documents


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An order with its documents, or a document stamped from the balance; `this` is the order, None for a document stamped
    from the balance.
    """

    id: UUID
    at: datetime
    this: OrderNow | None
    documents: tuple[Stamping, ...]

    @property
    def told(self) -> OrderText | None:
        """Text about the order; None without an order."""
        return order_text(self.this) if self.this else None

    def state_of(self, stamping: Stamping) -> StampingState:
        """Return the state of a document within the order of this entry."""
        return self.this.state_of(stamping) if self.this else stamping.state


def entries(
    orders: Sequence[OrderView],
    stampings: Sequence[Stamping],
    refunds: Sequence[RefundView],
    lots: Mapping[UUID, Lot],
    paid: Collection[str],
    now: datetime,
    *,
    is_issuing: bool,
) -> list[HistoryEntry]:
    """Merge orders (with their stampings) and stampings from the balance into one list, newest first."""
    of_order: dict[str, list[Stamping]] = {}
    given: dict[str, list[RefundView]] = {}
    found = []
    for refund in refunds:
        given.setdefault(refund.order_id, []).append(refund)
    for stamping in stampings:
        if stamping.order is None:
            found.append(HistoryEntry(stamping.id, stamping.requested_at, None, (stamping,)))
        else:
            of_order.setdefault(show("ord", stamping.order), []).append(stamping)
    for order in orders:
        documents = tuple(of_order.get(order.id, ()))
        number = read("ord", order.id)
        this = OrderNow(
            order,
            now,
            documents,
            given.get(order.id, ()),
            lot=lots.get(number),
            is_issuing=is_issuing,
            is_covered=order.id in paid,
        )
        found.append(HistoryEntry(number, order.placed_at, this, documents))
    # Ids are ordered by time, and the pages by id.
    return sorted(found, key=lambda entry: entry.id, reverse=True)


@get(
    "/history",
    opt={"permission": Permission.STAMPING_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_history(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    stamping: NamedDependency[StampingService],
    database: NamedDependency[Database],
    account: NamedDependency[UUID],
) -> Page:
    """Show the balance, and a page of orders and stampings, newest first.

    A member without permission to see orders gets only stampings from the balance.
    """
    before = request.query_params.get("before")
    part = Part(ENTRIES_PER_PAGE, read(OLDER, before)) if before else Part(ENTRIES_PER_PAGE)
    sees_orders = Permission.ORDER_READ in caller_of(request).permissions
    placed, more_orders = await orders.list(account, part) if sees_orders else ([], False)
    stampings, more_stampings = await stamping.from_balance(account, part)
    async with database.reading() as tx:
        ids = [read("ord", order.id) for order in placed]
        documents = await stampings_of_orders(tx, account, *ids)
        refunds = await refunds_of_orders(tx, account, ids)
        lots = await stamps.lots(tx, account, ids)
        balance = await stamps.balance(tx, account)
        issuing = await stamps.issuing(tx)
        paid = await covered(tx, account, placed)
    now, given = _clock.now(), [*stampings, *documents]
    every = entries(placed, given, refunds, lots, paid, now, is_issuing=issuing.is_open)
    found, is_cut = part.cut(every)
    is_more = is_cut or more_orders or more_stampings
    older = show(OLDER, found[-1].id) if is_more else None
    return page(
        request,
        "portal/history.html",
        balance=balance,
        entries=found,
        older=older,
        is_first=before is None,
        now=now,
    )


routes = [show_history]
