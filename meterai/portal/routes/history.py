"""The page of what an account ordered and stamped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.orders import OrderService, OrderView
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.database import Database
from meterai.plumbing.paging import Page as Part
from meterai.portal.order_told import state_within
from meterai.stamping import Stamping, StampingService, StampingState, stampings_of_orders

OLDER = "old"  # kind of the id where the next page begins, an order's or a stamping's
ENTRIES_PER_PAGE = 50  # orders and stampings; each may have its documents


@dataclass(frozen=True, slots=True)
class Entry:
    """An order with its documents, or a document stamped from the balance."""

    id: UUID
    at: datetime
    order: OrderView | None
    documents: tuple[Stamping, ...]

    def state_of(self, stamping: Stamping) -> StampingState:
        """`state_within` the order of this entry."""
        return state_within(self.order, stamping)


def entries(orders: Sequence[OrderView], stampings: Sequence[Stamping]) -> list[Entry]:
    """Orders and stampings as one list, newest first."""
    of_order: dict[str, list[Stamping]] = {}
    found = []
    for stamping in stampings:
        if stamping.order is None:
            found.append(Entry(stamping.id, stamping.requested_at, None, (stamping,)))
        else:
            of_order.setdefault(show("ord", stamping.order), []).append(stamping)
    found += [
        Entry(read("ord", order.id), order.placed_at, order, tuple(of_order.get(order.id, ())))
        for order in orders
    ]
    # By their ids, which are ordered by time, as the pages are.
    return sorted(found, key=lambda entry: entry.id, reverse=True)


@get(
    "/history",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_history(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    stamping: NamedDependency[StampingService],
    database: NamedDependency[Database],
    account: NamedDependency[UUID],
) -> Page:
    """Orders and stampings, newest first, a page at a time."""
    before = request.query_params.get("before")
    part = Part(ENTRIES_PER_PAGE, read(OLDER, before)) if before else Part(ENTRIES_PER_PAGE)
    placed, more_orders = await orders.list(account, part)
    stampings, more_stampings = await stamping.from_balance(account, part)
    async with database.reading() as tx:
        ids = [read("ord", order.id) for order in placed]
        documents = await stampings_of_orders(tx, account, *ids)
    found, is_cut = part.cut(entries(placed, [*stampings, *documents]))
    is_more = is_cut or more_orders or more_stampings
    older = show(OLDER, found[-1].id) if is_more else None
    return page(request, "portal/history.html", entries=found, older=older, is_first=before is None)


routes = [show_history]
