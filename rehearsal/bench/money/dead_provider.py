"""Bench of a provider that is dead for 48 hours: `python -m bench.money.dead_provider [REFUNDS]`.

REFUNDS orders, half of them paid by QRIS and half by virtual account, are refunded while their bank does not
answer. The clock is moved hour by hour (`tests/support/moved.py`), and every periodic task of payments runs
once an hour. Then the bank answers again. All refunds must be settled automatically by the next day: the bank
refunds QRIS payments itself; the other refunds are transfers to bank accounts that the buyers entered before.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meterai import payments
from meterai.accounts import AccountService
from meterai.kit.ids import new_id
from meterai.orders import OrderKind, OrderService
from meterai.orders import store as orders
from meterai.payments import PaymentService, RefundSender
from meterai.payments.model import NoAnswer, ProviderUnreachable
from meterai.payments.transfers.service import BATCH, TransferSender
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from meterai.plumbing.work.outgoing import Outgoing
from standins.bank.overrides import SERVICES
from tests.support.banks import SERVICE_ID
from tests.support.moved import pass_seconds
from tests.support.shop import PRICE, TESTER
from tests.support.till import Till, open_till
from tests.support.transferring import ANI, SETTINGS, run

REFUNDS, HOURS = 1_000, 48
ORDERS_OF_ACCOUNT = 20
HOUR_SECONDS, DAY_SECONDS = 3_600.0, 86_400.0
STEP_SECONDS, STEP_ROUNDS = 300.0, 5  # after the provider's return; a real worker runs more often
SILENT = {"hang_up": True, "act": False, "times": -1}


@dataclass(frozen=True)
class Outcome:
    """Outcome of one run.

    `hours` is the time from the return of the provider to the last refund, `hours_of_items` the time from its
    return until no item in suspense needs staff; `processor_seconds` are of this process, which is also the
    bank.
    """

    settled: int
    hours: float
    hours_of_items: float
    calls: int  # calls begun while the provider was dead
    processor_seconds: float

    def __str__(self) -> str:
        limit = DAY_SECONDS / HOUR_SECONDS
        return (
            f"{HOURS} h of a dead provider: {self.settled} refunds settled {self.hours:.2f} h after its return"
            f" ({self.hours / limit:.3f} of the day that is promised), no item is open after {self.hours_of_items:.0f} h,"
            f" {self.calls} tries were begun meanwhile,"
            f" {self.processor_seconds:.0f} s of a processor"
        )


class _Dead:
    """A till (accounts, orders and a stand-in bank) whose bank stops answering, and which moves its own clock."""

    def __init__(self, till: Till, url: str) -> None:
        self.till = till
        self._url = url
        self._now = 1_000.0
        rails = till.shop.container.of(PaymentService).rails
        # The circuit of the provider uses this clock too.
        rails._outgoing["bank"] = Outgoing(
            "bank", ProviderUnreachable, NoAnswer, clock=lambda: self._now
        )

    def live(self, seconds: float, rounds: int = 1) -> float:
        """Move the clock forward by `seconds`, and run due work. Return `seconds`."""
        self._now += seconds
        pass_seconds(self._url, seconds)
        for _ in range(rounds):
            self.round()
        return seconds

    def order(self, count: int) -> None:
        """Execute `count` orders of several accounts, paid alternately by QRIS and by virtual account."""
        shop = self.till.shop
        service = shop.container.of(OrderService)
        for number in range(count):
            if number % ORDERS_OF_ACCOUNT == 0:
                email = f"{new_id().hex}@example.id"
                made = shop.container.of(AccountService).create(email, actor=TESTER)
                shop.account = shop.do(made)
            method = ("qris", "va")[number % 2]
            terms = service.terms(
                shop.account, str(number), b"request", OrderKind.STAMPS, 1, method=method
            )
            assert shop.call(orders.PLACE, *shop.do(terms).arguments()) is not None
        self._until("SELECT 1 FROM payment_attempts WHERE state = 'opening'", self.till.open)
        for row in self.till.rows("SELECT instructions FROM payment_attempts"):
            told = row["instructions"]
            if "content" in told:
                self.till.control("pay", qr_content=told["content"])
            else:
                padded = SERVICE_ID.rjust(8) + told["number"].removeprefix(SERVICE_ID)
                self.till.control("va/pay", number=padded, ask=False)
        self._until("SELECT 1 FROM orders WHERE state <> 'executed'", self.till.ask)

    def ask_back(self) -> None:
        """Ask for a refund of every order."""
        for row in self.till.rows("SELECT account_id, order_id FROM orders ORDER BY order_id"):
            self.till.shop.account = row["account_id"]
            self.till.shop.ask_back(row["order_id"])
        self.till.shop.work()

    def name(self) -> None:
        """Enter a bank account for each buyer whose refund waits for one."""
        for row in self.till.rows(
            "SELECT DISTINCT account_id FROM refunds WHERE way = 'claim' AND state = 'requested'"
        ):
            self.till.shop.account = row["account_id"]
            run(self.till, payments.name_payee, ANI)

    def die(self) -> None:
        for service in SERVICES:
            self.till.answers(service, SILENT)

    def return_(self) -> None:
        self.till.do(self.till._clear_faults())

    def round(self) -> None:
        """Run every periodic task of payments and refunds: only due work."""
        of = self.till.shop.container.of
        paying, refunds, transfers = of(PaymentService), of(RefundSender), of(TransferSender)
        for task in (
            *(paying.poll_waiting, paying.cancel_closed, paying.suspend_silence),
            *(refunds.send_due, refunds.watch, refunds.suspend_overdue),
            *(transfers.weigh, transfers.plan, transfers.send_due, transfers.follow),
        ):
            self.till.do(task())
        self.till.shop.work()

    def open_refunds(self) -> int:
        [row] = self.till.rows("SELECT count(*) AS n FROM refunds WHERE refund_is_open(state)")
        return int(row["n"])

    def _until(self, still: str, act: object) -> None:
        assert callable(act)
        for _ in range(REFUNDS):
            if not self.till.rows(f"{still} LIMIT 1"):
                return
            act()
        raise AssertionError(self.till.rows(f"{still} LIMIT 5"))


def measure(till: Till, url: str, refunds: int) -> Outcome:
    """Let a provider die and return. Raises `AssertionError` if a refund or an item for staff is left over."""
    begun = time.process_time()
    dead = _Dead(till, url)
    dead.order(refunds)
    dead.die()
    dead.ask_back()
    for _ in range(HOURS):
        dead.live(HOUR_SECONDS)
        dead.name()
    assert dead.open_refunds() == refunds
    [tries] = till.rows(
        "SELECT (SELECT sum(tries) FROM refunds)::integer + coalesce((SELECT sum(tries) FROM transfers), 0)::integer AS n"
    )
    dead.return_()
    passed = 0.0
    while dead.open_refunds():
        passed += dead.live(STEP_SECONDS, STEP_ROUNDS)
        dead.name()
        assert passed < DAY_SECONDS, f"{dead.open_refunds()} are open a day after its return"
    settled_after = passed
    while till.rows("SELECT 1 FROM suspense_items WHERE state = 'open'"):
        passed += dead.live(HOUR_SECONDS, refunds // BATCH + 1)
        assert passed < DAY_SECONDS, "an item about the silence is open a day after its end"
    told = till.do(till.bank.look("accounts"))
    assert (told["refunded"] + told["transferred"], told["gross"]) == (refunds * PRICE,) * 2
    assert -till.book("bank_clearing") == told["kept"]
    assert till.book("refund_float") == told["transferred"]
    assert till.book("refunds_payable") == 0
    assert till.rows("SELECT DISTINCT state FROM orders") == [{"state": "returned"}]
    # No mails are sent here: they are marked as tried recently.
    till.shop.arrange("UPDATE mails SET try_at = now() WHERE state = 'queued'")
    till.assert_books_hold()
    spent = time.process_time() - begun
    return Outcome(refunds, settled_after / HOUR_SECONDS, passed / HOUR_SECONDS, tries["n"], spent)


@contextmanager
def counter(url: str, folder: Path) -> Iterator[Till]:
    """Yield a till whose stand-in bank offers virtual accounts and transfers."""
    with open_till(
        url, folder, bank_methods="qris va", bank_va_service_id=SERVICE_ID, **SETTINGS
    ) as till:
        yield till


def main() -> None:
    """Make a server, measure, report."""
    refunds = int(sys.argv[1]) if len(sys.argv) > 1 else REFUNDS
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedPostgres(Path(name))
        url = server.start()
        try:
            migrate(url)
            with counter(url, Path(name)) as till:
                print(measure(till, url, refunds))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
