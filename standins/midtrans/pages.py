"""The page for people: QR codes, virtual accounts, and buttons for the acts of customers. It has no JavaScript."""

import io
from html import escape

import segno
from aiohttp import web

from standins import clock
from standins.midtrans.control import act_on
from standins.midtrans.customer import Customers
from standins.midtrans.model import Status, Transaction
from standins.midtrans.store import Store
from standins.refusal import Refusal
from standins.web import page

HEADING = "Stand-in of Midtrans - no real money"
CHARGES_SHOWN = 200  # number of charges on the front page; /standin/payments has all
NAV = "<nav><a href=/>Transactions</a><a href=/standin/faults>Faults</a></nav>"
_UNPAID = {"pay": "Pay", "decline": "Deny"}
_PAID = {"deny": "Deny after settlement", "charge-back": "Charge back", "refund": "Refund by hand"}
_TAKEN = {"win": "Win the chargeback"}


class Pages:
    """The routes of the page for people."""

    def __init__(self, store: Store, customers: Customers) -> None:
        self._store = store
        self._customers = customers

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self._front)
        app.router.add_get("/pay/{name}", self._shown)
        app.router.add_post("/pay/{name}/{act}", self._act)

    async def _front(self, _: web.Request) -> web.Response:
        rows = "".join(_row(one) for one in self._store.charges(CHARGES_SHOWN))
        head = "<tr><th>Amount<th>State<th>By<th>Order<th>As the customer"
        return page(HEADING, HEADING, f"{NAV}<h2>Newest first</h2><table>{head}{rows}</table>")

    async def _shown(self, request: web.Request) -> web.Response:
        return self._page(request.match_info["name"], "", 200)

    async def _act(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            act_on(self._customers, request.match_info["act"], {"transaction": name})
        except Refusal as refusal:
            return self._page(name, str(refusal), refusal.status)
        raise web.HTTPSeeOther(f"/pay/{name}")

    def _page(self, name: str, note: str, status: int) -> web.Response:
        charge = self._customers.find(name)
        told = f"<p class=note role=alert>{escape(note)}</p>" if note else ""
        shown = f"<p><code>{escape(charge.shown)}</code></p>"
        if charge.payment_type == "qris":
            out = io.BytesIO()
            code = segno.make(charge.shown, error="m", micro=False)
            code.save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, svgclass="qr")
            shown = out.getvalue().decode() + shown
        news = "".join(
            f"<tr><td>{one.state}<td>{one.attempts}<td><code>{escape(one.body.decode())}</code>"
            for one in self._store.news_of(charge.transaction_id)
        )
        body = f"{NAV}{told}<table>{_row(charge)}</table>{shown}<h2>Told</h2><table>{news}</table>"
        return page(f"{charge.amount} - {HEADING}", HEADING, body, status=status)


def _row(charge: Transaction) -> str:
    status, url = charge.status(clock.now_ms()), f"/pay/{charge.transaction_id}"
    fitting = _UNPAID if status is Status.PENDING else _PAID if charge.left else {}
    fitting = fitting | (_TAKEN if charge.taken_back else {})
    buttons = " ".join(
        f"<form method=post action={url}/{act}><button class=quiet>{text}</button></form>"
        for act, text in fitting.items()
    )
    return (
        f"<tr><td class=number><a href={url}>Rp{charge.amount:,}</a><td>{status}"
        f"<td>{escape(charge.channel)}<td><code>{escape(charge.order_id)}</code><td>{buttons}"
    )
