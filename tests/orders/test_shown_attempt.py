"""The attempt of an order that its buyer sees has a payable QR."""

from uuid import UUID

from meterai.orders import OrderService
from meterai.orders.service import PaymentView
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body


def payment(till: Till, order: UUID) -> PaymentView:
    """The payment view of an order."""
    view = till.do(till.shop.container.of(OrderService).view(till.shop.account, order))
    return view.payment


def test_paid_attempt_is_shown_before_a_later_one(till: Till) -> None:
    order = till.shop.place(1)
    [lost] = till.shop.attempts(order)
    till.shop.lose_qr(lost)
    till.open()
    assert payment(till, order).state == "waiting"
    assert till.notify(paid_body(till.reference(lost))) == "captured"
    assert till.shop.state(order) == "executed"
    assert payment(till, order).state == "paid"
    assert payment(till, order).qr_content is None


def test_payable_qr_is_shown_after_a_short_payment(till: Till) -> None:
    order, attempt, qr = till.order()
    assert payment(till, order).qr_content == qr
    till.notify(paid_body(till.reference(attempt), value=f"{PRICE - 1}.00"))
    till.open()
    [_, second] = till.shop.attempts(order)
    shown = payment(till, order)
    assert shown.state == "waiting"
    assert shown.qr_content == till.attempt(second)["qr_content"] != qr


def test_expired_qr_is_not_offered(till: Till) -> None:
    order, attempt, _ = till.order()
    till.shop.arrange(
        "UPDATE payment_attempts SET opened_at = opened_at - interval '5 minutes', expires_at = now();"
        "UPDATE orders SET placed_at = placed_at - interval '5 minutes', lapses_at ="
        f" (SELECT expires_at FROM payment_attempts WHERE attempt_id = '{attempt}')"
    )
    assert till.shop.state(order) == "placed"
    assert payment(till, order).qr_content is None
    till.shop.give_up(order, "lapsed")
