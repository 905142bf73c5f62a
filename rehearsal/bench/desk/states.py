"""States of money behind complaints: each made by the product's own commands and a stand-in bank."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from meterai.accounts import AccountService
from meterai.kit.ids import new_id, show
from meterai.payments import PaymentService, RefundSender
from tests.support.shop import PRICE, TESTER
from tests.support.till import Till


@dataclass(frozen=True, slots=True)
class Behind:
    """Account of the complaining person, and the state behind the complaint."""

    account: UUID
    order: UUID | None = None
    stamping: UUID | None = None

    def named(self, kind: str) -> str:
        """Return the id that the person names: of an order (`order`), of a stamping, or none (empty)."""
        named = {"order": ("ord", self.order), "stamping": ("stg", self.stamping)}.get(kind)
        return show(named[0], named[1]) if named and named[1] else ""


State = Callable[[Till], Behind]


def somebody(till: Till) -> UUID:
    """Make a new, empty account, which the till uses from now on. Return its id."""
    till.shop.account = till.do(
        till.shop.container.of(AccountService).create(f"{new_id().hex}@example.id", actor=TESTER)
    )
    return till.shop.account


def _placed(till: Till, quantity: int = 1) -> tuple[UUID, str]:
    somebody(till)
    order, _, qr = till.order(quantity)
    return order, qr


def _ask(till: Till) -> None:
    """Query the bank about this account, and process its answers."""
    till.shop.arrange(
        "UPDATE payment_attempts SET ask_at = CASE WHEN account_id = %s THEN now()"
        " ELSE now() + interval '5 minutes' END WHERE state <> 'opening' AND ask_at < 'infinity'",
        till.shop.account,
    )
    till.do(till.shop.container.of(PaymentService).poll_waiting())
    till.shop.work()


def _pay(till: Till, qr: str, amount: int | None = None) -> None:
    more = {} if amount is None else {"amount": amount}
    till.control("pay", qr_content=qr, **more)
    _ask(till)


def _send_refunds(till: Till) -> None:
    """Send the refunds of this account, and no others, to the bank."""
    till.shop.arrange(
        "UPDATE refunds SET leased_until = NULL, try_at = CASE WHEN account_id = %s THEN now()"
        " ELSE now() + interval '5 minutes' END",
        till.shop.account,
    )
    till.do(till.shop.container.of(RefundSender).send_due())
    till.shop.work()


def _behind(till: Till, order: UUID | None = None, stamping: UUID | None = None) -> Behind:
    return Behind(till.shop.account, order, stamping)


def executed(till: Till, quantity: int = 3) -> Behind:
    order, qr = _placed(till, quantity)
    _pay(till, qr)
    return _behind(till, order)


def stopped(till: Till) -> Behind:
    order, qr = _placed(till)
    till.shop.set_issuing(is_open=False)
    _pay(till, qr)
    return _behind(till, order)


def in_flight(till: Till) -> Behind:
    order, _ = _placed(till)
    till.shop.pay(order)  # notified, but not processed by a worker yet
    return _behind(till, order)


def twice(till: Till) -> Behind:
    order, qr = _placed(till)
    _pay(till, qr)
    till.shop.pay(order)
    till.shop.work()
    return _behind(till, order)


def twice_back(till: Till) -> Behind:
    found = twice(till)
    for refund in _refunds(till):
        till.shop.send(refund)
        till.shop.settle(refund)
    till.shop.work()
    return found


def _refunds(till: Till) -> list[UUID]:
    rows = till.rows("SELECT refund_id FROM refunds WHERE account_id = %s", till.shop.account)
    return [row["refund_id"] for row in rows]


def late(till: Till) -> Behind:
    order, qr = _placed(till)
    till.shop.give_up(order, "withdrawn")
    _pay(till, qr)
    return _behind(till, order)


def late_executed(till: Till) -> Behind:
    order, qr = _placed(till)
    till.shop.give_up(order, "lapsed")
    _pay(till, qr)
    return _behind(till, order)


def refund_sent(till: Till) -> Behind:
    found = stopped(till)
    till.shop.set_issuing(is_open=True)
    till.shop.arrange("UPDATE orders SET due_at = now() WHERE order_id = %s", found.order)
    assert found.order is not None
    till.shop.refund_overdue(found.order)
    till.shop.work()
    return found


def refund_settled(till: Till) -> Behind:
    found = refund_sent(till)
    _send_refunds(till)
    return found


def refund_declined(till: Till) -> Behind:
    found = refund_sent(till)
    till.control("faults", refuse_refunds=1)
    _send_refunds(till)
    till.control("faults", refuse_refunds=0)
    return found


def _reserved(till: Till) -> UUID:
    executed(till)
    stamping = till.shop.reserve(1)
    assert stamping is not None
    return stamping


def stamping_failed(till: Till) -> Behind:
    stamping = _reserved(till)
    till.shop.fail(stamping)
    till.shop.work()
    return _behind(till, None, stamping)


def under_way(till: Till) -> Behind:
    return _behind(till, None, _reserved(till))


def stamped(till: Till) -> Behind:
    stamping = _reserved(till)
    till.shop.deliver(stamping)
    till.shop.work()
    return _behind(till, None, stamping)


def _documents(till: Till) -> tuple[UUID, list[UUID]]:
    somebody(till)
    order = till.shop.place_documents([1, 1])
    till.shop.pay(order)
    till.shop.work()
    return order, till.shop.stampings[-2:]


def order_failed(till: Till) -> Behind:
    order, (one, other) = _documents(till)
    till.shop.deliver(one)
    till.shop.fail(other)
    till.shop.work()
    return _behind(till, order)


def documents(till: Till) -> Behind:
    order, both = _documents(till)
    for one in both:
        till.shop.deliver(one)
    till.shop.work()
    return _behind(till, order)


def asked_back(till: Till) -> Behind:
    found = executed(till)
    assert found.order is not None
    till.shop.ask_back(found.order)
    till.shop.work()
    return found


def asked_settled(till: Till) -> Behind:
    found = asked_back(till)
    _send_refunds(till)
    return found


def not_paid(till: Till) -> Behind:
    order, _ = _placed(till)
    _ask(till)
    return _behind(till, order)


def _given_up(till: Till, state: str) -> Behind:
    found = not_paid(till)
    assert found.order is not None
    till.shop.give_up(found.order, state)
    till.shop.work()
    return found


def lapsed(till: Till) -> Behind:
    return _given_up(till, "lapsed")


def withdrawn(till: Till) -> Behind:
    return _given_up(till, "withdrawn")


def charged_back(till: Till) -> Behind:
    order, qr = _placed(till)
    till.shop.set_issuing(is_open=False)
    _pay(till, qr)
    till.control("deny", qr_content=qr)
    _ask(till)
    till.shop.set_issuing(is_open=True)
    return _behind(till, order)


def short(till: Till) -> Behind:
    order, _ = _placed(till)
    till.shop.pay(order, -500)
    till.shop.work()
    return _behind(till, order)


def excess(till: Till) -> Behind:
    order, _ = _placed(till)
    till.shop.pay(order, PRICE // 2)
    till.shop.work()
    return _behind(till, order)


def two_orders(till: Till) -> Behind:
    found = executed(till)
    order, _, qr = till.order(1)
    till.shop.set_issuing(is_open=False)
    _pay(till, qr)
    return Behind(found.account, order)


def nothing(till: Till) -> Behind:
    return Behind(somebody(till))


def stranger(till: Till) -> Behind:
    order = executed(till).order
    return Behind(somebody(till), order)


def overdue(till: Till) -> Behind:
    found = refund_sent(till)
    till.shop.arrange(
        "UPDATE refunds SET due_at = now() - interval '1 hour' WHERE order_id = %s", found.order
    )
    till.shop.arrange(
        "UPDATE orders SET returning_due_at = now() - interval '1 hour' WHERE order_id = %s",
        found.order,
    )
    return found


STATES: dict[str, State] = {
    "executed": executed,
    "stopped": stopped,
    "in_flight": in_flight,
    "twice": twice,
    "twice_back": twice_back,
    "late": late,
    "late_executed": late_executed,
    "refund_sent": refund_sent,
    "refund_settled": refund_settled,
    "refund_declined": refund_declined,
    "stamping_failed": stamping_failed,
    "order_failed": order_failed,
    "under_way": under_way,
    "stamped": stamped,
    "documents": documents,
    "asked_back": asked_back,
    "asked_settled": asked_settled,
    "not_paid": not_paid,
    "lapsed": lapsed,
    "withdrawn": withdrawn,
    "charged_back": charged_back,
    "short": short,
    "excess": excess,
    "two_orders": two_orders,
    "no_number": stopped,
    "nothing": nothing,
    "stranger": stranger,
    "cannot_sign_in": nothing,
    "agency_without": executed,
    "overdue": overdue,
}
