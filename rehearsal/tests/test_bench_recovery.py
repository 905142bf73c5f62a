"""The state that the recovery bench makes is like the state after an outage: all invariants hold, and the
worker serves its orders and stampings.
"""

import random
from pathlib import Path

from bench.recovery import unserved
from bench.recovery.way_back import _seal_seconds
from meterai.stamping import StampingService
from tests.support.shop import Shop


def test_unserved_orders_and_interrupted_stampings_hold_before_and_after_they_are_served(
    shop: Shop,
) -> None:
    container, drawing = shop.container, random.Random(1)

    async def execute() -> None:
        while await shop.worker().run_batch():
            pass

    shop.do(unserved.interrupted(container, 3, drawing, execute))
    shop.do(unserved.paid(container, 4, drawing))
    [left] = shop.rows("SELECT count(*) AS n FROM jobs WHERE kind = 'payment_captured'")
    assert left["n"] == 4
    assert len(shop.rows("SELECT 1 FROM stampings WHERE state = 'reserved'")) == 3
    shop.assert_books_hold()
    shop.work()
    for _ in range(2):
        shop.do(container.of(StampingService).resume())
    shop.work()
    assert {row["state"] for row in shop.rows("SELECT state FROM stampings")} == {"delivered"}
    assert {row["state"] for row in shop.rows("SELECT state FROM orders")} == {"executed"}
    shop.assert_books_hold()


def test_peer_seals_by_the_bare_engine(tmp_path: Path) -> None:
    assert 0 < _seal_seconds(tmp_path) < 1
