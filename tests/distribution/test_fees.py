"""The fee of a seller whose buyer pays by our rails: added to the deposit when the order is executed, and returned
with refunds.
"""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from meterai.distribution.branding import ShopService, ShopWish
from meterai.distribution.model import DistributorFeeTooHigh, SellerNotOpen, Short
from meterai.distribution.statement import StatementSpan
from meterai.kit.days import Month, day_of
from meterai.kit.ids import new_id, read
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Malformed, NotFound
from meterai.orders import OrderKind, OrderService, OrderView, SoldBy
from meterai.orders import store as order_store
from meterai.orders.model import PriceChanged
from meterai.plumbing.http.requests import IdempotencyKeyReused
from tests.distribution.conftest import FEE, PRICE, Depot
from tests.support.shop import TESTER

SLUG = "toko-meterai"
SELLERS = 1_000  # rupiah of each stamp


@pytest.fixture
def shop_open(depot: Depot) -> Depot:
    """A distributor that sells, with a sales page."""
    depot.top_up(100_000)
    depot.shop.do(shops(depot).set(depot.account, ShopWish(SLUG), actor=TESTER))
    return depot


def shops(depot: Depot) -> ShopService:
    return depot.shop.container.of(ShopService)


def orders(depot: Depot) -> OrderService:
    return depot.shop.container.of(OrderService)


def found(depot: Depot, slug: str = SLUG, fee: int | None = None, key: str = "key") -> SoldBy:
    sold = depot.shop.do(orders(depot).sold_by(depot.shop.account, key, slug, fee))
    assert sold is not None
    return sold


def buy(depot: Depot, quantity: int = 1, key: str = "") -> OrderView:
    async def place() -> OrderView:
        named = key or secrets.token_hex(8)
        sold = await orders(depot).sold_by(depot.shop.account, named, SLUG)
        return await orders(depot).place(
            depot.shop.account, named, quantity, wait_for_qr=False, sold=sold
        )

    return depot.shop.do(place())


def paid(depot: Depot, quantity: int = 1) -> UUID:
    """A paid order of the sales page, with its consequences."""
    order = read("ord", buy(depot, quantity).id)
    depot.shop.make_qr(depot.shop.attempts(order)[-1])
    depot.shop.pay(order)
    depot.work()
    return order


def entries(depot: Depot, account: UUID) -> list[str]:
    rows = depot.shop.rows(
        "SELECT reason FROM entries WHERE account_id = %s AND reason LIKE 'fee%%' ORDER BY posted_at, entry_id",
        account,
    )
    return [str(row["reason"]) for row in rows]


def clearing(depot: Depot) -> int:
    [row] = depot.shop.rows(
        "SELECT sum(debit - credit)::bigint AS sum FROM legs WHERE book = 'bank_clearing'"
    )
    return int(row["sum"])


def test_order_of_sales_page_adds_fee_for_the_seller(shop_open: Depot) -> None:
    before = clearing(shop_open)
    order = paid(shop_open, 3)
    view = shop_open.shop.do(orders(shop_open).view(shop_open.shop.account, order))
    assert (view.state, view.seller, view.seller_fee) == ("executed", "Toko Meterai", SELLERS)
    assert view.total == 3 * (PRICE + FEE + SELLERS)
    assert view.money.executed == view.money.captured == view.total
    assert shop_open.balance == 100_000 + 3 * SELLERS
    assert entries(shop_open, shop_open.shop.account) == ["fee_passed_on"]
    assert entries(shop_open, shop_open.account) == ["fee_earned"]
    assert clearing(shop_open) == before + view.total  # the money at banks
    shop_open.check()


def test_mail_of_an_order_names_each_part_of_its_sum(shop_open: Depot) -> None:
    paid(shop_open, 3)
    [row] = shop_open.shop.rows("SELECT facts FROM mails WHERE template = 'order_executed_stamps'")
    told = row["facts"]
    assert told["duty"] == str(Rupiah(3 * PRICE))
    assert told["fee"] == str(Rupiah(3 * FEE))
    assert told["seller_fee"]["id"] == f"Biaya Toko Meterai: {Rupiah(3 * SELLERS)}"
    assert told["total"] == str(Rupiah(3 * (PRICE + FEE + SELLERS)))


def test_seller_cannot_buy_from_itself(shop_open: Depot) -> None:
    """Both sides of a fee have an entry with the same id; in one account these would collide."""
    own, sold = orders(shop_open), found(shop_open)
    with pytest.raises(Malformed, match="seller"):
        shop_open.shop.do(own.place(shop_open.account, "key", 1, sold=sold))
    other = SoldBy(SLUG, new_id(), "Toko", SELLERS)
    terms = shop_open.shop.do(
        own.terms(shop_open.account, "key", b"request", OrderKind.STAMPS, 1, sold=other)
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="nobody buys of themselves"):
        shop_open.shop.do(
            shop_open.shop.container.database.once(order_store.place, replace(terms, sold=sold))
        )
    shop_open.check()


