"""Pages of sellers: the deposit with its statement, sales, resellers. A reseller sees its own sales on the same pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.distribution.model import (
    SALE_KIND,
    NoDistributor,
    ResellerState,
    ResellerTerms,
    SellingDeposit,
)
from meterai.distribution.resellers import ResellerService, ResellerView, SoldView
from meterai.distribution.service import DistributionService
from meterai.distribution.statement import StatementSpan, StatementView
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.days import Month, day_of
from meterai.kit.ids import read, read_typed, show
from meterai.kit.labels import labels
from meterai.kit.money import STAMP_DUTY
from meterai.kit.paging import ListPage as PageOfList
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.orders import OrderService
from meterai.pages import (
    FieldError,
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
    kept_text,
    page,
    read_form_of_a_person,
    see_other,
    whole_number,
)
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import IdempotencyKeyReused

SHOWN_MAX = 50  # sales on one page
LEGS_SHOWN_MAX = 200  # moves of a day on its page; the files have all moves
REFERENCE_LENGTH_MAX = 64
_SELLING = {"permission": Permission.SALE_MAKE, "priority": Priority.PAID}
_DEPOSIT = {"permission": Permission.BALANCE_READ, "priority": Priority.PAID}
_TOPPING_UP = {"permission": Permission.ORDER_CREATE, "priority": Priority.CHECKOUT}
_MANAGING = {"permission": Permission.RESELLERS_MANAGE, "priority": Priority.PAID}
# The terms of a reseller outlive the session that sets them, so a fresh proof is needed.
_AGREEING = {**_MANAGING, "fresh_proof": True}
_SALE_FIELDS = ("email", "quantity", "reference", "key")
_TOPUP_FIELDS = ("rupiah", "payment_method", "key")
_RESELLER_FIELDS = ("account", "name", "fee", "day_rupiah")
_clock = SystemClock()


def _typed(request: PageRequest, names: Sequence[str], form: Form | None) -> dict[str, str]:
    return {name: form.text(name) if form else kept_text(request, name) for name in names}


def _key(typed: Mapping[str, str], refusal: Refusal | None) -> str:
    """Return the idempotency key of a form to show: the key that was sent, or a new key if none was sent, or if
    another request has used the sent key.
    """
    is_spent = isinstance(refusal, IdempotencyKeyReused)
    return fresh_key() if is_spent else typed.get("key") or fresh_key()


def _errors(
    request: PageRequest, refusal: Refusal | None, fields: Sequence[str], otherwise: str
) -> Sequence[FieldError]:
    """Return the errors of a form. They are shown beside the field that the refusal names, if it is in `fields`, else beside
    the field `otherwise`.
    """
    named = str(refusal.facts().get("field", "")) if refusal else ""
    return field_errors(refusal, language_of(request), named if named in fields else otherwise)


def _span(request: PageRequest) -> StatementSpan:
    """Return the day or the month in the query; the current month if the query has neither. Refuses `Malformed`, `NotFound`."""
    asked = request.query_params
    if day := asked.get("day"):
        return StatementSpan.read(None, day)
    return StatementSpan.read(asked.get("month") or str(Month.of(day_of(_clock.now()))), None)


def _neighbour_months(of: StatementSpan, now: datetime) -> dict[str, Any]:
    """Return the month of a span, the month before it, and the month after it (None if that is in the future)."""
    month = Month.of(day_of(of.begins))
    is_past = month.ends <= now
    return {
        "month": str(month),
        "before": str(month.before),
        "after": str(month.next) if is_past else None,
    }


# -- the deposit -----------------------------------------------------------------------------------


async def _deposit_page(
    request: PageRequest,
    distribution: DistributionService,
    orders: OrderService,
    account: UUID,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    typed = _typed(request, _TOPUP_FIELDS, form)
    return page(
        request,
        "distribution/deposit.html",
        status=refusal.status if refusal else 200,
        deposit=await distribution.deposit(account),
        terms=await distribution.terms(account),
        typed=typed,
        key=_key(typed, refusal),
        ways=await orders.ways(1),
        step=STAMP_DUTY,
        errors=_errors(request, refusal, _TOPUP_FIELDS, "rupiah"),
    )


@get("/deposit", opt=_DEPOSIT, include_in_schema=False)
async def show_deposit_page(
    request: PageRequest,
    distribution: NamedDependency[DistributionService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the deposit, its waiting sales, its terms, and the form for a top-up. Refuses `NoDistributor`."""
    return await _deposit_page(request, distribution, orders, account)


