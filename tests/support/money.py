"""The money of an order, observed from outside and compared with the bank."""

from collections.abc import Iterator
from typing import Any

from meterai.kit.ids import read
from tests.support.inside import Inside
from tests.support.instance import Client, until

NOTHING = dict.fromkeys(
    ("captured", "charged_back", "executed", "refunded", "in_flight", "loss"), 0
)


def at_rest_afterwards(inside: Inside) -> Iterator[Inside]:
    """For a fixture: after the test, check that the bank has no fault and that the money is accounted for."""
    yield inside
    inside.instance.bank.clear_faults()
    inside.until("the bank and the books agree", inside.money_is_at_rest)
    inside.assert_money_is_accounted_for()


def money(**some: int) -> dict[str, int]:
    """The money of an order by its place, in rupiah. Places that are not named are 0."""
    return NOTHING | some


def ends(customer: Client, order: dict[str, Any], state: str, **some: int) -> None:
    """Wait until an order is in this state with exactly this money."""
    until(
        f"the order is {state} with {some}",
        lambda: stands(customer, order) == (state, money(**some)),
    )


def stands(customer: Client, order: dict[str, Any]) -> tuple[str, dict[str, int]]:
    shown = customer.order(order["id"])
    return shown["state"], shown["money"]


def payable(customer: Client, order: dict[str, Any]) -> str:
    """Wait for the QR of an order, and return its content."""
    qr: str = until(
        "the order has a QR", lambda: customer.order(order["id"])["payment"]["qr_content"]
    )
    return qr


def pay(inside: Inside, order: dict[str, Any], **more: object) -> dict[str, Any]:
    """Pay an order's QR and return the payment as the bank shows it. A busy bank may need a moment before it
    has the QR."""
    qr = order["payment"]["qr_content"] or until(
        "the order has a QR", lambda: _qr_of(inside, order)
    )
    reply = inside.instance.bank.pay(qr, **more)
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.json
    return found


def _qr_of(inside: Inside, order: dict[str, Any]) -> str | None:
    found = inside.rows(
        "SELECT instructions->>'content' AS qr FROM payment_attempts"
        " WHERE subject = %s AND instructions IS NOT NULL ORDER BY attempt_id DESC LIMIT 1",
        read("ord", order["id"]),
    )
    return found[0]["qr"] if found else None


def outcomes(inside: Inside, payment: dict[str, Any]) -> list[str | None]:
    """The outcome of each notification about a payment."""
    found = inside.rows(
        "SELECT outcome FROM notification_inbox WHERE convert_from(body, 'UTF8') LIKE %s",
        f"%{payment['rrn']}%",
    )
    return [row["outcome"] for row in found]


def learned_by(inside: Inside, payment: dict[str, Any]) -> list[str]:
    """How we learned of a payment; one item for each capture."""
    found = inside.rows("SELECT learned_by FROM captures WHERE payment = %s", payment["rrn"])
    return [row["learned_by"] for row in found]


def bought(inside: Inside, quantity: int) -> tuple[Client, dict[str, Any]]:
    """A customer with an executed order, made before the fault begins."""
    customer = inside.customer()
    order = customer.place(quantity)
    # If the bank's time-out is short, the bank may make the QR a moment later.
    assert inside.instance.bank.pay(payable(customer, order)).status == 200
    order = customer.order(order["id"])
    ends(customer, order, "executed", captured=order["total"], executed=order["total"])
    return customer, order


def bank_refunds(inside: Inside, number: str) -> list[dict[str, Any]]:
    """Refunds of the bank under a refund number of ours."""
    found = inside.instance.bank.get("/standin/refunds").json
    return [one for one in found if one["partner_refund_no"] == number]
