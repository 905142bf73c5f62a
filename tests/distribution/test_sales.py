"""A sale from a deposit, from the order of the deposit to the books of both accounts."""

import asyncio

import pytest

from meterai import payments
from meterai.distribution.model import DepositTooSmall, SalesOfBuyerSpent, SellerNotOpen, Short
from meterai.kit.ids import read
from meterai.orders import OrderService
from meterai.payments import NotRerouted
from meterai.plumbing.http.requests import IdempotencyKeyReused
from tests.distribution.conftest import SELLER, UNIT, Depot


def test_deposit_pays_a_sale_and_buyer_has_its_stamps(depot: Depot) -> None:
    depot.top_up(100_000)
    assert depot.balance == 100_000
    made = depot.sell(2, to="ani@example.id", reference="kasir-1")
    assert made.state == "paid"
    depot.work()
    found = depot.sale(made)
    assert (found.state, found.total, found.reference) == ("executed", 2 * UNIT, "kasir-1")
    order = depot.order(made)
    assert (order.state, order.quantity, order.seller) == ("executed", 2, SELLER)
    assert depot.balance == 100_000 - 2 * UNIT
    depot.check()


def test_distributor_without_deposit_sells_nothing(depot: Depot) -> None:
    with pytest.raises(SellerNotOpen):
        depot.sell()
    depot.check()


def test_same_key_is_same_sale_and_takes_once(depot: Depot) -> None:
    depot.top_up(100_000)
    one = depot.sell(1, to="ani@example.id", key="k")
    two = depot.sell(1, to="ani@example.id", key="k")
    assert one.id == two.id
    with pytest.raises(IdempotencyKeyReused):
        depot.sell(2, to="ani@example.id", key="k")
    depot.work()
    assert depot.balance == 100_000 - UNIT
    depot.check()


def test_sale_beyond_the_deposit_waits_and_is_executed_after_a_top_up(depot: Depot) -> None:
    depot.top_up(20_000)
    first, second, third = (depot.sell() for _ in range(3))
    depot.work()
    assert depot.states() == ["executed", "waiting", "waiting"]
    assert depot.order(second).state == "placed"
    assert (depot.view().waiting_sales, depot.view().waiting_rupiah) == (2, 2 * UNIT)
    depot.top_up(10_000)
    assert depot.states() == ["executed", "executed", "waiting"]
    depot.top_up(10_000)
    assert depot.states() == ["executed"] * 3
    assert depot.order(third).state == depot.order(first).state == "executed"
    depot.check()


def test_sale_that_waited_too_long_ends_and_its_order_lapses(depot: Depot) -> None:
    depot.top_up(10_000)
    big, small = depot.sell(5), depot.sell(1)
    depot.work()
    depot.pass_time(100_000)
    depot.shop.do(depot.service.end_due())
    depot.lapse()
    depot.work()
    assert depot.sale(big).state == "lapsed"
    assert depot.sale(small).state == "lapsed"
    assert depot.balance == 10_000
    depot.check()


def test_last_rupiah_pays_exactly_one_of_two_sales(depot: Depot) -> None:
    depot.top_up(20_000)

    async def race() -> list[str]:
        made = await asyncio.gather(*(depot.selling() for _ in range(8)))
        return [one.state for one in made]

    assert sorted(depot.shop.do(race())) == ["paid"] + ["waiting"] * 7
    depot.work()
    assert depot.balance == 20_000 - UNIT
    depot.check()


def test_returned_stamps_go_back_to_the_deposit(depot: Depot) -> None:
    depot.top_up(100_000)
    made = depot.sell(3)
    depot.work()
    buyer, order = depot.buyer(made), depot.shop.rows("SELECT order_id FROM sales")[0]["order_id"]
    before, depot.shop.account = depot.shop.account, buyer
    assert depot.shop.ask_back(order) == 3
    depot.shop.account = before
    depot.work()
    assert depot.sale(made).state == "returning"
    depot.give_back()
    assert (depot.sale(made).state, depot.sale(made).returned) == ("returned", 3 * UNIT)
    assert depot.balance == 100_000
    depot.check()


def test_unexecuted_money_goes_back_to_the_deposit(depot: Depot) -> None:
    depot.top_up(100_000)
    depot.shop.set_issuing(is_open=False)
    made = depot.sell(2)
    depot.work()
    assert depot.sale(made).state == "paid"
    order = depot.shop.rows("SELECT order_id FROM sales")[0]["order_id"]
    depot.shop.arrange(
        "UPDATE orders SET due_at = now() - interval '1 minute' WHERE order_id = %s", order
    )
    before, depot.shop.account = depot.shop.account, depot.buyer(made)
    depot.shop.refund_overdue(order)
    depot.shop.account = before
    depot.give_back()
    assert depot.sale(made).state == "returned"
    assert depot.balance == 100_000
    depot.check()


def test_sales_to_one_buyer_are_limited_by_day(depot: Depot) -> None:
    depot.top_up(1_000_000)
    for _ in range(20):
        depot.sell(to="ani@example.id")
    with pytest.raises(SalesOfBuyerSpent):
        depot.sell(to="ani@example.id")
    depot.sell(to="budi@example.id")
    depot.work()
    depot.check()


