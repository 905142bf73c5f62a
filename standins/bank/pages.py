"""The bank's pages for people: QR codes, and buttons for the acts of customers. The pages have no JavaScript."""

import io
from html import escape
from urllib.parse import quote

import segno
from aiohttp import web

from standins import clock
from standins.bank.customer import Customers
from standins.bank.model import STATUS_TEXT, Bill, Notification, Status
from standins.bank.payers import Payers
from standins.bank.snap import Merchant
from standins.bank.store import Store
from standins.bank.storm import BankFaults
from standins.bank.transfers import TRANSFER_TEXT, Transfers, TransferState
from standins.faults import Kind, Value
from standins.refusal import NotFound, Refusal
from standins.web import page

BILLS_SHOWN = 200  # number of bills on the front page; /standin/payments has all
NAV = (
    "<nav><a href=/>Payments</a><a href=/transfers>Transfers</a><a href=/faults>Faults</a>"
    "<a href=/standin/accounts>Accounts</a></nav>"
)
VA_CHARACTERS_MAX = 28  # SNAP BI, virtualAccountNo
BUTTONS = {
    "pay": "Pay",
    "pay-twice": "Pay twice",
    "pay-half": "Pay half",
    "decline": "Decline",
    "deny": "Deny",
    "win-back": "Win back",
    "give-back": "Give half back, untold",
    "reverse-refund": "Reverse refund",
}


