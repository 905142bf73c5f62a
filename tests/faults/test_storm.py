"""Storm of kills: orders, payments, notifications, refunds and chargebacks while web and worker are killed.

The test keeps an accounting of its own: its payments and chargebacks at the bank, and the money owed to buyers.
At the end the bank's accounting and our books equal it, gross and net, to the rupiah.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from meterai.kit.ids import read
from meterai.payments import PaymentService
from meterai.reconciliation import Reconciliation, RecordDay
from meterai.room import Container
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, PartMissing, until
from tests.support.killing import again, is_there
from tests.support.pdf import pdf
from tests.support.records import TESTER, At, night, today

KILLS, KILLS_OF_ALL = 6, 90
BUYERS, ORDERS_MIN = 6, 2  # orders of each buyer, so that each plan is followed at least once
PAUSE_SECONDS_MAX = 1.0
IDLE_SECONDS_MAX = 20.0  # after which a part is killed although nothing was posted
STEP_SECONDS_MAX = 600.0  # of one wait of a buyer; both parts may be down for most of it
TOTAL, LESS, MORE = 20_000, 4_000, 5_000
SERVICE_ID = "89012"
QRIS_PERMILLE, VA_FEE, VAT_PERCENT = 7, 4_000, 11
SETTINGS = {
    "METERAI_SEAL_LEASE_SECONDS": "1",
    "METERAI_BANK_METHODS": "qris va",
    "METERAI_BANK_VA_SERVICE_ID": SERVICE_ID,
    "METERAI_PROVIDER_FEES": f"bank.qris={QRIS_PERMILLE}/1000 bank.va={VA_FEE}",
}
# The acts of a buyer, and the method of payment.
PLANS = (
    *(("keeps", "qris"), ("pays twice", "qris"), ("pays more", "qris"), ("pays less", "qris")),
    *(
        ("asks back", "qris"),
        ("withdraws", "qris"),
        ("is charged back", "qris"),
        ("stamps", "qris"),
    ),
    *(("keeps", "va"), ("stamps", "va"), ("withdraws", "va"), ("is charged back", "va")),
)


@dataclass
class Accounting:
    """Movements at the bank and their expected outcome, in rupiah."""

    payments: list[int] = field(default_factory=list)
    taken_back: int = 0
    executed: int = 0
    refunded: int = 0
    fee: int = 0
    tax: int = 0
    orders: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def paid(self, method: str, amount: int) -> None:
        """Record a payment, with the agreed fee and the tax on it, each rounded half up."""
        fee = VA_FEE if method == "va" else (amount * QRIS_PERMILLE + 500) // 1_000
        with self._lock:
            self.payments.append(amount)
            self.fee += fee
            self.tax += (fee * VAT_PERCENT + 50) // 100

    def ends(self, *, executed: int = 0, refunded: int = 0, taken_back: int = 0) -> None:
        """Record the end of an order."""
        with self._lock:
            self.orders += 1
            self.executed += executed
            self.refunded += refunded
            self.taken_back += taken_back

    @property
    def gross(self) -> int:
        return sum(self.payments)

    @property
    def kept(self) -> int:
        return self.gross - self.refunded - self.taken_back

    @property
    def net(self) -> int:
        return self.kept - self.fee - self.tax


class Storm:
    """Buyers at work, and the killing of processes."""

    def __init__(self, inside: Inside, seed: int, kills: int) -> None:
        self.inside = inside
        self.seed = seed
        self.kills_wanted = kills
        self.kills: list[str] = []
        self.is_over = threading.Event()
        self.accounting = Accounting()

    # -- killing ---------------------------------------------------------------------------

    def kill(self) -> None:
        """Kill web or worker while they work: repeatedly, at a random moment after an entry was posted."""
        chance = random.Random(f"{self.seed}-kills")
        try:
            while len(self.kills) < self.kills_wanted:
                posted, since = self._posted(), time.monotonic()
                while self._posted() == posted and time.monotonic() - since < IDLE_SECONDS_MAX:
                    time.sleep(0.1)
                time.sleep(chance.uniform(0, PAUSE_SECONDS_MAX))
                part = chance.choice(["web", "worker"])
                until(f"{part} is there", partial(is_there, self.inside, part))
                try:
                    self.inside.instance.kill(part)
                except (PartMissing, psutil.NoSuchProcess):
                    continue
                self.kills.append(part)
                self.inside.let_leases_run_out()
        finally:
            self.is_over.set()

    def _posted(self) -> int:
        return int(self.inside.rows("SELECT count(*) AS entries FROM entries")[0]["entries"])

    # -- buying ----------------------------------------------------------------------------

    def buy(self, number: int) -> None:
        """Place one order after the other until the kills are over."""
        customer = self.inside.customer()
        plans = random.Random(self.seed).sample(PLANS, len(PLANS))
        for turn in count():
            if turn >= ORDERS_MIN and self.is_over.is_set():
                return
            plan, method = plans[(ORDERS_MIN * number + turn) % len(plans)]
            self._order(customer, f"{number}-{turn}", plan, method)

    def _order(self, customer: Client, key: str, plan: str, method: str) -> None:
        body = {"quantity": 2, "payment_method": method}
        headers = {"Idempotency-Key": key}
        placed = again(lambda: customer.post("/v1/orders", body, headers=headers))
        assert placed.status == 201, placed.body
        order = placed.json["id"]
        if plan == "withdraws":
            given = again(lambda: customer.post(f"/v1/orders/{order}/withdraw"))
            assert given.json["state"] == "withdrawn", given.body
            self.accounting.ends()
            return
        name = self._payable(customer, order)
        if plan == "pays less":
            self._pay(method, name, LESS)
            self._ends(customer, order, "placed", refunded=LESS)
            name = self._payable(customer, order, but=name)
            self._pay(method, name, TOTAL)
            self._ends(customer, order, "executed", executed=TOTAL, refunded=LESS, is_last=True)
            return
        self._pay(method, name, TOTAL + MORE if plan == "pays more" else TOTAL)
        if plan == "pays twice":
            self._pay(method, name, TOTAL)
        back = {"pays twice": TOTAL, "pays more": MORE}.get(plan, 0)
        is_last = plan not in ("asks back", "is charged back", "stamps")
        self._ends(customer, order, "executed", executed=TOTAL, refunded=back, is_last=is_last)
        if plan == "asks back":
            given = again(lambda: customer.ask_back(order, key))
            assert given.status in (200, 201), given.body
            self._ends(customer, order, "returned", refunded=TOTAL, is_last=True)
        elif plan == "is charged back":
            told = {"number": self._number(name)} if method == "va" else {"qr_content": name}
            assert self.inside.instance.bank.post("/standin/deny", told).status == 200
            # No notification comes: we query minutes later, or read it in the record.
            if method == "va":
                self._ask(order)
            self._ends(customer, order, "denied", taken_back=TOTAL, is_last=True)
        elif plan == "stamps":
            document = pdf(words=key)
            given = again(lambda: customer.stamp(document, key=key))
            assert given.status == 201, given.body
            self.accounting.ends(executed=TOTAL)

    def _shown(self, customer: Client, order: str) -> Any:
        return again(lambda: customer.get(f"/v1/orders/{order}")).json

    def _until(self, what: str, check: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + STEP_SECONDS_MAX
        while not (found := check()):
            assert time.monotonic() < deadline, f"{what}\n{self.inside.standing()}"
            time.sleep(0.3)
        return found

    def _payable(self, customer: Client, order: str, but: str = "") -> str:
        def name() -> str | None:
            payment = self._shown(customer, order)["payment"]
            found = payment["qr_content"] or (payment.get("instructions") or {}).get("number")
            return found if found != but else None

        return str(self._until("there is something to pay by", name))

    def _ask(self, order: str) -> None:
        """Let the bank be queried about an order now."""
        with self.inside.connect() as connection:
            connection.execute(
                "UPDATE payment_attempts SET ask_at = now() WHERE subject = %s",
                (read("ord", order),),
            )

    @staticmethod
    def _number(name: str) -> str:
        return SERVICE_ID.rjust(8) + name.removeprefix(SERVICE_ID)

    def _pay(self, method: str, name: str, amount: int) -> None:
        bank = self.inside.instance.bank
        if method == "va":
            told = {"number": self._number(name), "amount": amount, "ask": False}
            given = bank.post("/standin/va/pay", told)
        else:
            given = bank.pay(name, amount=amount)
        assert given.status == 200, given.body
        self.accounting.paid(method, amount)

    def _ends(
        self, customer: Client, order: str, state: str, *, is_last: bool = False, **money: int
    ) -> None:
        wanted = {"executed": 0, "refunded": 0, "in_flight": 0} | money
        wanted["charged_back"] = wanted.pop("taken_back", 0)

        def is_so() -> bool:
            shown = self._shown(customer, order)
            now = {name: shown["money"][name] for name in wanted}
            return (shown["state"], now) == (state, wanted)

        self._until(f"the order is {state} with {wanted}", is_so)
        if is_last:
            self.accounting.ends(**money)


@pytest.fixture
def stormy(tmp_path: Path) -> Iterator[Inside]:
    with Instance(tmp_path, **SETTINGS) as instance:
        yield Inside(instance)


def compared(inside: Inside, folder: Path) -> RecordDay:
    """Compare the day with the settlement file of the bank, as if the day were finished."""
    path = folder / "settlement.csv"
    path.write_bytes(inside.instance.bank.get(f"/standin/files/{today()}/settlement.csv").body)

    async def compare(container: Container) -> RecordDay:
        paying = container.of(PaymentService)
        of = (container.database, paying, container.objects, container.settings, At(night()))
        return await Reconciliation(*of).reconcile("bank", today(), [path], TESTER)

    return inside.ask(compare)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_books_and_bank_are_equal_to_the_rupiah_after_a_storm_of_kills(
    stormy: Inside, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seed = pytestconfig.option.seed
    kills = KILLS_OF_ALL if pytestconfig.option.all else KILLS
    print(f"storm of {kills} kills, seed {seed}")
    bank = stormy.instance.bank
    fees = {"qris_basis_points": QRIS_PERMILLE * 10, "virtual_account": VA_FEE}
    assert bank.post("/standin/fees", fees).status == 200
    storm = Storm(stormy, seed, kills)
    with ThreadPoolExecutor(BUYERS + 1) as pool:
        killer = pool.submit(storm.kill)
        buyers = [pool.submit(storm.buy, number) for number in range(BUYERS)]
        killer.result()
        for one in buyers:
            one.result()
    stormy.instance.wait_ready()
    stormy.let_leases_run_out()
    stormy.until("the money is at rest", stormy.money_is_at_rest)
    stormy.until("no job is left", lambda: not stormy.rows("SELECT 1 FROM jobs"))

    own = storm.accounting
    print(f"{own.orders} orders, {len(own.payments)} payments, gross {own.gross}, net {own.net}")
    assert len(storm.kills) == kills
    told = bank.get("/standin/accounts").json
    theirs = {name: told[name] for name in ("gross", "refunded", "taken_back", "kept", "net")}
    assert theirs == {
        "gross": own.gross,
        "refunded": own.refunded,
        "taken_back": own.taken_back,
        "kept": own.kept,
        "net": own.net,
    }
    day = compared(stormy, tmp_path)
    assert (day.state, day.unreadable, day.broken) == ("final", 0, 0)
    stormy.until("no job is left", lambda: not stormy.rows("SELECT 1 FROM jobs"))
    assert stormy.rows("SELECT reason, told FROM suspense_items WHERE state = 'open'") == []
    books = {book: sum for book, sum in stormy.books().items() if sum}
    stamps = {book for book in books if book.startswith("stamps")}
    assert {book: sum for book, sum in books.items() if book not in stamps} == {
        "bank_clearing": -own.net,
        "provider_fee": -own.fee,
        "provider_tax": -own.tax,
        "duty_payable": own.executed,
    }
    assert own.kept == own.executed
    stormy.assert_audit_holds()
