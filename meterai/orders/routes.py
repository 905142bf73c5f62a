"""Orders over the API."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath

from meterai.kit.ids import read
from meterai.orders.service import OrderService, OrderView
from meterai.plumbing.http import ACCOUNT, Before, Limit, account_of, idempotency_key, service
from meterai.plumbing.paging import PAGE_MAX, Page


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many stamps to buy."""

    quantity: int


class OrderList(msgspec.Struct, frozen=True):
    """Orders, newest first.  `next` is the `before` of the next page; null on the last."""

    orders: list[OrderView]
    next: str | None


@post("/v1/orders", opt={"permission": ACCOUNT}, summary="Buy stamps", tags=["orders"])
async def place_order(request: Request[Any, Any, Any], data: OrderRequest) -> OrderView:
    """Place an order; needs an Idempotency-Key.

    The answer holds the QRIS payload if the bank gives it in time; with `Prefer: respond-async`
    it comes a moment later at `GET /v1/orders/{id}`.
    """
    return await service(request, OrderService).place(
        account_of(request),
        idempotency_key(request),
        data.quantity,
        wait_for_qr="respond-async" not in request.headers.get("prefer", ""),
    )


@get("/v1/orders", opt={"permission": ACCOUNT}, summary="Your orders", tags=["orders"])
async def list_orders(
    request: Request[Any, Any, Any], limit: Limit = PAGE_MAX, before: Before = None
) -> OrderList:
    """A page of your orders, newest first."""
    page = Page(limit, read("ord", before)) if before else Page(limit)
    found, is_more = await service(request, OrderService).list(account_of(request), page)
    return OrderList(found, found[-1].id if is_more else None)


@get("/v1/orders/{order_id:str}", opt={"permission": ACCOUNT}, summary="One order", tags=["orders"])
async def show_order(request: Request[Any, Any, Any], order_id: FromPath[str]) -> OrderView:
    """One order, with how to pay it and where its money is."""
    return await service(request, OrderService).view(account_of(request), read("ord", order_id))


@post(
    "/v1/orders/{order_id:str}/withdraw",
    opt={"permission": ACCOUNT},
    summary="Give an unpaid order up",
    tags=["orders"],
    status_code=200,
)
async def withdraw_order(request: Request[Any, Any, Any], order_id: FromPath[str]) -> OrderView:
    """Withdraw an order that was not paid; money that comes all the same goes back."""
    return await service(request, OrderService).withdraw(account_of(request), read("ord", order_id))


routes = [place_order, list_orders, show_order, withdraw_order]
