"""Requests that need two people: made by one, executed once by another, or ended without."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai.accounts import NotPermitted, StaffRole
from meterai.accounts.staff import end_staff_role
from meterai.approvals import ApprovalState, Pulled, forecast_of
from meterai.approvals.model import (
    ApprovalExpired,
    ArgumentsUnreadable,
    OwnRequest,
    RequesterLeft,
    RequestOfAnother,
)
from meterai.approvals.service import as_asked
from meterai.commands import digest_of
from meterai.kit.ids import show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.reasons import ReasonMissing
from meterai.plumbing.db.checks import AuditedPart
from tests.support.audits import audit
from tests.support.pulling import Member, member
from tests.support.shop import FEE, PRICE, TESTER, Shop

MANY = 100  # stamps of an order over the threshold of approval
FEW = 3


@pytest.fixture
def asker(shop: Shop) -> Member:
    return member(shop, "finance")


@pytest.fixture
def approver(shop: Shop) -> Member:
    return member(shop, "supervisor")


def executed(shop: Shop, quantity: int = MANY) -> str:
    order = shop.place(quantity)
    shop.pay(order)
    shop.work()
    assert shop.state(order) == "executed"
    return show("ord", order)


def asked(asker: Member) -> Pulled:
    pulled = asker.pull("refunds ask", order=executed(asker.shop))
    assert pulled.request is not None
    return pulled


def row(shop: Shop, pulled: Pulled) -> dict[str, Any]:
    [found] = shop.rows("SELECT * FROM approvals WHERE approval_id = %s", pulled.request)
    return found


def refunds(shop: Shop) -> list[int]:
    return [one["amount"] for one in shop.rows("SELECT amount FROM refunds")]


def trail(shop: Shop) -> list[tuple[str, str]]:
    found = shop.rows(
        "SELECT action, actor FROM audit_events WHERE starts_with(action, 'approval_')"
        " OR action = 'lever_pulled' ORDER BY event_id"
    )
    return sorted((one["action"], one["actor"]) for one in found)


def assert_audit_holds(shop: Shop) -> None:
    found = shop.do(audit(shop.container.database))
    assert [one.invariant.name for one in found.findings if not one.holds] == []


def broken_as_asked(shop: Shop) -> int:
    part = AuditedPart(
        shop.container.database, shop.container.settings, None, datetime.min.replace(tzinfo=UTC)
    )
    return shop.do(as_asked(part)).broken


def test_request_is_executed_by_another_person_in_one_transaction(
    shop: Shop, asker: Member, approver: Member
) -> None:
    pulled = asked(asker)
    assert refunds(shop) == []
    decided = approver.decide(pulled)
    assert decided.state == ApprovalState.EXECUTED
    assert refunds(shop) == [MANY * (PRICE + FEE)]
    by, who = f"staff:{approver.desk.shown}", f"staff:{asker.desk.shown}"
    assert trail(shop) == [
        ("approval_executed", by),
        ("approval_requested", who),
        ("lever_pulled", by),
    ]
    [told] = shop.rows("SELECT facts FROM audit_events WHERE action = 'lever_pulled'")
    assert told["facts"]["asked_by"] == asker.desk.shown
    assert told["facts"]["sha256"] == decided.forecast_sha256.hex()
    assert_audit_holds(shop)


@pytest.mark.parametrize(
    "settings",
    [
        {"approval_rupiah_from": FEW * (PRICE + FEE)},
        {"approval_rows_from": FEW},
        {"approval_always": "issuing stop,  refunds   ask"},
    ],
    ids=["rupiah", "rows", "always"],
)
def test_each_setting_requires_a_second_person(shop: Shop, settings: dict[str, Any]) -> None:
    one = member(shop, "finance", settings=settings)
    assert not one.pull("refunds ask", order=executed(shop, FEW)).is_done
    assert refunds(shop) == []


def test_own_request_is_neither_approved_nor_declined(shop: Shop) -> None:
    one = member(shop, "supervisor")
    pulled = asked(one)
    for approve in (True, False):
        with pytest.raises(OwnRequest):
            one.decide(pulled, approve=approve)
    assert row(shop, pulled)["state"] == "waiting"
    assert refunds(shop) == []


@pytest.mark.parametrize("state", ["executed", "declined", "overtaken"])
def test_constraint_refuses_a_decision_by_the_requester(
    shop: Shop, asker: Member, state: str
) -> None:
    pulled = asked(asker)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        shop.arrange(
            f"UPDATE approvals SET state = '{state}', decided_by = requested_by, decided_at = now()"
        )
    assert refused.value.diag.constraint_name == "approver_is_another"
    assert row(shop, pulled)["state"] == "waiting"


def test_request_expires_and_nothing_is_done(shop: Shop, approver: Member) -> None:
    brief = member(shop, "finance", settings={"approval_lives_seconds": 0.05})
    pulled = asked(brief)
    time.sleep(0.1)
    with pytest.raises(ApprovalExpired):
        approver.decide(pulled)
    assert shop.do(brief.service.expire()) == 1
    assert row(shop, pulled)["state"] == "expired"
    with pytest.raises(NotAllowedNow):
        approver.decide(pulled)
    assert shop.do(brief.service.expire()) == 0
    assert refunds(shop) == []
    assert ("approval_expired", "job:expire_approvals") in trail(shop)
    assert_audit_holds(shop)


def test_request_with_changed_forecast_is_overtaken(
    shop: Shop, asker: Member, approver: Member
) -> None:
    pulled = asked(asker)
    shop.reserve(1)  # one of its stamps is being affixed to a document
    decided = approver.decide(pulled)
    assert decided.state == ApprovalState.OVERTAKEN
    assert decided.found is not None
    assert forecast_of(decided.found).rows == MANY - 1
    assert refunds(shop) == []
    with pytest.raises(NotAllowedNow):
        approver.decide(pulled)
    assert_audit_holds(shop)


def test_request_is_executed_once(shop: Shop, asker: Member, approver: Member) -> None:
    pulled = asked(asker)
    approver.decide(pulled)
    with pytest.raises(NotAllowedNow):
        approver.decide(pulled)
    assert len(refunds(shop)) == 1


def test_second_of_two_concurrent_approvers_is_refused(
    shop: Shop, asker: Member, approver: Member
) -> None:
    other, pulled = member(shop, "finance"), asked(asker)
    assert pulled.request is not None

    async def both(request: UUID) -> list[Any]:
        return await asyncio.gather(
            *(
                one.service.decide(request, one.caller, approve=True, note="seen")
                for one in (approver, other)
            ),
            return_exceptions=True,
        )

    found = shop.do(both(pulled.request))
    assert sorted(type(one).__name__ for one in found) == ["Approval", "NotAllowedNow"]
    assert len(refunds(shop)) == 1
    assert_audit_holds(shop)


def test_declined_request_keeps_its_reason_and_does_nothing(
    shop: Shop, asker: Member, approver: Member
) -> None:
    pulled = asked(asker)
    with pytest.raises(ReasonMissing):
        approver.decide(pulled, " ", approve=False)
    decided = approver.decide(pulled, "the owner changed their mind", approve=False)
    assert (decided.state, decided.note) == (
        ApprovalState.DECLINED,
        "the owner changed their mind",
    )
    with pytest.raises(NotAllowedNow):
        approver.decide(pulled)
    assert refunds(shop) == []
    assert_audit_holds(shop)


def test_request_is_withdrawn_by_its_requester_alone(
    shop: Shop, asker: Member, approver: Member
) -> None:
    pulled = asked(asker)
    with pytest.raises(RequestOfAnother):
        approver.withdraw(pulled)
    assert asker.withdraw(pulled).state == ApprovalState.WITHDRAWN
    with pytest.raises(NotAllowedNow):
        approver.decide(pulled)
    assert_audit_holds(shop)


@pytest.mark.parametrize("role", ["support", "operations", "regulator"])
def test_person_without_permission_neither_pulls_nor_decides(
    shop: Shop, asker: Member, role: str
) -> None:
    pulled, one = asked(asker), member(shop, role)
    for approve in (True, False):
        with pytest.raises(NotPermitted):
            one.decide(pulled, approve=approve)
    with pytest.raises(NotPermitted):
        one.pull("refunds ask", order=executed(shop, FEW))
    with pytest.raises(NotPermitted):
        one.forecast("refunds ask", order=executed(shop, FEW))
    assert not one.service.may_decide(one.caller, shop.do(one.service.one(row_id(pulled))))


def row_id(pulled: Pulled) -> UUID:
    assert pulled.request is not None
    return pulled.request


def test_request_of_a_former_member_of_staff_is_not_approved(
    shop: Shop, asker: Member, approver: Member
) -> None:
    pulled = asked(asker)

    async def leave() -> None:
        async with shop.container.database.transaction() as tx:
            await end_staff_role(tx, asker.desk.account, StaffRole.FINANCE, actor=TESTER)

    shop.do(leave())
    with pytest.raises(RequesterLeft):
        approver.decide(pulled)
    assert approver.decide(pulled, "they left", approve=False).state == ApprovalState.DECLINED
    assert_audit_holds(shop)


@pytest.mark.parametrize("kept", ['{"order": 5}', "{}", '{"order": "ord_1", "more": true}'])
def test_arguments_of_another_release_are_refused(
    shop: Shop, asker: Member, approver: Member, kept: str
) -> None:
    pulled = asked(asker)
    [one] = shop.rows("SELECT forecast FROM approvals")
    digest = digest_of("refunds ask", json.loads(kept), one["forecast"])
    shop.arrange(
        "UPDATE approvals SET arguments = %s::jsonb, forecast_sha256 = %s, kept_sha256 = NULL",
        kept,
        digest,
    )
    with pytest.raises(ArgumentsUnreadable):
        approver.decide(pulled)
    assert approver.decide(pulled, "unreadable", approve=False).state == ApprovalState.DECLINED


@pytest.mark.parametrize("column", ["rows", "effects"])
def test_request_with_changed_stored_forecast_is_overtaken_and_audited(
    shop: Shop, asker: Member, approver: Member, column: str
) -> None:
    pulled = asked(asker)
    assert broken_as_asked(shop) == 0
    value = {"rows": "1", "effects": "[]"}[column]
    shop.arrange(
        "UPDATE approvals SET kept_sha256 = NULL, forecast = forecast || jsonb_build_object(%s::text, %s::jsonb)",
        column,
        value,
    )
    assert broken_as_asked(shop) == 1
    assert approver.decide(pulled).state == ApprovalState.OVERTAKEN
    assert refunds(shop) == []


@pytest.mark.parametrize(
    "change",
    [
        "forecast = '{}'",
        "forecast = jsonb_set(forecast, '{rows}', '1')",
        'arguments = \'{"order": "ord_1"}\'',
        "arguments = '{}', forecast = '{}'",
    ],
)
def test_application_role_cannot_change_a_waiting_request(
    shop: Shop, asker: Member, change: str
) -> None:
    pulled = asked(asker)
    with pytest.raises(psycopg.errors.CheckViolation, match="approval_stays_as_asked"):
        shop.rows(f"UPDATE approvals SET {change} RETURNING 1")
    asker.withdraw(pulled)
    if change.count("{}") == 2:  # as the retention rule does it, but a year too early
        shop.rows(f"UPDATE approvals SET {change} RETURNING 1")
        assert broken_as_asked(shop) == 1


def test_waiting_requests_are_listed_for_those_who_may_decide(
    shop: Shop, asker: Member, approver: Member
) -> None:
    pulled = asked(asker)

    async def look() -> Any:
        async with shop.container.database.reading() as tx:
            return await approver.service.waiting(tx), await approver.service.newest(tx)

    waiting, newest = shop.do(look())
    assert [one.id for one in waiting] == [one.id for one in newest] == [pulled.request]
    assert approver.service.may_decide(approver.caller, waiting[0])
    assert not asker.service.may_decide(asker.caller, waiting[0])
    approver.decide(pulled)
    waiting, newest = shop.do(look())
    assert (waiting, [one.id for one in newest]) == ([], [pulled.request])
