"""Every form that a browser may send, each filled in by a visitor of its own who holds something to lose."""

import re
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import urlencode

import urllib3

from meterai.accounts import AccountService, CodeService
from meterai.kit.ids import show
from meterai.room import Container
from tests.support.inside import Inside
from tests.support.instance import Client, Reply, until
from tests.support.pdf import pdf
from tests.support.shop import TESTER

HTML = {"Accept": "text/html"}
PATIENCE_SECONDS = 90.0  # of a browser; longer than any time-out of ours
STAMPS = 3  # that a visitor holds where a form uses some


@dataclass(frozen=True)
class Sent:
    """A form as it is sent."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Holding:
    """What a visitor has: stamps, documents that have or may get some, orders with their states, rupiah
    that came, and files that wait."""

    available: int
    held: int
    used: int
    stampings: frozenset[tuple[str, str]]
    orders: frozenset[tuple[str, str]]
    captured: int
    files: frozenset[tuple[str, str]]

    @property
    def stamps(self) -> int:
        """All there are."""
        return self.available + self.held + self.used

    @property
    def stamped(self) -> int:
        """Documents that have their stamps."""
        return sum(state == "delivered" for _, state in self.stampings)


_STAMPS = """
SELECT coalesce(sum(issued - held - affixed - returned), 0)::bigint AS available,
    coalesce(sum(held), 0)::bigint AS held, coalesce(sum(affixed), 0)::bigint AS used
FROM stamp_lots WHERE account_id = %s
"""
_STAMPINGS = """
SELECT stamping_id::text, state FROM stampings
WHERE account_id = %s AND state IN ('reserved', 'delivered')
"""
_ORDERS = "SELECT order_id::text, state FROM orders WHERE account_id = %s"
_CAPTURED = "SELECT coalesce(sum(amount), 0)::bigint AS sum FROM captures WHERE account_id = %s"
_FILES = """
SELECT f.file_id::text, f.placements::text FROM draft_files f JOIN drafts d USING (draft_id)
WHERE d.owner_id = %s AND f.state IN ('ready', 'repaired')
"""


@dataclass
class Visitor:
    """Somebody who is signed in, with a browser that follows no redirects by itself."""

    inside: Inside
    account: uuid.UUID
    email: str
    cookies: dict[str, str] = field(default_factory=dict)
    stamps: int = 0

    @property
    def client(self) -> Client:
        """A connection of its own."""
        made = Client(self.inside.instance.url)
        made._pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS)
        return made

    @property
    def headers(self) -> dict[str, str]:
        """What its browser sends with everything."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return HTML | {"Cookie": cookies}

    def holds(self) -> Holding:
        """What it has now."""
        rows, account = self.inside.rows, self.account
        [stamps] = rows(_STAMPS, account)
        return Holding(
            **stamps,
            stampings=_pairs(rows(_STAMPINGS, account)),
            orders=_pairs(rows(_ORDERS, account)),
            captured=rows(_CAPTURED, account)[0]["sum"],
            files=_pairs(rows(_FILES, account)),
        )

    def looks(self, path: str) -> str:
        """A page."""
        return self.client.get(path, headers=self.headers).body.decode()

    def sends(self, sent: Sent) -> Reply:
        """The answer to a form."""
        return self.client.post(sent.path, sent.body, headers={**self.headers, **sent.headers})

    # -- filling in -----------------------------------------------------------------------------

    def form(self, path: str, page: str = "", **fields: str) -> Sent:
        """A form with the token of this visitor, and the hidden fields of the page it is on."""
        hidden = {"form_token": self.token()} | (_hidden(self.looks(page)) if page else {})
        body = urlencode(hidden | fields).encode()
        return Sent(path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def token(self) -> str:
        """Of the forms of this session; none where there is no session."""
        if "session" not in self.cookies:
            return ""
        return _hidden(self.looks("/account"))["form_token"]

    def upload(self, path: str, *contents: bytes) -> Sent:
        """A form with files."""
        fields = [("document", ("surat.pdf", one, "application/pdf")) for one in contents]
        body, kind = urllib3.encode_multipart_formdata(fields)
        return Sent(path, body, {"Content-Type": kind})

    # -- having something -----------------------------------------------------------------------

    def keeps_cookies(self, reply: Reply) -> None:
        """Of an answer."""
        for name, value in re.findall(r"(\w+)=([^;,]+)", reply.headers.get("set-cookie", "")):
            if name in ("draft", "session", "asked"):
                self.cookies[name] = value

    def chooses(self, documents: int = 1) -> None:
        """A draft with so many documents."""
        made = [pdf(words=uuid.uuid4().hex) for _ in range(documents)]
        self.keeps_cookies(self.sends(self.upload("/stamp/files", *made)))

    def places(self, documents: int = 1) -> None:
        """A draft whose documents have their places."""
        self.chooses(documents)
        for _ in range(documents):
            self.sends(self.place())
        assert "/stamp/pay" in self.looks("/stamp/pay")

    def place(self) -> Sent:
        """The form that takes the place which is suggested."""
        return self.form("/stamp/place", "/stamp/place", do="use")

    def orders(self, quantity: int = 1) -> str:
        """An order that waits for its payment."""
        reply = self.sends(self.form("/buy", "/buy", quantity=str(quantity)))
        assert reply.status == 303, reply.body
        return reply.headers["location"]

    def pays(self, order: str) -> None:
        """At the bank; what is ordered is there soon."""
        number = order.rpartition("/")[2]

        def qr() -> Any:
            return self.client.get(f"/v1/orders/{number}", headers=self.headers).json["payment"][
                "qr_content"
            ]

        assert self.inside.instance.bank.pay(until("there is a QR", qr)).status == 200

    def buys(self, quantity: int = STAMPS) -> str:
        """Stamps of an order."""
        order = self.orders(quantity)
        self.pays(order)
        until("the stamps are there", lambda: self.holds().available >= quantity)
        return order


def _pairs(rows: list[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    return frozenset(tuple(str(value) for value in row.values()) for row in rows)  # type: ignore[misc]


def _hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input [^>]*name="([\w-]+)" value="([^"]*)"', page)
    kept = {name: unescape(value) for name, value in found}
    return {name: value for name, value in kept.items() if name not in ("do", "language")}


# -- the forms ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A form: its route, what is special, and how a visitor comes to send it."""

    route: str
    fill: Callable[[Visitor], Sent]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.route} {self.name}".strip()


