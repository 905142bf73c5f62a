"""Buying stamps, and the page of an order with its money."""

import hashlib
import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import stamps
from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.orders import OrderKind, OrderService, OrderSettings, OrderState, PaymentView
from meterai.pages import (
    Page,
    PageRequest,
    field_errors,
    form_key,
    fresh_key,
    page,
    read_own_form,
    rendered,
    see_other,
    whole_number,
)
from meterai.payments import AccountNumber, Redirect
from meterai.plumbing.config import Settings
from meterai.plumbing.http import (
    IdempotencyKeyReused,
    account_of,
    language_of,
    saved_as,
)
from meterai.portal.pages import qr_drawing
from meterai.refunds import RefundService, RefundState, refunds_of_order
from meterai.stamping import stampings_of_orders
from meterai.waiting_room import Act, Guarded, WaitInLine

QR_PICTURE_SCALE = 10  # pixels a module: large enough for an application that reads pictures
# Without JavaScript the page reloads itself: often while the platform works, and rarely while the
# buyer acts, for whom a reload loses the place on the page.
RELOAD_SECONDS = {OrderState.PAID: 5, OrderState.RETURNING: 10, OrderState.PLACED: 10}
_MAY_CHANGE = (OrderState.PLACED, OrderState.PAID, OrderState.LAPSED, OrderState.RETURNING)
QR_USUALLY_WITHIN = timedelta(seconds=20)  # a bank that takes longer has some trouble
_clock = SystemClock()
_DONE = (RefundState.SETTLED, RefundState.VOID)


# -- buying --------------------------------------------------------------------------------


def _buy_page(
    request: PageRequest,
    settings: Settings,
    quantity: str,
    key: str,
    refusal: Refusal | None = None,
) -> Page:
    sale = settings.of(OrderSettings)
    unit = sale.stamp_price + sale.service_fee
    return page(
        request,
        "portal/buy.html",
        status=refusal.status if refusal else 200,
        quantity=quantity,
        key=key,
        unit=unit,
        quantity_max=sale.order_total_max // unit,
        errors=field_errors(refusal, language_of(request), "quantity") if refusal else (),
    )


@get(
    "/buy",
    opt={
        "permission": Permission.ORDER_CREATE,
        "priority": Priority.CHECKOUT,
        "guarded": Guarded(Act.BUY),
    },
    include_in_schema=False,
)
async def show_buy_form(request: PageRequest, settings: NamedDependency[Settings]) -> Page:
    """How many stamps."""
    return _buy_page(request, settings, "1", fresh_key())


@post(
    "/buy",
    opt={"permission": Permission.ORDER_CREATE, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def buy(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
) -> Page:
    """Place an order of stamps."""
    form = await read_own_form(request)
    key = form_key(form.text("key"))
    try:
        quantity = whole_number(form.text("quantity"), "quantity")
        await orders.check_turn(request, account, key)
        order = await orders.place(account, key, quantity)
    except WaitInLine as refusal:
        return see_other(refusal.join_for("/buy"))
    except Refusal as refusal:
        kept = fresh_key() if isinstance(refusal, IdempotencyKeyReused) else key
        return _buy_page(request, settings, form.text("quantity"), kept, refusal)
    return see_other(f"/orders/{order.id}")


# -- one order -----------------------------------------------------------------------------


async def _facts(service: OrderService, account: UUID, order_id: UUID) -> dict[str, object]:
    async with service.view_within(account, order_id) as (tx, order):
        documents = await stampings_of_orders(tx, account, order_id)
        refunds = await refunds_of_order(tx, account, order_id)
        unused = 0
        if (order.kind, order.state) == (OrderKind.STAMPS, OrderState.EXECUTED):
            unused = await stamps.unused_of_order(tx, account, order_id)
    now = _clock.now()
    # A QR whose time is over is not shown, also in the moment before its order lapses.
    is_in_time = order.payment.expires_at > now
    qr_content = order.payment.qr_content if is_in_time else None
    state = OrderState(order.state)
    is_open = any(refund.state not in _DONE for refund in refunds)
    return {
        "order": order,
        "documents": documents,
        "refunds": refunds,
        "unused": unused,
        "now": now,
        "is_soon": now < order.placed_at + QR_USUALLY_WITHIN,
        "qr": qr_drawing(qr_content) if qr_content else None,
        "instructions": _instructions(order.payment) if is_in_time else None,
        "may_change": state in _MAY_CHANGE or is_open,
        "reload_seconds": RELOAD_SECONDS.get(state, 10 if is_open else 0),
    }


def _instructions(payment: PaymentView) -> AccountNumber | Redirect | None:
    """How to pay what has no QR; a page only where the browser goes there by TLS."""
    match payment.instructions:
        case AccountNumber() as number:
            return number
        case Redirect(url) as page if url.startswith("https://"):
            return page
    return None


def _version(main: str) -> str:
    return f'"{hashlib.sha256(main.encode()).hexdigest()[:16]}"'


async def _order_page(
    request: PageRequest, service: OrderService, order_id: UUID, refusal: Refusal | None = None
) -> Page:
    facts = await _facts(service, account_of(request), order_id)
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
    """One order: what it is, what happens next, where its money is."""
    return await _order_page(request, orders, read("ord", order_id))


@get(
    "/orders/{order_id:str}/state",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_order_state(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Response[Any]:
    """The main part of the page of an order, for the script that keeps it fresh."""
    facts = await _facts(orders, account, read("ord", order_id))
    main = rendered(request, "portal/order_main.html", facts)
    version = _version(main)
    headers = {"ETag": version, "Cache-Control": "private, no-cache"}
    # A proxy that compresses makes a tag weak; it still names the same page to us.
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
    """The QR as a picture to download: a phone cannot scan its own screen."""
    order = await orders.view(account, read("ord", order_id))
    if order.payment.qr_content is None:
        raise NotFound("there is no QR to pay now")
    picture = io.BytesIO()
    code = segno.make_qr(order.payment.qr_content, error="m")
    code.save(picture, kind="png", scale=QR_PICTURE_SCALE, border=4)
    return saved_as(f"qris-{order.id}.png", picture.getvalue(), "image/png")


async def _acted_on(
    request: PageRequest,
    orders: OrderService,
    order_id: str,
    act: Callable[[UUID], Awaitable[object]],
) -> Page:
    """Do to an order what a form of its page asks for; a refusal is said on that page."""
    await read_own_form(request)
    identifier = read("ord", order_id)
    try:
        await act(identifier)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _order_page(request, orders, identifier, refusal)
    return see_other(f"/orders/{order_id}")


@post(
    "/orders/{order_id:str}/withdraw",
    opt={"permission": Permission.ORDER_WITHDRAW, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def withdraw(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Page:
    """Withdraw an unpaid order."""
    return await _acted_on(request, orders, order_id, partial(orders.withdraw, account))


@post(
    "/orders/{order_id:str}/give-back",
    opt={"permission": Permission.REFUND_ASK, "priority": Priority.PAID},
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
    """Ask for the money of unused stamps."""
    ask = partial(refunds.ask, account, actor=actor)
    return await _acted_on(request, orders, order_id, ask)


routes = [
    show_buy_form,
    buy,
    show_order,
    show_order_state,
    download_qr,
    withdraw,
    give_back,
]
