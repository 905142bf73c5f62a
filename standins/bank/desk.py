"""The stand-in side in JSON: what tests and rehearsals do in place of customers and banks."""

from aiohttp import web

from standins import clock
from standins.bank.books import Books
from standins.bank.customer import Customers
from standins.bank.model import Bill, Refund
from standins.faults import Faults
from standins.refusal import NotUnderstood
from standins.web import json_object


class Desk:
    """Routes below `/standin`."""

    def __init__(self, books: Books, customers: Customers, faults: Faults) -> None:
        self._books = books
        self._customers = customers
        self._faults = faults

    def open(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_routes(
            [
                web.post("/standin/pay", self._pay),
                web.post("/standin/decline", self._decline),
                web.post("/standin/deny", self._deny),
                web.post("/standin/faults", self._turn_faults),
                web.get("/standin/faults", self._show_faults),
                web.delete("/standin/faults", self._clear_faults),
                web.get("/standin/payments", self._payments),
                web.get("/standin/refunds", self._refunds),
                web.get("/standin/totals", self._totals),
            ]
        )

    async def _pay(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        amount = body.get("amount")
        if amount is not None and type(amount) is not int:
            raise NotUnderstood("amount is a whole number of rupiah")
        bill = self._customers.bill_of(_text(body, "qr_content"))
        payment = self._customers.pay(bill, amount)
        return web.json_response(
            {
                "reference_no": bill.reference_no,
                "partner_reference_no": bill.partner_reference_no,
                "rrn": payment.rrn,
                "amount": payment.amount,
                "status": payment.status,
            }
        )

    async def _decline(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        bill = self._customers.bill_of(_text(body, "qr_content"))
        self._customers.decline(bill)
        return web.json_response(_shown_bill(self._customers.bill(bill.reference_no)))

    async def _deny(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        bill = self._customers.bill_of(_text(body, "qr_content"))
        self._customers.deny(bill, None if body.get("rrn") is None else _text(body, "rrn"))
        return web.json_response(_shown_bill(self._customers.bill(bill.reference_no)))

    async def _turn_faults(self, request: web.Request) -> web.Response:
        self._faults.turn(await json_object(request))
        return web.json_response(self._faults.standing())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.standing())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response(self._faults.standing())

    async def _payments(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "-1")
        if limit != "-1" and not (limit.isascii() and limit.isdigit() and len(limit) < 10):
            raise NotUnderstood("limit is a number")
        return web.json_response([_shown_bill(bill) for bill in self._books.bills(int(limit))])

    async def _refunds(self, _: web.Request) -> web.Response:
        return web.json_response([_shown_refund(refund) for refund in self._books.refunds()])

    async def _totals(self, _: web.Request) -> web.Response:
        return web.json_response(self._books.totals())


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise NotUnderstood(f"{name} is a text")
    return value


def _shown_bill(bill: Bill) -> dict[str, object]:
    return {
        "reference_no": bill.reference_no,
        "partner_reference_no": bill.partner_reference_no,
        "status": bill.status,
        "amount": bill.amount,
        "qr_content": bill.qr_content,
        "created_at": clock.snap_time(bill.created_at),
        "valid_until": clock.snap_time(bill.valid_until),
        "refunded": bill.refunded,
        "payments": [
            {
                "rrn": payment.rrn,
                "amount": payment.amount,
                "status": payment.status,
                "paid_at": clock.snap_time(payment.paid_at),
                "denied_at": payment.denied_at and clock.snap_time(payment.denied_at),
            }
            for payment in bill.payments
        ],
        "refunds": [_shown_refund(refund) for refund in bill.refunds],
    }


def _shown_refund(refund: Refund) -> dict[str, object]:
    return {
        "partner_refund_no": refund.partner_refund_no,
        "refund_no": refund.refund_no,
        "reference_no": refund.reference_no,
        "rrn": refund.rrn,
        "amount": refund.amount,
        "reason": refund.reason,
        "time": clock.snap_time(refund.refunded_at),
    }
