"""One document and its stamps, and the files to download."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.orders import OrderService
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.http import saved_as
from meterai.portal.order_told import state_within
from meterai.portal.pages import stamped_name
from meterai.stamping import StampingService


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
    """One document and its stamps."""
    found = await stamping.view(account, read("stg", stamping_id))
    order = await orders.view(account, read("ord", found.order_id)) if found.order_id else None
    return page(
        request,
        "portal/stamping.html",
        stamping=found,
        state=state_within(order, found),
        order=order,
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
    """The stamped file."""
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
    """Only what was added: for those who kept their own original."""
    found, content = await stamping.delta(account, read("stg", stamping_id))
    return saved_as(f"{found.document_name}.delta", content, "application/octet-stream")


routes = [show_stamping, download_document, download_delta]
