"""Pages that buy stamps, and the page of an order with its money."""

import hashlib
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from meterai import ledger, stamps
from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.orders import OrderKey, OrderService, OrderSettings, OrderState
from meterai.pages import (
    Form,
    Page,
    PageRequest,
    field_errors,
    form_key,
    fresh_key,
    kept_text,
    page,
    read_own_form,
    rendered,
    see_other,
    whole_number,
)
from meterai.payments import BuyerQuestions, PaymentMethod, payee
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.callers import account_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import IdempotencyKeyReused, saved_as
from meterai.plumbing.permits import PURPOSE
from meterai.plumbing.zips import Names, ZippedFile, zipped
from meterai.portal.arrived import covered
from meterai.portal.order_text import OrderNow, in_causal_order, order_text
from meterai.portal.pages import qr_drawing, stamped_name
from meterai.portal.seller import BuyerOrigin, buyer_origin
from meterai.portal.watching import WAIT_SECONDS, OrderWatch
from meterai.refunds import RefundService, RefundState, refunds_of_order
from meterai.stamping import (
    ReorderService,
    Stamping,
    StampingService,
    StampingState,
    may_reorder,
    reorder_key,
    stampings_of_orders,
)
from meterai.stamps import Issuing
from meterai.waiting_room import Guarded, GuardedAct, NotLetIn, into_line

QR_PICTURE_SCALE = 10  # pixels per module: large enough for apps that read a QR from an image
# Without JavaScript the page reloads itself: often while the platform works on the order, and rarely
# while the buyer has to act, because a reload loses the scroll position.
RELOAD_SECONDS = {OrderState.PAID: 5, OrderState.RETURNING: 10, OrderState.PLACED: 10}
_MAY_CHANGE = (OrderState.PLACED, OrderState.PAID, OrderState.LAPSED, OrderState.RETURNING)
# `unsure`: the provider did not answer, so a payment may exist nevertheless.
NOT_YET, UNSURE = _SAID = ("not_yet", "unsure")
_clock = SystemClock()
_DONE = (RefundState.SETTLED, RefundState.VOID)


# -- buying --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wish:
    """A submitted form to buy stamps: quantity, idempotency key, payment method, and the distributor from whose page the buyer
    came.
    """

    quantity: str
    key: str
    way: str
    came: BuyerOrigin


def _buy_page(
    request: PageRequest,
    settings: Settings,
    issuing: Issuing,
    wish: _Wish,
    ways: Sequence[PaymentMethod],
    refusal: Refusal | None = None,
) -> Page:
    sale, came = settings.of(OrderSettings), wish.came
    unit = sale.stamp_price + sale.service_fee + (came.sold.fee if came.sold else 0)
    return page(
        request,
        "portal/buy.html",
        status=refusal.status if refusal else 200,
        quantity=wish.quantity,
        key=wish.key,
        unit=unit,
        came=came,
        is_issuing=issuing.is_open,
        quantity_max=sale.order_total_max // unit,
        ways=ways,
        way=wish.way,
        errors=field_errors(refusal, language_of(request), "quantity") if refusal else (),
    )


@get(
    "/buy",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "guarded": Guarded(GuardedAct.BUY),
    },
    include_in_schema=False,
)
async def show_buy_form(
    request: PageRequest,
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
) -> Page:
    """Show the form to buy stamps."""
    quantity, key = kept_text(request, "quantity", "1"), kept_text(request, "key", fresh_key())
    issuing = await database.once(stamps.issuing)
    came = await buyer_origin(request, orders, account)
    wish = _Wish(quantity, key, kept_text(request, "payment_method"), came)
    return _buy_page(request, settings, issuing, wish, await orders.ways(1, came.sold))


@post(
    "/buy",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "keeps": ("quantity", "key", "payment_method"),
    },
    include_in_schema=False,
)
async def buy(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
    account: NamedDependency[UUID],
) -> Page:
    """Place an order for stamps."""
    form = await read_own_form(request)
    key = form_key(form.text("key"))
    try:
        quantity = whole_number(form.text("quantity"), "quantity")
        sold = await orders.sold_by(account, key, form.text("seller"))
        await orders.check_price(account, key, form.text("unit"), sold)
        await orders.check_turn(request, account, key)
        method = form.text("payment_method") or None
        order = await orders.place(account, key, quantity, method=method, sold=sold)
    except NotLetIn as refusal:
        return into_line(request, refusal, "/buy")
    except Refusal as refusal:
        kept = fresh_key() if isinstance(refusal, IdempotencyKeyReused) else key
        issuing = await database.once(stamps.issuing)
        came = await buyer_origin(request, orders, account)
        wish = _Wish(form.text("quantity"), kept, form.text("payment_method"), came)
        ways = await orders.ways(1, came.sold)
        return _buy_page(request, settings, issuing, wish, ways, refusal)
    return see_other(f"/orders/{order.id}")


# -- one order -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OrderQuestion:
    """An order to show. If the buyer pressed "I have paid", `said` is the result of the status query; else it is empty."""

    account: UUID
    order: UUID
    said: str = ""