def test_failed_move_of_fee_is_found_by_the_audit(shop_open: Depot) -> None:
    buy(shop_open)
    shop_open.shop.arrange(
        "SELECT emit(account_id, 'fee_passed', jsonb_build_object('order', order_id)) FROM order_sellers"
    )
    shop_open.shop.arrange("UPDATE jobs SET tries = 12 WHERE kind = 'fee_passed'")
    shop_open.shop.arrange(
        "INSERT INTO order_fees (account_id, order_id, number, stamps, amount)"
        " SELECT account_id, order_id, 1, 1, fee FROM order_sellers"
    )
    with pytest.raises(AssertionError, match="fees_of_sellers_are_those_of_orders"):
        shop_open.check()


def test_unpaid_order_of_sales_page_earns_no_fee(shop_open: Depot) -> None:
    order = buy(shop_open)
    shop_open.shop.give_up(read("ord", order.id), "withdrawn")
    shop_open.work()
    assert shop_open.balance == 100_000
    shop_open.check()


def test_unexecuted_order_earns_no_fee_and_is_refunded_whole(shop_open: Depot) -> None:
    shop_open.shop.set_issuing(is_open=False)
    order = paid(shop_open, 2)
    shop_open.shop.refund_overdue(order)
    shop_open.work()
    [refund] = shop_open.shop.refunds()
    shop_open.shop.send(refund)
    shop_open.shop.settle(refund)
    shop_open.work()
    view = shop_open.shop.do(orders(shop_open).view(shop_open.shop.account, order))
    assert (view.state, view.money.refunded) == ("returned", view.total)
    assert shop_open.balance == 100_000
    assert entries(shop_open, shop_open.account) == []
    shop_open.check()


def test_fee_is_earned_for_stamped_documents_only(shop_open: Depot) -> None:
    shop = shop_open.shop

    async def sold() -> SoldBy | None:
        return await orders(shop_open).sold_by(shop.account, "key", SLUG)

    order = shop.place_documents([1, 2], sold=shop.do(sold()))
    shop.make_qr(shop.attempts(order)[-1])
    shop.pay(order)
    shop_open.work()
    assert shop_open.balance == 100_000  # paid, and not executed yet
    rows = shop.rows("SELECT stamping_id, quantity FROM stampings WHERE state = 'reserved'")
    for row in rows:
        (shop.deliver if row["quantity"] == 2 else shop.fail)(row["stamping_id"])
    shop_open.work()
    assert shop.state(order) == "executed"
    assert shop_open.balance == 100_000 + 2 * SELLERS
    shop_open.check()


def test_fee_of_returned_stamps_is_returned(shop_open: Depot) -> None:
    order = paid(shop_open, 3)
    stamping = shop_open.shop.reserve(1)
    assert stamping is not None
    shop_open.shop.deliver(stamping)
    shop_open.shop.ask_back(order)
    shop_open.work()
    shop_open.give_back()
    assert shop_open.balance == 100_000 + SELLERS
    assert entries(shop_open, shop_open.account) == ["fee_earned", "fee_returned"]
    shop_open.check()


def test_spent_fee_is_owed_and_paid_by_the_next_fee(shop_open: Depot) -> None:
    order = paid(shop_open, 10)
    assert shop_open.balance == 110_000
    shop_open.sell(10)  # uses 105,000 of the deposit
    shop_open.work()
    shop_open.shop.ask_back(order)
    shop_open.work()
    owed = "SELECT owed FROM seller_debts"
    assert (shop_open.balance, shop_open.shop.rows(owed)[0]["owed"]) == (0, 5_000)
    shop_open.check()
    paid(shop_open, 2)
    assert (shop_open.balance, shop_open.shop.rows(owed)[0]["owed"]) == (0, 3_000)
    shop_open.top_up(10_000)
    assert (shop_open.balance, shop_open.shop.rows(owed)[0]["owed"]) == (7_000, 0)
    shop_open.check()


def test_fee_pays_waiting_sale(shop_open: Depot) -> None:
    shop_open.sell(9)  # uses 94,500 of 100,000
    waiting = shop_open.sell(1)
    shop_open.work()
    assert shop_open.sale(waiting).state == "waiting"
    paid(shop_open, 5)
    assert shop_open.sale(waiting).state == "executed"
    assert shop_open.balance == 0
    shop_open.check()


