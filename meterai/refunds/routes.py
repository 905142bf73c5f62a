"""Refunds over the API."""

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath

from meterai.kit.ids import read
from meterai.plumbing.http import ACCOUNT, Before, Limit, account_of, service
from meterai.plumbing.paging import PAGE_MAX, Page
from meterai.refunds.service import RefundService, RefundView


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order whose unused stamps should go back."""

    order_id: str


@post(
    "/v1/refunds", opt={"permission": ACCOUNT}, summary="Ask unused stamps back", tags=["refunds"]
)
async def ask_for_refund(request: Request[Any, Any, Any], data: RefundRequest) -> RefundView:
    """Give the unused stamps of an order back; the money goes to where it came from.

    Nothing has to be asked for what was paid and not executed: that comes back by itself.
    """
    order = read("ord", data.order_id)
    return await service(request, RefundService).ask(account_of(request), order)


class RefundList(msgspec.Struct, frozen=True):
    """Refunds, newest first.  `next` is the `before` of the next page; null on the last."""

    refunds: list[RefundView]
    next: str | None


@get("/v1/refunds", opt={"permission": ACCOUNT}, summary="Your refunds", tags=["refunds"])
async def list_refunds(
    request: Request[Any, Any, Any], limit: Limit = PAGE_MAX, before: Before = None
) -> RefundList:
    """A page of your refunds, newest first."""
    page = Page(limit, read("rfd", before)) if before else Page(limit)
    found, is_more = await service(request, RefundService).list(account_of(request), page)
    return RefundList(found, found[-1].id if is_more else None)


@get(
    "/v1/refunds/{refund_id:str}",
    opt={"permission": ACCOUNT},
    summary="One refund",
    tags=["refunds"],
)
async def show_refund(request: Request[Any, Any, Any], refund_id: FromPath[str]) -> RefundView:
    """One refund, its state and its due time."""
    return await service(request, RefundService).view(account_of(request), read("rfd", refund_id))


routes = [ask_for_refund, list_refunds, show_refund]
