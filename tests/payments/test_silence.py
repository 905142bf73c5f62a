"""A status query that gets no answer for long is one item in suspense until it is answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import yaml  # type: ignore[import-untyped]

from meterai import orders
from meterai.audit.quiet_harm import quiet_harm
from meterai.kit.subjects import WorkItem
from meterai.payments import PaymentService
from meterai.suspense import Resolution, SuspenseService
from meterai.suspense.metrics import OPEN, OVERDUE
from meterai.suspense.room import ROOM as SUSPENSE
from tests.support.audits import AUDITED, audit
from tests.support.shop import PRICE, TESTER
from tests.support.till import Till, paid_body
from tests.tidy.sources import ROOT

NO_ANSWER = {"body": "<html>bank</html>", "content_type": "text/html"}
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def sweep(till: Till) -> None:
    till.do(till.shop.container.of(PaymentService).suspend_silence())


def open_items(till: Till) -> list[dict[str, Any]]:
    return till.rows(
        "SELECT item_id, reason, reference, payment, amount, convert_from(told, 'UTF8')::jsonb AS told"
        " FROM suspense_items WHERE state = 'open' ORDER BY reference"
    )


def later(till: Till, what: str, table: str = "payment_attempts", hours: int = 25) -> None:
    """Move one time of all rows of a table `hours` hours into the past."""
    till.shop.arrange(
        f"UPDATE {table} SET {what} = {what} - interval '{hours} hours' WHERE {what} < 'infinity'"
    )


def silent(till: Till, *, is_begun: bool) -> UUID:
    """An attempt without an answer for a day: its queries fail, or could not be begun."""
    _, attempt, _ = till.order()
    if is_begun:
        till.answers("query", NO_ANSWER)
        till.ask()
        later(till, "unheard_since")
    else:
        later(till, "ask_at")
    return attempt


# -- until it is answered ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_begun", [True, False])
def test_attempt_without_an_answer_for_a_day_is_an_item_until_answered(
    till: Till, is_begun: bool
) -> None:
    till.order()
    till.answers("query", NO_ANSWER)
    till.ask()
    sweep(till)
    assert till.suspended() == []
    later(till, "unheard_since" if is_begun else "ask_at")
    if not is_begun:
        till.shop.arrange("UPDATE payment_attempts SET unheard_since = NULL")
    for _ in range(2):
        sweep(till)
        assert till.suspended() == [("unanswered", 0)]
    till.ask()
    sweep(till)
    assert till.suspended() == []


def test_item_ended_by_a_person_stays_ended_during_the_same_silence(till: Till) -> None:
    silent(till, is_begun=True)
    sweep(till)
    [item] = open_items(till)
    service = till.shop.container.of(SuspenseService)
    till.do(service.resolve(item["item_id"], Resolution.DISMISSED, actor=TESTER, note="asked"))
    sweep(till)
    assert till.suspended() == []
    for time in ("opened_at", "due_at", "resolved_at"):
        later(till, time, "suspense_items", hours=8 * 24)
    later(till, "happened_at", "audit_events", hours=8 * 24)
    sweep(till)
    assert till.suspended() == [("unanswered", 0)], "a week later it still waits"


def test_silence_is_in_figures_alerts_and_work_list(till: Till) -> None:
    silent(till, is_begun=True)
    sweep(till)
    service, database = till.shop.container.of(SuspenseService), till.shop.container.database
    assert (till.do(service.figures()).open, till.do(service.figures()).overdue) == (1, 0)
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())["groups"][0]
    asked = {one["expr"] for one in alerts["rules"] if "expr" in one}
    assert {f"{OPEN.name} > 0", f"{OVERDUE.name} > 0"} <= asked
    [work] = SUSPENSE.work

    async def waiting() -> Sequence[WorkItem]:
        async with database.reading() as tx:
            return await work.waiting(tx, till.shop.container.settings, NOW, 9)

    [one] = till.do(waiting())
    assert one.due is not None
    # An overdue item breaks a promise, and triggers an alert.
    till.shop.arrange("UPDATE suspense_items SET due_at = now() - interval '1 hour'")
    assert till.do(service.figures()).overdue == 1
    late = [rule for rule in quiet_harm(AUDITED) if rule.name == "work_is_done_in_time"]
    [found] = till.do(audit(database, late)).findings
    assert [row["found_in"] for row in found.evidence] == ["suspense_items"]
    till.ask()
    sweep(till)
    assert till.do(service.figures()).open == 0


def test_payment_reported_as_given_back_is_an_item_until_the_record_is_read(till: Till) -> None:
    _, attempt, _ = till.order()
    reference = till.reference(attempt)
    till.notify(paid_body(reference))
    till.notify(
        {
            "originalPartnerReferenceNo": reference,
            "latestTransactionStatus": "04",
            "amount": {"value": f"{PRICE}.00", "currency": "IDR"},
            "additionalInfo": {"rrn": "P1"},
        }
    )
    till.answers("history-detail", NO_ANSWER)
    till.look_up()
    sweep(till)
    assert till.suspended() == []
    later(till, "unheard_since", "chargebacks")
    sweep(till)
    [item] = open_items(till)
    assert item["told"]["asked"] == "given_back"
    till.look_up()  # The record is read and lacks the refund, which is another item, with its money.
    sweep(till)
    assert till.suspended() == [("refunded_there", 0)]


def test_qr_that_is_not_cancelled_for_a_day_is_an_item(till: Till) -> None:
    order, attempt, _ = till.order()
    withdraw = partial(orders.withdraw, account=till.shop.account, order_id=order)
    till.do(till.shop.container.database.run(withdraw))
    till.shop.arrange("UPDATE payment_attempts SET opened_at = opened_at - interval '25 hours'")
    till.shop.arrange("UPDATE payment_attempts SET cancel_tries = 30")
    sweep(till)
    [item] = open_items(till)
    assert item["told"]["asked"] == "take_back"
    till.shop.arrange("UPDATE payment_attempts SET opened_at = opened_at + interval '25 hours'")
    till.cancel()
    sweep(till)
    assert till.suspended() == []
    assert till.attempt(attempt)["is_taken_back"]


# -- one item for a provider, or one for each query ----------------------------------------------------