def _pay(visitor: Visitor, documents: int, by: str) -> Sent:
    visitor.places(documents)
    return visitor.form("/stamp/pay", "/stamp/pay", pay=by)


def _from_balance(visitor: Visitor) -> Sent:
    visitor.buys()
    return _pay(visitor, 2, "balance")


def _signs_in_to_pay(visitor: Visitor) -> Sent:
    """The button that proves who it is and orders."""
    del visitor.cookies["session"]
    visitor.places()
    there, page = "/stamp/pay/sign-in", "/stamp/pay"
    visitor.keeps_cookies(visitor.sends(visitor.form(there, page, email=visitor.email)))
    newest = (
        "SELECT challenge_id FROM sign_in_challenges WHERE email = %s"
        " ORDER BY challenge_id DESC LIMIT 1"
    )
    [row] = visitor.inside.rows(newest, visitor.email)

    async def code(container: Container) -> str:
        return container.of(CodeService).code(row["challenge_id"])

    return visitor.form(there, page, code=visitor.inside.ask(code))


def _too_few(visitor: Visitor) -> Sent:
    visitor.buys(1)
    return _pay(visitor, 2, "balance")


def _lapsed(visitor: Visitor) -> Sent:
    order = visitor.orders()
    visitor.sends(visitor.form(f"{order}/withdraw"))
    return visitor.form(f"{order}/reorder")


def _another_way(visitor: Visitor) -> Sent:
    return visitor.form(f"{visitor.orders()}/pay-by", payment_method="qris")


def _paid(visitor: Visitor) -> Sent:
    return visitor.form(f"{visitor.orders()}/paid")


def _whole_upload(visitor: Visitor) -> Sent:
    content = pdf(words=uuid.uuid4().hex)
    headers = {
        "Accept": "application/json",
        "Upload-Complete": "?1",
        "Upload-Length": str(len(content)),
        "Content-Type": "application/partial-upload",
        "Content-Disposition": 'attachment; filename="surat.pdf"',
        "Content-Digest": f"sha-256=:{b64encode(sha256(content).digest()).decode()}:",
    }
    return Sent("/stamp/uploads", content, headers)


