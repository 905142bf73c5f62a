"""Every form that a browser may send, each filled in by a visitor of its own who holds something to lose."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode

import urllib3

from meterai.accounts import AccountService, CodeService
from meterai.kit.ids import show
from meterai.room import Container
from tests.support.by_room import modules
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


NOBODYS = uuid.UUID(int=7)


def nobodys(prefix: str) -> str:
    """The id of something that there is not."""
    return show(prefix, NOBODYS)


def form(route: str, *ids: str, **fields: str) -> Case:
    """A form without a page: `ids` stand in the path in the place of its parameters."""
    places = iter(ids)
    path = re.sub(r"{[^}]+}", lambda _: next(places), route)
    return Case(route, lambda visitor: visitor.form(path, **fields))


def upload(route: str) -> Case:
    """A form with one document."""
    return Case(route, lambda visitor: visitor.upload(route, pdf(words=uuid.uuid4().hex)))


def cases() -> Sequence[Case]:
    """Those of all rooms: `FORMS` of each `tests/<room>/forms.py`."""
    return [one for module in modules("forms") for one in module.FORMS]


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
