"""A status query that gets no answer for long is one item in suspense until it is answered."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
import yaml  # type: ignore[import-untyped]

from meterai import orders
from meterai.audit.quiet_harm import quiet_harm
from meterai.kit.money import Rupiah
from meterai.kit.subjects import WorkItem
from meterai.payments import PaymentService
from meterai.payments.silence import BOUND, QUESTIONS, SINGLES_MAX, SilenceQuestion, Silent, items
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


def test_second_silence_of_an_attempt_is_another_item(till: Till) -> None:
    attempt = silent(till, is_begun=True)
    sweep(till)
    till.ask()
    sweep(till)
    assert till.suspended() == []
    till.answers("query", NO_ANSWER)
    till.ask()
    later(till, "unheard_since")
    sweep(till)
    assert till.suspended() == [("unanswered", 0)]
    assert till.attempt(attempt)["state"] == "waiting"
    till.ask()
    sweep(till)


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


def test_query_whose_window_ended_without_an_answer_stays_an_item(till: Till) -> None:
    silent(till, is_begun=True)
    sweep(till)
    till.shop.arrange("UPDATE payment_attempts SET ask_at = 'infinity'")
    sweep(till)
    assert till.suspended() == [("unanswered", 0)]
    till.shop.arrange("UPDATE payment_attempts SET ask_at = now()")
    till.ask()
    sweep(till)


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


def test_refund_without_lookup_for_a_day_is_an_item(till: Till) -> None:
    order, _, qr = till.order()
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()
    till.send_refunds()
    [refund] = till.rows("SELECT refund_no, state FROM refunds")
    assert refund["state"] == "settled"
    till.answers("history-detail", NO_ANSWER)
    till.watch_refunds()
    later(till, "unheard_since", "refunds")
    sweep(till)
    [item] = open_items(till)
    assert (item["told"]["asked"], item["reference"]) == ("refund_record", refund["refund_no"])
    till.watch_refunds()
    sweep(till)
    assert till.suspended() == []


# -- one item for a provider, or one for each query ----------------------------------------------------


def some(questions: int, kind: str = "status", provider: str = "bank") -> list[Silent]:
    shown = min(questions, SINGLES_MAX)
    return [
        Silent(
            kind,
            "unanswered",
            provider,
            f"EM{n}",
            f"EM{n}",
            None,
            Rupiah(PRICE),
            NOW - timedelta(hours=n),
            questions,
            Rupiah(PRICE * questions),
            NOW - timedelta(hours=questions),
        )
        for n in range(shown)
    ]


@pytest.mark.parametrize(
    ("questions", "heard", "is_single", "count"),
    [
        (1, {"bank"}, True, 1),
        (SINGLES_MAX, {"bank"}, True, SINGLES_MAX),
        (SINGLES_MAX + 1, {"bank"}, False, 1),
        (1, set(), False, 1),
        (10_000, set(), False, 1),
        (10_000, {"other"}, False, 1),
    ],
)
def test_items_of_a_kind_are_joined_if_the_provider_answers_nothing(
    questions: int, heard: set[str], is_single: bool, count: int
) -> None:
    found = list(items(some(questions), heard))
    assert [one.is_single for one in found] == [is_single] * count
    assert len({one.mark for one in found}) == count


def test_doubled_number_of_queries_is_another_item() -> None:
    marks = [next(items(some(n), set())).mark for n in (1030, 1031, 2100)]
    # In the last case too, the oldest query is of another day.
    assert marks[0].split("-")[0] == marks[1].split("-")[0] != marks[2].split("-")[0]


def test_kinds_and_providers_have_separate_items() -> None:
    found = [*some(30), *some(30, "take_back"), *some(30, "status", "other")]
    assert len({one.mark for one in items(sorted(found), set())}) == 3


def test_silent_provider_with_ten_thousand_queries_is_one_item(till: Till) -> None:
    _, attempt, _ = till.order()
    till.shop.arrange(
        "INSERT INTO payment_attempts (account_id, attempt_id, subject, reference, amount, state, instructions,"
        " instructed_at, provider_reference, opened_at, expires_at, leased_until, ask_at, asked)"
        " SELECT account_id, gen_random_uuid(), subject, reference || n, amount, state, instructions, instructed_at,"
        " 'ten-thousand' || n, opened_at, expires_at, leased_until, now() - n * interval '1 minute' - interval '2 days', 1"
        " FROM payment_attempts, generate_series(1, 10000) n"
    )
    sweep(till)
    [item] = open_items(till)
    assert (item["reference"], item["amount"]) == ("bank status", 10_000 * PRICE)
    assert item["told"]["questions"] == 10_000
    assert len(item["told"]["references"]) == SINGLES_MAX
    since = datetime.fromisoformat(item["told"]["since"])
    assert datetime.now(UTC) - since > timedelta(days=8)
    sweep(till)
    assert len(open_items(till)) == 1
    # The provider is back, and one query stays unanswered.
    till.shop.arrange("DELETE FROM payment_attempts WHERE provider_reference LIKE 'ten-thousand%'")
    _, other, _ = till.order()
    till.ask()
    till.shop.arrange(
        "UPDATE payment_attempts SET unheard_since = now() - interval '30 hours' WHERE attempt_id = %s",
        attempt,
    )
    sweep(till)
    [item] = open_items(till)
    assert (item["reference"], item["amount"]) == (till.reference(attempt), PRICE)
    assert till.attempt(other)["asked"] == 1
    till.ask()
    sweep(till)
    assert till.suspended() == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.kind)
def test_waiting_query_is_found_by_an_index(till: Till, question: SilenceQuestion) -> None:
    with psycopg.connect(till.shop.container.database.url) as connection:
        connection.execute("SET enable_seqscan = off")
        for part in question.query.replace("<bound>", BOUND).split("UNION ALL"):
            plan = connection.execute(f"EXPLAIN {part}".encode()).fetchall()
            assert "Seq Scan" not in str(plan)
