"""Answers from the facts: each rule on an order brought into its state by the product's own commands."""

from uuid import UUID

import pytest

from meterai.cases.answers import answer
from meterai.cases.model import Matter
from tests.cases.desk import Desk

M = Matter
MONEY = (M.PAID_NOT_EXECUTED, M.STATUS_SAYS_FAILED)


def asked_back(desk: Desk, *steps: str) -> UUID:
    order = desk.executed(3)
    desk.shop.ask_back(order)
    desk.shop.work()
    desk.give_back(*steps)
    return order


def test_executed_order_is_answered_with_the_place_of_each_stamp(desk: Desk) -> None:
    order = desk.executed(3)
    desk.shop.deliver(desk.shop.reserve(1) or order)
    desk.shop.work()
    found = answer(M.PAID_NOT_EXECUTED, desk.facts(order))
    assert found is not None
    assert found.code == "stamps_ready"
    assert {name: found.facts[name] for name in ("quantity", "unused", "affixed", "held")} == {
        "quantity": 3,
        "unused": 2,
        "affixed": 1,
        "held": 0,
    }
    assert desk.code(M.QUOTA_LOST, order) == "stamps_ready"
    assert desk.code(M.PAID_TWICE, order) == "paid_once"
    assert desk.code(M.REFUND_WHERE, order) == "not_asked_back"
    assert desk.code(M.SOMETHING_ELSE, order) is None


def test_money_in_flight_is_answered_until_its_due_time(desk: Desk) -> None:
    order = desk.paid_while_stopped()
    assert desk.shop.state(order) == "paid"
    for matter in (*MONEY, M.QUOTA_LOST, M.REFUND_WHERE):
        assert desk.code(matter, order) == "in_flight_stopped"
        assert desk.code(matter, order, days=30) is None
    desk.shop.set_issuing(is_open=True)
    assert desk.code(M.PAID_NOT_EXECUTED, order) == "in_flight"


def test_unpaid_order_is_answered_only_after_an_answer_of_the_bank(desk: Desk) -> None:
    order = desk.placed()
    assert desk.code(M.PAID_NOT_EXECUTED, order) is None
    desk.heard(order)
    found = answer(M.PAID_NOT_EXECUTED, desk.facts(order))
    assert found is not None
    assert found.code == "not_paid"
    assert found.facts["asked_at"] == desk.facts(order).heard_at
    desk.shop.give_up(order, "lapsed")
    assert desk.code(M.PAID_NOT_EXECUTED, order) == "lapsed_unpaid"
    other = desk.placed()
    desk.shop.give_up(other, "withdrawn")
    assert desk.code(M.PAID_NOT_EXECUTED, other) is None
    desk.heard(other)
    assert desk.code(M.PAID_NOT_EXECUTED, other) == "withdrawn_unpaid"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ((), "refund_on_its_way"),
        (("send",), "refund_on_its_way"),
        (("send", "refuse"), "refund_declined"),
        (("send", "settle"), "refund_settled"),
    ],
)
def test_refund_is_answered_by_its_state(desk: Desk, steps: tuple[str, ...], code: str) -> None:
    order = asked_back(desk, *steps)
    for matter in (*MONEY, M.REFUND_WHERE):
        found = answer(matter, desk.facts(order))
        assert found is not None
        assert found.code == code
        assert found.facts["amount"] == "Rp31.500"
        assert str(found.facts["number"])
    is_over = code == "refund_settled"
    assert (desk.code(M.REFUND_WHERE, order, days=60) is None) != is_over


def test_short_and_late_payments_are_answered_as_refunds(desk: Desk) -> None:
    short = desk.executed(1, -1000)
    assert desk.code(M.PAID_NOT_EXECUTED, short) == "refund_on_its_way"
    desk.give_back("send", "settle")
    assert desk.code(M.PAID_NOT_EXECUTED, short) == "refund_settled"
    late = desk.placed()
    desk.shop.give_up(late, "withdrawn")
    desk.shop.pay(late)
    desk.shop.work()
    assert desk.code(M.PAID_NOT_EXECUTED, late) == "refund_on_its_way"


def test_order_not_executed_in_time_is_answered_with_its_refund(desk: Desk) -> None:
    order = desk.paid_while_stopped()
    desk.shop.refund_overdue(order)
    desk.shop.work()
    assert desk.code(M.PAID_NOT_EXECUTED, order) == "refund_on_its_way"
    assert desk.facts(order).refunds[0].cause == "not_executed"


def test_documents_are_answered_by_the_one_in_the_worst_state(desk: Desk) -> None:
    order = desk.shop.place_documents([1, 1])
    desk.shop.make_qr(desk.shop.attempts(order)[-1])
    desk.shop.pay(order)
    desk.shop.work()
    assert desk.code(M.STAMP_MISSING, order) == "stamping_under_way"
    assert desk.code(M.FILE_MISSING, order) == "stamping_under_way"
    first, second = desk.shop.stampings[-2:]
    desk.shop.deliver(first)
    desk.shop.fail(second)
    desk.shop.work()
    assert desk.code(M.STAMP_MISSING, order) == "stamping_failed_refund_on_its_way"
    for matter in (M.FILE_MISSING, M.STATUS_SAYS_FAILED):
        found = answer(matter, desk.facts(order))
        assert found is not None
        assert found.code == "stamping_failed_refund_on_its_way"
        delivered = next(one for one in desk.facts(order).stampings if one.delivered_at)
        assert (found.facts["ready"], found.facts["ready_until_at"]) == (1, delivered.kept_until)
    assert desk.code(M.FILE_MISSING, order, days=60) is None
    assert desk.code(M.CANNOT_OPEN, order) == "download_again"
    assert desk.code(M.INVALID_AT_AGENCY, order) == "stamp_holds"
    desk.give_back("send", "settle")
    assert desk.code(M.STAMP_MISSING, order) == "stamping_failed_refund_settled"
    assert desk.code(M.STATUS_SAYS_FAILED, order) == "stamping_failed_refund_settled"


def test_stamped_documents_are_answered_as_ready(desk: Desk) -> None:
    order = desk.shop.place_documents([1, 1])
    desk.shop.make_qr(desk.shop.attempts(order)[-1])
    desk.shop.pay(order)
    desk.shop.work()
    for one in desk.shop.stampings[-2:]:
        desk.shop.deliver(one)
    desk.shop.work()
    assert desk.code(M.PAID_NOT_EXECUTED, order) == "documents_stamped"
    desk.shop.arrange("UPDATE documents SET forgotten_at = now()")
    assert desk.code(M.PAID_NOT_EXECUTED, order) == "document_forgotten"
    assert desk.code(M.CANNOT_OPEN, order) == "document_forgotten"
