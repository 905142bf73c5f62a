"""The Core API that the merchant calls: routes below `/v2`.

Every answer has `status_code` in its body.  As at Midtrans, most refusals have the HTTP status 200; only 401, 404 and 500
are also HTTP statuses. A call is authenticated, carried out and answered, in this order, unless an override or a fault
switch changes that.
"""

import asyncio
import hmac
import logging
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable

from aiohttp import web

from standins import clock
from standins.bank.overrides import ResponseOverride, ResponseOverrides
from standins.bank.qris import MERCHANT_NAME_MAX, DynamicQr, payload
from standins.faults import Faults
from standins.midtrans.customer import Customers, NotPayable
from standins.midtrans.model import (
    AMOUNT_MAX,
    BANKS,
    ISSUERS,
    Kind,
    Status,
    Transaction,
    new_uuid,
)
from standins.midtrans.saying import OTHERWISE, Facts, facts_of, mixed_up, refund_line, to_json
from standins.midtrans.store import Store
from standins.refusal import NotUnderstood
from standins.web import Handler, json_object

SERVICES = {name: name for name in ("charge", "status", "cancel", "expire", "refund")}
QR_SECONDS = 15 * 60
TRANSFER_MAX = 10**12
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
END_SECONDS_MIN, END_SECONDS_MAX = 20, 180 * 86_400
# The member of a charge that names acquirer or bank, and its default.
CHANNELS = {"qris": ("acquirer", "gopay"), "bank_transfer": ("bank", "")}
_ORDER_ID = re.compile(r"[A-Za-z0-9~._-]{1,50}")
_HTTP_TOO = ("401", "404", "500")
_MESSAGES = {
    "202": "Refund denied by the bank",
    "400": "One or more parameters in the payload is invalid.",
    "401": "Unknown Merchant server_key/id",
    "404": "Transaction doesn't exist.",
    "406": "The request could not be completed due to a conflict with the current state of the "
    "target resource, please try again",
    "412": "Merchant cannot modify the status of the transaction",
    "414": "Refund request is rejected due to invalid amount",
    "418": "Refund request is rejected by the payment provider",
    "500": "Sorry. Our system is recovering from unexpected issues. Please retry.",
}
log = logging.getLogger(__name__)

Act = Callable[[web.Request], Awaitable[Facts]]


