"""A deposit for a hundred stamps and a hundred and fifty sold: the outcome of each, with equal statement and record."""

from datetime import UTC, datetime

from meterai.distribution.statement import StatementSpan
from meterai.kit.days import Month, day_of
from meterai.reconciliation import Reconciliation
from tests.distribution.conftest import FEE, UNIT, Depot
from tests.support.shop import TESTER

HUNDRED = 100 * UNIT + (-100 * FEE % 10_000)  # a deposit is a multiple of the price of a stamp


def sold(depot: Depot, count: int) -> None:
    async def sell() -> None:
        for _ in range(count):
            await depot.selling()

    depot.shop.do(sell())


def counted(depot: Depot) -> dict[str, int]:
    found = depot.states()
    return {state: found.count(state) for state in sorted(set(found))}


def test_sales_beyond_a_deposit_wait_for_its_top_up(depot: Depot) -> None:
    depot.top_up(HUNDRED)
    sold(depot, 150)
    # Killed here, between both sides of every sale: the money is on its way to its buyer, and none is lost.
    depot.check()
    depot.work()
    assert counted(depot) == {"executed": 100, "waiting": 50}
    depot.check()
    depot.top_up(200_000)
    depot.work()
    assert counted(depot) == {"executed": 119, "waiting": 31}
    depot.pass_time(100_000)
    depot.shop.do(depot.service.end_due())
    depot.lapse()
    assert counted(depot) == {"executed": 119, "lapsed": 31}
    balance = HUNDRED + 200_000 - 119 * UNIT
    assert depot.balance == balance
    month = StatementSpan.read(str(Month.of(day_of(datetime.now(UTC)))), None)
    found = depot.shop.do(depot.service.statement(depot.account, month))
    [legs] = depot.shop.rows(
        "SELECT sum(credit - debit)::bigint AS sum FROM legs WHERE book = 'deposits'"
    )
    assert (found.closing, legs["sum"]) == (balance, balance)
    assert sum(one.sales for one in found.days) == 119
    depot.check()


def test_record_of_rail_equals_the_books(depot: Depot) -> None:
    depot.top_up(100_000)
    made = depot.sell(2)
    depot.sell()
    depot.work()
    before, depot.shop.account = depot.shop.account, depot.buyer(made)
    depot.shop.ask_back(
        depot.shop.rows("SELECT order_id FROM sales ORDER BY sale_id")[0]["order_id"]
    )
    depot.shop.account = before
    depot.give_back()
    for table, columns in (
        ("sales", "made_at taken_at waits_until"),
        ("deposit_returns", "returned_at"),
        ("captures", "captured_at confirmed_at"),
        ("entries", "posted_at"),
        ("refunds", "requested_at settled_at due_at"),
    ):
        moved = ", ".join(f"{one} = {one} - interval '1 day'" for one in columns.split())
        depot.shop.arrange(f"UPDATE {table} SET {moved}")
    service = depot.shop.container.of(Reconciliation)
    day = day_of(datetime.now(UTC))
    yesterday = day.fromordinal(day.toordinal() - 1)
    found = depot.shop.do(service.reconcile("wholesale", yesterday, [], TESTER))
    assert (found.lines, found.broken, found.state) == (3, 0, "final")
