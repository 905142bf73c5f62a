"""Bench of a wholesale order, compared with a retail order, from the request to the stamps: `python -m
bench.distribution.order [--short]`.

The same buyers get one stamp each time: by an order that they pay at the bank, or by a sale of a distributor whose deposit
pays. Figures are processor seconds of web, worker and database for each executed order, from alternating rounds, less the
use of the same processes in the same time without an order.
"""

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.machine import description, parts_of_instance
from meterai.accounts import AccountService
from meterai.room import Container
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.seller import UNIT, Seller, key_of
from tests.support.shop import TESTER

RATIO_AIM = 1.3
BUYERS = 80  # fifteen sales for each; a distributor may make twenty a day for one buyer
AT_ONCE = 4  # requests under way
IDLE_SECONDS = 3.0
PARTS = ("web", "worker", "postgres")
_EXECUTED = "SELECT count(*) AS orders FROM orders WHERE state = 'executed'"


@dataclass(slots=True)
class Sold:
    """One way to sell. `rounds` has for each round the processor seconds per order, by part (web, worker,
    database).
    """

    name: str
    act: Callable[[int], None]  # one order, for the n-th buyer
    rounds: list[dict[str, float]] = field(default_factory=list)

    @property
    def each(self) -> float:
        """Processor seconds of one order, all parts together."""
        return median(sum(one.values()) for one in self.rounds)

    @property
    def line(self) -> str:
        """Return the line that the bench prints."""
        parts = "  ".join(
            f"{part} {median(one[part] for one in self.rounds) * 1e3:5.2f}" for part in PARTS
        )
        all_ = [sum(one.values()) * 1e3 for one in self.rounds]
        return f"{self.name:10}{self.each * 1e3:7.2f} ms of a processor ({min(all_):.2f}-{max(all_):.2f})   {parts}"


def _buyers(inside: Inside) -> list[tuple[str, Client]]:
    """Return the addresses of buyers, each with a client that uses its API key."""
    found = []
    for _ in range(BUYERS):
        address = f"{uuid.uuid4().hex[:12]}@example.org"

        async def make(container: Container, address: str = address) -> uuid.UUID:
            return await container.of(AccountService).create(address, actor=TESTER)

        found.append((address, key_of(inside, inside.ask(make))))
    return found


def main() -> int:
    """Measure and print; fails only for errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    count, rounds = (40, 1) if parser.parse_args().short else (200, 5)
    with tempfile.TemporaryDirectory() as folder, Instance(Path(folder)) as instance:
        inside = Inside(instance)
        seller, buyers = Seller(inside), _buyers(inside)
        for _ in range(rounds + 1):  # in several orders, since a payment by QRIS has a limit
            seller.top_up(count * UNIT)

        def retail(number: int) -> None:
            order = buyers[number % BUYERS][1].place()
            assert instance.bank.pay(order["payment"]["qr_content"]).status == 200

        def wholesale(number: int) -> None:
            assert seller.sell(to=buyers[number % BUYERS][0])["state"] == "paid"

        parts = parts_of_instance()

        def spent() -> dict[str, float]:
            return {part: parts[part].cpu() for part in PARTS}

        before = spent()
        time.sleep(IDLE_SECONDS)
        idle = {part: (now - before[part]) / IDLE_SECONDS for part, now in spent().items()}
        ways = [Sold("retail", retail), Sold("wholesale", wholesale)]
        for round_ in range(rounds + 1):
            for way in ways:
                wanted = inside.rows(_EXECUTED)[0]["orders"] + count
                before, begun = spent(), time.monotonic()
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    list(pool.map(way.act, range(round_ * count, (round_ + 1) * count)))
                until("all are executed", lambda: inside.rows(_EXECUTED)[0]["orders"] == wanted)  # noqa: B023
                took = time.monotonic() - begun
                each = {
                    part: (now - before[part] - idle[part] * took) / count
                    for part, now in spent().items()
                }
                if round_:  # the first is a warm-up
                    way.rounds.append(each)
        instance.assert_audit_holds()
    print(f"{description()}; {rounds} rounds of {count} orders, one stamp each")
    for way in ways:
        print(way.line)
    print(f"ratio      {ways[1].each / ways[0].each:7.2f}   (aim: {RATIO_AIM} at most)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
