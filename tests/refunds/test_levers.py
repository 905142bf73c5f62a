"""Money that staff move goes where its forecast says."""

from uuid import UUID

import pytest

from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound, Said
from meterai.kit.subjects import Subject, SubjectKind
from meterai.refunds import knows
from meterai.refunds.model import NothingToRefund
from tests.support.pulling import Member, member
from tests.support.shop import FEE, PRICE, Shop

SUM = PRICE + FEE


@pytest.fixture
def one(shop: Shop) -> Member:
    return member(shop, "finance")


def executed(shop: Shop, quantity: int) -> UUID:
    order = shop.place(quantity)
    shop.pay(order)
    shop.work()
    return order


def test_unused_stamps_go_back_to_their_owner_as_forecast(shop: Shop, one: Member) -> None:
    order = executed(shop, 3)
    assert shop.reserve(1)
    told = one.forecast("refunds ask", order=show("ord", order))
    assert (told.rows, told.rupiah) == (2, 2 * SUM)
    assert one.pull("refunds ask", order=show("ord", order)).is_done
    assert [row["amount"] for row in shop.rows("SELECT amount FROM refunds")] == [told.rupiah]
    [row] = shop.rows("SELECT account_id, actor FROM audit_events WHERE action = 'refund_asked'")
    assert (row["account_id"], row["actor"]) == (shop.account, f"staff:{one.desk.shown}")


def test_refund_that_staff_asked_for_is_told_as_theirs(shop: Shop, one: Member) -> None:
    theirs, own = executed(shop, 1), executed(shop, 1)
    assert one.pull("refunds ask", order=show("ord", theirs)).is_done
    shop.ask_back(own)

    async def causes(about: Subject) -> list[object]:
        async with shop.container.database.reading() as tx:
            told = await knows.tell(tx, about)
        return [line.facts["cause"] for line in told if line.word == "refund_begun"]

    staff, buyer = Said("refund.cause.asked_by_staff", {}), Said("refund.cause.asked", {})
    for order, cause in ((theirs, staff), (own, buyer)):
        about = Subject(SubjectKind.ORDER, show("ord", order), shop.account)
        assert shop.do(causes(about)) == [cause]
    about = Subject(SubjectKind.ACCOUNT, show("acc", shop.account), shop.account)
    assert shop.do(causes(about)) == [buyer, staff]


def test_order_that_has_nothing_to_give_back_is_refused(shop: Shop, one: Member) -> None:
    unpaid, given = shop.place(1), executed(shop, 1)
    shop.ask_back(given)
    for order in (unpaid, given):
        with pytest.raises(NothingToRefund):
            one.forecast("refunds ask", order=show("ord", order))
        with pytest.raises(NothingToRefund):
            one.pull("refunds ask", order=show("ord", order))
    with pytest.raises(NotFound):
        one.forecast("refunds ask", order=show("ord", new_id()))
    assert len(shop.rows("SELECT 1 FROM refunds")) == 1
