"""An open refund past its due time is an item in suspense until it ends."""

from uuid import UUID

from meterai.kit.money import Rupiah
from meterai.payments import RefundSender
from meterai.suspense import Item, open_items
from tests.support.shop import PRICE
from tests.support.till import Till


def refused(till: Till) -> tuple[UUID, str, str]:
    """Make a refused refund past its due time; return its order, the QR, its number at the bank."""
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()
    till.control("faults", refuse_refunds=1)
    till.send_refunds()
    till.shop.arrange("UPDATE refunds SET due_at = now()")
    till.shop.arrange("UPDATE orders SET returning_due_at = r.due_at FROM refunds r")
    [row] = till.rows("SELECT state, refund_no FROM refunds")
    assert row["state"] == "refused"
    return order, qr, row["refund_no"]


def look(till: Till) -> list[Item]:
    """Run the periodic task twice; return the open items."""
    for _ in range(2):
        till.do(till.shop.container.of(RefundSender).suspend_overdue())
    return till.do(_open(till))


async def _open(till: Till) -> list[Item]:
    async with till.shop.container.database.transaction() as tx:
        return await open_items(tx)


def test_overdue_refund_is_an_item_that_ends_with_it(till: Till) -> None:
    _, _, number = refused(till)
    [item] = look(till)
    assert (item.reason, item.reference, item.times_told) == ("refund_overdue", number, 1)
    assert (item.owner, item.booked.value) == ("operator", 0)
    assert item.amount == Rupiah(PRICE)
    assert item.due_at > item.opened_at
    till.assert_books_hold()
    till.send_refunds()
    assert look(till) == []
    assert [one["state"] for one in till.rows("SELECT state FROM refunds")] == ["settled"]


def test_item_of_an_overdue_refund_ends_when_the_refund_is_void(till: Till) -> None:
    order, qr, _ = refused(till)
    assert len(look(till)) == 1
    till.control("deny", qr_content=qr)
    till.ask()
    till.shop.work()
    assert look(till) == []
    assert till.shop.state(order) == "returned"
