"""API of collectors."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from meterai.accounts import Permission
from meterai.collectors.lists import (
    MonthLists,
    MonthListView,
    Writer,
    as_csv,
    as_json,
    as_xlsx,
)
from meterai.collectors.service import (
    CollectorDepositView,
    CollectorMonth,
    CollectorService,
    CollectorView,
)
from meterai.kit.actor import Actor
from meterai.kit.days import Month
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed
from meterai.plumbing.http.described import Described
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.spreadsheets import XLSX
from meterai.stamping import DocumentFacts, read_facts

_SEES = {
    "permission": Permission.BALANCE_READ,
    "priority": Priority.PAID,
    "described": Described(refuses=(404,)),
}
_READS = {"permission": Permission.STAMPING_READ, "priority": Priority.PAID}


def _write_options(why: str) -> dict[str, object]:
    return {
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.PAID,
        "described": Described(repeats=why, refuses=(404, 409)),
    }


class DepositTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deposit to the treasury: NTPN, month (`2026-11`) whose duty it pays, amount in rupiah, and day of payment."""

    ntpn: str
    month: str
    rupiah: int
    paid_on: date


class ReturnTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The filed tax return of a month: number of the tax office's receipt, and day of filing."""

    receipt: str
    reported_on: date


class UnstampedTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document on which duty fell due and that could not be stamped: its facts, the time, and the reason."""

    facts: DocumentFacts
    happened_at: datetime
    reason: str


@get("/v1/collector", opt=_SEES, summary="Your credit as a collector", tags=["collectors"])
async def show_collector(
    collectors: NamedDependency[CollectorService], account: NamedDependency[UUID]
) -> CollectorView:
    """Show your limit, your deposits, and for each month the amounts that you drew and owe, with the last days to pay."""
    return await collectors.view(account)


@post(
    "/v1/collector/deposits",
    opt=_write_options("a deposit is identified by its NTPN"),
    summary="Report a deposit to the treasury",
    tags=["collectors"],
)
async def tell_deposit(
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    data: JSONBody[DepositTold],
) -> CollectorDepositView:
    """Report that you deposited the duty of a month, or part of it. When we confirm the deposit, orders that waited for it are
    paid.
    """
    month = Month.read(data.month)
    return await collectors.tell_deposit(
        account, data.ntpn, month, data.rupiah, data.paid_on, actor
    )


@delete(
    "/v1/collector/deposits/{ntpn:str}",
    opt=_write_options("a deposit is withdrawn only once"),
    summary="Take back a wrongly reported deposit",
    tags=["collectors"],
)
async def withdraw_deposit(
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
    ntpn: FromPath[str],
) -> None:
    """Withdraw the report of a deposit that is not confirmed."""
    await collectors.withdraw_deposit(account, ntpn)


@get(
    "/v1/collector/months/{month:str}",
    opt=_READS,
    summary="Document list of a month",
    tags=["collectors"],
)
async def show_month(
    request: Request[Any, Any, Any],
    collector_lists: NamedDependency[MonthLists],
    account: NamedDependency[UUID],
    month: FromPath[str],
) -> MonthListView:
    """Show the sums of a month (`2026-11`), its dates and state, and the documents that could not be stamped."""
    return await collector_lists.view(account, Month.read(month), language_of(request))


@put(
    "/v1/collector/months/{month:str}/return",
    opt=_write_options("the newest report replaces the one before"),
    summary="Mark a monthly return as filed",
    tags=["collectors"],
)
async def tell_return(
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    month: FromPath[str],
    data: JSONBody[ReturnTold],
) -> CollectorMonth:
    """Report that you filed the tax return of a month, with the number of its receipt. We then send no more reminders of it."""
    return await collectors.report(
        account, Month.read(month), data.receipt, data.reported_on, actor
    )


@post(
    "/v1/collector/unstamped",
    opt=_write_options("a document is identified by its type and number within its month"),
    status_code=204,
    summary="Add a document that could not be stamped",
    tags=["collectors"],
)
async def tell_unstamped(
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
    data: JSONBody[UnstampedTold],
) -> None:
    """Report a document on which duty fell due and that could not be stamped. Annex III of its month then contains it."""
    if data.happened_at.tzinfo is None:
        raise Malformed("happened_at", "moment")
    facts = read_facts(data.facts)
    await collectors.tell_unstamped(account, facts, data.happened_at, data.reason)


@get(
    "/v1/collector/months/{month:str}/nil",
    opt=_READS | {"described": Described(file="application/json", refuses=(409,))},
    summary="A signed statement that a month has nothing to report",
    tags=["collectors"],
)
async def download_nil(
    collector_lists: NamedDependency[MonthLists],
    account: NamedDependency[UUID],
    month: FromPath[str],
) -> Response[bytes]:
    """Return a signed statement that a month has nothing to report: a JSON Web Signature (key: /regulator/key.pem)."""
    of = Month.read(month)
    signed = await collector_lists.nil(account, of)
    return saved_as(f"nihil-{of}.json", signed.encode(), "application/json")


def _file(ending: str, media_type: str, write: Writer) -> HTTPRouteHandler:
    @get(
        f"/v1/collector/months/{{month:str}}/documents.{ending}",
        opt=_READS | {"described": Described(file=media_type)},
        summary=f"Each document of a month, as {ending.upper()}",
        tags=["collectors"],
        name=f"collector_documents_{ending}",
    )
    async def download(
        request: Request[Any, Any, Any],
        collector_lists: NamedDependency[MonthLists],
        account: NamedDependency[UUID],
        month: FromPath[str],
    ) -> Stream:
        """Download the list of a month: documents that were stamped (annex II) or could not be stamped (annex III)."""
        of = Month.read(month)
        pieces = await collector_lists.written(account, of, language_of(request), write)
        headers = {
            "Content-Disposition": f'attachment; filename="documents-{of}.{ending}"',
            "Cache-Control": "private, no-store",
        }
        return Stream(pieces, media_type=media_type, headers=headers)

    download.fn.__name__ = f"download_documents_{ending}"  # the name in the API description
    return download


FILES = [
    _file("csv", "text/csv; header=present", as_csv),
    _file("xlsx", XLSX, as_xlsx),
    _file("json", "application/json", as_json),
]
routes = [
    show_collector,
    tell_deposit,
    withdraw_deposit,
    show_month,
    tell_return,
    tell_unstamped,
    download_nil,
    *FILES,
]
