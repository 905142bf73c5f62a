"""A collector in a shop whose bank never answers: its draws, deposits and reports."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from meterai.accounts import AccountService, OrganizationService
from meterai.collectors import CollectorService, levers
from meterai.collectors.service import CollectorView
from meterai.commands import Forecast, Lever, Pull
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.days import DAY, Month, begin_of
from meterai.kit.ids import new_id, read, show
from meterai.orders import OrderService, OrderView
from meterai.payments import PaymentService, RefundSender
from meterai.plumbing.db.database import Tx
from meterai.room import Container
from meterai.stamping import DocumentFacts, DocumentParty, StampingService
from tests.support.inside import Inside
from tests.support.shop import PRICE, TESTER, Shop

LIMIT = 10 * PRICE
NPWP = "012345678901234"
FACTS = DocumentFacts(
    type="4a",
    number="INV-1",
    date="2026-11-30",
    value=7_500_000,
    party=DocumentParty(name="PT Lawan", identity="NPWP", number="0123456789012345"),
)


_TIMES = {
    "credit_draws": "made_at taken_at ended_at",
    "credit_returns": "returned_at",
    "captures": "captured_at confirmed_at",
    "collectors": "approved_at",
    "collector_terms": "set_at",
    "facts_demanded": "demanded_at",
    "entries": "posted_at",
    "orders": "placed_at paid_at due_at closed_at lapses_at",
    "payment_attempts": "opened_at instructed_at expires_at",
    "stamp_lots": "issued_at",
    "stampings": "requested_at delivered_at due_at",
}


def _months_before(today: date, count: int) -> Month:
    month = Month.of(today)
    for _ in range(count):
        month = Month.of(month.first - DAY)
    return month


def _ago(month: Month) -> str:
    """SQL interval from the eleventh day of a month until now."""
    day = begin_of(month.first + 10 * DAY)
    return f"interval '{(datetime.now(UTC) - day).total_seconds()} seconds'"


def drawn_before(account: UUID, today: date, months: int) -> tuple[Month, list[str]]:
    """A month, and SQL statements that move all draws of a collector into it from now."""
    month = _months_before(today, months)
    ago, of_it = _ago(month), f"WHERE account_id = '{account}'"
    shifted = [
        f"UPDATE {table} SET "
        + ", ".join(f"{one} = {one} - {ago}" for one in columns.split())
        + f" {of_it}"
        for table, columns in _TIMES.items()
    ]
    return month, [
        *shifted,
        f"UPDATE sale_terms SET since = since - {ago}",
        f"UPDATE audit_events SET happened_at = happened_at - {ago} WHERE action LIKE 'collector%'"
        f" AND (account_id = '{account}' OR subject = '{show('acc', account)}')",
        f"UPDATE credit_draws SET month = credit_month(taken_at) {of_it}",
        f"UPDATE collector_months SET month = '{month.first}' {of_it}",
    ]


@dataclass
class Collecting:
    """One collector of a shop."""

    shop: Shop
    account: UUID = field(default_factory=new_id)

    @property
    def service(self) -> CollectorService:
        return self.shop.container.of(CollectorService)

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.ACCOUNT, show("acc", self.account))

    @property
    def orders(self) -> OrderService:
        return self.shop.container.of(OrderService)

    # -- staff -----------------------------------------------------------------------------

    def approve(self, limit: int = LIMIT) -> Forecast:
        organizations = self.shop.container.of(OrganizationService)
        self.shop.do(organizations.make(self.account, self.shop.account, "PT Pungut", NPWP, ""))
        return self.pull(levers.APPROVE, self.terms(limit))

    def terms(self, limit: int = LIMIT) -> levers.CollectorAsked:
        return levers.CollectorAsked(show("acc", self.account), "PT Pungut", limit)

    def pull(self, lever: Lever, asked: Any) -> Forecast:
        """Pull a lever with an approval by another person."""
        pull = Pull(TESTER, datetime.now(UTC), "a test", self.shop.container.settings)

        async def act(tx: Tx) -> Forecast:
            forecast = await lever.forecast(tx, asked, pull)
            await lever.carry_out(tx, asked, pull)
            return forecast

        return self.shop.do(self.shop.container.database.run(act))

    def confirm(
        self, rupiah: int, month: Month, ntpn: str = "", paid_on: date | None = None
    ) -> str:
        number = ntpn or secrets.token_hex(8).upper()
        day = str(paid_on or self.service.today())
        asked = levers.DepositMade(show("acc", self.account), number, str(month), rupiah, day)
        self.pull(levers.CONFIRM, asked)
        return number

    # -- acts of the collector -------------------------------------------------------------

    async def drawing(self, quantity: int = 1, key: str = "") -> OrderView:
        key = key or secrets.token_hex(8)
        return await self.orders.place(self.account, key, quantity, method="credit")

    def draw(self, quantity: int = 1, key: str = "") -> UUID:
        """Draw stamps on credit, and return the order."""
        return read("ord", self.shop.do(self.drawing(quantity, key)).id)

    def order(self, order: UUID) -> OrderView:
        return self.shop.do(self.orders.view(self.account, order))

    def view(self) -> CollectorView:
        return self.shop.do(self.service.view(self.account))

    # -- time and the worker ---------------------------------------------------------------

    @property
    def this_month(self) -> Month:
        return Month.of(self.service.today())

    def months_ago(self, count: int) -> Month:
        return _months_before(self.service.today(), count)

    def was_drawn(self, months: int) -> None:
        """Move all draws, and the approval of the collector, `months` months into the past."""
        _, statements = drawn_before(self.account, self.service.today(), months)
        for statement in statements:
            self.shop.arrange(statement)

    def month_begins(self) -> None:
        """Move all granted draws one month into the past. Waiting draws stay in the present."""
        ago = _ago(self.months_ago(1))
        self.was_drawn(1)
        self.shop.arrange(
            f"UPDATE credit_draws SET made_at = made_at + {ago} WHERE state = 'waiting'"
        )
        self.shop.arrange(
            f"UPDATE payment_attempts SET opened_at = opened_at + {ago}, instructed_at = instructed_at + {ago},"
            f" expires_at = expires_at + {ago} WHERE state = 'waiting'"
        )
        self.shop.arrange(
            f"UPDATE orders SET placed_at = placed_at + {ago}, lapses_at = lapses_at + {ago} WHERE state = 'placed'"
        )

    def lapse(self) -> None:
        """Let the time of waiting orders pass, so that they expire."""
        week = "interval '8 days'"
        self.shop.arrange(f"UPDATE sale_terms SET since = since - {week}")
        self.shop.arrange(
            f"UPDATE credit_draws SET made_at = made_at - {week} WHERE state = 'waiting'"
        )
        self.shop.arrange(
            f"UPDATE payment_attempts SET opened_at = opened_at - {week}, instructed_at = instructed_at - {week},"
            f" expires_at = expires_at - {week} WHERE subject IN (SELECT order_id FROM orders WHERE state = 'placed')"
        )
        self.shop.arrange(
            f"UPDATE orders SET placed_at = placed_at - {week}, lapses_at = lapses_at - {week} WHERE state = 'placed'"
        )
        self.shop.do(self.orders.expire_unpaid())
        self.work()

    def work(self) -> None:
        """Run every job and periodic task of collectors until nothing is left to do."""
        self.shop.work()
        payments = self.shop.container.of(PaymentService)
        for task in (payments.open_waiting, payments.poll_waiting, payments.cancel_closed):
            for _ in range(3):  # each round takes up to twenty
                self.shop.do(task())
        self.shop.do(self.service.take_waiting())
        self.shop.work()

    def seal(self) -> None:
        """Stamp the documents of paid orders."""
        for _ in range(3):
            self.shop.do(self.shop.container.of(StampingService).resume())
        self.work()

    def give_back(self, order: UUID) -> int:
        """Return the unused stamps of an order, and send the refund. Return the number of stamps."""
        before, self.shop.account = self.shop.account, self.account
        found = self.shop.ask_back(order)
        self.shop.account = before
        self.shop.work()
        self.shop.do(self.shop.container.of(RefundSender).send_due())
        self.work()
        return found

    def check(self) -> None:
        self.shop.assert_books_hold()


async def _collector_of(container: Container, owner: UUID, limit: int) -> UUID:
    """A new organization of `owner` that staff approved as a collector."""
    account = new_id()
    await container.of(OrganizationService).make(account, owner, "PT Pungut", NPWP, "")
    asked = levers.CollectorAsked(show("acc", account), "PT Pungut", limit)
    pull = Pull(TESTER, datetime.now(UTC), "a test", container.settings)

    async def approve(tx: Tx) -> None:
        await levers.APPROVE.forecast(tx, asked, pull)
        await levers.APPROVE.carry_out(tx, asked, pull)

    await container.database.run(approve)
    return account


def key_of_a_collector(inside: Inside, limit: int = LIMIT) -> str:
    """The API key of a new collector."""

    async def make(container: Container) -> str:
        accounts = container.of(AccountService)
        owner = await accounts.create(f"{secrets.token_hex(6)}@example.org", actor=TESTER)
        account = await _collector_of(container, owner, limit)
        return await accounts.create_api_key(account, "test", actor=TESTER)

    return inside.ask(make)


def collector_of(inside: Inside, owner: UUID, limit: int = LIMIT) -> UUID:
    """A new collector that `owner` owns."""
    return inside.ask(lambda container: _collector_of(container, owner, limit))