def _take_out(visitor: Visitor) -> Sent:
    visitor.chooses()
    [file] = re.findall(r'action="(/stamp/files/[^"]+/take-out)"', visitor.looks("/stamp"))
    return visitor.form(file)


def _place(visitor: Visitor) -> Sent:
    visitor.chooses()
    return visitor.place()


def _in_account(path: str, **fields: str) -> Callable[[Visitor], Sent]:
    return lambda visitor: visitor.form(path, **fields)


def _checked(path: str) -> Callable[[Visitor], Sent]:
    return lambda visitor: visitor.upload(path, pdf(words=uuid.uuid4().hex))


def _table_of_a_tab(_: Visitor) -> Sent:
    body, kind = urllib3.encode_multipart_formdata({"table": '[["a.pdf"]]'})
    return Sent("/check/many/table/csv", body, {"Content-Type": kind})


def _complaint(visitor: Visitor) -> Sent:
    fields = {"matter": "something_else", "words": "Tolong.", "about": ""}
    return visitor.form("/complaints", "/complaints/new", **fields)


def _with_case(act: str, **fields: str) -> Callable[[Visitor], Sent]:
    """A form of the page of a complaint."""

    def fill(visitor: Visitor) -> Sent:
        reply = visitor.sends(_complaint(visitor))
        assert reply.status == 303, reply.body
        return visitor.form(f"{reply.headers['location']}/{act}", **fields)

    return fill


