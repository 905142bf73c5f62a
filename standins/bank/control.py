"""The control API, JSON below `/standin`, for tests and rehearsals: acts of customers, their banks and the
staff of this bank, faults, and stored data."""

from collections.abc import Callable

from aiohttp import web

from standins import clock
from standins.bank.answers import to_json
from standins.bank.customer import Customers
from standins.bank.model import Bill, Payment, Refund
from standins.bank.overrides import ResponseOverrides
from standins.bank.payers import Payers
from standins.bank.snap import Services
from standins.bank.store import Store
from standins.bank.storm import BankFaults
from standins.clock import DAY_MS
from standins.refusal import NotUnderstood
from standins.web import json_object


class ControlApi:
    """The routes below `/standin`."""

    def __init__(
        self,
        store: Store,
        customers: Customers,
        payers: Payers,
        services: Services,
        faults: BankFaults,
        overrides: ResponseOverrides,
        roll_key: Callable[[], bytes],
    ) -> None:
        self._store = store
        self._customers = customers
        self._payers = payers
        self._services = services
        self._faults = faults
        self._overrides = overrides
        self._roll_key = roll_key

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_routes(
            [
                web.post("/standin/pay", self._pay),
                web.post("/standin/va/pay", self._pay_account),
                web.post("/standin/roll-key", self._new_key),
                web.post("/standin/storm", self._begin_storm),
                web.get("/standin/storm", self._show_storm),
                web.delete("/standin/storm", self._end_storm),
                web.post("/standin/stray", self._stray),
                web.post("/standin/decline", self._decline),
                web.post("/standin/deny", self._charge_back),
                web.post("/standin/refund", self._refund),
                web.post("/standin/win-back", self._win_back),
                web.post("/standin/reverse-refund", self._reverse_refund),
                web.post("/standin/notify", self._notify),
                web.post("/standin/answers", self._add_answers),
                web.get("/standin/answers", self._show_answers),
                web.delete("/standin/answers", self._clear_answers),
                web.post("/standin/faults", self._set_faults),
                web.get("/standin/faults", self._show_faults),
                web.delete("/standin/faults", self._clear_faults),
                web.get("/standin/payments", self._payments),
                web.get("/standin/refunds", self._refunds),
                web.get("/standin/totals", self._totals),
            ]
        )

    async def _pay(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        amount = amount_of(body)
        bill = self._customers.bill_of(text_of(body, "qr_content"))
        return _paid(bill, self._customers.pay(bill, amount))

    async def _pay_account(self, request: web.Request) -> web.Response:
        """Pay a virtual account; with `ask` false the bank sends no inquiry before."""
        body = await json_object(request)
        asks = body.get("ask") is not False
        return _paid(*await self._payers.pay(text_of(body, "number"), amount_of(body), asks=asks))

    async def _new_key(self, _: web.Request) -> web.Response:
        """Sign with another key from now on; its public key is only in this response, the merchant is not notified."""
        return web.json_response({"public_key": self._roll_key().decode()})

    async def _begin_storm(self, request: web.Request) -> web.Response:
        self._faults.storm.begin(await json_object(request))
        return web.json_response(self._faults.storm.shown())

    async def _show_storm(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.storm.shown())

    async def _end_storm(self, _: web.Request) -> web.Response:
        self._faults.storm.end()
        return web.json_response(self._faults.storm.shown())

    async def _stray(self, request: web.Request) -> web.Response:
        """Make a payment without a bill, as on a static QR."""
        amount, now = amount_of(await json_object(request)) or 10_000, clock.now_ms()
        bill = self._services.write_bill(f"STRAY-{now}", amount, now, now + DAY_MS)
        return _paid(bill, self._customers.pay(bill))

    async def _decline(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        bill = self._bill(body)
        self._customers.decline(bill)
        return web.json_response(_shown_bill(self._customers.bill(bill.reference_no)))

    async def _charge_back(self, request: web.Request) -> web.Response:
        """Charge a payment back; with `told` false it is only in the record, without a notification, as for every act with
        `told`.
        """
        body = await json_object(request)
        bill = self._bill(body)
        self._customers.charge_back(bill, _rrn(body), amount_of(body), is_told=_is_told(body))
        return web.json_response(_shown_bill(self._customers.bill(bill.reference_no)))

    async def _win_back(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        bill = self._bill(body)
        self._customers.win_back(bill, _rrn(body))
        return web.json_response(_shown_bill(self._customers.bill(bill.reference_no)))

    async def _refund(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        bill, amount = self._bill(body), amount_of(body)
        given = bill.amount if amount is None else amount
        refund = self._customers.refund_by_hand(bill, given, is_told=_is_told(body))
        return web.json_response(_shown_refund(refund))

    async def _reverse_refund(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        refund = self._customers.reverse_refund(text_of(body, "partner_refund_no"))
        return web.json_response(_shown_refund(refund))

    def _bill(self, body: dict[str, object]) -> Bill:
        """Return the bill of a QR, or the latest bill of a virtual account."""
        if "number" not in body:
            return self._customers.bill_of(text_of(body, "qr_content"))
        return self._customers.bill_of_account(text_of(body, "number"))

    async def _notify(self, request: web.Request) -> web.Response:
        """Send `body`, an object or the raw text of a body, as a signed notification."""
        body = await json_object(request)
        content = body.get("body")
        if not isinstance(content, dict | str):
            raise NotUnderstood("body must be an object or a text")
        qr_content, external_id = body.get("qr_content"), body.get("external_id")
        bill = None if qr_content is None else self._customers.bill_of(text_of(body, "qr_content"))
        self._customers.notify(
            bill,
            content.encode() if isinstance(content, str) else to_json(content),
            None if external_id is None else text_of(body, "external_id"),
        )
        return web.json_response({"told": True})

    async def _add_answers(self, request: web.Request) -> web.Response:
        self._overrides.add(await json_object(request))
        return web.json_response(self._overrides.waiting())

    async def _show_answers(self, _: web.Request) -> web.Response:
        return web.json_response(self._overrides.waiting())

    async def _clear_answers(self, _: web.Request) -> web.Response:
        self._overrides.clear()
        return web.json_response(self._overrides.waiting())

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._faults.apply(await json_object(request))
        return web.json_response(self._faults.values())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.values())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        self._overrides.clear()
        return web.json_response(self._faults.values())

    async def _payments(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "-1")
        if limit != "-1" and not (limit.isascii() and limit.isdigit() and len(limit) < 10):
            raise NotUnderstood("limit must be a number")
        return web.json_response([_shown_bill(bill) for bill in self._store.bills(int(limit))])

    async def _refunds(self, _: web.Request) -> web.Response:
        return web.json_response([_shown_refund(refund) for refund in self._store.refunds()])

    async def _totals(self, _: web.Request) -> web.Response:
        return web.json_response(self._store.totals())


def text_of(body: dict[str, object], name: str) -> str:
    """Return a mandatory member that is a text. Refuses `NotUnderstood`."""
    value = body.get(name)
    if not isinstance(value, str):
        raise NotUnderstood(f"{name} must be a text")
    return value


def _rrn(body: dict[str, object]) -> str | None:
    return None if body.get("rrn") is None else text_of(body, "rrn")


def _is_told(body: dict[str, object]) -> bool:
    return body.get("told") is not False


def amount_of(body: dict[str, object]) -> int | None:
    """Return the amount in rupiah, or None if it is absent. Refuses `NotUnderstood`."""
    amount = body.get("amount")
    if amount is not None and type(amount) is not int:
        raise NotUnderstood("amount must be a whole number of rupiah")
    return amount


def _paid(bill: Bill, payment: Payment) -> web.Response:
    return web.json_response(
        {
            "reference_no": bill.reference_no,
            "partner_reference_no": bill.partner_reference_no,
            "rrn": payment.rrn,
            "amount": payment.amount,
            "status": payment.status,
        }
    )


def _shown_bill(bill: Bill) -> dict[str, object]:
    return {
        "reference_no": bill.reference_no,
        "partner_reference_no": bill.partner_reference_no,
        "status": bill.status,
        "amount": bill.amount,
        "qr_content": bill.qr_content,
        "virtual_account": bill.account and bill.account.number,
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
                "taken_back": payment.taken_back,
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
        "reversed_at": refund.reversed_at and clock.snap_time(refund.reversed_at),
    }