class Pages:
    """The routes of pages for people."""

    def __init__(
        self,
        name: str,
        merchant: Merchant,
        store: Store,
        customers: Customers,
        payers: Payers,
        transfers: Transfers,
        faults: BankFaults,
    ) -> None:
        self._heading = f"{name} - no real money"
        self._merchant = merchant
        self._store = store
        self._customers = customers
        self._payers = payers
        self._transfers = transfers
        self._faults = faults

    def add_routes(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_routes(
            [
                web.get("/", self._front),
                web.get("/scan", self._scan),
                web.get("/qr/{reference_no}", self._qr),
                web.post("/qr/{reference_no}/{act}", self._act),
                web.get("/transfers", self._transfers_page),
                web.post("/transfers/{number}/return", self._return_transfer),
                web.get("/faults", self._faults_page),
                web.post("/faults", self._set_faults),
                web.post("/faults/clear", self._clear_faults),
            ]
        )

    async def _front(self, _: web.Request) -> web.Response:
        rows = "".join(_row(bill) for bill in self._store.bills(BILLS_SHOWN))
        table = (
            "<table><thead><tr><th>Amount<th>State<th>Age<th>Partner's number<th>As the customer"
            f"</thead><tbody>{rows}</tbody></table>"
            if rows
            else "<p class=quiet>Nothing was asked for yet.</p>"
        )
        return page(
            self._heading,
            self._heading,
            f"{NAV}{self._weather()}{_scan_form()}<h2>Payments, newest first</h2>{table}",
        )

    def _weather(self) -> str:
        storm = self._faults.storm.text()
        return f"<p class=note><a href=/standin/storm>{storm}</a></p>" if storm else ""

    async def _scan(self, request: web.Request) -> web.Response:
        told = request.query.get("qr_content", "").strip()
        try:
            is_account = told.isdigit() and len(told) <= VA_CHARACTERS_MAX
            look = self._customers.bill_of_account if is_account else self._customers.bill_of
            bill = look(told)
        except Refusal as refusal:
            body = f"{NAV}{_note(refusal)}{_scan_form()}"
            return page(f"Not found - {self._heading}", self._heading, body, status=refusal.status)
        raise web.HTTPSeeOther(f"/qr/{bill.reference_no}")

    async def _qr(self, request: web.Request) -> web.Response:
        return self._bill_page(request.match_info["reference_no"], None)

    async def _act(self, request: web.Request) -> web.Response:
        reference_no, act = request.match_info["reference_no"], request.match_info["act"]
        try:
            await self._do(self._customers.bill(reference_no), act)
        except NotFound:
            raise
        except Refusal as refusal:
            return self._bill_page(reference_no, refusal)
        raise web.HTTPSeeOther(f"/qr/{reference_no}")

    async def _do(self, bill: Bill, act: str) -> None:
        match act:
            case "pay":
                await self._pay(bill)
            case "pay-twice":
                await self._pay(bill)
                # With a second inquiry the merchant would answer that the account was paid.
                self._customers.pay(self._customers.bill(bill.reference_no))
            case "pay-half":
                self._customers.pay(bill, max(bill.amount // 2, 1))
            case "decline":
                self._customers.decline(bill)
            case "deny":
                self._customers.charge_back(bill)
            case "win-back":
                self._customers.win_back(bill)
            case "give-back":
                half = max(bill.refundable // 2, 1)
                self._customers.refund_by_hand(bill, half, is_told=False)
            case "reverse-refund":
                self._customers.reverse_refund(bill.refunds[-1].partner_refund_no)
            case _:
                raise NotFound("no such act")

    async def _pay(self, bill: Bill) -> None:
        if bill.account:
            await self._payers.pay(bill.account.number)
        else:
            self._customers.pay(bill)

    async def _transfers_page(self, _: web.Request) -> web.Response:
        rows = "".join(
            f"<tr><td class=number>{_rupiah(one.amount)}<td>"
            f"<span class='state state-{one.state}'>{TRANSFER_TEXT[one.state]}</span>"
            f"<td>{one.bank} {escape(one.account)}<td>{escape(one.name)}"
            f"<td><code>{escape(one.number)}</code><td>"
            + (
                f"<form method=post action='/transfers/{quote(one.number, safe='')}/return'>"
                "<button class=quiet>Send back</button></form>"
                if one.state is TransferState.SUCCESS
                else ""
            )
            for one in self._transfers.all()[:BILLS_SHOWN]
        )
        table = f"<table>{rows}</table>" if rows else "<p class=quiet>No transfer was made yet.</p>"
        return page(
            f"Transfers - {self._heading}", self._heading, f"{NAV}<h2>Transfers</h2>{table}"
        )

    async def _return_transfer(self, request: web.Request) -> web.Response:
        self._transfers.come_back(request.match_info["number"])
        raise web.HTTPSeeOther("/transfers")

    def _bill_page(self, reference_no: str, refusal: Refusal | None) -> web.Response:
        bill = self._customers.bill(reference_no)
        note = "" if refusal is None else _note(refusal)
        title = f"{_rupiah(bill.amount)} {_state_text(bill)} - {self._heading}"
        body = (
            f"{NAV}{note}<div class=sides><div>{_instructions(bill)}</div>"
            f"<div><h2>{_rupiah(bill.amount)} to {escape(self._merchant.name)}</h2>"
            f"{_facts(bill)}<p>{_buttons(bill)}</p></div></div>"
            f"{_money_table(bill)}{_notifications_table(self._store.notifications_of(reference_no))}"
            f"{_scan_form()}"
        )
        return page(title, self._heading, body, status=200 if refusal is None else refusal.status)

    async def _faults_page(self, _: web.Request) -> web.Response:
        return self._faults_form(None)

    async def _set_faults(self, request: web.Request) -> web.Response:
        typed = await request.post()
        try:
            self._faults.apply(
                {
                    name: _typed(switch.kind, str(typed.get(name, "")))
                    for name, switch in self._faults.switches.items()
                }
            )
        except Refusal as refusal:
            return self._faults_form(refusal)
        raise web.HTTPSeeOther("/faults")

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        raise web.HTTPSeeOther("/faults")

    def _faults_form(self, refusal: Refusal | None) -> web.Response:
        rows = "".join(
            f"<tr><td><label for={name}>{escape(self._faults.switches[name].meaning)}</label>"
            f"<br><code class=quiet>{name}</code>"
            f"<td>{_field(name, self._faults.switches[name].kind, value)}"
            for name, value in self._faults.values().items()
        )
        body = (
            f"{NAV}{self._weather()}{'' if refusal is None else _note(refusal)}<h2>Faults</h2>"
            "<p>A count is the number of next occasions; -1 means all.</p>"
            f"<form class=block method=post action=/faults><table>{rows}</table>"
            "<p><button>Set</button></p></form>"
            "<form method=post action=/faults/clear><button class=quiet>Clear all</button></form>"
        )
        status = 200 if refusal is None else refusal.status
        return page(f"Faults - {self._heading}", self._heading, body, status=status)


def _rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


def _note(refusal: Refusal) -> str:
    return f"<p class=note role=alert>{escape(str(refusal))}</p>"


def _scan_form() -> str:
    return (
        "<form class=block action=/scan><label for=qr_content>Scan: paste what is in a QR, or type the"
        " number of a virtual account</label>"
        "<textarea id=qr_content name=qr_content rows=2 required></textarea>"
        "<button class=quiet>Scan</button></form>"
    )


def _state_text(bill: Bill) -> str:
    if bill.status is Status.PENDING and bill.valid_until < clock.now_ms():
        return "Pending, ran out"
    twice = ", paid more than once" if len(bill.settled) > 1 else ""
    return STATUS_TEXT[bill.status] + twice


def _state(bill: Bill) -> str:
    return f"<span class='state state-{bill.status}'>{_state_text(bill)}</span>"


def _age(bill: Bill) -> str:
    minutes = (clock.now_ms() - bill.created_at) // 60_000
    if minutes < 1:
        return "just now"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _buttons(bill: Bill) -> str:
    fitting = []
    if bill.closing is None:
        fitting = ["pay", "pay-twice"] + ([] if bill.payments else ["decline"])
        fitting += ["pay-half"] if bill.account else []
    if bill.settled:
        fitting.append("deny")
    if bill.refundable:
        fitting.append("give-back")
    if any(payment.taken_back for payment in bill.payments):
        fitting.append("win-back")
    if bill.refunds and bill.refunds[-1].reversed_at is None:
        fitting.append("reverse-refund")
    return " ".join(
        f"<form method=post action=/qr/{bill.reference_no}/{act}>"
        f"<button{'' if act == 'pay' else ' class=quiet'}>{BUTTONS[act]}</button></form>"
        for act in fitting
    )


def _row(bill: Bill) -> str:
    return (
        f"<tr><td class=number><a href=/qr/{bill.reference_no}>{_rupiah(bill.amount)}</a>"
        f"<td>{_state(bill)}<td>{_age(bill)}<td><code>{escape(bill.partner_reference_no)}</code>"
        f"<td>{_buttons(bill)}"
    )


def _facts(bill: Bill) -> str:
    return (
        f"<dl><dt>State<dd>{_state(bill)}<dt>Bank's number<dd><code>{bill.reference_no}</code>"
        f"<dt>Partner's number<dd><code>{escape(bill.partner_reference_no)}</code>"
        f"<dt>Asked<dd>{clock.snap_time(bill.created_at)}"
        f"<dt>Valid until<dd>{clock.snap_time(bill.valid_until)}</dl>"
    )


def _money_table(bill: Bill) -> str:
    rows = [
        f"<tr><td>Payment {payment.rrn}<td class=number>{_rupiah(payment.amount)}"
        f"<td>{clock.snap_time(payment.paid_at)}"
        f"<td>{'' if payment.denied_at is None else 'denied ' + clock.snap_time(payment.denied_at)}"
        for payment in bill.payments
    ] + [
        f"<tr><td>Refund <code>{escape(refund.partner_refund_no)}</code>"
        f"<td class=number>-{_rupiah(refund.amount)}<td>{clock.snap_time(refund.refunded_at)}"
        f"<td>{escape(refund.reason)}"
        f"{'' if refund.reversed_at is None else ', reversed ' + clock.snap_time(refund.reversed_at)}"
        for refund in bill.refunds
    ]
    return f"<h2>Money</h2><table>{''.join(rows)}</table>" if rows else ""


def _notifications_table(notifications: list[Notification]) -> str:
    rows = "".join(
        f"<tr><td><code>{notification.external_id}</code><td>{notification.state}"
        f"<td>{notification.attempts} tries<td><code>{escape(notification.body.decode())}</code>"
        for notification in notifications
    )
    return f"<h2>Notifications</h2><table>{rows}</table>" if rows else ""


def _instructions(bill: Bill) -> str:
    if bill.account is None:
        return _picture(bill.qr_content)
    return f"<dl><dt>Virtual account<dd><code>{bill.account.number.strip()}</code></dl>"


def _picture(qr_content: str) -> str:
    out = io.BytesIO()
    segno.make(qr_content, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, svgclass="qr", title="QR"
    )
    return out.getvalue().decode()


def _field(name: str, kind: Kind, value: Value) -> str:
    if kind is Kind.BOOLEAN:
        options = "".join(
            f"<option{' selected' if is_on is value else ''}>{text}"
            for text, is_on in (("off", False), ("on", True))
        )
        return f"<select id={name} name={name}>{options}</select>"
    shown = "" if value is None else str(value)
    return f"<input id={name} name={name} value='{shown}' inputmode=decimal size=8>"


def _typed(kind: Kind, text: str) -> object:
    """Convert typed text to a value for a switch of this kind; invalid text stays a text, which `Faults.apply` refuses."""
    text = text.strip()
    if kind is Kind.BOOLEAN:
        return text == "on"
    if not text:
        return None if kind is Kind.SECONDS_OR_NEVER else 0
    try:
        return int(text) if kind is Kind.COUNT else float(text)
    except ValueError:
        return text
