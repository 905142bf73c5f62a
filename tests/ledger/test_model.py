"""Money summary of an order, from the sums of its books."""

from datetime import UTC, datetime

import pytest

from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.ledger.model import BalanceTooLow, MoneySummary
from tests.support.shop import Shop

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
# Paid 100, of which 30 were taken back by the payer's bank and 7 of those are our loss; 50 became
# stamps, 11 were given back, 9 are waiting and 7 on their way.
BOOKS = {
    "bank_clearing": (100, 0),
    "charged_back": (0, 30),
    "denied_loss": (30, 23),
    "duty_payable": (5, 50),
    "service_fee": (1, 6),
    "refunded": (0, 11),
    "buyer_funds": (91, 100),
    "refunds_payable": (11, 18),
}


def test_sums_come_from_their_books() -> None:
    assert MoneySummary.of(BOOKS, AT) == MoneySummary(
        captured=Rupiah(100),
        charged_back=Rupiah(30),
        executed=Rupiah(50),
        refunded=Rupiah(11),
        in_flight=Rupiah(16),
        loss=Rupiah(7),
        captured_at=AT,
    )


def test_hold_below_zero_is_refused(shop: Shop) -> None:
    with pytest.raises(BalanceTooLow):
        shop.call(
            "SELECT ledger_hold(%s, %s, 'stamps_available', 1, 'nothing')", shop.account, new_id()
        )
