"""An answer, notification or record line that names another subject than the query proves nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.model import (
    AboutAnother,
    PaymentIdentity,
)
from standins.bank.mix_ups import OTHER_MERCHANT
from tests.support.bank import open_bank, soon
from tests.support.shop import PRICE
from tests.support.till import Till, paid_body

AMOUNT = Rupiah(10_000)
PENDING = PaymentIdentity(reference="EM-1", amount=str(AMOUNT))
PAID = PaymentIdentity(reference="EM-2", amount=str(AMOUNT))

Call = Callable[[SnapProvider, str], Awaitable[object]]
CALLS: dict[str, Call] = {
    "generate": lambda rail, _: rail.open("qris", "EM-3", AMOUNT, soon()),
    "query": lambda rail, _: rail.ask(PENDING),
    "cancel": lambda rail, _: rail.cancel(PENDING, "why"),
    "refund": lambda rail, rrn: rail.refund(PAID, rrn, "RF-2", AMOUNT),
    "detail": lambda rail, _: rail.refunded(PAID, "RF-1", Rupiah(1_000)),
    "refunds": lambda rail, _: rail.refunds_of(PAID),
}
EVERY = tuple(CALLS)
MIX_UPS = [
    *(("other_reference", call) for call in EVERY),
    *(("other_merchant", call) for call in EVERY),
    *((switch, call) for switch in ("other_amount", "other_currency") for call in ("query", "refund", "detail")),
]  # fmt: skip


@pytest.mark.parametrize(("switch", "call"), MIX_UPS)
def test_answer_about_something_else_is_evidence_of_nothing(
    tmp_path: Path, switch: str, call: str
) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            await bank.provider.open("qris", "EM-1", AMOUNT, soon())
            _, rrn = await bank.paid("EM-2", 20_000)
            await bank.provider.refund(PAID, rrn, "RF-1", Rupiah(1_000))
            await bank.control("faults", **{switch: 1})
            with pytest.raises(AboutAnother) as refusal:
                await CALLS[call](bank.provider, rrn)
            for one in refusal.value.differences:
                assert one.asked
                assert one.told
                assert one.asked != one.told

    asyncio.run(story())


def test_refund_of_another_payment_is_not_the_one_asked_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            _, rrn = await bank.paid("EM-2")
            for told, is_other in ((rrn, False), ("P-other", True)):
                await bank.answers("refund", {"merge": {"additionalInfo": {"rrn": told}}})
                if is_other:
                    with pytest.raises(AboutAnother):
                        await bank.provider.refund(PAID, rrn, "RF-1", AMOUNT)
                else:
                    made = await bank.provider.refund(PAID, rrn, "RF-1", AMOUNT)
                    assert made.provider_number

    asyncio.run(story())


# -- with the books ----------------------------------------------------------------------------


def told_of(till: Till, attempt: Any, number: str) -> dict[str, Any]:
    """The answer of a bank that answers every query with this paid attempt."""
    return {
        "originalPartnerReferenceNo": till.reference(attempt),
        "originalReferenceNo": till.attempt(attempt)["provider_reference"],
        "latestTransactionStatus": "00",
        "amount": {"value": f"{PRICE}.00", "currency": "IDR"},
        "additionalInfo": {
            "rrn": number,
            "payments": [{"rrn": number, "status": "00", "amount": {"value": f"{PRICE}.00", "currency": "IDR"}}],
        },
    }  # fmt: skip


@pytest.mark.parametrize("left_out", ["originalReferenceNo", "originalPartnerReferenceNo"])
def test_answer_about_another_order_executes_neither(till: Till, left_out: str) -> None:
    mine, first, _ = till.order()
    _, second, qr = till.order()
    number = till.control("pay", qr_content=qr)["rrn"]
    mixed = told_of(till, second, number)
    mixed.pop(left_out)
    till.shop.arrange("UPDATE payment_attempts SET ask_at = 'infinity'")
    till.shop.arrange(f"UPDATE payment_attempts SET ask_at = now() WHERE attempt_id = '{first}'")
    till.answers("query", {"merge": mixed, "drop": [left_out]})
    till.ask()
    assert till.captured() == []
    assert till.shop.money(mine) == {}
    assert till.suspended() == [("about_another", 0)]
    assert not till.attempt(first)["is_over"]
    till.shop.arrange(f"UPDATE payment_attempts SET ask_at = now() WHERE attempt_id = '{second}'")
    till.ask()
    assert till.attempt(first)["state"] == "waiting"
    assert till.attempt(second)["state"] == "paid"
    assert till.captured() == [(number, PRICE)]
    till.assert_books_hold()


MERCHANTS = [
    {"merchantId": OTHER_MERCHANT},
    {"additionalInfo": {"rrn": "P1", "merchantId": OTHER_MERCHANT}},
    {"originalReferenceNo": "of-another-qr"},
]


@pytest.mark.parametrize("changed", MERCHANTS)
def test_notification_about_another_merchant_or_qr_books_nothing(
    till: Till, changed: dict[str, Any]
) -> None:
    order, attempt, qr = till.order()
    body = paid_body(till.reference(attempt)) | changed
    assert till.notify(body) == "suspended_about_another"
    assert till.captured() == []
    assert till.suspended() == [("about_another", 0)]
    assert till.shop.money(order) == {}
    assert till.attempt(attempt)["wait"].total_seconds() <= 0
    number = till.control("pay", qr_content=qr)["rrn"]
    till.ask()
    assert till.captured() == [(number, PRICE)]
    till.assert_books_hold()


def test_qr_answered_for_another_reference_is_never_shown(till: Till) -> None:
    order = till.shop.place(1)
    till.control("faults", other_reference=1)
    till.open()
    [row] = till.rows("SELECT state, qr_content FROM payment_attempts WHERE subject = %s", order)
    assert (row["state"], row["qr_content"]) == ("opening", None)


def test_refund_answered_for_another_number_is_not_settled(till: Till) -> None:
    _, _, qr = till.order()
    number = till.control("pay", qr_content=qr, amount=PRICE - 1)["rrn"]
    till.ask()
    till.control("faults", other_reference=1)
    till.send_refunds()
    [refund] = till.rows("SELECT state, amount FROM refunds")
    assert refund["state"] == "sent"
    till.send_refunds()
    [refund] = till.rows("SELECT state, amount FROM refunds")
    assert (refund["state"], refund["amount"]) == ("settled", PRICE - 1)
    assert till.captured() == [(number, PRICE - 1)]
    till.assert_books_hold()
