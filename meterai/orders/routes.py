"""Routes of the API for orders."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.kit.ids import read
from meterai.kit.labels import labels
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.orders.service import OrderService, OrderView
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.head import head_of
from meterai.plumbing.http.queries import Before, Limit, Reference
from meterai.plumbing.http.requests import idempotency_key


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of stamps to buy, and the payment method; without `payment_method` the default method is used.

    `seller` is the name of the sales page of a distributor, whose fee is then charged in addition to ours.  `seller_fee` is the
    fee that your buyer was shown; the request is refused if the current fee differs.  `reference` and `metadata` are your texts
    for finding the order again; leave personal data out of them.
    """

    quantity: int
    payment_method: str | None = None
    reference: str | None = None
    metadata: dict[str, str] = {}
    seller: str | None = None
    seller_fee: int | None = None


class OrderList(msgspec.Struct, frozen=True):
    """Orders, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    orders: list[OrderView]
    next: str | None


@post(
    "/v1/orders",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "described": Described(
            needs_key=True,
            headers={
                "Prefer": "With `respond-async` the answer does not wait for the QR.",
                "Waiting-Turn": "The turn of your place, while a line guards buying.",
            },
        ),
    },
    summary="Buy stamps",
    tags=["orders"],
)
async def place_order(
    request: Request[Any, Any, Any],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    data: JSONBody[OrderRequest],
) -> OrderView:
    """Place an order; needs an Idempotency-Key.

    The answer has the QRIS payload if the bank gives it in time; with `Prefer: respond-async`
    it is available a moment later at `GET /v1/orders/{id}`.  While many visitors buy, the request may be refused with
    `wait_in_line`, which says where to take a place; send the turn of that place in the header `Waiting-Turn`.

    The total is `quantity` times the sum of `unit_price` (the duty) and `service_fee`.  If the order has a `seller`,
    `seller_fee` is the seller's part of `service_fee`.
    """
    key = idempotency_key(request)
    written = labels(data.reference, data.metadata)
    sold = await orders.sold_by(account, key, data.seller, data.seller_fee)
    await orders.check_turn(request, account, key)
    return await orders.place(
        account,
        key,
        data.quantity,
        wait_for_qr=b"respond-async" not in head_of(request.scope).values.get(b"prefer", b""),
        method=data.payment_method,
        written=written,
        sold=sold,
    )


@get(
    "/v1/orders",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    summary="Your orders",
    tags=["orders"],
)
async def list_orders(
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
    reference: Reference = None,
) -> OrderList:
    """Return a page of your orders, newest first; with `reference` only the orders that have this reference."""
    page = ListPage(limit, read("ord", before)) if before else ListPage(limit)
    found, is_more = await orders.list(account, page, reference)
    return OrderList(found, found[-1].id if is_more else None)


@get(
    "/v1/orders/{order_id:str}",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    summary="One order",
    tags=["orders"],
)
async def show_order(
    orders: NamedDependency[OrderService], account: NamedDependency[UUID], order_id: FromPath[str]
) -> OrderView:
    """Return an order, with its payment instructions and the state of its money."""
    return await orders.view(account, read("ord", order_id))


@post(
    "/v1/orders/{order_id:str}/withdraw",
    opt={
        "permission": Permission.ORDER_WITHDRAW,
        "priority": Priority.CHECKOUT,
        "described": Described(repeats="A withdrawn order stays withdrawn."),
    },
    summary="Cancel an unpaid order",
    tags=["orders"],
    status_code=200,
)
async def withdraw_order(
    orders: NamedDependency[OrderService], account: NamedDependency[UUID], order_id: FromPath[str]
) -> OrderView:
    """Withdraw an order that was not paid; money that still comes is returned."""
    return await orders.withdraw(account, read("ord", order_id))


class PayBy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new payment method of an unpaid order: the name of a method of this installation."""

    payment_method: str


@post(
    "/v1/orders/{order_id:str}/pay-by",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "described": Described(
            repeats=("Each request begins another attempt; an order has at most ten.")
        ),
    },
    summary="Change the payment method of an unpaid order",
    tags=["orders"],
    status_code=200,
)
async def pay_order_by(
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
    data: JSONBody[PayBy],
) -> OrderView:
    """Cancel the current payment instructions of an unpaid order, and return new ones; the order lapses when the new ones
    expire.
    """
    return await orders.pay_by(account, read("ord", order_id), data.payment_method)


routes = [place_order, list_orders, show_order, withdraw_order, pay_order_by]