def test_statement_has_the_fees(shop_open: Depot) -> None:
    paid(shop_open, 2)
    month = StatementSpan.read(str(Month.of(day_of(datetime.now(UTC)))), None)
    told = shop_open.shop.do(shop_open.service.statement(shop_open.account, month))
    assert [(one.added, one.fees, one.closing) for one in told.days] == [
        (100_000, 2 * SELLERS, 100_000 + 2 * SELLERS)
    ]


def test_kill_between_both_sides_loses_and_doubles_nothing(shop_open: Depot) -> None:
    order = read("ord", buy(shop_open).id)
    shop_open.shop.make_qr(shop_open.shop.attempts(order)[-1])
    shop_open.shop.pay(order)
    for _ in range(6):
        shop_open.shop.work_once()
        shop_open.check()
    shop_open.work()
    move = "SELECT fee_move(%s, %s, 1, %s, 1, %s)"
    shop_open.shop.call(move, shop_open.account, order, shop_open.shop.account, SELLERS)
    assert shop_open.balance == 100_000 + SELLERS
    shop_open.check()


def test_fee_that_differs_from_shown_one_is_refused(shop_open: Depot) -> None:
    assert found(shop_open, fee=SELLERS).fee == SELLERS
    shop_open.pull_terms(Short.WAIT, fee=2_000)
    with pytest.raises(PriceChanged):
        found(shop_open, fee=SELLERS)
    with pytest.raises(PriceChanged):
        shop_open.shop.do(
            orders(shop_open).check_price(
                shop_open.shop.account, "key", str(PRICE + FEE + SELLERS), found(shop_open)
            )
        )
    assert found(shop_open, fee=2_000).fee == 2_000


def test_seller_closed_during_journey_is_refused_except_for_a_repeat(shop_open: Depot) -> None:
    placed = buy(shop_open, key="once")
    shop_open.close()
    with pytest.raises(SellerNotOpen):
        found(shop_open)
    assert buy(shop_open, key="once").id == placed.id
    order = read("ord", placed.id)
    shop_open.shop.make_qr(shop_open.shop.attempts(order)[-1])
    shop_open.shop.pay(order)
    shop_open.work()
    assert shop_open.balance == 100_000 + SELLERS  # the distributor that sold this order
    shop_open.check()


def test_same_key_with_another_seller_is_another_request(shop_open: Depot) -> None:
    buy(shop_open, key="once")
    with pytest.raises(IdempotencyKeyReused):
        shop_open.shop.do(
            orders(shop_open).place(shop_open.shop.account, "once", 1, wait_for_qr=False)
        )


def test_unknown_seller_sells_nothing(shop_open: Depot) -> None:
    for slug in ("nobody", "Toko-Meterai", "a", "../etc", "x" * 500):
        with pytest.raises(NotFound):
            found(shop_open, slug)


def test_fee_above_bound_is_refused_by_lever_order_and_database(
    shop_open: Depot,
) -> None:
    with pytest.raises(DistributorFeeTooHigh):
        shop_open.pull_terms(Short.WAIT, fee=10_001)
    with pytest.raises(psycopg.errors.CheckViolation, match="seller_fee_is_bounded"):
        shop_open.shop.arrange(
            "INSERT INTO distributor_terms SELECT account_id, gen_random_uuid(), seller, 100001, short, region, low_days,"
            " low_rupiah, topup_method, topup_rupiah FROM distributor_terms"
        )
    # Agreed under a higher bound than the current one.
    shop_open.shop.arrange(
        "WITH t AS (INSERT INTO distributor_terms SELECT account_id, gen_random_uuid(), seller, 20000, short, region,"
        " low_days, low_rupiah, topup_method, topup_rupiah FROM distributor_terms LIMIT 1 RETURNING *)"
        " SELECT 1"
    )
    shop_open.shop.arrange(
        "UPDATE distributors SET terms_id = (SELECT terms_id FROM distributor_terms WHERE fee = 20000)"
    )
    with pytest.raises(DistributorFeeTooHigh):
        found(shop_open)


def test_ordinary_order_has_no_row_of_a_seller(shop_open: Depot) -> None:
    order = shop_open.shop.place(1)
    shop_open.shop.make_qr(shop_open.shop.attempts(order)[-1])
    shop_open.shop.pay(order)
    shop_open.work()
    assert shop_open.shop.rows("SELECT 1 FROM order_fees") == []
    [row] = shop_open.shop.rows("SELECT seller_fee FROM orders WHERE order_id = %s", order)
    assert row["seller_fee"] is None
    shop_open.check()
