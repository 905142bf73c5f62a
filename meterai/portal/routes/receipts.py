"""Receipts of paid orders and of settled refunds, as files."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import refunds
from meterai.accounts import Permission, contact
from meterai.kit.ids import read
from meterai.kit.money import Rupiah
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.kit.serial import Serial
from meterai.kit.text import groups
from meterai.operator import SPECIMEN, OperatorSettings, Seller
from meterai.orders import OrderService, OrderView
from meterai.pages import PageRequest, paper
from meterai.payments import Captured, captured_of
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.messages import format_datetime, translate
from meterai.refunds import RefundState, RefundView
from meterai.stamping import Stamping, StampingState, stampings_of_orders


def _line(name: str, value: str, language: str) -> paper.PaperLine:
    return paper.PaperLine(translate(f"receipt.{name}", language), value)


def seller_lines(seller: Seller, language: str) -> list[paper.PaperLine]:
    """Return the lines of a receipt about the seller, with its tax numbers."""
    said = {
        "seller": seller.name,
        "seller_address": seller.address,
        "tax_number": seller.tax_number,
        "branch_number": seller.branch_number,
        "seller_contact": seller.contact,
    }
    return [_line(name, value, language) for name, value in said.items() if value]


def _sum(quantity: int, price: int, language: str) -> str:
    facts = {"quantity": quantity, "price": _rupiah(price), "sum": _rupiah(quantity * price)}
    return translate("receipt.sum", language, **facts)


def order_receipt(
    seller: Seller,
    order: OrderView,
    payments: Sequence[Captured],
    documents: Sequence[Stamping],
    email: str,
    language: str,
) -> list[paper.PaperLine]:
    """Return the lines of the receipt of a paid order."""

    def line(name: str, value: str) -> paper.PaperLine:
        return _line(name, value, language)

    assert order.paid_at is not None, "only a paid order has a receipt"
    money = order.money
    sums = {"captured": money.captured, "charged_back": money.charged_back}
    sums |= {"refunded": money.refunded, "in_flight": money.in_flight}
    stamped = [one for one in documents if one.state == StampingState.DELIVERED]
    are_unwritten = any(not paper.can_write(one.document_name) for one in stamped)
    return [
        *seller_lines(seller, language),
        line("order", _aloud(order.id)),
        *([line("sold_by", order.seller)] if order.seller else []),
        line("paid_at", format_datetime(order.paid_at, language)),
        line("method", order.payment.method.upper()),
        *(line("payment", _payment(one, language)) for one in payments),
        line("account", email),
        line("duty", _sum(order.quantity, order.unit_price, language)),
        *(
            [line("fee", _sum(order.quantity, own_fee, language))]
            if (own_fee := order.service_fee - (order.seller_fee or 0))
            else []
        ),
        *(
            [line("seller_fee", _sum(order.quantity, order.seller_fee, language))]
            if order.seller_fee
            else []
        ),
        line("total", _rupiah(order.total)),
        *(
            paper.PaperLine(translate(f"page.money.{name}", language), _rupiah(value))
            for name, value in sums.items()
            if value and (name, value) != ("captured", order.total)
        ),
        *(line("document", f"{one.document_name} ({_grouped(one.serials)})") for one in stamped),
        *([paper.PaperLine("", translate("receipt.unwritten", language))] if are_unwritten else []),
        paper.PaperLine("", translate("receipt.order_note", language)),
        paper.PaperLine("", translate("receipt.no_invoice", language)),
    ]


def _payment(payment: Captured, language: str) -> str:
    return f"{payment.number} ({payment.amount}, {format_datetime(payment.at, language)})"


def refund_receipt(
    seller: Seller, refund: RefundView, payment: str, email: str, language: str
) -> list[paper.PaperLine]:
    """Return the lines of the receipt of a settled refund; `payment` is the provider's number of the returned
    payment.
    """
    assert refund.settled_at is not None, "only an existing refund has a receipt"
    said = {
        "refund": _aloud(refund.refund_number),
        "bank_number": _aloud(refund.provider_refund_number or "-"),
        "payment": payment,
        "order": _aloud(refund.order_id),
        "account": email,
        "amount": _rupiah(refund.amount),
        "settled_at": format_datetime(refund.settled_at, language),
        "way": translate(f"way.refund.{refund.way_word}", language, account=refund.goes_to),
    }
    return [
        *seller_lines(seller, language),
        *(_line(name, value, language) for name, value in said.items()),
        paper.PaperLine("", translate(f"refund.cause.{refund.cause}", language)),
        paper.PaperLine("", translate("receipt.no_invoice", language)),
    ]


def _grouped(serials: Sequence[str]) -> str:
    """Format serials in groups as stamps and pages show them, because people compare them character by character."""
    return ", ".join(Serial(one).grouped() for one in serials)


def _aloud(number: str) -> str:
    """Format a number in groups for reading aloud; forms accept this format."""
    return " ".join(groups(number))


def _rupiah(value: int) -> str:
    return str(Rupiah(value))


def _file(
    request: PageRequest,
    settings: Settings,
    title: str,
    name: str,
    lines: Sequence[paper.PaperLine],
) -> Response[Any]:
    language = language_of(request)
    mark = "" if settings.process.is_production else SPECIMEN
    receipt = paper.Receipt(translate(title, language), language, lines, mark)
    return saved_as(name, paper.written(receipt), "application/pdf")


@get(
    "/orders/{order_id:str}/receipt.pdf",
    opt={"permission": Permission.ORDER_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def download_order_receipt(
    request: PageRequest,
    orders: NamedDependency[OrderService],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
    order_id: FromPath[str],
) -> Response[Any]:
    """Return the receipt of a paid order."""
    number = read("ord", order_id)
    async with orders.view_within(account, number) as (tx, order):
        documents = await stampings_of_orders(tx, account, number)
        payments = await captured_of(tx, account, number)
        email = (await contact(tx, account)).email
    if order.paid_at is None:
        raise NotFound("an order that was not paid has no receipt")
    seller = Seller.of(settings.of(OperatorSettings))
    lines = order_receipt(seller, order, payments, documents, email, language_of(request))
    return _file(request, settings, "receipt.order_title", f"bukti-{order.id}.pdf", lines)


@get(
    "/refunds/{refund_id:str}/receipt.pdf",
    opt={"permission": Permission.REFUND_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def download_refund_receipt(
    request: PageRequest,
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
    refund_id: FromPath[str],
) -> Response[Any]:
    """Return the receipt of a refund that its bank confirmed."""
    async with database.reading() as tx:
        refund = await refunds.load(tx, account, read("rfd", refund_id))
        [shown] = await refunds.all_shown(tx, account, [refund])
        email = (await contact(tx, account)).email
    if refund.state != RefundState.SETTLED:
        raise NotFound("a refund that does not exist has no receipt")
    seller = Seller.of(settings.of(OperatorSettings))
    lines = refund_receipt(seller, shown, refund.payment, email, language_of(request))
    name = f"pengembalian-{refund.number}.pdf"
    return _file(request, settings, "receipt.refund_title", name, lines)


routes = [download_order_receipt, download_refund_receipt]
