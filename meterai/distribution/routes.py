"""API of sales and deposits."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from meterai.accounts import Permission
from meterai.distribution.model import SALE_KIND
from meterai.distribution.service import DepositView, DistributionService, SaleView
from meterai.distribution.statement import (
    StatementSpan,
    StatementView,
    Writer,
    as_csv,
    as_json,
    as_xlsx,
)
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.labels import labels
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.orders import OrderView
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.queries import Before, Limit, Reference
from meterai.plumbing.http.requests import idempotency_key
from meterai.plumbing.spreadsheets import XLSX

_CSV = "text/csv; header=present"
_OF_DISTRIBUTORS = Described(refuses=(404,))  # an account that is not a distributor


OfReseller = Annotated[
    str | None, QueryParameter(description="Only sales of this reseller, as `acc_...`.")
]
Of = Annotated[str | None, QueryParameter(description="A month in WIB, as 2026-11.")]
OfDay = Annotated[str | None, QueryParameter(description="Or a day in WIB, as 2026-11-30.")]


def _stream(pieces: AsyncIterator[bytes], name: str, media_type: str) -> Stream:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Stream(pieces, media_type=media_type, headers=headers)


class SaleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sale: e-mail address of the buyer, and number of stamps.

    `reference` is a text of yours to find the sale again; it must contain no personal data.
    """

    email: str
    quantity: int
    reference: str | None = None


class SaleList(msgspec.Struct, frozen=True):
    """Sales, newest first.  `next` is the value of `before` for the next page; null on the last page."""

    sales: list[SaleView]
    next: str | None


class DepositRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A top-up: whole rupiah, a multiple of the stamp duty, and a payment method; without one the default method is used."""

    rupiah: int
    payment_method: str | None = None


@post(
    "/v1/sales",
    opt={
        "permission": Permission.SALE_MAKE,
        "priority": Priority.CHECKOUT,
        "described": Described(needs_key=True, refuses=(404, 429)),
    },
    summary="Sell stamps from your deposit",
    tags=["distribution"],
)
async def make_sale(
    request: Request[Any, Any, Any],
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[SaleRequest],
) -> SaleView:
    """Sell stamps to the account of a buyer.  Needs an Idempotency-Key.

    A sale that your deposit does not cover waits, and is paid after a top-up without another request.  A reseller sells in
    the same way from the deposit of its distributor.
    """
    key = idempotency_key(request)
    written = labels(data.reference, None)
    return await distribution.sell(
        account,
        key,
        email=data.email,
        quantity=data.quantity,
        reference=written.reference,
        actor=actor,
    )


@get(
    "/v1/sales",
    opt={"permission": Permission.SALE_MAKE, "priority": Priority.PAID},
    summary="Your sales",
    tags=["distribution"],
)
async def list_sales(
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
    reference: Reference = None,
    reseller: OfReseller = None,
) -> SaleList:
    """List your sales, newest first, in pages; optionally only sales with a reference, or of a reseller.

    A reseller sees only its own sales.
    """
    page = ListPage(limit, read(SALE_KIND, before)) if before else ListPage(limit)
    only = read("acc", reseller) if reseller else None
    found, is_more = await distribution.sales(account, page, reference, only)
    return SaleList(found, found[-1].id if is_more else None)


@get(
    "/v1/sales/{sale_id:str}",
    opt={"permission": Permission.SALE_MAKE, "priority": Priority.PAID},
    summary="One sale",
    tags=["distribution"],
)
async def show_sale(
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
    sale_id: FromPath[str],
) -> SaleView:
    """Show a sale and its state."""
    return await distribution.sale(account, read(SALE_KIND, sale_id))


@get(
    "/v1/sales.csv",
    opt={
        "permission": Permission.SALE_MAKE,
        "priority": Priority.PAID,
        "described": Described(file=_CSV, refuses=(404,)),
    },
    summary="Your sales as CSV",
    tags=["distribution"],
)
async def download_sales(
    request: Request[Any, Any, Any],
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
    month: Of = None,
    day: OfDay = None,
) -> Stream:
    """Download the sales made in a month or on a day, with their states, oldest first.  A reseller gets its own sales."""
    of = StatementSpan.read(month, day)
    pieces = await distribution.table(account, of, language_of(request))
    return _stream(pieces, f"sales-{of.name}.csv", _CSV)


@post(
    "/v1/deposits",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "described": Described(needs_key=True, refuses=(404,)),
    },
    summary="Add to your deposit",
    tags=["distribution"],
)
async def add_deposit(
    request: Request[Any, Any, Any],
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
    data: JSONBody[DepositRequest],
) -> OrderView:
    """Order a top-up of your deposit, which is paid like any order.  Needs an Idempotency-Key."""
    key = idempotency_key(request)
    return await distribution.top_up(account, key, data.rupiah, data.payment_method)


@get(
    "/v1/deposit",
    opt={
        "permission": Permission.BALANCE_READ,
        "priority": Priority.PAID,
        "described": _OF_DISTRIBUTORS,
    },
    summary="Your deposit",
    tags=["distribution"],
)
async def show_deposit(
    distribution: NamedDependency[DistributionService], account: NamedDependency[UUID]
) -> DepositView:
    """Show your deposit, and the sales that wait for it."""
    return await distribution.deposit(account)


@get(
    "/v1/deposit/statement",
    opt={
        "permission": Permission.BALANCE_READ,
        "priority": Priority.PAID,
        "described": _OF_DISTRIBUTORS,
    },
    summary="Statement of your deposit by day",
    tags=["distribution"],
)
async def show_statement(
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
    month: Of = None,
    day: OfDay = None,
) -> StatementView:
    """Show the sums of your deposit by day, for a month or a day: rupiah added, sold, returned, and the balances."""
    return await distribution.statement(account, StatementSpan.read(month, day))


def _file(ending: str, media_type: str, write: Writer) -> HTTPRouteHandler:
    @get(
        f"/v1/deposit/statement.{ending}",
        opt={
            "permission": Permission.BALANCE_READ,
            "priority": Priority.PAID,
            "described": Described(file=media_type, refuses=(404,)),
        },
        summary=f"Each movement of your deposit, as {ending.upper()}",
        tags=["distribution"],
        name=f"statement_{ending}",
    )
    async def download(
        request: Request[Any, Any, Any],
        distribution: NamedDependency[DistributionService],
        account: NamedDependency[UUID],
        month: Of = None,
        day: OfDay = None,
    ) -> Stream:
        """Download every movement of your deposit in a month or on a day, oldest first, with the balance after it."""
        of = StatementSpan.read(month, day)
        pieces = await distribution.written(account, of, language_of(request), write)
        return _stream(pieces, f"deposit-{of.name}.{ending}", media_type)

    download.fn.__name__ = f"download_statement_{ending}"  # the name in the API description
    return download


FILES = [
    _file("csv", _CSV, as_csv),
    _file("xlsx", XLSX, as_xlsx),
    _file("json", "application/json", as_json),
]
routes = [
    make_sale,
    list_sales,
    download_sales,
    show_sale,
    add_deposit,
    show_deposit,
    show_statement,
    *FILES,
]