def _asked(request: PageRequest, order_id: UUID) -> _OrderQuestion:
    said = request.query_params.get("asked", "")
    return _OrderQuestion(account_of(request), order_id, said if said in _SAID else "")


async def _facts(service: OrderService, asked: _OrderQuestion) -> dict[str, object]:
    account = asked.account
    async with service.view_within(account, asked.order) as (tx, order):
        documents = await stampings_of_orders(tx, account, asked.order)
        # An order without a payment has neither refunds nor money moves.
        is_paid = bool(order.money.captured)
        refunds = await refunds_of_order(tx, account, asked.order) if is_paid else []
        moves = await ledger.money_moves(tx, account, asked.order) if is_paid else []
        lot, issuing = await stamps.lot_and_issuing(tx, account, asked.order)
        paid = await covered(tx, account, [order])
    now = _clock.now()
    is_unpaid = OrderState(order.state) == OrderState.PLACED
    ways = await service.ways_of(order.total) if is_unpaid else []
    this = OrderNow(
        order,
        now,
        documents,
        refunds,
        lot=lot,
        is_issuing=issuing.is_open,
        is_covered=order.id in paid,
        ways=ways,
    )
    state = OrderState(order.state)
    may = not this.is_arrived and may_reorder(order, documents)
    sells = await service.sells_again(account, asked.order) if may and order.seller else None
    is_moving = (
        any(refund.state not in _DONE for refund in refunds)
        or bool(order.money.in_flight)  # money was captured, with consequences not written yet
        or bool(this.lot and this.lot.held)
    )
    return {
        "this": this,
        "told": order_text(this),
        "moves": in_causal_order(moves),
        "zipped": len(_zippable(documents)),
        "now": now,
        "qr": qr_drawing(this.qr_content) if this.qr_content else None,
        "payee": payee(this.qr_content) if this.qr_content else None,
        "instructions": this.instructions,
        "bank_said": "" if order.money.captured else asked.said,
        "unit_now": service.unit_of(sells),
        "sells": sells,
        "may_reorder": may,
        "may_change": state in _MAY_CHANGE or is_moving,
        "reload_seconds": RELOAD_SECONDS.get(state, 10 if is_moving else 0),
    }


def _version(main: str) -> str:
    return f'"{hashlib.sha256(main.encode()).hexdigest()[:16]}"'


async def _order_page(
    request: PageRequest, service: OrderService, order_id: UUID, refusal: Refusal | None = None
) -> Page:
    facts = await _facts(service, _asked(request, order_id))
    main = rendered(request, "portal/order_main.html", facts)
    return page(
        request,
        "portal/order.html",
        status=refusal.status if refusal else 200,
        main=main,
        version=_version(main),
        errors=field_errors(refusal, language_of(request), "act") if refusal else (),
        **facts,
    )


