"""What an account did, and what it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import get

from meterai import accounts, stamps
from meterai.kit.ids import show
from meterai.orders import OrderDesk, OrderView
from meterai.plumbing.database import Database
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


@get("/account", opt={"permission": ACCOUNT}, include_in_schema=False)
async def show_account(request: Asked) -> Page:
    """The address, the language and the stamps of the account."""
    account = account_of(request)
    async with desk(request, Database).transaction() as tx:
        contact = await accounts.contact(tx, account)
        balance = await stamps.balance(tx, account)
    return page(request, "account.html", contact=contact, balance=balance)


routes = [show_history, show_account]
