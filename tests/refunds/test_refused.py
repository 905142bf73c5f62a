"""A refused refund stays open, unless a loss of its payment is to be covered; end of an order; money goes
back once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from meterai.kit.ids import new_id
from tests.support.instance import until
from tests.support.shop import Shop

WAITS = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def test_refused_refund_of_a_payment_with_covered_loss_is_tried_again(shop: Shop) -> None:
    order = shop.place(3)
    paid = shop.pay(order)
    shop.work()
    assert shop.charge_back(paid, 4_000) == "denied"
    shop.work()
    assert shop.rows("SELECT lost FROM chargebacks") == [{"lost": 0}], "a stamp covers it"
    shop.ask_back(order)
    shop.work()
    refunds = "SELECT refund_id, state, amount FROM refunds ORDER BY refund_id"
    before = shop.rows(refunds)
    assert before
    for refund in shop.refunds():
        shop.send(refund)
        shop.refuse(refund)
    shop.work()
    assert shop.rows(refunds) == [row | {"state": "refused"} for row in before]
    shop.assert_books_hold()


def test_order_whose_last_refund_is_void_is_closed(shop: Shop) -> None:
    order = shop.place(1)
    paid = shop.pay(order)
    shop.work()
    shop.ask_back(order)
    shop.work()
    [refund] = shop.refunds()
    shop.send(refund)
    assert shop.charge_back(paid) == "denied"
    shop.work()
    assert shop.state(order) == "returning", "perhaps it is being paid"
    shop.refuse(refund)
    shop.work()
    assert shop.state(order) == "returned"


SURPLUS = (
    "SELECT order_return_surplus(%s, %s, %s, 'double', %s, %s, %s, %s, %s,"
    " now() + interval '1 day')"
)


def test_surplus_is_refunded_once(shop: Shop) -> None:
    """The second of two concurrent handlers waits, and finds no money left."""
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    second = shop.pay(order)
    url = shop.container.database.url

    def give_back(connection: psycopg.Connection[Any], key: str) -> int:
        terms = [order, second.attempt, second.number, second.amount, key]
        found = connection.execute(SURPLUS, [shop.account, new_id(), key, *terms]).fetchone()
        assert found is not None
        return int(found[0])

    def another() -> int:
        with psycopg.connect(url) as connection:
            return give_back(connection, "RF2")

    with psycopg.connect(url) as first, ThreadPoolExecutor(1) as pool:
        assert give_back(first, "RF1") == second.amount
        waiting = pool.submit(another)
        until("the second waits", lambda: shop.watch(WAITS))
        first.commit()
        assert waiting.result() == 0
    assert len(shop.refunds()) == 1