@get(
    "/orders/{order_id:str}",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_order(
    request: PageRequest, orders: NamedDependency[OrderService], order_id: FromPath[str]
) -> Page:
    """Show an order: its state, the next step, and its payments and refunds."""
    return await _order_page(request, orders, read("ord", order_id))


@get(
    "/orders/{order_id:str}/state",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_order_state(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    watch: NamedDependency[OrderWatch],
    order_id: FromPath[str],
) -> Response[Any]:
    """Return the main part of an order's page, for the script that refreshes it.

    With the parameter `wait` the answer is delayed until the page changes, for at most `WAIT_SECONDS`. When this time
    is over, the order is read once more before the answer, even if no change was noticed.
    """
    asked = _asked(request, read("ord", order_id))
    is_over = "wait" not in request.query_params or not watch.has_room_for(asked.account)
    key, purpose = OrderKey(asked.account, asked.order), PURPOSE.get()
    until = time.monotonic() + WAIT_SECONDS
    while True:
        # The mark is read before the facts: a change between the two reads is noticed by the next check.
        seen = "" if is_over else await watch.mark(key)
        facts = await _facts(orders, asked)
        answer = _news(request, facts)
        if is_over or answer.status_code != 304:
            return answer
        this = facts["this"]
        assert isinstance(this, OrderNow)
        purpose.release_permit()  # the request holds no permit while it waits
        is_over = not await watch.change(key, seen, until, this.changes_at)
        await purpose.regain_permit()


def _news(request: PageRequest, facts: Mapping[str, object]) -> Response[Any]:
    """Return the main part of the page, or status 304 if the browser already has it (If-None-Match)."""
    main = rendered(request, "portal/order_main.html", facts)
    version = _version(main)
    headers = {"ETag": version, "Cache-Control": "private, no-cache"}
    # A compressing proxy turns the tag into a weak one (`W/`), which still names the same page.
    if request.headers.get("if-none-match", "").removeprefix("W/") == version:
        return Response(None, status_code=304, headers=headers)
    return Response(main, media_type="text/html", headers=headers)


@get(
    "/orders/{order_id:str}/qr.png",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def download_qr(
    orders: NamedDependency[OrderService], account: NamedDependency[UUID], order_id: FromPath[str]
) -> Response[Any]:
    """Return the QR as an image to download, because a phone cannot scan the QR on its own screen."""
    order = await orders.view(account, read("ord", order_id))
    if order.payment.qr_content is None:
        raise NotFound("the order has no QR to pay at this time")
    picture = io.BytesIO()
    code = segno.make_qr(order.payment.qr_content, error="m")
    code.save(picture, kind="png", scale=QR_PICTURE_SCALE, border=4)
    return saved_as(f"qris-{order.id}.png", picture.getvalue(), "image/png")


@get(
    "/orders/{order_id:str}/documents.zip",
    opt={"permission": Permission.DOCUMENT_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def download_documents(
    orders: NamedDependency[OrderService],
    stamping: NamedDependency[StampingService],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Stream:
    """Stream the stamped documents of an order as one archive, with one document in memory at a time."""
    async with orders.view_within(account, read("ord", order_id)) as (tx, order):
        documents = await stampings_of_orders(tx, account, read("ord", order_id))
    chosen = _zippable(documents)
    if not chosen:
        raise NotFound("no document of this order can be downloaded")
    names = Names()

    async def files() -> AsyncIterator[ZippedFile]:
        # An error in the middle breaks the connection, so that the client notices that its archive is incomplete.
        for one in chosen:
            name = names.distinct(stamped_name(one.document_name))
            _, content = await stamping.document(account, one.id)
            PURPOSE.get().release_permit()  # from here on the request waits mainly for the client
            yield ZippedFile(name, one.delivered_at or order.placed_at, content)

    name = f"meterai-{order.id}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Stream(zipped(files()), media_type="application/zip", headers=headers)


def _zippable(documents: Sequence[Stamping]) -> list[Stamping]:
    """Return the stamped documents whose originals are still stored."""
    return [
        one for one in documents if one.state == StampingState.DELIVERED and not one.is_forgotten
    ]


async def _acted_on(
    request: PageRequest,
    orders: OrderService,
    order_id: str,
    act: Callable[[UUID, Form], Awaitable[str | None]],
) -> Page:
    """Carry out a form of an order's page; redirect to the path that `act` returns, or to the page of the order.

    A refusal is shown on the page of the order.
    """
    form = await read_own_form(request)
    identifier = read("ord", order_id)
    try:
        there = await act(identifier, form)
    except NotFound:
        raise
    except NotLetIn as refusal:
        return into_line(request, refusal, f"/orders/{order_id}")
    except Refusal as refusal:
        return await _order_page(request, orders, identifier, refusal)
    return see_other(there or f"/orders/{order_id}")


@post(
    "/orders/{order_id:str}/withdraw",
    opt={
        "permission": Permission.ORDER_WITHDRAW,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def withdraw(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Page:
    """Withdraw an unpaid order."""

    async def withdraw_it(order: UUID, _: Form) -> None:
        await orders.withdraw(account, order)

    return await _acted_on(request, orders, order_id, withdraw_it)


@post(
    "/orders/{order_id:str}/paid",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.PAID,
        "keeps": (),
    },
    include_in_schema=False,
)
async def have_paid(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    buyer_questions: NamedDependency[BuyerQuestions],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Page:
    """Query the provider at once whether an order was paid."""

    async def ask(order: UUID, _: Form) -> str:
        await orders.view(account, order)
        is_answered = await buyer_questions.ask(account, order)
        return f"/orders/{order_id}?asked={NOT_YET if is_answered else UNSURE}"

    return await _acted_on(request, orders, order_id, ask)


@post(
    "/orders/{order_id:str}/pay-by",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def pay_by(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Page:
    """Change the payment method of an unpaid order."""

    async def choose(order: UUID, form: Form) -> None:
        await orders.pay_by(account, order, form.text("payment_method"))

    return await _acted_on(request, orders, order_id, choose)


@post(
    "/orders/{order_id:str}/reorder",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "keeps": (),
    },
    include_in_schema=False,
)
async def reorder(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    reorders: NamedDependency[ReorderService],
    account: NamedDependency[UUID],
    member: NamedDependency[UUID | None],
    order_id: FromPath[str],
) -> Page:
    """Order again for the documents of an order that was not paid in time."""

    async def place(order: UUID, form: Form) -> str:
        sold = await orders.sells_again(account, order)
        await orders.check_price(account, reorder_key(order), form.text("unit"), sold)
        await orders.check_turn(request, account, reorder_key(order))
        return f"/orders/{(await reorders.reorder(account, order, member, sold)).id}"

    return await _acted_on(request, orders, order_id, place)


@post(
    "/orders/{order_id:str}/give-back",
    opt={
        "permission": Permission.REFUND_ASK,
        "priority": Priority.PAID,
        "keeps": (),
    },
    include_in_schema=False,
)
async def give_back(
    request: PageRequest,
    refunds: NamedDependency[RefundService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    order_id: FromPath[str],
) -> Page:
    """Request a refund of unused stamps of an order."""

    async def ask(order: UUID, _: Form) -> None:
        await refunds.ask(account, order, actor=actor)

    return await _acted_on(request, orders, order_id, ask)


routes = [
    show_buy_form,
    buy,
    show_order,
    show_order_state,
    download_qr,
    download_documents,
    withdraw,
    have_paid,
    pay_by,
    reorder,
    give_back,
]
