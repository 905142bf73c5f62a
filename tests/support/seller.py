"""A distributor of a running instance: approved by staff, topped up at its bank, and selling over the API."""

import csv
import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from meterai.accounts import AccountService, OrganizationService
from meterai.distribution import levers
from meterai.distribution.model import Short
from meterai.kit.days import day_of
from meterai.kit.ids import new_id, read, show
from meterai.kit.money import STAMP_DUTY
from meterai.room import Container
from tests.support.depot import SELLER, pulled
from tests.support.inside import Inside
from tests.support.instance import Client, Reply, until
from tests.support.killing import again
from tests.support.shop import TESTER

UNIT = STAMP_DUTY  # rupiah that one stamp takes from a deposit: an instance under test has no fee
AT_ONCE = 8  # concurrent requests of one seller


def key_of(inside: Inside, account: UUID) -> Client:
    """A client with a new API key of an account."""

    async def make(container: Container) -> str:
        return await container.of(AccountService).create_api_key(account, "test", actor=TESTER)

    return Client(inside.instance.url, inside.ask(make))


class Seller:
    """One distributor that works with the API."""

    def __init__(self, inside: Inside, short: Short = Short.WAIT, **terms: Any) -> None:
        self.inside = inside
        self.account = new_id()
        agreed = levers.DistributorTerms(
            show("acc", self.account), SELLER, 1_000, "Jawa Barat", short=short, **terms
        )

        async def approve(container: Container) -> None:
            accounts = container.of(AccountService)
            owner = await accounts.create(f"{uuid.uuid4().hex[:12]}@example.org", actor=TESTER)
            organizations = container.of(OrganizationService)
            await organizations.make(self.account, owner, "PT Toko", "", "")
            await pulled(container, levers.APPROVE, agreed)

        inside.ask(approve)
        self.client = key_of(inside, self.account)

    # -- the deposit -----------------------------------------------------------------------

    def order_deposit(self, rupiah: int, key: str = "") -> Any:
        """Order a deposit, and repeat the request until it succeeds."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        body = {"rupiah": rupiah}
        reply = again(lambda: self.client.post("/v1/deposits", body, headers=headers))
        assert reply.status == 201, reply.body
        return reply.json

    def pay(self, order: str) -> None:
        """Pay an order as soon as it has a QR."""

        def qr() -> Any:
            return again(lambda: self.client.get(f"/v1/orders/{order}")).json["payment"][
                "qr_content"
            ]

        paid = self.inside.instance.bank.pay(until("the deposit has a QR", qr))
        assert paid.status == 200, paid.body

    def top_up(self, rupiah: int) -> None:
        """Top up the deposit, and wait until it arrived."""
        before = self.moved("deposit_added")
        self.pay(self.order_deposit(rupiah)["id"])
        until("the deposit is there", lambda: self.moved("deposit_added") == before + rupiah)

    @property
    def deposit(self) -> Any:
        """The deposit as the API shows it."""
        reply = again(lambda: self.client.get("/v1/deposit"))
        assert reply.status == 200, reply.body
        return reply.json

    def moved(self, *reasons: str) -> int:
        """Sum in rupiah of the entries that moved the deposit for these reasons."""
        [row] = self.inside.rows(
            "SELECT coalesce(sum(l.credit - l.debit), 0)::bigint AS sum FROM legs l"
            " JOIN entries e USING (account_id, entry_id)"
            " WHERE l.account_id = %s AND l.book = 'deposits' AND e.reason = ANY (%s)",
            self.account,
            list(reasons),
        )
        return int(row["sum"])

    # -- sales -----------------------------------------------------------------------------

    def selling(self, key: str, quantity: int = 1, to: str = "") -> Reply:
        """Try once to sell."""
        body = {"email": to or f"{key}@example.org", "quantity": quantity, "reference": key[:32]}
        return self.client.post("/v1/sales", body, headers={"Idempotency-Key": key})

    def sell(self, key: str = "", quantity: int = 1, to: str = "") -> Any:
        """Sell, and repeat the request until it succeeds."""
        key = key or uuid.uuid4().hex
        reply = again(lambda: self.selling(key, quantity, to))
        assert reply.status == 201, reply.body
        return reply.json

    def sell_many(self, count: int) -> list[Any]:
        """Make `count` sales of one stamp each, some of them concurrently."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda _: self.sell(), range(count)))

    def sale(self, made: Any) -> Any:
        """The current state of a sale."""
        reply = again(lambda: self.client.get(f"/v1/sales/{made['id']}"))
        assert reply.status == 200, reply.body
        return reply.json

    def every(self) -> list[Any]:
        """All sales, newest first, read page by page."""
        found: list[Any] = []
        before = ""
        while True:
            reply = again(lambda: self.client.get(f"/v1/sales{before}"))  # noqa: B023 - called at once
            assert reply.status == 200, reply.body
            found += reply.json["sales"]
            if reply.json["next"] is None:
                return found
            before = f"?before={reply.json['next']}"

    def states(self) -> dict[str, int]:
        """Number of sales in each state."""
        found = [one["state"] for one in self.every()]
        return {state: found.count(state) for state in sorted(set(found))}

    def buyer(self, made: Any) -> Client:
        """The buyer of a sale, with a key."""
        query = "SELECT account_id FROM orders WHERE order_id = %s"
        [row] = until(
            "the order followed", lambda: self.inside.rows(query, read("ord", made["order"]))
        )
        return key_of(self.inside, row["account_id"])

    def orders(self) -> list[str]:
        """The orders of its buyers by their states."""
        query = "SELECT o.state FROM orders o JOIN order_sellers s USING (account_id, order_id) WHERE s.seller_id = %s"
        return [row["state"] for row in self.inside.rows(query, self.account)]

    def pass_time(self, seconds: float) -> None:
        """Move the waiting sales of this seller `seconds` seconds into the past."""
        with self.inside.connect() as connection:
            for statement in PASSED:
                connection.execute(statement.encode(), {"by": seconds, "seller": self.account})

    # -- the statement ---------------------------------------------------------------------

    def legs(self) -> list[tuple[str, int, int]]:
        """The legs of the deposit: entry, rupiah, and the balance after it."""
        rows = self.inside.rows(
            "SELECT e.entry_id, e.posted_at, (l.credit - l.debit)::bigint AS amount,"
            " (sum(l.credit - l.debit) OVER (ORDER BY e.posted_at, e.entry_id))::bigint AS balance"
            " FROM legs l JOIN entries e USING (account_id, entry_id)"
            " WHERE l.account_id = %s AND l.book = 'deposits' ORDER BY e.posted_at, e.entry_id",
            self.account,
        )
        return [(row["entry_id"], row["amount"], row["balance"]) for row in rows]

    def assert_statement_is_the_legs(self) -> None:
        """Check that the statement as JSON, as CSV and summed by day equals the legs, to the rupiah."""
        legs, told, written, days = self.legs(), [], [], []
        for day in self._days():
            as_json = self.client.get(f"/v1/deposit/statement.json?day={day}")
            assert as_json.status == 200, as_json.body
            told += [(one["entry"], one["amount"], one["balance"]) for one in as_json.json]
            as_csv = self.client.get(
                f"/v1/deposit/statement.csv?day={day}", headers={"Accept-Language": "en"}
            )
            assert as_csv.status == 200, as_csv.body
            _, *lines = csv.reader(io.StringIO(as_csv.body.decode("utf-8-sig")))
            written += [(one[5], int(one[3]), int(one[4])) for one in lines]
            sums = self.client.get(f"/v1/deposit/statement?day={day}")
            assert sums.status == 200, sums.body
            days += sums.json["days"]
        assert told == legs
        assert written == legs
        closing = legs[-1][2]
        assert days[-1]["closing"] == closing == self.deposit["balance"]
        moved = ("added", "sold", "returned", "withdrawn")
        assert sum(day[name] for day in days for name in moved) == closing
        sold = [one for one in self.every() if one["taken_at"] is not None]
        assert sum(day["sales"] for day in days) == len(sold)
        assert sum(day["sold"] for day in days) == -sum(one["total"] for one in sold)

    def _days(self) -> list[str]:
        rows = self.inside.rows(
            "SELECT e.posted_at FROM legs l JOIN entries e USING (account_id, entry_id)"
            " WHERE l.account_id = %s AND l.book = 'deposits'",
            self.account,
        )
        return sorted({str(day_of(row["posted_at"])) for row in rows})


_OF_SELLER = """SELECT s.order_id FROM sales s WHERE s.account_id = %(seller)s"""
# In an order in which every constraint holds at each moment.
PASSED = (
    "UPDATE sale_terms SET since = since - make_interval(secs => %(by)s)",
    f"UPDATE order_sellers SET sold_at = sold_at - make_interval(secs => %(by)s) WHERE order_id IN ({_OF_SELLER}"
    " AND s.state = 'waiting')",
    "UPDATE payment_attempts SET opened_at = opened_at - make_interval(secs => %(by)s),"
    " instructed_at = instructed_at - make_interval(secs => %(by)s), expires_at = expires_at - make_interval(secs => %(by)s)"
    f" WHERE subject IN ({_OF_SELLER} AND s.state = 'waiting')",
    "UPDATE orders SET placed_at = placed_at - make_interval(secs => %(by)s),"
    f" lapses_at = lapses_at - make_interval(secs => %(by)s) WHERE order_id IN ({_OF_SELLER} AND s.state = 'waiting')",
    "UPDATE sales SET made_at = made_at - make_interval(secs => %(by)s),"
    " waits_until = waits_until - make_interval(secs => %(by)s) WHERE account_id = %(seller)s AND state = 'waiting'",
)
