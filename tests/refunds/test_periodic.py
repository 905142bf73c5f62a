"""The periodic tasks of orders and refunds continue after a faulty row."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from meterai.kit.money import Rupiah
from meterai.orders import OrderService
from meterai.orders import service as order_service
from meterai.payments import (
    PaymentService,
    RefundSender,
    SnapSettings,
)
from meterai.payments.model import RefundMade
from meterai.payments.refunds import store as refund_store
from meterai.refunds import RefundService
from tests.support.shop import Shop

BATCH = 3  # rows that one run takes here
BAD = 5  # more than one batch of rows that always fail, older than the good row


def spoil(shop: Shop, orders: list[UUID], state: str) -> None:
    """Make the database refuse that these orders leave this state."""
    ids = ", ".join(f"'{order}'" for order in orders)
    shop.arrange(
        "ALTER TABLE orders ADD CONSTRAINT stuck CHECK"
        f" (order_id NOT IN ({ids}) OR state = '{state}')"
    )


def run_task(shop: Shop, task: Callable[[], object], times: int = 3) -> None:
    for _ in range(times):
        shop.do(task())  # type: ignore[arg-type]


def shown_faults(shop: Shop, name: str) -> set[str]:
    return {
        row["subject"]
        for row in shop.rows("SELECT subject FROM round_faults WHERE round = %s", name)
    }


def paid_orders(shop: Shop) -> tuple[list[UUID], UUID]:
    shop.set_issuing(is_open=False)
    orders = [shop.place(1) for _ in range(BAD + 1)]
    for order in orders:
        shop.pay(order)
    shop.work()
    return orders[:-1], orders[-1]


def test_order_that_cannot_be_executed_does_not_stop_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_service, "BATCH", BATCH)
    bad, good = paid_orders(shop)
    spoil(shop, bad, "paid")
    shop.set_issuing(is_open=True)
    run_task(shop, shop.container.of(OrderService).execute_paid)
    assert shop.state(good) == "executed"
    assert shown_faults(shop, "execute_orders") == {str(order) for order in bad}
    shop.assert_books_hold()


@pytest.mark.parametrize("state", ["placed", "paid"])
def test_locked_order_is_skipped(shop: Shop, database_url: str, state: str) -> None:
    if state == "paid":
        bad, good = paid_orders(shop)
        locked = bad[0]
    else:
        locked, good = shop.place(1), shop.place(1)
    shop.arrange(
        "UPDATE orders SET lapses_at = now() - interval '1 second',"
        " due_at = CASE WHEN state = 'paid' THEN now() - interval '1 second' END"
    )
    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1 FROM orders WHERE order_id = %s FOR UPDATE", [locked])
        run_task(shop, shop.container.of(OrderService).expire_unpaid, times=1)
        run_task(shop, shop.container.of(RefundService).refund_overdue, times=1)
        assert shop.state(good) == {"placed": "lapsed", "paid": "returning"}[state]
        assert shop.state(locked) == state
    assert not shop.rows("SELECT 1 FROM round_faults"), "it was not even tried"


# -- refunds -----------------------------------------------------------------------------------


class Bank:
    """Rail with fixed answers to refunds, by our number; all other refunds succeed."""

    def __init__(self) -> None:
        self.answers: dict[str, Exception] = {}
        self.asked: list[str] = []

    async def refund(self, reference: str, payment: str, number: str, amount: Rupiah) -> RefundMade:
        self.asked.append(number)
        if number in self.answers:
            raise self.answers[number]
        return RefundMade(f"BANK{number}")

    async def refunded(self, reference: str, number: str, amount: Rupiah) -> RefundMade | None:
        """The earlier refund was not made."""
        return None


@pytest.fixture
def bank(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Bank:
    made = Bank()
    monkeypatch.setitem(shop.container.of(PaymentService).rails._connected, "bank", made)
    return made


def refunds_asked(shop: Shop, count: int) -> list[str]:
    """Make `count` refunds that are due now; return their numbers at the bank."""
    for _ in range(count):
        order = shop.place(1)
        shop.pay(order)
        shop.work()
        shop.ask_back(order)
    return [row["refund_no"] for row in shop.rows("SELECT refund_no FROM refunds ORDER BY 1")]


def states(shop: Shop) -> dict[str, str]:
    return {row["refund_no"]: row["state"] for row in shop.rows("SELECT * FROM refunds")}


def test_fault_in_one_refund_does_not_stop_the_others(shop: Shop, bank: Bank) -> None:
    numbers = refunds_asked(shop, 3)
    bank.answers[numbers[0]] = ZeroDivisionError("nobody thought of this")
    run_task(shop, shop.container.of(RefundSender).send_due, times=1)
    assert sorted(states(shop).values()) == ["sent", "settled", "settled"]
    [fault] = shop.rows("SELECT round, code FROM round_faults")
    assert fault == {"round": "send_refunds", "code": "fault"}


def test_leased_refund_is_not_sent_again(shop: Shop, bank: Bank) -> None:
    [number] = refunds_asked(shop, 1)
    bank.answers[number] = ZeroDivisionError("the process died here")
    run_task(shop, shop.container.of(RefundSender).send_due, times=5)
    assert bank.asked == [number]
    [row] = shop.rows("SELECT extract(epoch FROM try_at - now())::float8 AS left FROM refunds")
    assert row["left"] > 2 * shop.container.settings.of(SnapSettings).bank_timeout_seconds


def test_news_during_a_call_does_not_send_the_refund_again(shop: Shop, bank: Bank) -> None:
    [number] = refunds_asked(shop, 1)
    bank.answers[number] = ZeroDivisionError("no answer yet")
    run_task(shop, shop.container.of(RefundSender).send_due, times=1)
    tell_of_the_refund(shop)
    run_task(shop, shop.container.of(RefundSender).send_due, times=3)
    assert bank.asked == [number]
    # The call ends without an outcome. The notification that came meanwhile makes the next call due at once.
    [row] = shop.rows("SELECT refund_id FROM refunds")
    shop.call(
        refund_store.ANSWERED, "sent", "504 nobody knows", 300.0, shop.account, row["refund_id"]
    )
    del bank.answers[number]
    run_task(shop, shop.container.of(RefundSender).send_due, times=1)
    assert bank.asked == [number, number]
    assert states(shop) == {number: "settled"}


def tell_of_the_refund(shop: Shop) -> None:
    """Send a notification that the provider gave the money back."""
    [row] = shop.rows("SELECT attempt_id, payment FROM refunds")
    shop.call(refund_store.ASK_NOW, shop.account, row["attempt_id"], row["payment"])
