"""Page of a document with its stamps, and downloads of the document."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import stamps
from meterai.accounts import Permission
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.orders import OrderService
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.http.requests import saved_as
from meterai.portal.arrived import covered
from meterai.portal.order_text import OrderNow
from meterai.portal.pages import stamped_name
from meterai.refunds import refunds_of_order
from meterai.stamping import StampingService

_clock = SystemClock()


@get(
    "/stampings/{stamping_id:str}",
    opt={"permission": Permission.STAMPING_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_stamping(
    request: PageRequest,
    stamping: NamedDependency[StampingService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> Page:
    """Show a document and its stamps."""
    found = await stamping.view(account, read("stg", stamping_id))
    this = (
        await _order_now(orders, account, read("ord", found.order_id)) if found.order_id else None
    )
    return page(
        request,
        "portal/stamping.html",
        stamping=found,
        state=this.state_of(found) if this else found.state,
        order=this.order if this else None,
        is_on_hold=bool(this and this.is_on_hold),
    )


async def _order_now(orders: OrderService, account: UUID, order_id: UUID) -> OrderNow:
    async with orders.view_within(account, order_id) as (tx, order):
        refunds = await refunds_of_order(tx, account, order_id)
        lot, issuing = await stamps.lot_and_issuing(tx, account, order_id)
        paid = await covered(tx, account, [order])
    return OrderNow(
        order,
        _clock.now(),
        refunds=refunds,
        lot=lot,
        is_issuing=issuing.is_open,
        is_covered=order.id in paid,
    )


@get(
    "/stampings/{stamping_id:str}/document",
    opt={"permission": Permission.DOCUMENT_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def download_document(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> Response[Any]:
    """Return the stamped document as a file."""
    found, content = await stamping.document(account, read("stg", stamping_id))
    return saved_as(stamped_name(found.document_name), content, "application/pdf")


@get(
    "/stampings/{stamping_id:str}/delta",
    opt={"permission": Permission.DOCUMENT_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def download_delta(
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    stamping_id: FromPath[str],
) -> Response[Any]:
    """Return only the delta (the bytes that sealing appended), for owners of the original."""
    found, content = await stamping.delta(account, read("stg", stamping_id))
    return saved_as(f"{found.document_name}.delta", content, "application/octet-stream")


routes = [show_stamping, download_document, download_delta]
