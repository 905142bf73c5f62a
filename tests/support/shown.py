"""Orders, stampings and refunds as pages receive them, in any state, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from meterai.kit.ids import new_id, show
from meterai.orders import OrderKind, OrderState, OrderView
from meterai.orders.service import MoneyView, PaymentView
from meterai.payments import Stage, Way
from meterai.refunds import RefundAccount, RefundCause, RefundState, RefundView
from meterai.sealing import LAST_PAGE, Placement
from meterai.stamping import Stamping, StampingState

NOW = datetime(2026, 11, 24, 8, 4, tzinfo=UTC)
SERIAL = "1QQJXXBQNX00N0WZXZP2FV"
HOSTILE = "<script>alert('surat')</script>.pdf"
TOTAL = 21_000


def money(**sums: int) -> MoneyView:
    """The money of an order by its place, in rupiah. Places that are not named are 0."""
    names = ("captured", "charged_back", "executed", "refunded", "in_flight", "loss")
    found = MoneyView(**(dict.fromkeys(names, 0) | sums))
    assert (
        found.captured - found.charged_back + found.loss
        == found.executed + found.refunded + found.in_flight
    )
    return found


def order(
    state: OrderState, kind: OrderKind, qr: str | None = None, sums: MoneyView | None = None
) -> OrderView:
    """An order of two stamps. If it is paid and no sums are given, its money is in flight."""
    is_paid = state not in (OrderState.PLACED, OrderState.LAPSED, OrderState.WITHDRAWN)
    captured = TOTAL if is_paid else 0
    return OrderView(
        reference=None,
        metadata={},
        id=show("ord", new_id()),
        state=state,
        kind=kind,
        quantity=2,
        unit_price=10_000,
        service_fee=500,
        total=TOTAL,
        currency="IDR",
        placed_at=NOW,
        paid_at=NOW if is_paid else None,
        refund_due_at=NOW + timedelta(days=1),
        payment=PaymentView(
            method="qris", state="waiting", amount=TOTAL, qr_content=qr, expires_at=NOW
        ),
        money=sums or money(captured=captured, in_flight=captured),
    )


def stamping(
    state: StampingState, *, order: UUID | None = None, at: datetime = NOW, name: str = HOSTILE
) -> Stamping:
    """A document and its stamp."""
    is_delivered = state == StampingState.DELIVERED
    return Stamping(
        UUID(int=1),
        new_id(),
        order,
        state,
        bytes(32),
        bytes(32) if is_delivered else None,
        (Placement(LAST_PAGE, 1.0, 1.0),),
        at,
        NOW + timedelta(days=1),
        NOW if is_delivered else None,
        "document_broken" if state == StampingState.FAILED else None,
        name,
        NOW + timedelta(days=7),
        False,
        (SERIAL,) if is_delivered else (),
    )


def refund(
    state: RefundState,
    cause: RefundCause,
    *,
    way: Way = Way.PROVIDER,
    stage: Stage | None = None,
    compensation: int = 0,
    account: RefundAccount | None = None,
) -> RefundView:
    """A refund of half of the money, under way or settled."""
    is_settled = state == RefundState.SETTLED
    return RefundView(
        id=show("rfd", new_id()),
        order_id=show("ord", new_id()),
        state=state,
        cause=cause,
        amount=10_500,
        stamps=1,
        currency="IDR",
        requested_at=NOW,
        due_at=NOW,
        settled_at=NOW if is_settled else None,
        refund_number="RF1",
        provider_refund_number="R1" if is_settled else None,
        way=way,
        stage=stage or (Stage.DECIDED if state == RefundState.REQUESTED else Stage(state)),
        compensation=compensation,
        account=account,
    )
