"""Withdrawal of an order closes its attempts, which are then cancelled at the bank."""

from functools import partial

import pytest

from meterai import orders
from meterai.orders import OrderService
from meterai.plumbing.db.database import Tx
from tests.support.till import Till

WAITING, CANCELLED = "03", "05"  # SNAP BI, latestTransactionStatus


def attempts(till: Till) -> list[str]:
    return [row["state"] for row in till.rows("SELECT state FROM payment_attempts")]


def bills(till: Till) -> list[str]:
    ours = {row["reference"] for row in till.rows("SELECT reference FROM payment_attempts")}
    found = till.do(till.bank.look("payments"))
    return [one["status"] for one in found if one["partner_reference_no"] in ours]


def test_periodic_task_cancels_after_a_crash_before_the_call(till: Till) -> None:
    order, _, _ = till.order()
    withdraw = partial(orders.withdraw, account=till.shop.account, order_id=order)
    till.do(till.shop.container.database.run(withdraw))  # the process is killed here
    assert till.shop.state(order) == "withdrawn"
    assert attempts(till) == ["cancelled"]
    assert bills(till) == [WAITING]
    till.cancel()
    assert bills(till) == [CANCELLED]


def test_uncommitted_withdrawal_cancels_nothing(till: Till) -> None:
    order, _, _ = till.order()

    async def broken(tx: Tx) -> None:
        await orders.withdraw(tx, till.shop.account, order)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        till.do(till.shop.container.database.run(broken))
    assert till.shop.state(order) == "placed"
    assert attempts(till) == ["waiting"]


def test_order_is_withdrawn_while_the_bank_does_not_answer(till: Till) -> None:
    order, _, _ = till.order()
    till.answers("cancel", {"status": 504, "act": False})
    service = till.shop.container.of(OrderService)
    assert till.do(service.withdraw(till.shop.account, order)).state == "withdrawn"
    assert bills(till) == [WAITING]
    # A repeat of the same request or the periodic task, whichever is first.
    assert till.do(service.withdraw(till.shop.account, order)).state == "withdrawn"
    till.cancel()
    assert bills(till) == [CANCELLED]
