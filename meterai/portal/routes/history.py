"""What an account did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import get

from meterai.kit.ids import show
from meterai.orders import OrderDesk, OrderView
from meterai.plumbing.http import ACCOUNT, account_of, desk
from meterai.portal.pages import Asked, Page, page
from meterai.stamping import Stamping, StampingDesk


@dataclass(frozen=True, slots=True)
class Entry:
    """An order with its documents, or a document stamped from the balance."""

    at: datetime
    order: OrderView | None
    documents: tuple[Stamping, ...]


def entries(orders: Sequence[OrderView], stampings: Sequence[Stamping]) -> list[Entry]:
    """Orders and stampings as one list, newest first."""
    of_order: dict[str, list[Stamping]] = {}
    found = []
    for stamping in stampings:
        if stamping.order is None:
            found.append(Entry(stamping.requested_at, None, (stamping,)))
        else:
            of_order.setdefault(show("ord", stamping.order), []).append(stamping)
    found += [
        Entry(order.placed_at, order, tuple(reversed(of_order.get(order.id, ()))))
        for order in orders
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


@get("/history", opt={"permission": ACCOUNT}, include_in_schema=False)
async def show_history(request: Asked) -> Page:
    """Every order and stamping, newest first."""
    account = account_of(request)
    orders = await desk(request, OrderDesk).list(account)
    stampings = await desk(request, StampingDesk).list(account)
    return page(request, "history.html", entries=entries(orders, stampings))


routes = [show_history]
