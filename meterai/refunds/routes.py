"""Refunds over the API."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.plumbing.described import Described
from meterai.plumbing.http import idempotency_key
from meterai.plumbing.paging import PAGE_MAX, Page
from meterai.plumbing.queries import Before, Limit
from meterai.refunds.service import RefundService, RefundView


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order whose unused stamps should go back."""

    order_id: str


@post(
    "/v1/refunds",
    opt={
        "permission": Permission.REFUND_ASK,
        "priority": Priority.PAID,
        "described": Described(needs_key=True, refuses=(404,)),
    },
    summary="Ask unused stamps back",
    tags=["refunds"],
)
async def ask_for_refund(
    request: Request[Any, Any, Any],
    refunds: NamedDependency[RefundService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[RefundRequest],
) -> RefundView:
    """Give the unused stamps of an order back; the money goes to where it came from.

    Needs an Idempotency-Key.  Nothing has to be asked for what was paid and not executed: that comes
    back by itself.
    """
    key = idempotency_key(request)
    return await refunds.ask(account, read("ord", data.order_id), key, actor=actor)


class RefundList(msgspec.Struct, frozen=True):
    """Refunds, newest first.  `next` is the `before` of the next page; null on the last."""

    refunds: list[RefundView]
    next: str | None


@get(
    "/v1/refunds",
    opt={"permission": Permission.REFUND_READ, "priority": Priority.PAID},
    summary="Your refunds",
    tags=["refunds"],
)
async def list_refunds(
    refunds: NamedDependency[RefundService],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
) -> RefundList:
    """A page of your refunds, newest first."""
    page = Page(limit, read("rfd", before)) if before else Page(limit)
    found, is_more = await refunds.list(account, page)
    return RefundList(found, found[-1].id if is_more else None)


@get(
    "/v1/refunds/{refund_id:str}",
    opt={"permission": Permission.REFUND_READ, "priority": Priority.PAID},
    summary="One refund",
    tags=["refunds"],
)
async def show_refund(
    refunds: NamedDependency[RefundService],
    account: NamedDependency[UUID],
    refund_id: FromPath[str],
) -> RefundView:
    """One refund, its state and its due time."""
    return await refunds.view(account, read("rfd", refund_id))


routes = [ask_for_refund, list_refunds, show_refund]
