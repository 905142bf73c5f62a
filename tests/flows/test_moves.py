"""The database follows the lifecycle tables for every pair of state and event.

Each subject is brought into a state by the product's own commands. Then the event happens. The new state is the
one in the table, or the old one.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import product
from typing import Any
from uuid import UUID

from meterai import payments
from meterai.kit.ids import new_id
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.serial import Serial
from meterai.orders.model import ORDER, OrderEvent, OrderState
from meterai.payments import store as payment_store
from meterai.payments.model import ATTEMPT, AttemptEvent, AttemptState
from meterai.payments.refunds import store as refund_store
from meterai.payments.refunds.model import REFUND, RefundEvent, RefundState
from meterai.stamping import store as stamping_store
from meterai.stamping.model import STAMPING, StampingEvent, StampingState
from meterai.stamps.model import STAMP, StampEvent, StampState
from tests.support.shop import FEE, PRICE, Paid, Shop

Make = Callable[[Shop], UUID]
Happen = Callable[[Shop, UUID], object]


def walk(
    shop: Shop,
    lifecycle: Lifecycle[Any, Any],
    makes: Mapping[StrEnum, Make],
    happens: Mapping[StrEnum, Happen],
    table: str,
) -> None:
    """Try every pair of state and event."""
    edges = {(state, event): target for state, event, target in lifecycle.edges()}
    wrong = []
    for state, event in product(makes, happens):
        shop.clear()
        subject = makes[state](shop)
        assert state_in(shop, table, subject) == state, f"{state} was not made"
        happens[event](shop, subject)
        found, expected = state_in(shop, table, subject), edges.get((state, event), state)
        if found != expected:
            wrong.append(f"{state} + {event}: {found}, the table says {expected}")
        shop.work_off()
        shop.assert_books_hold()
    assert not wrong, "\n".join(wrong)


KEYS = {
    "orders": "order_id",
    "payment_attempts": "attempt_id",
    "stampings": "stamping_id",
    "refunds": "refund_id",
    "stamps": "stamping_id",
}


def state_in(shop: Shop, table: str, subject: UUID) -> str:
    [row] = shop.rows(f"SELECT state FROM {table} WHERE {KEYS[table]} = %s", subject)
    return str(row["state"])


# -- orders ------------------------------------------------------------------------------------


def executed(shop: Shop) -> UUID:
    order = shop.place(2)
    shop.pay(order)
    shop.work()
    return order


def paid(shop: Shop) -> UUID:
    shop.set_issuing(is_open=False)
    return executed(shop)


def given_up(state: str) -> Make:
    def make(shop: Shop) -> UUID:
        order = shop.place(2)
        shop.give_up(order, state)
        return order

    return make


def returning(shop: Shop) -> UUID:
    order = executed(shop)
    shop.ask_back(order)
    return order


def settle_all(shop: Shop, _: UUID) -> None:
    for refund in shop.refunds():
        shop.send(refund)
        shop.settle(refund)
    shop.work()


def returned(shop: Shop) -> UUID:
    order = returning(shop)
    settle_all(shop, order)
    return order


def take_back(shop: Shop, order: UUID) -> None:
    attempt = shop.attempts(order)[-1]
    shop.charge_back(shop.paid[-1] if shop.paid else Paid(attempt, "UNHEARD", 21_000))
    shop.work()


def give_back(shop: Shop, _: UUID) -> None:
    """The provider returns the whole payment without our refund."""
    for one in shop.paid[-1:]:
        shop.given_back(one, one.amount)
    shop.work()


def restore(shop: Shop, _: UUID) -> None:
    """The chargeback is won, and the refunds were reversed."""
    for one in shop.paid[-1:]:
        shop.win(one)
    for refund in shop.refunds():
        shop.reverse(refund)
    shop.work()


def charged_back(shop: Shop) -> UUID:
    order = executed(shop)
    take_back(shop, order)
    return order


def pay_while_issuing_is_stopped(shop: Shop, order: UUID) -> None:
    shop.set_issuing(is_open=False)
    shop.pay(order)
    shop.work()


def execute(shop: Shop, order: UUID) -> None:
    shop.set_issuing(is_open=True)
    shop.execute(order)


def test_orders_follow_their_lifecycle(shop: Shop) -> None:
    makes: dict[StrEnum, Make] = {
        OrderState.PLACED: lambda shop: shop.place(2),
        OrderState.PAID: paid,
        OrderState.EXECUTED: executed,
        OrderState.LAPSED: given_up("lapsed"),
        OrderState.WITHDRAWN: given_up("withdrawn"),
        OrderState.RETURNING: returning,
        OrderState.RETURNED: returned,
        OrderState.CHARGED_BACK: charged_back,
    }
    happens: dict[StrEnum, Happen] = {
        OrderEvent.PAYMENT_CAPTURED: pay_while_issuing_is_stopped,
        OrderEvent.TIME_RAN_OUT: lambda shop, order: shop.give_up(order, "lapsed"),
        OrderEvent.WITHDRAWN: lambda shop, order: shop.give_up(order, "withdrawn"),
        OrderEvent.EXECUTED: execute,
        OrderEvent.NOT_EXECUTED: lambda shop, order: shop.refund_overdue(order),
        OrderEvent.REFUND_SETTLED: settle_all,
        OrderEvent.PAYMENT_CHARGED_BACK: take_back,
        OrderEvent.GIVEN_BACK: give_back,
        OrderEvent.MONEY_RESTORED: restore,
    }
    assert set(makes) == set(OrderState)
    assert set(happens) | {OrderEvent.ASKED_BACK, OrderEvent.LOSS_COVERED} == set(OrderEvent)
    walk(shop, ORDER, makes, happens, "orders")
    # An order that is only paid has stamps to refund only if documents wait for them.
    makes[OrderState.PAID] = documents_paid
    walk(
        shop,
        ORDER,
        makes,
        {OrderEvent.ASKED_BACK: lambda shop, order: shop.ask_back(order)},
        "orders",
    )


def test_won_chargeback_pays_for_stamps_in_use(shop: Shop) -> None:
    order = executed(shop)
    stamping = shop.reserve(1)
    take_back(shop, order)
    assert shop.state(order) == OrderState.CHARGED_BACK
    restore(shop, order)
    assert shop.state(order) == ORDER.after(OrderState.CHARGED_BACK, OrderEvent.LOSS_COVERED)
    unit = PRICE + FEE
    assert shop.money(order) == {"captured": 2 * unit, "executed": unit, "in_flight": unit}
    assert stamping is not None
    shop.deliver(stamping)
    settle_all(shop, order)
    assert shop.money(order) == {"captured": 2 * unit, "executed": unit, "refunded": unit}
    shop.assert_books_hold()


def documents_paid(shop: Shop) -> UUID:
    order = shop.place_documents([1, 1])
    shop.pay(order)
    shop.work_once()
    return order


def test_order_of_unstampable_documents_is_returned(shop: Shop) -> None:
    order = documents_paid(shop)
    shop.work()
    for stamping in shop.stampings:
        shop.fail(stamping)
    shop.work()
    assert shop.state(order) == ORDER.after(OrderState.PAID, OrderEvent.NOT_EXECUTED)


def test_order_of_documents_is_executed_by_its_last_stamp(shop: Shop) -> None:
    order = documents_paid(shop)
    shop.work()
    first, last = shop.stampings
    shop.deliver(first)
    shop.work()
    assert shop.state(order) == OrderState.PAID
    shop.deliver(last)
    shop.work()
    assert shop.state(order) == ORDER.after(OrderState.PAID, OrderEvent.EXECUTED)


# -- attempts ----------------------------------------------------------------------------------


def attempt(*steps: Happen) -> Make:
    def make(shop: Shop) -> UUID:
        [first] = shop.attempts(shop.place(1))
        for step in steps:
            step(shop, first)
        return first

    return make


def make_qr(shop: Shop, attempt: UUID) -> None:
    shop.make_qr(attempt)


def lose_qr(shop: Shop, attempt: UUID) -> None:
    shop.lose_qr(attempt)


def pay_attempt(shop: Shop, attempt: UUID) -> None:
    shop.pay(shop.placed[-1], attempt=attempt)
    shop.work()


def charge_payment_back(shop: Shop, attempt: UUID) -> None:
    for one in shop.paid:
        shop.charge_back(one)
    shop.work()


def run_out(shop: Shop, attempt: UUID) -> None:
    shop.give_up(shop.placed[-1], "lapsed")
    shop.call(payment_store.EXPIRE_OPENING, shop.account, attempt)


def cancel(shop: Shop, attempt: UUID) -> None:
    order = shop.placed[-1]

    shop.call(payment_store.CLOSE, shop.account, order)


def taken_back(shop: Shop, attempt: UUID) -> None:
    tried = "UPDATE payment_attempts SET cancel_tries = cancel_tries + 1 WHERE attempt_id = %s"
    shop.call(tried, attempt)
    shop.call(payment_store.CANCELLED, shop.account, attempt)


def decline(shop: Shop, attempt: UUID) -> None:
    """A notification that a payment was declined which was never made."""
    shop.charge_back(Paid(attempt, "NEVER", PRICE + FEE))


def test_attempts_follow_their_lifecycle(shop: Shop) -> None:
    makes: dict[StrEnum, Make] = {
        AttemptState.OPENING: attempt(),
        AttemptState.WAITING: attempt(make_qr),
        AttemptState.PAID: attempt(make_qr, pay_attempt),
        AttemptState.LOST: attempt(lose_qr),
        AttemptState.EXPIRED: attempt(make_qr, run_out),
        AttemptState.CANCELLED: attempt(make_qr, cancel),
        AttemptState.DECLINED: attempt(make_qr, decline),
        AttemptState.CHARGED_BACK: attempt(make_qr, pay_attempt, charge_payment_back),
    }
    happens: dict[StrEnum, Happen] = {
        AttemptEvent.INSTRUCTED: make_qr,
        AttemptEvent.ANSWER_LOST: lose_qr,
        AttemptEvent.CAPTURED: pay_attempt,
        AttemptEvent.TIME_RAN_OUT: run_out,
        AttemptEvent.CANCELLED: cancel,
        AttemptEvent.TAKEN_BACK: taken_back,
        AttemptEvent.DECLINED: decline,
        AttemptEvent.CHARGED_BACK: charge_payment_back,
        AttemptEvent.WON: restore,
    }
    assert set(makes) == set(AttemptState)
    assert set(happens) == set(AttemptEvent)
    walk(shop, ATTEMPT, makes, happens, "payment_attempts")


# -- stampings and stamps ----------------------------------------------------------------------


def waiting(shop: Shop) -> UUID:
    shop.pay(shop.place_documents([1]))
    shop.work_once()
    return shop.stampings[-1]


def reserved(shop: Shop) -> UUID:
    stamping = waiting(shop)
    shop.work()
    return stamping


def ended(how: str) -> Make:
    def make(shop: Shop) -> UUID:
        stamping = reserved(shop)
        getattr(shop, how)(stamping)
        return stamping

    return make


def drop(shop: Shop, stamping: UUID) -> None:
    async def dropping() -> None:
        async with shop.container.database.transaction() as tx:
            await stamping_store.drop_waiting(tx, shop.account, shop.placed[-1])

    shop.do(dropping())


def dropped(shop: Shop) -> UUID:
    stamping = waiting(shop)
    shop.ask_back(shop.placed[-1])
    drop(shop, stamping)
    return stamping


def reserve_ordered(shop: Shop, stamping: UUID) -> None:
    [row] = shop.rows(
        "SELECT o.due_at FROM stampings s JOIN orders o USING (account_id, order_id)"
        " WHERE s.stamping_id = %s UNION ALL SELECT NULL LIMIT 1",
        stamping,
    )

    async def reserving() -> None:
        async with shop.container.database.transaction() as tx:
            serials = [Serial(text) for text in shop.fresh_serials(1)]
            await stamping_store.reserve_ordered(tx, shop.account, stamping, serials, row["due_at"])

    shop.do(reserving())


def test_stampings_follow_their_lifecycle(shop: Shop) -> None:
    makes: dict[StrEnum, Make] = {
        StampingState.WAITING: waiting,
        StampingState.RESERVED: reserved,
        StampingState.DELIVERED: ended("deliver"),
        StampingState.FAILED: ended("fail"),
        StampingState.DROPPED: dropped,
    }
    happens: dict[StrEnum, Happen] = {
        StampingEvent.PAID: reserve_ordered,
        StampingEvent.SEALED: lambda shop, stamping: shop.deliver(stamping),
        StampingEvent.REFUSED: lambda shop, stamping: shop.fail(stamping),
    }
    assert set(makes) == set(StampingState)
    assert set(happens) | {StampingEvent.ORDER_ENDED} == set(StampingEvent)
    walk(shop, STAMPING, makes, happens, "stampings")


def test_stamping_of_an_ended_order_is_dropped_unless_started(shop: Shop) -> None:
    edges = {(state, event): target for state, event, target in STAMPING.edges()}
    for make in (waiting, reserved, ended("deliver"), ended("fail"), dropped):
        shop.clear()
        stamping = make(shop)
        before = StampingState(state_in(shop, "stampings", stamping))
        shop.ask_back(shop.placed[-1])  # so that an order without a started document ends
        drop(shop, stamping)
        expected = edges.get((before, StampingEvent.ORDER_ENDED), before)
        assert state_in(shop, "stampings", stamping) == expected


def test_stamps_follow_their_lifecycle(shop: Shop) -> None:
    makes: dict[StrEnum, Make] = {
        StampState.RESERVED: reserved,
        StampState.AFFIXED: ended("deliver"),
        StampState.VOID: ended("fail"),
    }
    # These are no commands of their own: they are what delivering and failing a stamping do to its stamps.
    happens: dict[StrEnum, Happen] = {
        StampEvent.DELIVERED: lambda shop, stamping: shop.deliver(stamping),
        StampEvent.RELEASED: lambda shop, stamping: shop.fail(stamping),
    }
    assert set(makes) == set(StampState)
    assert set(happens) == set(StampEvent)
    walk(shop, STAMP, makes, happens, "stamps")


# -- refunds -----------------------------------------------------------------------------------


def refund(*steps: Happen) -> Make:
    def make(shop: Shop) -> UUID:
        returning(shop)
        [one] = shop.refunds()
        for step in steps:
            step(shop, one)
        return one

    return make


def send(shop: Shop, refund: UUID) -> None:
    shop.send(refund)


def refuse(shop: Shop, refund: UUID) -> None:
    shop.call(refund_store.ANSWERED, "refused", "4057801 no", 1.0, shop.account, refund)


def accept(shop: Shop, refund: UUID) -> None:
    shop.call(refund_store.ANSWERED, "accepted", "2027800 at it", 1.0, shop.account, refund)


def put_off(shop: Shop, refund: UUID) -> None:
    """The call of a refund was not started."""
    shop.call(refund_store.PUT_OFF, "", 1.0, shop.account, refund)


def reroute(shop: Shop, refund: UUID) -> None:
    new = new_id()
    number = payments.refund_number(shop.account, new)
    shop.do(
        shop.container.database.once(
            refund_store.reroute, account=shop.account, refund=refund, new=new, number=number
        )
    )


def settle(shop: Shop, refund: UUID) -> None:
    shop.settle_whatever(refund)


def charge_back_and_be_refused(shop: Shop, refund: UUID) -> None:
    take_back(shop, shop.placed[-1])
    shop.refuse(refund)  # a refund under way learns of the chargeback from the bank's refusal


def test_refunds_follow_their_lifecycle(shop: Shop) -> None:
    makes: dict[StrEnum, Make] = {
        RefundState.REQUESTED: refund(),
        RefundState.SENT: refund(send),
        RefundState.ACCEPTED: refund(send, accept),
        RefundState.REFUSED: refund(send, refuse),
        RefundState.REROUTED: refund(send, refuse, reroute),
        RefundState.SETTLED: refund(send, settle),
        RefundState.VOID: refund(send, charge_back_and_be_refused),
    }
    happens: dict[StrEnum, Happen] = {
        RefundEvent.SENT: send,
        RefundEvent.NOT_BEGUN: put_off,
        RefundEvent.ACCEPTED: accept,
        RefundEvent.REFUSED: refuse,
        RefundEvent.REROUTED: reroute,
        RefundEvent.SETTLED: settle,
        RefundEvent.PAYMENT_CHARGED_BACK: charge_back_and_be_refused,
        RefundEvent.GIVEN_BACK: give_back,
    }
    assert set(makes) == set(RefundState)
    # Only a transfer reveals a refused account: `tests/payments/test_transfers.py`.
    assert set(happens) == set(RefundEvent) - {RefundEvent.ACCOUNT_REFUSED}
    walk(shop, REFUND, makes, happens, "refunds")
