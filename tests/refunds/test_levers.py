"""Levers of refunds do what their forecasts say."""

from uuid import UUID

import pytest

from meterai import payments
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.payments import NotRerouted, RefundPayee
from meterai.refunds.model import AccountClaimOver, NothingWaits
from tests.support.pulling import Member, member
from tests.support.shop import FEE, PRICE, Shop

ANI = RefundPayee("014", "1230001", "ANI LESTARI")

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


def refund(shop: Shop) -> UUID:
    shop.ask_back(executed(shop, 2))
    return shop.refunds()[-1]


def test_refund_is_tried_again_under_the_same_number(shop: Shop, one: Member) -> None:
    which = refund(shop)
    shop.send(which)
    shop.refuse(which)
    shop.arrange("UPDATE refunds SET try_at = now() + interval '5 minutes'")
    told = one.forecast("refunds retry", refund=show("rfd", which))
    assert (told.rows, told.rupiah) == (1, 0)
    assert one.pull("refunds retry", refund=show("rfd", which)).is_done
    [row] = shop.rows("SELECT try_at <= now() AS is_due, refund_id FROM refunds")
    assert row == {"is_due": True, "refund_id": which}
    assert acts(shop) == ["refund_tried_again"]


def test_refund_takes_another_way_as_forecast(shop: Shop, one: Member) -> None:
    which = refund(shop)
    told = one.forecast("refunds reroute", refund=show("rfd", which))
    assert (told.rupiah, told.effects[0].word) == (2 * SUM, "refund_goes_by_claim")
    assert one.pull("refunds reroute", refund=show("rfd", which)).is_done
    assert shop.rows("SELECT way FROM refunds") == [{"way": "claim"}]
    shop.work()
    assert len(shop.rows("SELECT 1 FROM mails WHERE template = 'account_wanted'")) == 1
    assert acts(shop) == ["refund_taken_elsewhere"]
    for lever in ("refunds retry", "refunds reroute"):
        with pytest.raises(NotRerouted):
            one.forecast(lever, refund=show("rfd", which))
    shop.assert_books_hold()


def test_buyer_of_a_rerouted_refund_is_asked_again_for_an_account_as_forecast(
    shop: Shop, one: Member
) -> None:
    """An account that was named for other money is not used."""
    before = refund(shop)
    assert one.pull("refunds reroute", refund=show("rfd", before)).is_done

    async def name_account() -> None:
        async with shop.container.database.transaction() as tx:
            await payments.name_payee(tx, shop.account, ANI)

    shop.do(name_account())
    which = refund(shop)
    told = one.forecast("refunds reroute", refund=show("rfd", which))
    assert told.effects[0].word == "refund_goes_by_claim"
    assert one.pull("refunds reroute", refund=show("rfd", which)).is_done
    ways = shop.rows("SELECT way FROM refunds ORDER BY refund_id")
    assert [row["way"] for row in ways] == ["transfer", "claim"]
    shop.assert_books_hold()


def test_closed_refund_is_neither_retried_nor_rerouted(shop: Shop, one: Member) -> None:
    which = refund(shop)
    shop.send(which)
    shop.settle(which)
    for lever in ("refunds retry", "refunds reroute"):
        with pytest.raises(NotRerouted):
            one.forecast(lever, refund=show("rfd", which))
        with pytest.raises(NotFound):
            one.forecast(lever, refund=show("rfd", new_id()))


def acts(shop: Shop) -> list[str]:
    found = shop.rows("SELECT action FROM audit_events WHERE action LIKE 'refund_t%%'")
    return [row["action"] for row in found]


def typed(shop: Shop, state: str) -> str:
    """An account that was typed, for money that waits."""
    claim = new_id()
    shop.call(
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed,"
        " confirmed, held_for, decided_at)"
        " VALUES (%s, %s, 'key', 'request', %s, '014', '1234567890', 'Budi', 'BUDI SANTOSO', 'large_sum', now())",
        shop.account,
        claim,
        state,
    )
    return show("clm", claim)


@pytest.mark.parametrize("state", ["held", "other"])
def test_accepted_account_gets_the_waiting_money(shop: Shop, one: Member, state: str) -> None:
    which = refund(shop)
    claim = typed(shop, state)
    with pytest.raises(NothingWaits):
        one.forecast("refunds accept-account", claim=claim)
    assert one.pull("refunds reroute", refund=show("rfd", which)).is_done
    shop.work()
    told = one.forecast("refunds accept-account", claim=claim)
    assert (told.rows, told.rupiah) == (1, 2 * SUM)
    assert one.pull("refunds accept-account", claim=claim).is_done
    assert shop.rows("SELECT way FROM refunds") == [{"way": "transfer"}]
    with pytest.raises(AccountClaimOver):
        one.forecast("refunds decline-account", claim=claim)
    shop.assert_books_hold()
