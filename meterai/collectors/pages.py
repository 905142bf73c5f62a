"""Pages of a collector: its credit, its months, and its reports."""

from datetime import date, datetime
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.collectors.lists import MonthLists
from meterai.collectors.model import METHOD
from meterai.collectors.service import CollectorService
from meterai.kit.actor import Actor
from meterai.kit.clock import WIB
from meterai.kit.days import Month, read_day
from meterai.kit.numbers import counted
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, Refusal
from meterai.orders import OrderService
from meterai.pages import (
    Form,
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    RoomPages,
    ShownTo,
    field_errors,
    form_key,
    fresh_key,
    page,
    read_own_form,
    see_other,
)
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.stamping import DOCUMENT_TYPES, IDENTITY_KINDS, facts_in_texts

RUPIAH_DIGITS_MAX = 13
_SEES = {"permission": Permission.BALANCE_READ, "priority": Priority.PAID}
_READS = {"permission": Permission.STAMPING_READ, "priority": Priority.PAID}
_TELLS = {"permission": Permission.ORDER_CREATE, "priority": Priority.PAID}
_DRAWS = {"permission": Permission.ORDER_CREATE, "priority": Priority.CHECKOUT}


async def _shown(
    request: PageRequest,
    collectors: CollectorService,
    account: UUID,
    refusal: Refusal | None = None,
    form: Form | None = None,
    field: str = "quantity",
) -> Page:
    view = await collectors.view(account)
    return page(
        request,
        "collectors/collector.html",
        status=refusal.status if refusal else 200,
        view=view,
        key=fresh_key(),
        today=collectors.today(),
        typed=form.texts if form else {},
        errors=field_errors(refusal, language_of(request), field),
    )


@get("/collector", opt=_SEES, include_in_schema=False)
async def show_collector(
    request: PageRequest,
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the limit of a collector, its months with the last days to deposit and to file, and its deposits."""
    return await _shown(request, collectors, account)


def _number(form: Form, name: str) -> int:
    found = counted(form.text(name).replace(".", ""), RUPIAH_DIGITS_MAX)
    if found is None:
        raise Malformed(name, "whole_number")
    return found


@post("/collector/draws", opt=_DRAWS, include_in_schema=False)
async def draw(
    request: PageRequest,
    collectors: NamedDependency[CollectorService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
) -> Page:
    """Order stamps on credit."""
    form = await read_own_form(request)
    try:
        key, quantity = form_key(form.text("key")), _number(form, "quantity")
        await orders.check_turn(request, account, key)
        order = await orders.place(account, key, quantity, method=METHOD)
    except Refusal as refusal:
        if refusal.code == "wait_in_line":
            raise
        return await _shown(request, collectors, account, refusal, form)
    return see_other(f"/orders/{order.id}")


@post("/collector/deposits", opt=_TELLS, include_in_schema=False)
async def tell_deposit(
    request: PageRequest,
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Record the collector's report of a deposit to the treasury."""
    form = await read_own_form(request)
    try:
        await collectors.tell_deposit(
            account,
            form.text("ntpn"),
            Month.read(form.text("month")),
            _number(form, "rupiah"),
            _day(form, "paid_on"),
            actor,
        )
    except Refusal as refusal:
        return await _shown(request, collectors, account, refusal, form, "ntpn")
    return see_other("/collector")


@post("/collector/deposits/withdraw", opt=_TELLS, include_in_schema=False)
async def withdraw_deposit(
    request: PageRequest,
    collectors: NamedDependency[CollectorService],
    account: NamedDependency[UUID],
) -> Page:
    """Withdraw the report of a deposit that was reported wrongly."""
    form = await read_own_form(request)
    await collectors.withdraw_deposit(account, form.text("ntpn"))
    return see_other("/collector")


async def _month_page(
    request: PageRequest,
    lists: MonthLists,
    account: UUID,
    month: str,
    refusal: Refusal | None = None,
    form: Form | None = None,
    field: str = "receipt",
) -> Page:
    found = await lists.view(account, Month.read(month), language_of(request))
    return page(
        request,
        "collectors/month.html",
        status=refusal.status if refusal else 200,
        found=found,
        types=DOCUMENT_TYPES,
        identities=IDENTITY_KINDS,
        typed=form.texts if form else {},
        errors=field_errors(refusal, language_of(request), field),
    )


@get("/collector/months/{month:str}", opt=_READS, include_in_schema=False)
async def show_month(
    request: PageRequest,
    collector_lists: NamedDependency[MonthLists],
    account: NamedDependency[UUID],
    month: FromPath[str],
) -> Page:
    """Show a month of a collector: amounts drawn and owed, last days to deposit and to file, downloads of the list of its
    documents, and the documents that could not be stamped.
    """
    return await _month_page(request, collector_lists, account, month)


def _day(form: Form, name: str) -> date:
    return read_day(form.text(name), name)


@post("/collector/months/{month:str}/return", opt=_TELLS, include_in_schema=False)
async def tell_return(
    request: PageRequest,
    collectors: NamedDependency[CollectorService],
    collector_lists: NamedDependency[MonthLists],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    month: FromPath[str],
) -> Page:
    """Record the collector's report that it filed the tax return of a month."""
    form = await read_own_form(request)
    try:
        receipt, day = form.text("receipt"), _day(form, "reported_on")
        await collectors.report(account, Month.read(month), receipt, day, actor)
    except Refusal as refusal:
        return await _month_page(request, collector_lists, account, month, refusal, form)
    return see_other(f"/collector/months/{month}")


@post("/collector/months/{month:str}/unstamped", opt=_TELLS, include_in_schema=False)
async def tell_unstamped(
    request: PageRequest,
    collectors: NamedDependency[CollectorService],
    collector_lists: NamedDependency[MonthLists],
    account: NamedDependency[UUID],
    month: FromPath[str],
) -> Page:
    """Record the collector's report of a document that could not be stamped."""
    form = await read_own_form(request)
    try:
        happened = datetime.combine(_day(form, "happened_on"), datetime.min.time(), WIB)
        await collectors.tell_unstamped(
            account, facts_in_texts(form.texts), happened, form.text("reason")
        )
    except Refusal as refusal:
        return await _month_page(request, collector_lists, account, month, refusal, form, "type")
    return see_other(f"/collector/months/{month}")


@get("/collector/months/{month:str}/nil", opt=_READS, include_in_schema=False)
async def download_nil(
    collector_lists: NamedDependency[MonthLists],
    account: NamedDependency[UUID],
    month: FromPath[str],
) -> Response[bytes]:
    """Return a signed statement that a month has nothing to report."""
    signed = await collector_lists.nil(account, Month.read(month))
    return saved_as(f"nihil-{Month.read(month)}.json", signed.encode(), "application/json")


PAGES = RoomPages(
    "collectors",
    "meterai.collectors",
    links=(
        PageLink(
            LinkPlace.FOOT,
            8,
            "/collector",
            "page.foot.collector",
            ShownTo.SIGNED_IN,
            Permission.STAMP_AFFIX,
        ),
    ),
)
PAGE_ROUTES = [
    show_collector,
    draw,
    tell_deposit,
    withdraw_deposit,
    show_month,
    tell_return,
    tell_unstamped,
    download_nil,
]
