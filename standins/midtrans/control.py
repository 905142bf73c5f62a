"""The control API, JSON below `/standin`, for tests and rehearsals: acts of customers, their banks and the
staff of Midtrans, faults, and stored data.

`transaction` is a transaction id, an order id, a QR or a virtual account.

    POST pay {transaction, issuer?, late?}    POST decline, deny, win {transaction}
    POST charge-back, refund {transaction, amount?}
    POST say {transaction, status}            status in the record; null: the true one
    POST notify {transaction, body, signed?}  any body; signed (true) over its own members
    POST, GET, DELETE faults and answers      `fault_switches`; `standins.bank.overrides`
    GET payments, totals, files/<YYYY-MM-DD>/midtrans.csv
"""

from aiohttp import web

from standins import clock
from standins.bank.overrides import ResponseOverrides
from standins.faults import Faults
from standins.midtrans.customer import Customers
from standins.midtrans.model import Kind, Status, Transaction
from standins.midtrans.saying import Facts, facts_of
from standins.midtrans.settlement import FILE_NAME, file_of
from standins.midtrans.store import Store
from standins.refusal import NotFound, NotUnderstood
from standins.web import json_object


class ControlApi:
    """The routes below `/standin`."""

    def __init__(
        self, store: Store, customers: Customers, faults: Faults, overrides: ResponseOverrides
    ) -> None:
        self._store = store
        self._customers = customers
        self._faults = faults
        self._overrides = overrides

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_routes(
            [
                web.post("/standin/{what:faults|answers}", self._set),
                web.get("/standin/{what:faults|answers}", self._show),
                web.delete("/standin/{what:faults|answers}", self._clear),
                web.post("/standin/{act}", self._act),
                web.get("/standin/payments", self._payments),
                web.get("/standin/totals", self._totals),
                web.get(f"/standin/files/{{day}}/{FILE_NAME}", self._file),
            ]
        )

    async def _act(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        return web.json_response(
            self._shown(act_on(self._customers, request.match_info["act"], body))
        )

    async def _set(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        if request.match_info["what"] == "faults":
            self._faults.apply(body)
        else:
            self._overrides.add(body)
        return await self._show(request)

    async def _show(self, request: web.Request) -> web.Response:
        is_faults = request.match_info["what"] == "faults"
        return web.json_response(self._faults.values() if is_faults else self._overrides.waiting())

    async def _clear(self, request: web.Request) -> web.Response:
        self._faults.clear()
        self._overrides.clear()
        return await self._show(request)

    async def _payments(self, _: web.Request) -> web.Response:
        return web.json_response([self._shown(one) for one in self._store.charges()])

    async def _totals(self, _: web.Request) -> web.Response:
        charges = self._store.charges()
        return web.json_response({kind: sum(one.total(kind) for one in charges) for kind in Kind})

    async def _file(self, request: web.Request) -> web.Response:
        text = file_of(self._store, request.match_info["day"], self._customers.merchant.merchant_id)
        return web.Response(text=text, content_type="text/csv")

    def _shown(self, charge: Transaction) -> Facts:
        status = charge.status(clock.now_ms())
        return facts_of(charge, status, self._customers.merchant.merchant_id) | {
            "shown": charge.shown,
            "said": charge.said,
            "left": charge.left,
            "movements": [
                {"kind": one.kind, "amount": one.amount, "key": one.key, "uuid": one.uuid}
                for one in charge.movements
            ],
            "news": [
                {"state": one.state, "attempts": one.attempts, "body": one.body.decode()}
                for one in self._store.news_of(charge.transaction_id)
            ],
        }


def act_on(customers: Customers, act: str, body: Facts) -> Transaction:
    """Carry out an act (see the docstring of the module) on the named transaction. Return it after the act."""
    name, amount, content = body.get("transaction"), body.get("amount"), body.get("body")
    if not isinstance(name, str) or not isinstance(amount, int | None) or amount is True:
        raise NotUnderstood("transaction is a text, amount a whole number of rupiah")
    charge = customers.find(name)
    given = charge.left if amount is None else amount
    match act:
        case "pay":
            customers.pay(charge, str(body.get("issuer", "")), is_late=body.get("late") is True)
        case "decline":
            customers.close(charge, Status.DENY)
        case "deny":
            customers.move(charge, Kind.DENY, charge.left)
        case "win":
            customers.move(charge, Kind.CHARGEBACK_WON, charge.taken_back)
        case "charge-back":
            customers.move(charge, Kind.CHARGEBACK, given)
        case "refund":
            customers.move(charge, Kind.REFUND, given, f"by-hand-{clock.now_ms()}", "by hand")
        case "say":
            status = body.get("status")
            customers.say(charge, None if status is None else str(status))
        case "notify" if isinstance(content, dict | str):
            customers.send(charge, content, is_signed=body.get("signed", True) is True)
        case _:
            raise NotFound("no such act")
    return customers.find(name)