@post("/deposit/top-up", opt={**_TOPPING_UP, "keeps": _TOPUP_FIELDS}, include_in_schema=False)
async def top_up(
    request: PageRequest,
    distribution: NamedDependency[DistributionService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
) -> Page:
    """Order a top-up of the deposit, and redirect to the page of the order to pay it."""
    form = await read_form_of_a_person(request)
    key = form_key(form.text("key"))
    try:
        rupiah = whole_number(_digits(form.text("rupiah")), "rupiah")
        made = await distribution.top_up(account, key, rupiah, form.text("payment_method") or None)
    except NoDistributor:
        raise
    except Refusal as refusal:
        return await _deposit_page(request, distribution, orders, account, form, refusal)
    return see_other(f"/orders/{made.id}")


def _digits(typed: str) -> str:
    """Return the digits of a typed amount, such as `Rp1.000.000`."""
    return typed.strip().removeprefix("Rp").replace(".", "").replace(" ", "")


@get("/deposit/statement", opt=_DEPOSIT, include_in_schema=False)
async def show_statement_page(
    request: PageRequest,
    distribution: NamedDependency[DistributionService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the statement of a month with a sum for each day, or of a day with each movement, and links to its files."""
    of = _span(request)
    statement: StatementView = await distribution.statement(account, of)
    is_day = "day" in request.query_params
    moves, is_more = (
        await distribution.moves(account, of, LEGS_SHOWN_MAX) if is_day else ([], False)
    )
    return page(
        request,
        "distribution/statement.html",
        statement=statement,
        query=f"day={of.name}" if is_day else f"month={of.name}",
        name=of.name,
        is_day=is_day,
        moves=moves,
        is_more=is_more,
        **_neighbour_months(of, _clock.now()),
    )


# -- sales -----------------------------------------------------------------------------------------


async def _sales_page(
    request: PageRequest,
    distribution: DistributionService,
    resellers: ResellerService,
    account: UUID,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    asked, desk = request.query_params, await distribution.desk(account)
    typed = _typed(request, _SALE_FIELDS, form)
    wanted = asked.get("reference", "").strip()[:REFERENCE_LENGTH_MAX]
    only = None if desk.reseller else read_typed("acc", asked.get("reseller", ""))
    before = read_typed(SALE_KIND, asked.get("before", ""))
    part = PageOfList(SHOWN_MAX, before) if before else PageOfList(SHOWN_MAX)
    found, is_more = await distribution.sales(account, part, wanted or None, only)
    offers = await resellers.offers(account)
    names = await _reseller_names(distribution, resellers, desk)
    month = str(Month.of(day_of(_clock.now())))
    return page(
        request,
        "distribution/sales.html",
        status=refusal.status if refusal else 200,
        deposit=await distribution.deposit(account) if names is not None else None,
        here_as=next((one for one in offers if one.state != ResellerState.INVITED), None),
        offers=[one for one in offers if one.state == ResellerState.INVITED],
        names=names or {},
        sales=found,
        older=found[-1].id if is_more else None,
        wanted=wanted,
        only=show("acc", only) if only else "",
        is_first=before is None,
        month=month,
        typed=typed,
        key=_key(typed, refusal),
        account=show("acc", account),
        errors=_errors(request, refusal, _SALE_FIELDS, "email"),
    )


async def _reseller_names(
    distribution: DistributionService, resellers: ResellerService, desk: SellingDeposit
) -> dict[str, str] | None:
    """Return the names of the resellers of a distributor by their accounts; None if the account is not a distributor."""
    if desk.reseller is not None:
        return None
    try:
        found = await resellers.resellers(desk.distributor)
    except NoDistributor:
        return None
    return {one.account: one.name for one in found}


@get("/sales", opt=_SELLING, include_in_schema=False)
async def show_sales_page(
    request: PageRequest,
    distribution: NamedDependency[DistributionService],
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the newest sales, or the sales with a reference, and the form for a sale. An account that is no seller sees how
    to become a seller.
    """
    return await _sales_page(request, distribution, resellers, account)


@post("/sales", opt={**_SELLING, "keeps": _SALE_FIELDS}, include_in_schema=False)
async def sell(
    request: PageRequest,
    distribution: NamedDependency[DistributionService],
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Sell stamps from the deposit. A form that is sent twice makes one sale."""
    form = await read_form_of_a_person(request)
    key = form_key(form.text("key"))
    try:
        made = await distribution.sell(
            account,
            key,
            email=form.text("email").strip(),
            quantity=whole_number(form.text("quantity"), "quantity"),
            reference=labels(form.text("reference").strip() or None, None).reference,
            actor=actor,
        )
    except Refusal as refusal:
        return await _sales_page(request, distribution, resellers, account, form, refusal)
    return see_other(f"/sales/{made.id}")


@get("/sales/{sale_id:str}", opt=_SELLING, include_in_schema=False)
async def show_sale_page(
    request: PageRequest,
    distribution: NamedDependency[DistributionService],
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    sale_id: FromPath[str],
) -> Page:
    """Show a sale and its state."""
    sale = await distribution.sale(account, read(SALE_KIND, sale_id))
    names = await _reseller_names(distribution, resellers, await distribution.desk(account)) or {}
    return page(
        request,
        "distribution/sale.html",
        sale=sale,
        reseller=names.get(sale.reseller or "", ""),
    )


@post("/sales/offers", opt={**_MANAGING, "keeps": ()}, include_in_schema=False)
async def answer_offer(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Accept or decline the offer of a distributor, or stop selling for a distributor. Refuses `Malformed`."""
    form = await read_form_of_a_person(request)
    distributor = read("acc", form.text("distributor"))
    match form.text("act"):
        case "accept":
            await resellers.accept(distributor, account, actor=actor)
        case "end":
            await resellers.leave(distributor, account, actor=actor)
        case _:
            raise Malformed("act", "known_name")
    return see_other("/sales")


@get("/sales/statement", opt=_SELLING, include_in_schema=False)
async def show_sold_page(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the sales of a reseller in a month, by day.  Refuses `NotFound`."""
    of = _span(request)
    return _sold_page(request, of, await resellers.sold_by(account, of))


def _sold_page(request: PageRequest, of: StatementSpan, sold: SoldView) -> Page:
    return page(
        request,
        "distribution/sold.html",
        sold=sold,
        name=of.name,
        query=f"day={of.name}" if "day" in request.query_params else f"month={of.name}",
        **_neighbour_months(of, _clock.now()),
    )


# -- resellers -------------------------------------------------------------------------------------


async def _resellers_page(
    request: PageRequest,
    resellers: ResellerService,
    account: UUID,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    found = await resellers.resellers(account)
    return page(
        request,
        "distribution/resellers.html",
        status=refusal.status if refusal else 200,
        resellers=[one for one in found if one.state != ResellerState.ENDED],
        ended=[one for one in found if one.state == ResellerState.ENDED],
        typed=_typed(request, _RESELLER_FIELDS, form),
        errors=_errors(request, refusal, _RESELLER_FIELDS, "account"),
    )


def _terms(form: Form) -> ResellerTerms:
    """Parse the terms of a reseller in a form. Refuses `FieldWrong`."""
    fee = _digits(form.text("fee"))
    return ResellerTerms(
        form.text("name").strip(),
        0 if fee in ("", "0") else whole_number(fee, "fee"),
        whole_number(_digits(form.text("day_rupiah")), "day_rupiah"),
    )


@get("/resellers", opt=_SELLING, include_in_schema=False)
async def show_resellers_page(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the resellers of a distributor, and the form for an invitation. Refuses `NoDistributor`."""
    return await _resellers_page(request, resellers, account)


@post("/resellers", opt={**_AGREEING, "keeps": _RESELLER_FIELDS}, include_in_schema=False)
async def invite(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Invite an account to sell from the deposit."""
    form = await read_form_of_a_person(request)
    try:
        if (named := read_typed("acc", form.text("account"))) is None:
            raise Malformed("account", "another_value")
        await resellers.invite(account, named, _terms(form), actor=actor)
    except NoDistributor:
        raise
    except Refusal as refusal:
        return await _resellers_page(request, resellers, account, form, refusal)
    return see_other("/resellers")


async def _reseller_page(
    request: PageRequest,
    resellers: ResellerService,
    account: UUID,
    reseller: UUID,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Page:
    found: ResellerView = await resellers.reseller(account, reseller)
    of = _span(request)
    typed = _typed(request, _RESELLER_FIELDS, form)
    if form is None and not typed["name"]:
        typed |= {"name": found.name, "fee": str(found.fee), "day_rupiah": str(found.day_rupiah)}
    return page(
        request,
        "distribution/reseller.html",
        status=refusal.status if refusal else 200,
        reseller=found,
        sold=await resellers.sold(account, reseller, of),
        typed=typed,
        errors=_errors(request, refusal, _RESELLER_FIELDS, "name"),
        **_neighbour_months(of, _clock.now()),
    )


@get("/resellers/{reseller_id:str}", opt=_SELLING, include_in_schema=False)
async def show_reseller_page(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    reseller_id: FromPath[str],
) -> Page:
    """Show a reseller: its terms, its sales, and the possible actions."""
    return await _reseller_page(request, resellers, account, read("acc", reseller_id))


@post(
    "/resellers/{reseller_id:str}",
    opt={**_AGREEING, "keeps": _RESELLER_FIELDS},
    include_in_schema=False,
)
async def change(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    reseller_id: FromPath[str],
) -> Page:
    """Change the terms of a reseller."""
    form, reseller = await read_form_of_a_person(request), read("acc", reseller_id)
    try:
        await resellers.change(account, reseller, _terms(form), actor=actor)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _reseller_page(request, resellers, account, reseller, form, refusal)
    return see_other(f"/resellers/{reseller_id}")


@post("/resellers/{reseller_id:str}/act", opt={**_MANAGING, "keeps": ()}, include_in_schema=False)
async def act(
    request: PageRequest,
    resellers: NamedDependency[ResellerService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    reseller_id: FromPath[str],
) -> Page:
    """Pause, resume or end a reseller, as the pressed button says. Refuses `Malformed`."""
    form, reseller = await read_form_of_a_person(request), read("acc", reseller_id)
    match form.text("act"):
        case "pause":
            await resellers.pause(account, reseller, actor=actor)
        case "resume":
            await resellers.resume(account, reseller, actor=actor)
        case "end":
            await resellers.end(account, reseller, actor=actor)
            return see_other("/resellers")
        case _:
            raise Malformed("act", "known_name")
    return see_other(f"/resellers/{reseller_id}")


PAGES = RoomPages(
    "distribution",
    "meterai.distribution",
    links=(
        PageLink(
            LinkPlace.FOOT,
            8,
            "/sales",
            "page.foot.sales",
            ShownTo.SIGNED_IN,
            Permission.SALE_MAKE,
        ),
    ),
    unlisted={"/s/.*": "of one seller, by its own link"},
)
PAGE_ROUTES = [
    show_deposit_page,
    top_up,
    show_statement_page,
    show_sales_page,
    sell,
    show_sold_page,
    show_sale_page,
    answer_offer,
    show_resellers_page,
    invite,
    show_reseller_page,
    change,
    act,
]
