"""Bench of payments: `python -m bench.money.paying [ORDERS]`.

First it measures the processor time of an order that is placed, paid by its bank's notification and executed, alternately
by QRIS and by virtual account. Then it measures the time from the notification to the stamps: waiting orders are paid at a
rate that doubles until fewer than 99 of a hundred get their stamps within a second, or the bank cannot notify so fast.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench.journey_cost import AT_ONCE, Costs
from bench.machine import description
from tests.support.banks import SERVICE_ID
from tests.support.instance import Client, Instance, until

ORDERS, ROUNDS = 80, 4
RATE_FROM, RATE_SECONDS, RATE_MAX = 5, 6, 320
RATIO_AIM, ISSUED_SECONDS_AIM = 1.3, 1.0
KEPT_UP = 0.9  # share of a rate; below this share the bank is the bottleneck
LEFT = "SELECT count(*) FROM orders WHERE state NOT IN ('executed', 'lapsed')"
# Seconds from the moment at which the notification was stored.
ISSUED = """
SELECT count(*)::integer, percentile_disc(0.5) WITHIN GROUP (ORDER BY took), percentile_disc(0.99) WITHIN GROUP (ORDER BY took)
FROM (SELECT extract(epoch FROM o.closed_at - n.received_at)::float AS took FROM notification_inbox n
    JOIN captures c ON c.payment = n.reading->>'number'
    JOIN payment_attempts a USING (account_id, attempt_id) JOIN orders o ON o.order_id = a.subject
    WHERE n.received_at >= %s) x
"""


class Paying:
    """Buyers of an instance whose bank takes both methods."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._buyers = [instance.customer() for _ in range(AT_ONCE)]
        self._url = instance.settings.process.database_url
        self.costs = Costs()

    def rows(self, query: str, *parameters: object) -> list[Any]:
        with psycopg.connect(self._url) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    def place(self, method: str, count: int) -> list[str]:
        """Place `count` orders of a payment method. Return their QR texts or account numbers."""

        def one(number: int) -> str:
            buyer: Client = self._buyers[number % AT_ONCE]
            headers = {"Idempotency-Key": f"{time.monotonic_ns()}-{number}"}
            told = {"quantity": 1, "payment_method": method}
            order = buyer.post("/v1/orders", told, headers=headers)
            assert order.status == 201, order.body

            def name() -> str | None:
                payment = buyer.order(order.json["id"])["payment"]
                number = payment.get("instructions", {}).get("number")
                found: str | None = payment["qr_content"] or number
                return found

            return str(until("there is something to pay by", name))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, range(count)))

    def pay(self, method: str, name: str) -> None:
        bank = self._instance.bank
        if method == "va":
            number = SERVICE_ID.rjust(8) + name.removeprefix(SERVICE_ID)
            given = bank.post("/standin/va/pay", {"number": number})
        else:
            given = bank.pay(name)
        assert given.status == 200, given.body

    def executed(self, method: str, count: int) -> None:
        """Place `count` orders of a payment method, pay them, and wait for their stamps."""
        names = self.place(method, count)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name: self.pay(method, name), names))
        until("they are executed", self.is_done)

    def is_done(self) -> bool:
        time.sleep(0.5)  # rarely, since polling also costs the database time
        return int(self.rows(LEFT)[0][0]) == 0

    def cost(self, method: str, count: int) -> float:
        """Execute `count` orders. Return the processor milliseconds of one order, summed over all processes
        except the bank.
        """
        found = self.costs.of(lambda count: self.executed(method, count), count)
        return sum(found.values())

    def issued(self, rate: int) -> tuple[float, float, float]:
        """Pay orders at a rate (orders a second). Return the rate that the bank reached, and median and p99 of the seconds
        until the stamps.
        """
        names = self.place("qris", rate * RATE_SECONDS)
        [[now]] = self.rows("SELECT now()")
        begun = time.monotonic()

        def paid(at: int) -> None:
            time.sleep(max(0.0, begun + at / rate - time.monotonic()))
            self.pay("qris", names[at])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(paid, range(len(names))))
        kept_up = len(names) / (time.monotonic() - begun)
        until("they are executed", self.is_done)
        [[told, half, most]] = self.rows(ISSUED, now)
        assert told, "no notification was stored"
        return kept_up, half, most


def report(paying: Paying, orders: int) -> Iterator[str]:
    """Yield each line as soon as it is known."""
    costs: dict[str, list[float]] = {"qris": [], "va": []}
    for method in costs:
        paying.cost(method, max(AT_ONCE, orders // 10))
    for _ in range(ROUNDS):
        for method, found in costs.items():
            found.append(paying.cost(method, orders))
    qris, va = median(costs["qris"]), median(costs["va"])
    yield (
        f"an order by virtual account costs {va / qris:.2f} times one by QRIS (aim: {RATIO_AIM} or less):"
        f" {va:.1f} and {qris:.1f} ms of a processor"
    )
    rate, held = RATE_FROM, None
    while rate <= RATE_MAX:
        kept_up, half, most = paying.issued(rate)
        yield (
            f"{rate} payments a second ({kept_up:.0f} told): from news to stamps {half * 1e3:.0f} ms,"
            f" 99 of a hundred {most * 1e3:.0f} ms ({most / ISSUED_SECONDS_AIM:.2f} of the aim)"
        )
        if most > ISSUED_SECONDS_AIM:
            break
        held = (rate, most)
        if kept_up < KEPT_UP * rate:
            yield "the bank tells no faster: what is greater was not measured"
            break
        rate *= 2
    yield (
        "no rate holds"
        if held is None
        else f"the greatest rate that holds: {held[0]} a second, p99 {held[1] / ISSUED_SECONDS_AIM:.2f} of a second"
    )


def main() -> None:
    """Start an instance, measure, audit."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    print(f"meterai bench: {description()}", flush=True)
    settings = {
        "METERAI_BANK_METHODS": "qris va",
        "METERAI_BANK_VA_SERVICE_ID": SERVICE_ID,
        "METERAI_UNPAID_ORDERS_MAX": "10000",
        "METERAI_POLL_AFTER_SECONDS": "600",  # notifications are measured, not polling
    }
    with (
        tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder,
        Instance(Path(folder), **settings) as instance,
    ):
        for line in report(Paying(instance), orders):
            print(line, flush=True)
        instance.assert_audit_holds()
    print("every invariant holds")


if __name__ == "__main__":
    main()
