"""Reading of Midtrans: order ids, signatures, statuses, sums, refusals; without a socket."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.payments.adapters.midtrans import order_id_of, reading, reference_of_order
from meterai.payments.model import (
    AboutAnother,
    AccountNumber,
    AttemptStatus,
    OutcomeUnknown,
    Payment,
    PaymentIdentity,
    PaymentQr,
    ProviderRefused,
    ProviderStatus,
    UnmatchedNews,
    UnmatchedReason,
    reference_of,
)
from standins.midtrans.saying import signature

ID, NUMBER = "6f1f9c9e-6b7e-4a3f-9a55-0d8a1cf2f001", "midtrans:6f1f9c9e-6b7e-4a3f-9a55-0d8a1cf2f001"
REFERENCE = reference_of(new_id(), new_id())
ASKED = PaymentIdentity(
    reference=REFERENCE, provider_reference=ID, merchant="G1", amount=str(Rupiah(20_000))
)
TOLD = {
    "status_code": "200",
    "transaction_id": ID,
    "order_id": order_id_of(REFERENCE),
    "merchant_id": "G1",
    "gross_amount": "20000.00",
    "currency": "IDR",
    "payment_type": "qris",
    "transaction_status": "settlement",
    "fraud_status": "accept",
}


def read(_http: int = 200, /, **changes: Any) -> reading.Answer:
    told = {name: one for name, one in {**TOLD, **changes}.items() if one is not ...}
    return reading.read_answer(_http, json.dumps(told).encode(), ASKED)


def standing(**changes: Any) -> AttemptStatus:
    return reading.attempt_status(read(**changes))


# -- names and signatures --------------------------------------------------------------------


def test_signature_equals_the_known_answer_here_and_at_the_stand_in() -> None:
    known = (
        "03026596345ee9d0d963f57d67efeaea68917ae57d976705af2d2add7d6ddc5f"
        "0f8e25a4edd0a0adacb0d8f3b8bb765367a5fc7c5ec29ac1b6e4ec0fbfa68278"
    )
    key = "SB-Mid-server-TEST"
    facts: dict[str, object] = {
        "order_id": "EM-0001",
        "status_code": "200",
        "gross_amount": "10000.00",
    }
    assert reading.signature_of("EM-0001", "200", "10000.00", key) == known
    assert signature(facts, key) == known


@given(st.uuids(), st.uuids())
def test_order_id_is_our_reference_within_fifty_characters(account: Any, attempt: Any) -> None:
    reference = reference_of(account, attempt)
    assert len(order_id_of(reference)) == 43
    assert reference_of_order(order_id_of(reference)) == reference


# -- answers ---------------------------------------------------------------------------------

PAID = Payment(NUMBER, Rupiah(20_000), ProviderStatus.PAID)


@pytest.mark.parametrize(
    ("changes", "status", "lines"),
    [
        ({"transaction_status": "pending", "status_code": "201"}, ProviderStatus.PENDING, ()),
        ({"transaction_status": "authorize"}, ProviderStatus.PENDING, ()),
        ({"transaction_status": "expire", "status_code": "407"}, ProviderStatus.PENDING, ()),
        ({"transaction_status": "cancel"}, ProviderStatus.CANCELLED, ()),
        ({"transaction_status": "deny", "status_code": "202"}, ProviderStatus.FAILED, ()),
        ({"transaction_status": "failure"}, ProviderStatus.FAILED, ()),
        ({}, ProviderStatus.PAID, (PAID,)),
        ({"transaction_status": "capture"}, ProviderStatus.PAID, (PAID,)),
        (
            {"transaction_status": "deny", "settlement_time": "2026-11-30 08:10:00"},
            ProviderStatus.FAILED,
            (Payment(NUMBER, None, ProviderStatus.FAILED),),
        ),
        (
            {"transaction_status": "refund"},
            ProviderStatus.REFUNDED,
            (Payment(NUMBER, None, ProviderStatus.REFUNDED),),
        ),
        (
            {"transaction_status": "refund", "refund_amount": "20000.00"},
            ProviderStatus.REFUNDED,
            (Payment(NUMBER, Rupiah(20_000), ProviderStatus.REFUNDED),),
        ),
        (
            {"transaction_status": "partial_refund", "refund_amount": "5000.00"},
            ProviderStatus.PAID,
            (PAID, Payment(NUMBER, Rupiah(5_000), ProviderStatus.REFUNDED)),
        ),
        (
            {"transaction_status": "partial_refund"},
            ProviderStatus.PAID,
            (PAID, UnmatchedNews(UnmatchedReason.AMOUNT_UNREADABLE, NUMBER)),
        ),
        (
            {"transaction_status": "chargeback"},
            ProviderStatus.FAILED,
            (Payment(NUMBER, None, ProviderStatus.FAILED),),
        ),
        (
            {
                "transaction_status": "chargeback",
                "refund_amount": "5000.00",
                "chargeback_amount": "15000.00",
            },
            ProviderStatus.FAILED,
            (
                Payment(NUMBER, Rupiah(5_000), ProviderStatus.REFUNDED),
                Payment(NUMBER, Rupiah(15_000), ProviderStatus.FAILED),
            ),
        ),
        (
            {"transaction_status": "partial_chargeback", "chargeback_amount": "5000.00"},
            ProviderStatus.PAID,
            (PAID, Payment(NUMBER, Rupiah(5_000), ProviderStatus.FAILED)),
        ),
        (
            {"fraud_status": "deny"},
            ProviderStatus.PAID,
            (UnmatchedNews(UnmatchedReason.STATUS_CONTRADICTS, NUMBER, Rupiah(20_000)),),
        ),
        (
            {"gross_amount": ...},
            ProviderStatus.PAID,
            (UnmatchedNews(UnmatchedReason.AMOUNT_UNREADABLE, NUMBER),),
        ),
        (
            {"transaction_id": ...},
            ProviderStatus.PAID,
            (UnmatchedNews(UnmatchedReason.NUMBER_MISSING),),
        ),
    ],
)
def test_statuses_are_read_as_payments(
    changes: dict[str, Any], status: ProviderStatus, lines: tuple[Payment | UnmatchedNews, ...]
) -> None:
    assert standing(**changes) == AttemptStatus(status, lines)


@pytest.mark.parametrize("word", ["", "settled", None, 200, ...])
def test_unknown_status_is_an_unknown_outcome(word: object) -> None:
    with pytest.raises(OutcomeUnknown):
        standing(transaction_status=word)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": order_id_of(reference_of(new_id(), new_id()))},
        {"order_id": "another-shop-1"},
        {"transaction_id": "6f1f9c9e-6b7e-4a3f-9a55-0d8a1cf2f002"},
        {"merchant_id": "G2"},
        {"transaction_status": "pending", "gross_amount": "15000.00"},
        {"transaction_status": "pending", "gross_amount": "20000.50"},
        {"transaction_status": "pending", "currency": "USD"},
        {"status_code": "412", "merchant_id": "G2"},
        # Midtrans accepts exactly the sum of the transaction, so this is about another one.
        {"gross_amount": "15000.00"},
        {"gross_amount": "20000.50"},
        {"currency": "USD"},
    ],
)
def test_answer_about_something_else_is_evidence_of_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(AboutAnother):
        read(**changes)


@pytest.mark.parametrize(
    ("http", "code"),
    [
        (500, "500"),
        (200, "500"),
        (502, "200"),
        (404, "412"),
        (403, "200"),
        (200, "408"),
        (200, "429"),
        (429, "429"),
        (200, ""),
        (200, "2"),
        (200, "300"),
        (302, "302"),
        (407, "407"),
    ],
)
def test_other_answers_have_an_unknown_outcome(http: int, code: str) -> None:
    with pytest.raises(OutcomeUnknown):
        read(http, status_code=code)


# -- refunds ---------------------------------------------------------------------------------

LINE = {
    "refund_chargeback_uuid": "c720cb44",
    "refund_amount": "5000.00",
    "refund_key": "RF1",
    "bank_confirmed_at": "2026-11-30 08:10:00",
}


def test_refund_is_made_once_its_sum_was_approved() -> None:
    made = read(refund_chargeback_uuid="c720cb44", refund_amount="5000.00")
    assert reading.refund_made(made, Rupiah(5_000)).provider_number == "c720cb44"
    with pytest.raises(OutcomeUnknown):
        reading.refund_made(made, Rupiah(4_000))
    with pytest.raises(ProviderRefused):
        reading.refund_made(read(status_code="202", refund_amount="0.00"), Rupiah(5_000))


def test_refund_is_looked_up_by_its_key() -> None:
    answer = read(refunds=[LINE, LINE | {"refund_key": "RF2", "refund_amount": "0.00"}])
    made = reading.refund_listed(answer, "RF1", Rupiah(5_000))
    assert made is not None
    assert made.provider_number == "c720cb44"
    assert reading.refund_listed(answer, "RF2", Rupiah(5_000)) is None  # declined
    assert reading.refund_listed(answer, "RF3", Rupiah(5_000)) is None
    for line in (LINE | {"bank_confirmed_at": None}, LINE | {"refund_amount": "4000.00"}):
        with pytest.raises(OutcomeUnknown):
            reading.refund_listed(read(refunds=[line]), "RF1", Rupiah(5_000))
    lines = reading.refund_lines(answer)
    assert [(one.number, one.payment, one.amount.value) for one in lines] == [
        ("RF1", NUMBER, 5_000),
        ("RF2", NUMBER, 0),
    ]


# -- instructions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "instructions"),
    [
        (
            {"va_numbers": [{"bank": "bca", "va_number": "70012123"}]},
            AccountNumber("BCA", "70012123"),
        ),
        ({"permata_va_number": "87780123"}, AccountNumber("Permata", "87780123")),
        ({"va_numbers": [{"bank": "lain", "va_number": "70012123"}]}, None),
        ({"va_numbers": [{"bank": "bca", "va_number": "7001 2123"}]}, None),
        ({"va_numbers": []}, None),
        ({"payment_type": "qris", "qr_string": "00"}, PaymentQr("00")),
        ({"payment_type": "qris"}, None),
    ],
)
def test_instructions_are_parsed(changes: dict[str, Any], instructions: object) -> None:
    found = reading.opened(read(**{"payment_type": "bank_transfer", **changes}))
    assert (found and found.instructions) == instructions


# -- notifications ---------------------------------------------------------------------------


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(sorted(TOLD)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*TOLD, "refunds", "va_numbers"]), inner, max_size=6)
        ),
        max_leaves=12,
    ).map(lambda found: json.dumps(TOLD | found if isinstance(found, dict) else found).encode())
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    reading.read_notification(body)
    reading.signed_by(body, "key")
    try:
        answer = reading.read_answer(200, body, PaymentIdentity())
        reading.opened(answer)
        reading.attempt_status(answer)
        reading.refund_lines(answer)
    except (OutcomeUnknown, ProviderRefused):
        pass
