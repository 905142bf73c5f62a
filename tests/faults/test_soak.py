"""Buyers at work while parts of the instance are killed at random: every buyer gets what was paid."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psutil
import pytest

from tests.support.inside import Inside
from tests.support.instance import Client, PartMissing, until
from tests.support.killing import AGAIN_SECONDS_MAX, again, place
from tests.support.pdf import pdf

SOAK_SECONDS = 20.0
SOAK_ORDERS = 6  # of each buyer
BUYERS = 4
KILLS_MIN = 3  # before any buyer is done


class Soak:
    """Buyers at work while parts are killed."""

    def __init__(self, inside: Inside, seed: int) -> None:
        self.inside = inside
        self.chance = random.Random(seed)
        self.is_over = threading.Event()
        self.kills: list[str] = []

    def kill_now_and_then(self) -> None:
        """Kill a random part every second or two, until the buyers are done or the time is up and enough parts
        died."""
        ends = time.monotonic() + SOAK_SECONDS
        while not self.is_over.wait(self.chance.uniform(0.8, 2.0)):
            if time.monotonic() > ends and len(self.kills) >= KILLS_MIN:
                break
            part = self.chance.choice(["web", "worker", "worker", "standins"])
            try:
                self.inside.instance.kill(part)
            except (PartMissing, psutil.NoSuchProcess):
                continue  # it has not been restarted yet
            self.kills.append(part)
            self.inside.let_leases_run_out()

    def buy_and_stamp(self, customer: Client, pause: float) -> list[str]:
        """Place orders of two stamps, use each stamp at once, and return the serials."""
        serials: list[str] = []
        for number in range(SOAK_ORDERS):
            time.sleep(pause)
            if number == SOAK_ORDERS - 1:
                until("parts were killed", lambda: len(self.kills) >= KILLS_MIN, AGAIN_SECONDS_MAX)
            order = again(partial(place, customer, f"o{number}", 2)).json["id"]
            self._pay(customer, order)
            for one in range(2):
                serials += self._stamp(customer, f"s{number}-{one}")
        return serials

    def _shown(self, customer: Client, order: str) -> Any:
        return again(lambda: customer.get(f"/v1/orders/{order}")).json

    def _pay(self, customer: Client, order: str) -> None:
        qr = self.inside.until(
            "the order has a QR",
            lambda: self._shown(customer, order)["payment"]["qr_content"],
        )
        # If the bank dies before it answers, the buyer pays again. A second payment is refunded.
        again(lambda: self.inside.instance.bank.pay(qr))
        self.inside.until(
            "the order is executed",
            lambda: self._shown(customer, order)["money"]["executed"] == 20_000,
        )

    def _stamp(self, customer: Client, key: str) -> list[str]:
        document = pdf(words=key)
        reply = again(lambda: customer.stamp(document, key=key))
        assert reply.status == 201, reply.body
        repeated = again(lambda: customer.stamp(document, key=key)).json
        assert repeated["serials"] == reply.json["serials"]
        found: list[str] = reply.json["serials"]
        return found


@pytest.mark.soak
def test_buyers_get_what_they_paid_for_while_parts_die_at_random(
    inside: Inside, pytestconfig: pytest.Config
) -> None:
    soak = Soak(inside, pytestconfig.option.seed)
    buyers = [inside.customer() for _ in range(BUYERS)]
    pauses = [soak.chance.uniform(1.0, 2.0) for _ in buyers]  # otherwise they are done too soon
    with ThreadPoolExecutor(BUYERS + 1) as pool:
        killer = pool.submit(soak.kill_now_and_then)
        shopping = [
            pool.submit(soak.buy_and_stamp, *one) for one in zip(buyers, pauses, strict=True)
        ]
        try:
            serials = [serial for one in shopping for serial in one.result()]
        finally:
            soak.is_over.set()
        killer.result()
    assert len(soak.kills) >= KILLS_MIN
    assert len(serials) == len(set(serials)) == BUYERS * SOAK_ORDERS * 2
    inside.instance.wait_ready()
    inside.let_leases_run_out()
    inside.until("the money is at rest", inside.money_is_at_rest)
    for buyer in buyers:
        assert buyer.balance() == {"available": 0, "held": 0, "used": SOAK_ORDERS * 2}
        orders = buyer.get("/v1/orders").json["orders"]
        assert [one["state"] for one in orders] == ["executed"] * SOAK_ORDERS
        assert all(one["money"]["executed"] == 20_000 for one in orders)
