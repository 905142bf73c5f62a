"""A QR exchanged for that of another merchant is found by the audit and never shown."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import pytest

from meterai.apps.settings import settings_of
from meterai.orders import OrderService
from meterai.payments import Rails
from meterai.payments.adapters.snap import first_bank
from meterai.payments.adapters.snap.emv import qr_complaints
from meterai.payments.qr_check import check_qrs
from meterai.payments.room import RAILS
from meterai.plumbing.db.database import Database
from standins.bank import qris
from tests.audit.conftest import Spoilt
from tests.support.history import History
from tests.support.shop import Shop

OURS = first_bank(settings_of()).qr_names
AMOUNT, NUMBER = 21_000, "20261124000000001"


EXCHANGE = """
UPDATE payment_attempts SET instructions = jsonb_build_object('kind', 'qr', 'content', %s::text)
"""


def payload(amount: int = AMOUNT, number: str = NUMBER, merchant: str = "METERAI") -> str:
    return qris.payload(qris.DynamicQr(amount, number, merchant, "METERAI", "T1"))


def anew(text: str) -> str:
    """Return the text with a valid check sum."""
    return text[:-4] + qris.crc(text[:-4])


# PAN or NMID of another merchant, of the same length.
PAN = "936000020000000009"
NMID = "ID1020000000009"
EXCHANGED: dict[str, Callable[[str, int, str], str]] = {
    "another merchant": lambda _, amount, number: payload(amount, number, "SHADOW"),
    "another PAN": lambda text, *_: anew(text.replace(qris.MERCHANT_PAN, PAN)),
    "another national id": lambda text, *_: anew(text.replace(qris.NATIONAL_MERCHANT_ID, NMID)),
    "a merchant more": lambda text, *_: anew(
        text.replace("5204", "27300018ID.CO.SHADOW.WWW.XX0204EVIL5204", 1)
    ),
    "another amount": lambda _, amount, number: payload(amount + 1, number),
    "no amount": lambda text, amount, _: anew(text.replace(f"54{len(str(amount)):02}{amount}", "")),
    "a tip": lambda text, *_: anew(text.replace("5802ID", "5502025605100005802ID")),
    "dollars": lambda text, *_: anew(text.replace("5303360", "5303840")),
    "another reference": lambda _, amount, __: payload(amount, "20261124000000002"),
    "another byte": lambda text, *_: text.replace("JAKARTA", "BANDUNG"),
    "a row cut short": lambda text, *_: anew(text[:40] + "63040000"),
    "a text": lambda *_: "https://example.id/pay",
    "nothing": lambda *_: "",
}


@pytest.mark.parametrize("what", EXCHANGED)
def test_qr_of_another_merchant_is_found(what: str) -> None:
    assert list(qr_complaints(EXCHANGED[what](payload(), AMOUNT, NUMBER), AMOUNT, OURS, NUMBER))


def found(history: History, spoilt: Spoilt) -> list[Any]:
    return history.shop.do(
        check_qrs(cast(Database, spoilt), Rails(settings_of(), RAILS), None)
    ).evidence


def test_honest_qrs_have_no_findings(history: History, spoilt: Spoilt) -> None:
    assert spoilt.connection.execute(
        "SELECT 1 FROM payment_attempts WHERE instructions IS NOT NULL"
    ).fetchall()
    assert found(history, spoilt) == []


@pytest.mark.parametrize("what", EXCHANGED)
def test_exchanged_qr_is_found(history: History, spoilt: Spoilt, what: str) -> None:
    attempt: UUID = history["placed.attempt"]
    [row] = spoilt.connection.execute(
        "SELECT instructions->>'content' AS qr, amount, provider_reference FROM payment_attempts"
        " WHERE attempt_id = %s",
        (attempt,),
    ).fetchall()
    spoilt.connection.execute(
        f"{EXCHANGE} WHERE attempt_id = %s",
        (EXCHANGED[what](*row.values()), attempt),
    )
    assert [row["attempt_id"] for row in found(history, spoilt)] == [attempt]


def test_exchanged_qr_is_never_shown(shop: Shop) -> None:
    order = shop.place(2)
    [attempt] = shop.attempts(order)
    shop.make_qr(attempt)
    service = shop.container.of(OrderService)

    def shown() -> set[str | None]:
        listed, _ = shop.do(service.list(shop.account))
        one = shop.do(service.view(shop.account, order))
        return {one.payment.qr_content, *(view.payment.qr_content for view in listed)}

    [qr] = shown()
    assert qr is not None
    total = 2 * 10_500
    assert list(qr_complaints(qr, total, OURS, attempt.hex[-20:])) == []
    shop.arrange(
        f"{EXCHANGE} WHERE attempt_id = %s",
        payload(total, attempt.hex[-20:], "SHADOW"),
        attempt,
    )
    assert shown() == {None}
