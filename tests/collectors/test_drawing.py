"""An order on the credit of a collector, from the limit of its month to the books."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from meterai import payments
from meterai.collectors.model import DepositBeyondDue, NtpnUsed
from meterai.collectors.service import CollectorDepositView
from meterai.finance import payouts
from meterai.kit.days import DAY
from meterai.kit.ids import new_id
from meterai.kit.refusal import Malformed
from meterai.orders import OrderKind, SoldBy
from meterai.orders import store as order_store
from meterai.payments import NotRerouted
from meterai.reconciliation import Reconciliation
from tests.collectors.conftest import LIMIT, PRICE, Collecting
from tests.support.shop import TESTER

NTPN = "0123456789ABCDEF"


def test_order_within_the_limit_is_taken_at_once_at_face_value(collecting: Collecting) -> None:
    order = collecting.draw(3)
    collecting.work()
    found = collecting.order(order)
    assert (found.state, found.total, found.service_fee) == ("executed", 3 * PRICE, 0)
    view = collecting.view()
    assert (view.used, view.left, view.owed) == (3 * PRICE, LIMIT - 3 * PRICE, 3 * PRICE)
    collecting.check()


def test_last_rupiah_is_drawn_by_exactly_one_of_two_orders(collecting: Collecting) -> None:
    async def race() -> list[str]:
        made = await asyncio.gather(*(collecting.drawing(6) for _ in range(4)))
        return [one.id for one in made]

    collecting.shop.do(race())
    collecting.work()
    rows = collecting.shop.rows("SELECT state FROM credit_draws ORDER BY state")
    assert [row["state"] for row in rows] == ["taken"] + ["waiting"] * 3
    assert collecting.view().used == 6 * PRICE
    assert (collecting.view().waiting_orders, collecting.view().waiting_rupiah) == (3, 18 * PRICE)
    collecting.check()


def test_order_beyond_limit_of_month_waits_for_the_next(
    collecting: Collecting,
) -> None:
    collecting.draw(8)
    late = collecting.draw(5)
    collecting.work()
    waits = collecting.order(late)
    assert waits.state == "placed"
    assert waits.payment.instructions == payments.Credit("limit")
    collecting.work()
    assert collecting.order(late).state == "placed"
    collecting.month_begins()
    collecting.work()
    assert collecting.order(late).state == "executed"
    assert collecting.view().used == 5 * PRICE
    collecting.check()


def test_credit_pays_no_fee_of_a_seller(collecting: Collecting) -> None:
    """The fee would be a deposit of the seller that is not paid, and a debt to the state."""
    for fee in (1_500, 0):
        sold = SoldBy("toko", new_id(), "Toko", fee)
        with pytest.raises(Malformed, match="payment_method"):
            collecting.shop.do(
                collecting.orders.place(collecting.account, "key", 2, method="credit", sold=sold)
            )
    assert collecting.view().used == 0
    collecting.check()


def test_database_places_no_order_with_a_fee_on_credit(collecting: Collecting) -> None:
    terms = collecting.shop.do(
        collecting.orders.terms(
            collecting.account, "key", b"request", OrderKind.STAMPS, 2, method="credit"
        )
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="credit pays the duty alone"):
        collecting.shop.do(
            collecting.shop.container.database.once(
                order_store.place, replace(terms, service_fee=1_500)
            )
        )


def test_order_that_waited_too_long_lapses_and_is_not_drawn(collecting: Collecting) -> None:
    collecting.draw(8)
    late = collecting.draw(5)
    collecting.work()
    collecting.lapse()
    assert collecting.order(late).state == "lapsed"
    assert [
        row["state"] for row in collecting.shop.rows("SELECT state FROM credit_draws ORDER BY 1")
    ] == ["ended", "taken"]
    collecting.check()


def test_returned_stamps_reduce_the_debt(collecting: Collecting) -> None:
    order = collecting.draw(3)
    collecting.work()
    assert collecting.give_back(order) == 3
    assert collecting.order(order).state == "returned"
    assert (collecting.view().used, collecting.view().owed) == (0, 0)
    collecting.check()


def test_refund_of_credit_cannot_be_rerouted(collecting: Collecting) -> None:
    order = collecting.draw(3)
    collecting.work()
    before, collecting.shop.account = collecting.shop.account, collecting.account
    collecting.shop.ask_back(order)
    collecting.shop.account = before
    collecting.shop.work()
    [row] = collecting.shop.rows("SELECT refund_id FROM refunds")

    async def reroute() -> None:
        await collecting.shop.container.database.run(
            lambda tx: payments.reroute(tx, collecting.account, row["refund_id"])
        )

    with pytest.raises(NotRerouted):
        collecting.shop.do(reroute())


def test_late_deposit_stops_draws_until_its_confirmation(
    collecting: Collecting,
) -> None:
    collecting.draw(4)
    collecting.work()
    collecting.was_drawn(3)
    waits = collecting.draw(1)
    collecting.work()
    view = collecting.view()
    assert (view.stopped_by, view.waiting_orders) == ("deposit", 1)
    assert collecting.order(waits).payment.instructions == payments.Credit("deposit")
    month = collecting.months_ago(3)
    assert {one.month: one.state for one in view.months}[str(month)] == "overdue"
    collecting.confirm(3 * PRICE, month)
    collecting.work()
    assert collecting.order(waits).state == "placed", "a part is not the whole"
    collecting.confirm(1 * PRICE, month)
    collecting.work()
    assert collecting.order(waits).state == "executed"
    collecting.check()


def test_deposit_above_due_is_refused_and_partial_one_reduces_it(
    collecting: Collecting,
) -> None:
    collecting.draw(4)
    collecting.work()
    with pytest.raises(DepositBeyondDue):
        collecting.confirm(5 * PRICE, collecting.this_month)
    collecting.confirm(3 * PRICE, collecting.this_month)
    assert collecting.view().owed == PRICE
    with pytest.raises(DepositBeyondDue):
        collecting.confirm(2 * PRICE, collecting.this_month)
    collecting.check()


def test_receipt_counts_once(collecting: Collecting) -> None:
    collecting.draw(4)
    collecting.work()
    number = collecting.confirm(PRICE, collecting.this_month)
    with pytest.raises(NtpnUsed):
        collecting.shop.do(
            collecting.service.tell_deposit(
                collecting.account,
                number,
                collecting.this_month,
                2 * PRICE,
                collecting.service.today(),
                collecting.actor,
            )
        )
    collecting.check()


def test_concurrent_reports_of_same_deposit_are_one(collecting: Collecting) -> None:
    collecting.draw(2)
    collecting.work()

    async def race() -> set[str]:
        made = await asyncio.gather(*(telling(collecting, NTPN, 2 * PRICE) for _ in range(5)))
        return {one.id for one in made}

    assert len(collecting.shop.do(race())) == 1
    collecting.check()


async def telling(collecting: Collecting, ntpn: str, rupiah: int) -> CollectorDepositView:
    of = collecting.this_month, rupiah, collecting.service.today()
    return await collecting.service.tell_deposit(
        collecting.account, ntpn, *of, actor=collecting.actor
    )


def test_record_of_rail_equals_the_books(collecting: Collecting) -> None:
    order = collecting.draw(2)
    collecting.draw(1)
    collecting.work()
    collecting.give_back(order)
    for table, columns in (
        ("credit_draws", "made_at taken_at"),
        ("credit_returns", "returned_at"),
        ("captures", "captured_at confirmed_at"),
        ("entries", "posted_at"),
        ("refunds", "requested_at settled_at due_at"),
    ):
        moved = ", ".join(f"{one} = {one} - interval '1 day'" for one in columns.split())
        collecting.shop.arrange(f"UPDATE {table} SET {moved}")
    service = collecting.shop.container.of(Reconciliation)
    yesterday = collecting.service.today() - DAY
    found = collecting.shop.do(service.reconcile("credit", yesterday, [], TESTER))
    assert (found.lines, found.broken, found.state) == (3, 0, "final")


def test_duty_owed_by_collector_is_not_available_for_payouts(collecting: Collecting) -> None:
    async def free() -> int:
        async with collecting.shop.container.database.reading() as tx:
            return await payouts.duty_free(tx)

    collecting.draw(3)
    collecting.work()
    assert collecting.shop.do(free()) == 0
    collecting.confirm(2 * PRICE, collecting.this_month)
    assert collecting.shop.do(free()) == 0
    collecting.check()