NOBODYS = uuid.UUID(int=7)
NOBODYS_ACCOUNT = {"bank_code": "014", "account_no": "1234567890", "holder": "Budi Santoso"}
CASES = (
    Case("/stamp/pay", _from_balance, "from the balance"),
    Case("/stamp/pay", _too_few, "from a balance that is too low"),
    Case("/stamp/pay", lambda one: _pay(one, 2, "qris"), "by QRIS"),
    Case("/stamp/pay/sign-in", _signs_in_to_pay),
    Case("/buy", lambda one: one.form("/buy", "/buy", quantity="2")),
    Case("/orders/{order_id:str}/withdraw", lambda one: one.form(f"{one.orders()}/withdraw")),
    Case("/orders/{order_id:str}/paid", _paid),
    Case("/orders/{order_id:str}/pay-by", _another_way),
    Case("/orders/{order_id:str}/reorder", _lapsed),
    Case("/orders/{order_id:str}/give-back", lambda one: one.form(f"{one.buys()}/give-back")),
    Case("/refunds/account", _in_account("/refunds/account", **NOBODYS_ACCOUNT)),
    Case("/claims", _in_account("/claims", claim="none", **NOBODYS_ACCOUNT)),
    Case("/stamp/adopt", _in_account("/stamp/adopt", next="/stamp")),
    Case("/stamp/files", _checked("/stamp/files")),
    Case("/stamp/files/{file_id:str}/take-out", _take_out),
    Case("/stamp/place", _place),
    Case("/stamp/uploads", _whole_upload),
    Case("/check", _checked("/check")),
    Case("/check/qr", _checked("/check/qr")),
    Case("/check/many", _checked("/check/many")),
    Case("/check/many/rows", _checked("/check/many/rows")),
    Case("/check/many.csv", _checked("/check/many.csv")),
    Case("/check/many.xlsx", _checked("/check/many.xlsx")),
    Case("/check/many.zip", _checked("/check/many.zip")),
    Case("/check/many/table/{kind:str}", _table_of_a_tab),
    Case("/check/sealed", _checked("/check/sealed")),
    Case("/language", _in_account("/language", language="id", next="/")),
    Case("/sign-in", lambda one: one.form("/sign-in", email=one.email, next="/history")),
    Case(
        "/sign-in/code",
        _in_account("/sign-in/code", challenge=show("chl", NOBODYS), code="000000", next="/"),
    ),
    Case("/sign-in/link", _in_account("/sign-in/link", challenge=show("chl", NOBODYS), secret="0")),
    Case("/sign-in/passkey/options", _in_account("/sign-in/passkey/options")),
    Case("/sign-in/passkey", _in_account("/sign-in/passkey", credential="{}", next="/")),
    Case("/account/passkeys/options", _in_account("/account/passkeys/options")),
    Case("/account/passkeys", _in_account("/account/passkeys", name="a", credential="{}")),
    Case(
        "/account/passkeys/{passkey_id:str}/end",
        _in_account(f"/account/passkeys/{show('psk', NOBODYS)}/end"),
    ),
    Case(
        "/account/sessions/{session_id:str}/end",
        _in_account(f"/account/sessions/{show('ses', NOBODYS)}/end"),
    ),
    Case("/account/keys", _in_account("/account/keys", name="a", key=show("frm", NOBODYS))),
    Case(
        "/account/keys/{key_id:str}/replace",
        _in_account(
            f"/account/keys/{show('key', NOBODYS)}/replace",
            key=show("frm", NOBODYS),
            overlap="24",
        ),
    ),
    Case(
        "/account/keys/{key_id:str}/end", _in_account(f"/account/keys/{show('key', NOBODYS)}/end")
    ),
    Case(
        "/account/webhooks",
        _in_account(
            "/account/webhooks", url="https://a.example/", which="all", key=show("frm", NOBODYS)
        ),
    ),
    Case(
        "/account/webhooks/{webhook_id:str}/act",
        _in_account(f"/account/webhooks/{show('whk', NOBODYS)}/act", act="test"),
    ),
    Case(
        "/account/webhooks/{webhook_id:str}/rotate",
        _in_account(f"/account/webhooks/{show('whk', NOBODYS)}/rotate", key=show("frm", NOBODYS)),
    ),
    Case(
        "/account/webhooks/{webhook_id:str}/messages/{message_id:str}/replay",
        _in_account(
            f"/account/webhooks/{show('whk', NOBODYS)}/messages/{show('msg', NOBODYS)}/replay"
        ),
    ),
    Case("/s", _in_account("/s", to="buy")),
    Case("/s/{slug:str}", _in_account("/s/nobody-at-all", to="buy")),
    Case("/account/shop", _in_account("/account/shop", slug="toko", colour="#1f4e79", terms="")),
    Case("/account/shop/logo", _in_account("/account/shop/logo", none="1")),
    Case(
        "/deposit/top-up",
        _in_account("/deposit/top-up", rupiah="10000", key=show("frm", NOBODYS)),
    ),
    Case(
        "/sales",
        _in_account("/sales", email="a@example.org", quantity="1", key=show("frm", NOBODYS)),
    ),
    Case(
        "/sales/offers",
        _in_account("/sales/offers", distributor=show("acc", NOBODYS), act="accept"),
    ),
    Case(
        "/resellers",
        _in_account("/resellers", account=show("acc", NOBODYS), name="a", fee="0", day_rupiah="1"),
    ),
    Case(
        "/resellers/{reseller_id:str}",
        _in_account(f"/resellers/{show('acc', NOBODYS)}", name="a", fee="0", day_rupiah="1"),
    ),
    Case(
        "/resellers/{reseller_id:str}/act",
        _in_account(f"/resellers/{show('acc', NOBODYS)}/act", act="pause"),
    ),
    Case(
        "/account/organizations/new",
        _in_account(
            "/account/organizations/new", organization="PT Contoh", key=show("frm", NOBODYS)
        ),
    ),
    Case("/account/acting", _in_account("/account/acting", account=show("acc", NOBODYS))),
    Case(
        "/account/members/invitations",
        _in_account("/account/members/invitations", email="a@example.org", role="clerk"),
    ),
    Case(
        "/account/members/invitations/{invitation_id:str}/withdraw",
        _in_account(f"/account/members/invitations/{show('inv', NOBODYS)}/withdraw"),
    ),
    Case(
        "/account/members/{membership_id:str}/change",
        _in_account(f"/account/members/{show('mem', NOBODYS)}/change", role="clerk"),
    ),
    Case(
        "/account/members/{membership_id:str}/end",
        _in_account(f"/account/members/{show('mem', NOBODYS)}/end"),
    ),
    Case("/account/members/leave", _in_account("/account/members/leave")),
    Case("/invitations", _in_account("/invitations", invitation="0" * 84)),
    Case("/sign-out", _in_account("/sign-out")),
    Case("/account/sign-out-everywhere", _in_account("/account/sign-out-everywhere")),
    Case("/console", _in_account("/console")),
    Case("/console/levers/{name:str}", _in_account("/console/levers/issuing.stop", reason="a")),
    Case(
        "/console/approvals/{request_id:str}",
        _in_account(f"/console/approvals/{show('apr', NOBODYS)}", note="a"),
    ),
    Case(
        "/console/approvals/{request_id:str}/withdraw",
        _in_account(f"/console/approvals/{show('apr', NOBODYS)}/withdraw"),
    ),
    Case("/batches", _in_account("/batches", key="0" * 32)),
    Case("/batches/{batch_id:str}/start", _in_account(f"/batches/{show('bat', NOBODYS)}/start")),
    Case("/batches/{batch_id:str}/cancel", _in_account(f"/batches/{show('bat', NOBODYS)}/cancel")),
    Case("/collector/draws", _in_account("/collector/draws", key="0" * 32, quantity="1")),
    Case("/collector/deposits", _in_account("/collector/deposits", ntpn="0" * 16)),
    Case(
        "/collector/deposits/withdraw", _in_account("/collector/deposits/withdraw", ntpn="0" * 16)
    ),
    Case(
        "/collector/months/{month:str}/return",
        _in_account("/collector/months/2026-01/return", receipt="1", reported_on="2026-02-01"),
    ),
    Case(
        "/collector/months/{month:str}/unstamped",
        _in_account("/collector/months/2026-01/unstamped", type="4a"),
    ),
    Case("/complaints", _complaint),
    Case(
        "/complaints/unsigned",
        _in_account(
            "/complaints/unsigned", email="a@example.org", matter="something_else", words="Tolong."
        ),
    ),
    Case("/complaints/{case_id:str}/messages", _with_case("messages", words="Halo.")),
    Case("/complaints/{case_id:str}/accept", _with_case("accept")),
    Case("/console/cases", _in_account("/console/cases", matter="paid_twice", words="Halo.")),
    Case(
        "/console/cases/{case_id:str}",
        _in_account(f"/console/cases/{show('cas', NOBODYS)}", act="own"),
    ),
    Case(
        "/outages/{outage_id:str}/copy",
        _in_account(
            f"/outages/{show('out', NOBODYS)}/copy", document="00" * 32, at="2026-09-03T20:00"
        ),
    ),
    Case(
        "/outages/{outage_id:str}/mine",
        _in_account(f"/outages/{show('out', NOBODYS)}/mine", about=show("stg", NOBODYS)),
    ),
    Case(
        "/console/outages",
        _in_account("/console/outages", begin="2026-09-03T19:00", end="2026-09-03T21:00"),
    ),
    Case("/privacy/mine/copy", _in_account("/privacy/mine/copy")),
    Case("/privacy/mine/copy.zip", _in_account("/privacy/mine/copy.zip")),
    Case("/privacy/mine/erasure", _in_account("/privacy/mine/erasure")),
    Case("/privacy/mine/erasure/withdraw", _in_account("/privacy/mine/erasure/withdraw")),
    Case(
        "/privacy/mine/consents",
        _in_account("/privacy/mine/consents", room="waiting_room", word="turn_near", which="a"),
    ),
    Case("/status/subscribe", _in_account("/status/subscribe", email="a@example.org")),
    Case(
        "/status/subscription/{shown:str}/{secret:str}",
        _in_account(f"/status/subscription/{show('sub', NOBODYS)}/{'a' * 24}", do="confirm"),
    ),
    Case("/lines/{name:str}/leave", _in_account("/lines/pembelian/leave", next="/")),
    Case("/lines/{name:str}/tell", _in_account("/lines/pembelian/tell", next="/")),
)


def visitors(inside: Inside, count: int) -> list[Visitor]:
    """So many people who have just signed in, each from a network of its own."""

    async def make(container: Container) -> list[Visitor]:
        accounts, codes = container.of(AccountService), container.of(CodeService)
        made = []
        for number in range(count):
            email = f"{uuid.uuid4().hex[:12]}@example.org"
            account = await accounts.create(email, actor=TESTER)
            network = f"192.0.2.{number}"
            challenge = await codes.ask_for_code(email, network, "id")
            session = await codes.sign_in(challenge, codes.code(challenge), "id")
            made.append(Visitor(inside, account, email, {"session": session.session}))
        return made

    return inside.ask(make)
