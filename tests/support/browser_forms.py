"""Every form that a browser can send, each filled in by a visitor who has stamps, orders and files to lose."""

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
STAMPS = 3  # stamps that a visitor has, where a form uses some


@dataclass(frozen=True)
class Sent:
    """A form as it is sent."""

    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Holding:
    """Possessions of a visitor: stamps, documents, orders with states, received rupiah, and waiting files."""

    available: int
    held: int
    used: int
    stampings: frozenset[tuple[str, str]]
    orders: frozenset[tuple[str, str]]
    captured: int
    files: frozenset[tuple[str, str]]

    @property
    def stamps(self) -> int:
        """All stamps of the visitor: available, held and used."""
        return self.available + self.held + self.used

    @property
    def stamped(self) -> int:
        """Number of documents that have their stamps."""
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
    """A signed-in visitor with a browser that does not follow redirects."""

    inside: Inside
    account: uuid.UUID
    email: str
    cookies: dict[str, str] = field(default_factory=dict)
    stamps: int = 0

    @property
    def client(self) -> Client:
        """A new connection."""
        made = Client(self.inside.instance.url)
        made._pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS)
        return made

    @property
    def headers(self) -> dict[str, str]:
        """Headers that the browser sends with each request."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return HTML | {"Cookie": cookies}

    def holds(self) -> Holding:
        """The current possessions of the visitor."""
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
        """The content of a page."""
        return self.client.get(path, headers=self.headers).body.decode()

    def sends(self, sent: Sent) -> Reply:
        """Send a form and return the answer."""
        return self.client.post(sent.path, sent.body, headers={**self.headers, **sent.headers})

    # -- filling in -----------------------------------------------------------------------------

    def form(self, path: str, page: str = "", **fields: str) -> Sent:
        """A form with the token of this visitor and the hidden fields of its page."""
        hidden = {"form_token": self.token()} | (_hidden(self.looks(page)) if page else {})
        body = urlencode(hidden | fields).encode()
        return Sent(path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def token(self) -> str:
        """The form token of the session; empty without a session."""
        if "session" not in self.cookies:
            return ""
        return _hidden(self.looks("/account"))["form_token"]

    def upload(self, path: str, *contents: bytes) -> Sent:
        """A form with files."""
        fields = [("document", ("surat.pdf", one, "application/pdf")) for one in contents]
        body, kind = urllib3.encode_multipart_formdata(fields)
        return Sent(path, body, {"Content-Type": kind})

    # -- preparing possessions -------------------------------------------------------------------

    def keeps_cookies(self, reply: Reply) -> None:
        """Store the cookies of an answer."""
        for name, value in re.findall(r"(\w+)=([^;,]+)", reply.headers.get("set-cookie", "")):
            if name in ("draft", "session", "asked"):
                self.cookies[name] = value

    def chooses(self, documents: int = 1) -> None:
        """Make a draft with this number of documents."""
        made = [pdf(words=uuid.uuid4().hex) for _ in range(documents)]
        self.keeps_cookies(self.sends(self.upload("/stamp/files", *made)))

    def places(self, documents: int = 1) -> None:
        """Make a draft whose documents have places for their stamps."""
        self.chooses(documents)
        for _ in range(documents):
            self.sends(self.place())
        assert "/stamp/pay" in self.looks("/stamp/pay")

    def place(self) -> Sent:
        """The form that accepts the suggested place."""
        return self.form("/stamp/place", "/stamp/place", do="use")

    def orders(self, quantity: int = 1) -> str:
        """Place an order that waits for its payment."""
        reply = self.sends(self.form("/buy", "/buy", quantity=str(quantity)))
        assert reply.status == 303, reply.body
        return reply.headers["location"]

    def pays(self, order: str) -> None:
        """Pay an order at the bank, and wait until it is executed."""
        number = order.rpartition("/")[2]

        def qr() -> Any:
            return self.client.get(f"/v1/orders/{number}", headers=self.headers).json["payment"][
                "qr_content"
            ]

        assert self.inside.instance.bank.pay(until("there is a QR", qr)).status == 200

    def buys(self, quantity: int = STAMPS) -> str:
        """Buy stamps, and return the order."""
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
    """A form: its route, its particular conditions, and the preparation of a visitor who sends it."""

    route: str
    fill: Callable[[Visitor], Sent]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.route} {self.name}".strip()


NOBODYS = uuid.UUID(int=7)


def nobodys(prefix: str) -> str:
    """A well-formed id of an object that does not exist."""
    return show(prefix, NOBODYS)


def form(route: str, *ids: str, **fields: str) -> Case:
    """A form without a page. `ids` replace the parameters of the path."""
    places = iter(ids)
    path = re.sub(r"{[^}]+}", lambda _: next(places), route)
    return Case(route, lambda visitor: visitor.form(path, **fields))


def upload(route: str) -> Case:
    """A form with one document."""
    return Case(route, lambda visitor: visitor.upload(route, pdf(words=uuid.uuid4().hex)))


def cases() -> Sequence[Case]:
    """The forms of all rooms: `FORMS` of each `tests/<room>/forms.py`."""
    return [one for module in modules("forms") for one in module.FORMS]


def visitors(inside: Inside, count: int) -> list[Visitor]:
    """Newly signed-in visitors, each in a network of its own."""

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
