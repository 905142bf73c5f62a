"""A distributor over HTTP with a deposit for a hundred stamps sells a hundred and fifty: the outcome of each sale."""

from collections.abc import Iterator

import pytest

from meterai.distribution.model import Short
from tests.support.inside import Inside
from tests.support.instance import Instance, until
from tests.support.seller import UNIT, Seller

COVERED, SOLD = 100, 150
LEFT = SOLD - COVERED


def oversold(inside: Inside, short: Short) -> Seller:
    """A distributor that sold one and a half times its deposit, each stamp to another buyer."""
    seller = Seller(inside, short)
    seller.top_up(COVERED * UNIT)
    made = seller.sell_many(SOLD)
    assert len({one["id"] for one in made}) == SOLD
    until("what is covered is executed", lambda: seller.states() == standing(COVERED, waiting=LEFT))
    deposit = seller.deposit
    assert (deposit["balance"], deposit["waiting_sales"]) == (0, LEFT)
    assert deposit["waiting_rupiah"] == LEFT * UNIT
    return seller


def standing(executed: int, **more: int) -> dict[str, int]:
    return {"executed": executed, **more}


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """An instance that was never audited, since a test moves its past."""
    with Instance(tmp_path_factory.mktemp("selling")) as instance:
        yield Inside(instance)
        instance.assert_audit_holds()


@pytest.mark.soak  # also in tests/distribution, without an instance
def test_sales_beyond_a_deposit_are_executed_after_its_top_up(inside: Inside) -> None:
    seller = oversold(inside, Short.WAIT)
    # The two oldest are paid first, in order; the others still wait.
    waiting = sorted(one["id"] for one in seller.every() if one["state"] == "waiting")
    seller.top_up(2 * UNIT)
    until("two more", lambda: seller.states() == standing(COVERED + 2, waiting=LEFT - 2))
    assert sorted(one["id"] for one in seller.every() if one["state"] == "waiting") == waiting[2:]
    seller.top_up((LEFT - 2) * UNIT)
    until("all are executed", lambda: seller.states() == standing(SOLD))
    assert seller.deposit["balance"] == 0
    last = seller.every()[0]
    buyer = seller.buyer(last)
    assert buyer.balance() == {"available": 1, "held": 0, "used": 0}
    order = buyer.order(last["order"])
    assert (order["state"], order["money"]["executed"], order["seller"]) == (
        "executed",
        UNIT,
        "Toko Meterai",
    )
    seller.assert_statement_is_the_legs()


def test_sales_beyond_a_deposit_are_refunded_at_their_due_time(inside: Inside) -> None:
    seller = oversold(inside, Short.RETURN)
    until("their orders followed", lambda: len(seller.orders()) == SOLD)
    first = seller.every()[-1]
    late = next(one for one in seller.every() if one["state"] == "waiting")
    seller.pass_time(3_600)
    until("those that waited lapse", lambda: seller.states() == standing(COVERED, lapsed=LEFT))
    until("none waits for the deposit", lambda: seller.deposit["waiting_sales"] == 0)
    # New deposit pays for new sales.
    seller.top_up(3 * UNIT)
    assert seller.sell(quantity=2)["state"] == "paid"
    until("the new one is executed too", lambda: seller.states()["executed"] == COVERED + 1)
    assert seller.deposit["balance"] == UNIT
    buyer = seller.buyer(late)
    until("its order lapses too", lambda: buyer.order(late["order"])["state"] == "lapsed")
    assert buyer.balance()["available"] == 0
    assert seller.buyer(first).balance()["available"] == 1
    seller.assert_statement_is_the_legs()