def test_closing_distributor_ends_waiting_sales(depot: Depot) -> None:
    depot.top_up(20_000)
    sold, waits = depot.sell(), depot.sell()
    depot.work()
    depot.close()
    depot.work()
    assert (depot.sale(sold).state, depot.sale(waits).state) == ("executed", "lapsed")
    assert depot.order(waits).state == "lapsed"
    with pytest.raises(SellerNotOpen):
        depot.sell()
    assert depot.view().state == "closing"
    depot.refund(20_000 - UNIT)
    assert depot.view().state == "closed"
    depot.work()
    depot.check()


def test_policy_return_waits_a_quarter_of_an_hour(depot: Depot) -> None:
    depot.top_up(10_000)
    depot.pull_terms(Short.RETURN)
    made = depot.sell()
    depot.work()
    assert (made.waits_until - made.made_at).total_seconds() == 900
    depot.check()


def test_buyer_pays_waiting_sale_without_use_of_deposit(depot: Depot) -> None:
    depot.pull_terms(Short.RETAIL)
    depot.top_up(10_000)
    made = depot.sell(to="ani@example.id")
    depot.work()
    [mail] = depot.shop.rows("SELECT template, facts FROM mails WHERE template = 'sale_offered'")
    assert mail["facts"]["seller"] == SELLER
    buyer, order = depot.buyer(made), read("ord", made.order)
    orders = depot.shop.container.of(OrderService)
    depot.shop.do(orders.pay_by(buyer, order, "qris"))
    depot.work()
    before, depot.shop.account = depot.shop.account, buyer
    depot.shop.make_qr(depot.shop.attempts(order)[-1])
    depot.shop.pay(order)
    depot.shop.account = before
    depot.work()
    assert depot.sale(made).state == "executed"
    depot.top_up(10_000)
    assert (depot.balance, depot.order(made).money.captured) == (20_000, UNIT)
    depot.check()


def test_low_deposit_is_announced_once_with_prepared_top_up(depot: Depot) -> None:
    depot.pull_terms(Short.WAIT, low_rupiah=50_000, topup_rupiah=200_000)
    depot.top_up(60_000)
    depot.work()
    assert not depot.view().is_low
    depot.sell(2)
    depot.work()
    depot.work()
    assert depot.view().is_low
    mails = depot.shop.rows("SELECT facts FROM mails WHERE template = 'deposit_low'")
    [order] = depot.shop.rows(
        "SELECT order_id, total FROM orders WHERE kind = 'deposit' AND state = 'placed'"
    )
    assert (len(mails), order["total"]) == (1, 200_000)
    depot.pay(order["order_id"])
    depot.work()
    assert not depot.view().is_low
    depot.check()


def test_charged_back_deposit_is_taken_from_the_rest(depot: Depot) -> None:
    order = depot.order_deposit(100_000)
    paid = depot.pay(order)
    depot.work()
    depot.sell(2)
    depot.work()
    with depot.acting():
        depot.shop.charge_back(paid)
    depot.work()
    assert depot.balance == 0
    [back] = depot.shop.rows("SELECT lost FROM chargebacks")
    assert back["lost"] == 2 * UNIT
    depot.check()


def test_stamps_returned_after_chargeback_pay_its_loss(depot: Depot) -> None:
    paid = []
    for _ in range(2):
        paid.append(depot.pay(depot.order_deposit(100_000)))
        depot.work()
    made = depot.sell(6)
    depot.work()
    with depot.acting():
        for one in paid:
            depot.shop.charge_back(one)
    depot.work()
    lost = "SELECT sum(lost)::bigint AS lost FROM chargebacks"
    assert (depot.balance, depot.shop.rows(lost)[0]["lost"]) == (0, 6 * UNIT)
    before, depot.shop.account = depot.shop.account, depot.buyer(made)
    depot.shop.ask_back(read("ord", made.order))
    depot.shop.account = before
    depot.work()
    depot.give_back()
    assert depot.sale(made).state == "returned"
    assert (depot.balance, depot.shop.rows(lost)[0]["lost"]) == (0, 0)
    depot.check()


def test_unused_deposit_is_refunded_by_its_newest_payments(depot: Depot) -> None:
    first, second = depot.top_up(100_000), depot.top_up(50_000)
    depot.sell(2)
    depot.work()
    depot.refund(60_000)
    depot.work()
    rows = depot.shop.rows("SELECT order_id, amount, cause FROM refunds ORDER BY refund_id")
    assert [(row["order_id"], row["amount"]) for row in rows] == [(second, 50_000), (first, 10_000)]
    assert depot.balance == 150_000 - 2 * UNIT - 60_000
    with pytest.raises(DepositTooSmall):
        depot.refund(100_000)
    depot.check()


def test_refund_of_sale_goes_to_the_deposit_only(depot: Depot) -> None:
    depot.top_up(100_000)
    made = depot.sell()
    depot.work()
    before, depot.shop.account = depot.shop.account, depot.buyer(made)
    depot.shop.ask_back(read("ord", made.order))
    depot.shop.account = before
    [refund], buyer = depot.shop.refunds(), depot.buyer(made)
    with pytest.raises(NotRerouted):
        depot.shop.do(
            depot.shop.container.database.run(lambda tx: payments.reroute(tx, buyer, refund))
        )
    depot.give_back()
    assert depot.balance == 100_000
    depot.check()
