"""Ways back of a refund: its choice, its change, and the account that the buyer names."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from meterai import payments
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.payments import NotRerouted, Refund, RefundPayee, Stage, Way, stage_of
from meterai.payments.refunds.model import OPEN, RefundCause, RefundState, choose_way
from tests.support.shop import Shop

ANI = RefundPayee("014", "1230001", "ANI LESTARI")


@pytest.mark.parametrize(
    ("gives_back", "is_in_time", "has_payouts", "way"),
    [
        (True, True, True, Way.PROVIDER),
        (True, True, False, Way.PROVIDER),
        (False, True, True, Way.CLAIM),
        (True, False, True, Way.CLAIM),
        (False, False, False, Way.PROVIDER),
    ],
)
def test_way_follows_from_rail_time_and_payouts(
    gives_back: bool, is_in_time: bool, has_payouts: bool, way: Way
) -> None:
    found = choose_way(
        gives_back=gives_back,
        is_in_time=is_in_time,
        has_payouts=has_payouts,
    )
    assert found is way


def _refund(**more: Any) -> Refund:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [new_id() for _ in range(4)]
    cause, state = RefundCause.ASKED, RefundState.REQUESTED
    whole: tuple[Any, ...] = (
        *ids,
        "P",
        cause,
        Rupiah(1),
        0,
        state,
        "RF",
        None,
        at,
        at,
        None,
        0,
        None,
        Rupiah(0),
    )
    return replace(Refund(*whole), **more)


@pytest.mark.parametrize(
    ("of", "stage"),
    [
        ({}, Stage.DECIDED),
        ({"last_answer": "not begun"}, Stage.NOT_SENT),
        ({"last_answer": "of the way before", "way": Way.TRANSFER}, Stage.DECIDED),
        ({"way": Way.CLAIM}, Stage.WAITING_FOR_ACCOUNT),
        ({"state": RefundState.ACCEPTED}, Stage.ACCEPTED),
        ({"state": RefundState.SETTLED}, Stage.SETTLED),
        (
            {"state": RefundState.SETTLED, "recorded_at": datetime(2026, 1, 2, tzinfo=UTC)},
            Stage.RECORDED,
        ),
        ({"state": RefundState.REROUTED, "way": Way.PROVIDER}, Stage.REROUTED),
    ],
)
def test_stage_follows_the_state_of_a_refund(of: dict[str, Any], stage: Stage) -> None:
    assert stage_of(_refund(**of)) is stage


def test_open_states_are_those_of_sql(shop: Shop) -> None:
    found = shop.rows(
        "SELECT s AS state FROM unnest(%s::text[]) s WHERE refund_is_open(s)", list(RefundState)
    )
    assert {row["state"] for row in found} == OPEN


def _refund_of_an_order(shop: Shop) -> tuple[UUID, UUID]:
    order = shop.place(2)
    shop.pay(order)
    shop.work()
    shop.ask_back(order)
    shop.work()
    return order, shop.refunds()[-1]


def _do(shop: Shop, command: Any, *arguments: Any) -> Any:
    async def run() -> Any:
        async with shop.container.database.transaction() as tx:
            return await command(tx, shop.account, *arguments)

    return shop.do(run())


def test_unsent_refund_changes_its_way_in_place(shop: Shop) -> None:
    _, refund = _refund_of_an_order(shop)
    found = _do(shop, payments.reroute, refund)
    assert (found.id, found.way, stage_of(found)) == (refund, Way.CLAIM, Stage.WAITING_FOR_ACCOUNT)
    owed = _do(shop, payments.owed_by_claim)
    assert [one.id for one in owed.refunds] == [refund]
    assert owed.sum == found.amount
    moved = _do(shop, payments.name_payee, ANI)
    assert [(one.id, one.way, one.wanted_at) for one in moved] == [(refund, Way.TRANSFER, None)]
    payee = _do(shop, payments.current_payee)
    assert (payee.bank_code, payee.account_no, payee.holder) == ("014", "1230001", "ANI LESTARI")
    assert _do(shop, payments.owed_by_claim).sum == Rupiah(0)
    shop.assert_books_hold()


def test_sent_refund_is_replaced_by_another(shop: Shop) -> None:
    order, refund = _refund_of_an_order(shop)
    shop.send(refund)
    shop.refuse(refund)
    before = shop.in_flight()
    other = _do(shop, payments.reroute, refund)
    assert other.id != refund
    assert (other.way, other.first, other.number) == (
        Way.CLAIM,
        refund,
        payments.refund_number(shop.account, other.id),
    )
    states = shop.rows("SELECT state, due_at FROM refunds ORDER BY refund_id")
    assert [row["state"] for row in states] == ["rerouted", "requested"]
    assert states[0]["due_at"] == states[1]["due_at"]
    assert shop.in_flight() == before
    shop.work()
    assert shop.state(order) == "returning"
    with pytest.raises(NotRerouted):
        _do(shop, payments.reroute, refund)
    shop.assert_books_hold()


def test_rerouted_refund_that_was_made_stops_the_other(shop: Shop) -> None:
    order, refund = _refund_of_an_order(shop)
    shop.send(refund)
    shop.refuse(refund)
    _do(shop, payments.reroute, refund)
    assert shop.settle_whatever(refund) == "settled"
    shop.work()
    assert [row["state"] for row in shop.rows("SELECT state FROM refunds ORDER BY refund_id")] == [
        "settled",
        "void",
    ]
    assert shop.rows("SELECT lost FROM chargebacks") == [{"lost": 0}]
    assert shop.state(order) == "returned"
    shop.assert_books_hold()


def test_day_of_lateness_is_paid_for_once(shop: Shop) -> None:
    _, refund = _refund_of_an_order(shop)
    assert _do(shop, payments.compensate, refund, 1, Rupiah(1_000))
    assert not _do(shop, payments.compensate, refund, 1, Rupiah(1_000))
    assert _do(shop, payments.owed_by_claim).compensation == Rupiah(1_000)
    shop.assert_books_hold()


def test_retry_is_for_open_refunds_alone(shop: Shop) -> None:
    _, refund = _refund_of_an_order(shop)
    _do(shop, payments.retry, refund)
    shop.send(refund)
    shop.settle(refund)
    with pytest.raises(NotRerouted):
        _do(shop, payments.retry, refund)
