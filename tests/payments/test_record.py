"""The record of a provider prevails over notifications and answers, and closes payments on which all sources
agree."""

from datetime import timedelta

from meterai.kit.clock import SystemClock
from meterai.kit.money import Rupiah
from meterai.payments import RecordedPayment, RecordOutcome, RefundLine, take_record
from meterai.payments.model import UnmatchedReason
from meterai.plumbing.db.database import Tx
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body

WEEK = timedelta(days=7)  # after this time a record counts as complete


def record(
    till: Till,
    number: str,
    reference: str | None = None,
    *,
    captured: int = PRICE,
    charged_back: int = 0,
    refunds: tuple[RefundLine, ...] = (),
    provider: str = "bank",
    after: timedelta = WEEK,
) -> str:
    """Book the record of a payment; return the outcome."""
    recorded = RecordedPayment(
        number=number,
        reference=reference,
        captured=Rupiah(captured),
        charged_back=Rupiah(charged_back),
        refunds=refunds,
        until=SystemClock().now() + after,
    )

    async def take() -> RecordOutcome | UnmatchedReason:
        async with till.shop.container.database.transaction() as tx:
            return await take_in(tx)

    async def take_in(tx: Tx) -> RecordOutcome | UnmatchedReason:
        return await take_record(tx, provider, recorded)

    found = till.do(take())
    till.shop.arrange(
        "INSERT INTO record_lines (provider, day, reading, position, source, kind, moved_at, payment, amount, line)"
        " SELECT %s, current_date, 1, count(*) + 1, '', 'payment', now(), %s, %s, 'x' FROM record_lines",
        provider,
        number,
        captured or 1,
    )
    till.shop.work()
    return str(found)


def closed(till: Till) -> list[bool]:
    rows = till.rows("SELECT recorded_at IS NOT NULL AS is_closed FROM captures ORDER BY payment")
    return [row["is_closed"] for row in rows]


def says_failed(till: Till, number: str) -> None:
    """The provider answers that the payment was charged back."""
    amount = {"value": f"{PRICE}.00", "currency": "IDR"}
    line = {"rrn": number, "status": "06", "amount": amount}
    told = {"latestTransactionStatus": "06", "amount": amount}
    till.answers("query", {"merge": told | {"additionalInfo": {"payments": [line]}}})
    till.ask()


def test_payment_that_only_the_record_has_is_executed(till: Till) -> None:
    order, attempt, _ = till.order()
    assert record(till, "R1", till.reference(attempt)) == "captured"
    assert till.shop.state(order) == "executed"
    assert closed(till) == [True]
    assert record(till, "R1", till.reference(attempt)) == "known"
    assert till.shop.money(order) == {"captured": PRICE, "executed": PRICE}


def test_payment_reported_as_charged_back_is_won_by_the_record(till: Till) -> None:
    order, attempt, _ = till.order()
    reference = till.reference(attempt)
    till.notify(paid_body(reference, "R1"))
    says_failed(till, "R1")
    assert till.shop.state(order) == "denied"
    assert record(till, "R1", reference, after=timedelta()) == "known", "it may be late"
    assert till.shop.state(order) == "denied"
    assert record(till, "R1", reference) == "won"
    assert till.shop.money(order)["in_flight"] == PRICE
    assert [row["cause"] for row in till.rows("SELECT cause FROM refunds")] == ["restored"]


def test_chargeback_without_news_is_booked_from_the_record(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    reference = till.reference(attempt)
    assert record(till, number, reference, charged_back=PRICE) == "denied"
    assert till.shop.state(order) == "denied"
    assert till.shop.money(order) == {"captured": PRICE, "charged_back": PRICE}


def test_own_refund_is_settled_by_the_record(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.shop.ask_back(order)
    [refund] = till.shop.refunds()
    till.shop.send(refund)
    [row] = till.rows("SELECT refund_no FROM refunds")
    line = RefundLine(row["refund_no"], "BANK1", number, Rupiah(PRICE))
    assert record(till, number, till.reference(attempt), refunds=(line,)) == "known"
    assert till.shop.state(order) == "returned"
    assert till.shop.money(order) == {"captured": PRICE, "refunded": PRICE}


def test_reversed_refund_is_refunded_to_the_buyer_again(till: Till) -> None:
    order, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    till.shop.ask_back(order)
    till.send_refunds()
    [row] = till.rows("SELECT refund_no FROM refunds")
    line = RefundLine(row["refund_no"], "BANK1", number, Rupiah(0))
    record(till, number, till.reference(attempt), refunds=(line,))
    assert till.shop.state(order) == "returning"
    assert till.rows("SELECT cause, state FROM refunds ORDER BY refund_id") == [
        {"cause": "asked", "state": "settled"},
        {"cause": "restored", "state": "requested"},
    ]


def test_record_of_another_sum_books_nothing(till: Till) -> None:
    _, attempt, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    assert record(till, number, till.reference(attempt), captured=PRICE + 1) == "amount_differs"
    assert closed(till) == [False]
