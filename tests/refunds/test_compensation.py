"""Compensation: each whole day past the due time of a refund, once, without days of waiting for an account."""

from typing import Any
from uuid import UUID

from meterai import payments
from meterai.payments import PaymentService, RefundPayee
from meterai.refunds import ClaimService, refunds_of_order
from meterai.refunds.links import ClaimLinks
from tests.support.shop import Shop

TERMS: dict[str, Any] = {"compensation_per_day": 1_000, "compensation_max": 2_500}
# Only the clock of these refunds was moved.
MOVED = frozenset(
    {
        "refund_times_are_possible",
        "no_refund_past_its_due_time_unnoticed",
        "order_stands_where_its_refunds_do",
    }
)


def refund(shop: Shop) -> tuple[UUID, UUID]:
    """A refund that is open, and its order."""
    order = shop.place(2)
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    shop.work()
    shop.not_asked = MOVED
    return shop.refunds()[-1], order


def look(shop: Shop, **terms: int) -> list[tuple[int, int]]:
    """Run the periodic task twice; return the compensated days."""
    settings = shop.container.settings.replaced(**(TERMS | terms))
    service = ClaimService(
        shop.container.database,
        shop.container.of(PaymentService),
        ClaimLinks(b"k" * 32),
        settings,
        shop.container.clock,
    )
    for _ in range(2):
        shop.do(service.compensate_late())
    found = shop.rows("SELECT day, amount FROM compensations ORDER BY day")
    return [(row["day"], row["amount"]) for row in found]


def late(shop: Shop, days: float, more: str = "") -> None:
    shop.arrange(f"UPDATE refunds SET due_at = now() - interval '{days} days' {more}")


def test_whole_days_are_compensated_once(shop: Shop) -> None:
    _, order = refund(shop)
    assert look(shop) == []
    late(shop, 0.9)
    assert look(shop) == []
    late(shop, 1.1)
    assert look(shop, compensation_per_day=0) == []
    assert look(shop) == [(1, 1_000)]
    late(shop, 30)
    assert look(shop) == [(1, 1_000), (2, 1_000), (3, 500)]

    async def shown() -> int:
        async with shop.container.database.reading() as tx:
            [one] = await refunds_of_order(tx, shop.account, order)
            return one.compensation

    assert shop.do(shown()) == 2_500
    shop.assert_books_hold()


def test_days_of_waiting_for_an_account_are_not_compensated(shop: Shop) -> None:
    one, _ = refund(shop)

    async def reroute_and(name: bool) -> None:
        async with shop.container.database.transaction() as tx:
            if name:
                await payments.name_payee(tx, shop.account, RefundPayee("014", "1230001", "ANI"))
            else:
                await payments.reroute(tx, shop.account, one)

    shop.do(reroute_and(name=False))
    late(shop, 5.5, ", wanted_at = now() - interval '4.2 days'")
    assert look(shop) == [(1, 1_000)], "a day and some hours before it was asked for"
    shop.do(reroute_and(name=True))
    assert look(shop) == [(1, 1_000)]
    late(shop, 6.5)
    assert look(shop) == [(1, 1_000), (2, 1_000)]


def test_late_settled_refund_is_compensated_for_its_days(shop: Shop) -> None:
    one, _ = refund(shop)
    shop.send(one)
    shop.settle(one)
    late(shop, 2.5)
    shop.arrange("UPDATE refunds SET settled_at = now() - interval '1 day'")
    assert look(shop) == [(1, 1_000)]
    told = shop.rows("SELECT facts FROM mails WHERE template = 'account_wanted'")
    assert [row["facts"]["amount"] for row in told] == ["Rp1.000"], "it is owed, and goes nowhere"