class Refused(Exception):
    """Midtrans refuses with this status_code; `more` goes into the answer."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.code, self.more = code, more


class Lost(Exception):
    """The call was carried out, and the connection breaks before the answer."""


class CoreApi:
    """The routes of charge, status, cancel, expire and refund."""

    def __init__(
        self,
        store: Store,
        customers: Customers,
        faults: Faults,
        overrides: ResponseOverrides,
    ) -> None:
        self._merchant = customers.merchant
        self._store = store
        self._customers = customers
        self._faults = faults
        self._overrides = overrides

    def add_routes(self, app: web.Application) -> None:
        """Add the routes; other paths get 404 in Midtrans' form."""
        add, endpoint = app.router.add_route, self._endpoint
        add("POST", "/v2/charge", endpoint("charge", self._charge))
        add("GET", "/v2/{name}/status", endpoint("status", self._status))
        add("POST", "/v2/{name}/cancel", endpoint("cancel", self._close(Status.CANCEL)))
        add("POST", "/v2/{name}/expire", endpoint("expire", self._close(Status.EXPIRE)))
        for path in ("refund", "refund/online/direct"):
            add("POST", f"/v2/{{name}}/{path}", endpoint("refund", self._refund))
        add("*", "/v2/{rest:.*}", endpoint("status", self._nothing))

    # -- services --------------------------------------------------------------------------

    async def _charge(self, request: web.Request) -> Facts:
        self._fail("charge_500")
        body = await _object(request)
        kind, about = str(body.get("payment_type")), _part(body, "transaction_details")
        order_id, amount = about.get("order_id"), about.get("gross_amount")
        channel = _part(body, kind).get(*CHANNELS[kind]) if kind in CHANNELS else None
        most = AMOUNT_MAX if kind == "qris" else TRANSFER_MAX
        seconds = _seconds(body, QR_SECONDS if kind == "qris" else UNITS["day"])
        if (
            not (isinstance(order_id, str) and _ORDER_ID.fullmatch(order_id))
            or not (type(amount) is int and 0 < amount <= most)
            or channel not in (ISSUERS if kind == "qris" else BANKS)
            or seconds is None
        ):
            raise Refused("400", validation_messages=["a field is missing, or not of its form"])
        now, before = clock.now_ms(), self._store.find(order_id)
        if before and before.status(now) not in (Status.CANCEL, Status.EXPIRE):
            raise Refused("406")
        number = self._store.next_number()
        shown = f"{BANKS.get(str(channel))}{number:011d}"
        if kind == "qris":
            merchant = self._merchant.merchant_id
            name = f"{merchant} MIDTRANS"[:MERCHANT_NAME_MAX]
            shown = payload(DynamicQr(amount, f"QR{number:018d}", merchant, name, "A01"))
        facts = (new_uuid(), order_id, kind, str(channel), shown, amount)
        made = Transaction(*facts, now, now + seconds * 1000)
        self._customers.tell(made)
        if self._faults.take("charge_lost"):
            raise Lost
        message = "QRIS transaction is created" if kind == "qris" else "Success, it is created"
        told = self._told(made) | {"status_message": message}
        if kind == "qris":
            url = f"{request.url.origin()}/pay/{made.transaction_id}"
            action = {"name": "generate-qr-code", "method": "GET", "url": url}
            told |= {"qr_string": shown, "actions": [action]}
        return told

    async def _status(self, request: web.Request) -> Facts:
        self._fail("status_500")
        charge = self._named(request)
        status = charge.said or charge.status(clock.now_ms())
        if self._faults.take("record_differs"):
            status = OTHERWISE.get(status, Status.PENDING)
        return mixed_up(self._faults, facts_of(charge, status, self._merchant.merchant_id))

    def _close(self, closing: Status) -> Act:
        async def close(request: web.Request) -> Facts:
            self._fail("cancel_500")
            charge = self._named(request)
            if charge.closing is not closing or charge.settled_at is not None:
                try:
                    self._customers.close(charge, closing)
                except NotPayable:
                    raise Refused("412") from None
            word = "canceled" if closing is Status.CANCEL else "expired"
            return self._told(charge) | {"status_message": f"Success, transaction is {word}"}

        return close

    async def _refund(self, request: web.Request) -> Facts:
        """Refund the customer; a repeat with the same refund_key gets the same answer."""
        self._fail("refund_500")
        body, charge = await _object(request), self._named(request)
        amount, key = body.get("amount", charge.left), body.get("refund_key", new_uuid())
        if type(amount) is not int or not isinstance(key, str) or not key:
            raise Refused("400", validation_messages=["amount or refund_key is not of its form"])
        made = charge.refund_of(key)
        if made is None:
            self._check_refund(charge, amount)
            self._customers.move(charge, Kind.REFUND, amount, key, str(body.get("reason", "")))
            made = charge.movements[-1]
        elif made.amount != amount:
            raise Refused("406")
        if self._faults.take("refund_lost"):
            raise Lost
        line = refund_line(charge.movements.index(made), made)
        told = {name: line[name] for name in line if name.startswith("refund_")}
        told["status_message"] = "Success, refund request is approved"
        return mixed_up(self._faults, self._told(charge) | told)

    def _check_refund(self, charge: Transaction, amount: int) -> None:
        if charge.payment_type != "qris" or not charge.left:
            raise Refused("412")
        if not 0 < amount <= charge.left:
            raise Refused("414")
        if charge.refundable_until <= clock.now_ms() or self._faults.take("refuse_refunds"):
            raise Refused("418")
        if self._faults.take("refund_denied"):
            told = self._told(charge) | {"refund_amount": "0.00"}
            raise Refused("202", **{name: told[name] for name in told if name[:6] != "status"})

    async def _nothing(self, _: web.Request) -> Facts:
        raise Refused("404")

    def _named(self, request: web.Request) -> Transaction:
        found = self._store.find(request.match_info["name"])
        if found is None:
            raise Refused("404")
        return found

    def _told(self, charge: Transaction) -> Facts:
        status = charge.status(clock.now_ms())
        return facts_of(charge, status, self._merchant.merchant_id)

    def _fail(self, fault: str) -> None:
        if self._faults.take(fault):
            raise Refused("500")

    # -- every call ------------------------------------------------------------------------

    def _endpoint(self, service: str, act: Act) -> Handler:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            override = self._overrides.take(service) or ResponseOverride()
            response = await self._answered(request, act if override.act else _not_done)
            # After the act: a merchant whose call timed out finds that it was carried out.
            delay = self._faults.seconds("response_delay_seconds") + override.delay_seconds
            await asyncio.sleep(delay)
            is_lost = override.hang_up or response is None
            if is_lost and request.transport is not None:
                request.transport.close()
            return override.apply_to(response or _answer({}))

        return endpoint

    async def _answered(self, request: web.Request, act: Act) -> web.Response | None:
        own = b64encode(f"{self._merchant.server_key}:".encode()).decode()
        given = request.headers.get("Authorization", "")
        try:
            if not hmac.compare_digest(given.encode(), f"Basic {own}".encode()):
                raise Refused("401")
            return _answer(await act(request))
        except Lost:
            return None
        except Refused as refusal:
            head = {"status_code": refusal.code, "status_message": _MESSAGES[refusal.code]}
            return _answer(head | refusal.more | {"id": new_uuid()})
        except (
            Exception
        ):  # outermost handler: the merchant gets an answer even after an error of this program
            log.exception("a call failed")
            return _answer({"status_code": "500", "status_message": _MESSAGES["500"]})


def _answer(facts: Facts) -> web.Response:
    code = str(facts.get("status_code", ""))
    status = int(code) if code in _HTTP_TOO else 200
    return web.Response(body=to_json(facts), status=status, content_type="application/json")


async def _not_done(_: web.Request) -> Facts:
    return {"status_code": "200"}


async def _object(request: web.Request) -> Facts:
    try:
        return await json_object(request)
    except (NotUnderstood, web.HTTPRequestEntityTooLarge):
        raise Refused("400", validation_messages=["the body is not a JSON object"]) from None


def _part(body: Facts, name: str) -> Facts:
    found = body.get(name, {})
    if not isinstance(found, dict):
        raise Refused("400", validation_messages=[f"{name} is an object"])
    return found


def _seconds(body: Facts, default: int) -> int | None:
    """Return the seconds for which the charge can be paid; None if custom_expiry is invalid."""
    custom = _part(body, "custom_expiry")
    duration, unit = custom.get("expiry_duration"), custom.get("unit", "minute")
    if not custom:
        return default
    if type(duration) is not int or unit not in UNITS:
        return None
    seconds = duration * UNITS[str(unit)]
    return seconds if END_SECONDS_MIN <= seconds <= END_SECONDS_MAX else None
