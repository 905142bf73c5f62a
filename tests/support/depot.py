"""A distributor in a shop whose bank never answers: its deposit, its sales, and its buyers."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from meterai.accounts import OrganizationService
from meterai.commands import Forecast, Lever, Pull
from meterai.distribution import DistributionService, levers
from meterai.distribution.model import ResellerTerms, Short
from meterai.distribution.resellers import ResellerService, ResellerView
from meterai.distribution.service import DepositView, SaleView
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, read, show
from meterai.orders import OrderService
from meterai.payments import PaymentService, RefundSender
from meterai.plumbing.db.database import Tx
from meterai.room import Container
from tests.support.shop import FEE, PRICE, TESTER, Paid, Shop

UNIT = PRICE + FEE  # rupiah that one stamp takes from a deposit
SELLER = "Toko Meterai"


async def pulled(container: Container, lever: Lever, asked: Any) -> Forecast:
    """Pull a lever with an approval by another person."""
    pull = Pull(TESTER, datetime.now(UTC), "a test", container.settings)

    async def act(tx: Tx) -> Forecast:
        forecast = await lever.forecast(tx, asked, pull)
        await lever.carry_out(tx, asked, pull)
        return forecast

    return await container.database.run(act)


@dataclass
class Depot:
    """One distributor of a shop."""

    shop: Shop
    account: UUID = field(default_factory=new_id)

    @property
    def service(self) -> DistributionService:
        return self.shop.container.of(DistributionService)

    # -- staff -----------------------------------------------------------------------------

    def organize(self) -> None:
        """Make the account an organization."""
        organizations = self.shop.container.of(OrganizationService)
        self.shop.do(organizations.make(self.account, self.shop.account, "PT Toko", "", ""))

    def approve(self, short: Short = Short.WAIT, **more: Any) -> None:
        self.organize()
        self.pull(levers.APPROVE, self.terms(short, **more))

    def terms(self, short: Short = Short.WAIT, **more: Any) -> levers.DistributorTerms:
        given: dict[str, Any] = {"fee": 1_000, "region": "Jawa Barat"} | more
        return levers.DistributorTerms(show("acc", self.account), SELLER, short=short, **given)

    def pull(self, lever: Lever, asked: Any) -> Forecast:
        """Pull a lever with an approval by another person."""
        return self.shop.do(pulled(self.shop.container, lever, asked))

    def pull_terms(self, short: Short, **more: Any) -> None:
        self.pull(levers.CHANGE, self.terms(short, **more))

    def close(self) -> Forecast:
        return self.pull(levers.CLOSE, levers.DistributorNamed(show("acc", self.account)))

    def refund(self, rupiah: int) -> Forecast:
        asked = levers.DepositAsked(show("acc", self.account), rupiah)
        return self.pull(levers.REFUND, asked)

    # -- the deposit -----------------------------------------------------------------------

    def order_deposit(self, rupiah: int) -> UUID:
        key = secrets.token_hex(8)
        view = self.shop.do(self.service.top_up(self.account, key, rupiah, None))
        return read("ord", view.id)

    def pay(self, order: UUID, more: int = 0) -> Paid:
        """Make the QR of an order and notify its payment, as the bank does."""
        with self.acting():
            self.shop.make_qr(self.shop.attempts(order)[-1])
            return self.shop.pay(order, more)

    def top_up(self, rupiah: int) -> UUID:
        order = self.order_deposit(rupiah)
        self.pay(order)
        self.work()
        return order

    def acting(self) -> "_Acting":
        """Within the block, the commands of the shop act for the distributor."""
        return _Acting(self.shop, self.account)

    def view(self) -> DepositView:
        return self.shop.do(self.service.deposit(self.account))

    @property
    def balance(self) -> int:
        return self.view().balance

    # -- sales -----------------------------------------------------------------------------

    def sell(self, quantity: int = 1, *, to: str = "", key: str = "", **more: Any) -> SaleView:
        return self.shop.do(self.selling(quantity, to=to, key=key, **more))

    async def selling(
        self, quantity: int = 1, *, to: str = "", key: str = "", reference: str | None = None
    ) -> SaleView:
        return await self.service.sell(
            self.account,
            key or secrets.token_hex(8),
            email=to or f"{secrets.token_hex(6)}@example.id",
            quantity=quantity,
            reference=reference,
            actor=Actor(ActorKind.ACCOUNT, show("acc", self.account)),
        )

    def sale(self, made: SaleView) -> SaleView:
        return self.shop.do(self.service.sale(self.account, read("sal", made.id)))

    def states(self) -> list[str]:
        """States of all sales, oldest first."""
        rows = self.shop.rows("SELECT sale_id FROM sales ORDER BY sale_id")
        found = [self.shop.do(self.service.sale(self.account, row["sale_id"])) for row in rows]
        return [one.state for one in found]

    def buyer(self, made: SaleView) -> UUID:
        [row] = self.shop.rows(
            "SELECT buyer_id FROM sales WHERE sale_id = %s", read("sal", made.id)
        )
        return UUID(str(row["buyer_id"]))

    # -- resellers -------------------------------------------------------------------------

    @property
    def resellers(self) -> ResellerService:
        return self.shop.container.of(ResellerService)

    def invite(
        self, day_rupiah: int = 1_000_000, *, name: str = "Kios Ani", fee: int = 500
    ) -> "Depot":
        """Invite a new reseller, and return it. It has not accepted yet."""
        found = Depot(self.shop)
        found.organize()
        terms = ResellerTerms(name, fee, day_rupiah)
        self.shop.do(self.resellers.invite(self.account, found.account, terms, actor=TESTER))
        return found

    def accept(self, distributor: "Depot") -> ResellerView:
        """Accept the invitation of a distributor to sell from its deposit."""
        return self.shop.do(self.resellers.accept(distributor.account, self.account, actor=TESTER))

    def reseller(self, day_rupiah: int = 1_000_000, **more: Any) -> "Depot":
        """A reseller that has accepted."""
        made = self.invite(day_rupiah, **more)
        made.accept(self)
        return made

    def order(self, made: SaleView) -> Any:
        """The order as its buyer sees it."""
        orders = self.shop.container.of(OrderService)
        return self.shop.do(orders.view(self.buyer(made), read("ord", made.order)))

    # -- the worker ------------------------------------------------------------------------

    def work(self) -> None:
        """Run every job and periodic task of sales until nothing is left to do."""
        self.shop.work()
        payments = self.shop.container.of(PaymentService)
        for task in (payments.open_waiting, payments.poll_waiting, payments.cancel_closed):
            for _ in range(3):  # each round takes up to twenty
                self.shop.do(task())
        self.shop.do(self.service.end_due())
        self.shop.do(self.service.watch())
        self.shop.work()

    def lapse(self) -> None:
        """Let orders expire whose time to pay is over."""
        self.shop.do(self.shop.container.of(OrderService).expire_unpaid())
        self.work()

    def give_back(self) -> None:
        """Send the due refunds."""
        self.shop.do(self.shop.container.of(RefundSender).send_due())
        self.work()

    def pass_time(self, seconds: float) -> None:
        """Move sales and their orders `seconds` seconds into the past."""
        self.shop.arrange("UPDATE sale_terms SET since = since - %s::interval", _seconds(seconds))
        self.shop.arrange(
            "UPDATE sales SET made_at = made_at - %s::interval, waits_until = waits_until - %s::interval WHERE state = 'waiting'",
            *[_seconds(seconds)] * 2,
        )
        self.shop.arrange(
            "UPDATE order_sellers SET sold_at = sold_at - %s::interval WHERE order_id IN (SELECT order_id FROM orders WHERE state = 'placed')",
            _seconds(seconds),
        )
        self.shop.arrange(
            "UPDATE payment_attempts SET opened_at = opened_at - %s::interval, instructed_at = instructed_at - %s::interval,"
            " expires_at = expires_at - %s::interval WHERE subject IN (SELECT order_id FROM orders WHERE state = 'placed')",
            *[_seconds(seconds)] * 3,
        )
        self.shop.arrange(
            "UPDATE orders SET placed_at = placed_at - %s::interval, lapses_at = lapses_at - %s::interval WHERE state = 'placed'",
            *[_seconds(seconds)] * 2,
        )

    def check(self) -> None:
        self.shop.assert_books_hold()


def _seconds(count: float) -> str:
    return f"{count} seconds"


@dataclass
class _Acting:
    shop: Shop
    account: UUID
    before: UUID = field(default_factory=new_id)

    def __enter__(self) -> None:
        self.before, self.shop.account = self.shop.account, self.account

    def __exit__(self, *_: object) -> None:
        self.shop.account = self.before
