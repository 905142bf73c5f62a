"""Orders in the console and in complaints: search, timelines, and the work list of paid orders that wait for their
execution.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from meterai.accounts import Permission
from meterai.kit.ids import read_typed, show
from meterai.kit.labels import REFERENCE_LENGTH_MAX
from meterai.kit.paging import ListPage
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.orders import store
from meterai.orders.model import Order, OrderKey, OrderState
from meterai.orders.settings import OrderSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList

ORDERS_TOLD_MAX = 50  # greatest number of orders on the timeline of an account, the newest first


def subject(one: OrderKey) -> Subject:
    """Return an order as a `Subject`: the object of a page, a search result or a timeline in the console."""
    return Subject(SubjectKind.ORDER, show("ord", one.order), one.account)


async def find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    """Return the orders with this order number, or with this reference of a client."""
    if (order_id := read_typed("ord", text)) is not None:
        return [subject(one) for one in await store.by_id(tx, order_id)]
    if len(text) > REFERENCE_LENGTH_MAX:
        return ()
    return [subject(one) for one in await store.by_reference(tx, text, limit)]


def _state_times(order: Order) -> Iterator[tuple[datetime, str]]:
    """Yield (time, name of the event) for each state of an order whose time is stored in the order's row.  Of several times at
    which the order was closed, the row has only the newest; the others are in the timelines of the rooms that caused them.
    """
    is_late = order.paid_at is not None and order.paid_at > order.lapses_at
    if is_late:
        yield order.lapses_at, "order_lapsed"  # the order lapsed, and was paid later
    if order.paid_at is not None:
        yield order.paid_at, "order_paid"
    if order.closed_at is not None and order.state not in (OrderState.PLACED, OrderState.PAID):
        yield order.closed_at, f"order_{order.state}"


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the timeline of an order; for an account, one event for the placing of each of its newest orders."""
    if about.account is None:
        return ()
    if about.kind == SubjectKind.ACCOUNT:
        newest = await store.orders_of(tx, about.account, ListPage().before, ORDERS_TOLD_MAX)
        return [_placed(one, subject(OrderKey(one.account, one.id))) for one in newest]
    order_id = read_typed("ord", about.shown) if about.kind == SubjectKind.ORDER else None
    if order_id is None or (order := await store.order(tx, about.account, order_id)) is None:
        return ()
    facts = {"total": order.total, "quantity": order.quantity, "due_at": order.due_at}
    return [_placed(order), *(Happening(at, word, facts) for at, word in _state_times(order))]


def _placed(order: Order, about: Subject | None = None) -> Happening:
    facts = {
        "what": Sentence(f"order.kind.{order.kind}", {"quantity": order.quantity}),
        "total": order.total,
        "lapses_at": order.lapses_at,
        "order": show("ord", order.id),
    }
    word = "order_placed" if about is None else "order_of_account"
    state = Sentence(f"state.order.{order.state}", {})
    return Happening(order.placed_at, word, facts | {"now": state}, about, begins=about is None)


async def _half_due(
    tx: ReadTx, settings: Settings, now: datetime, limit: int
) -> Sequence[WorkItem]:
    sale = settings.of(OrderSettings)
    longest = max(sale.stamps_due_seconds, sale.documents_due_seconds)
    return [
        WorkItem(
            subject(OrderKey(one.account, one.id)),
            one.paid_at,
            one.due_at,
            {"total": one.total, "quantity": one.quantity},
        )
        for one in await store.half_due(tx, now, longest, limit)
    ]


KNOWS = Knows(find=find, tell=tell)
WORK = (WorkList(name="money_in_flight", permission=Permission.CONSOLE_READ, waiting=_half_due),)
