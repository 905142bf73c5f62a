"""Whole rupiah: no float, no fraction."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterai.kit.money import Rupiah

AMOUNTS = st.integers(0, 10**13 - 1).map(Rupiah)


@pytest.mark.parametrize("value", [True, 1.0, Decimal(1), "1", None])
def test_only_whole_numbers_are_money(value: object) -> None:
    with pytest.raises(TypeError):
        Rupiah(value)  # type: ignore[arg-type]


@given(AMOUNTS)
def test_amount_written_for_snap_is_read_back(amount: Rupiah) -> None:
    assert Rupiah.from_snap(amount.snap()) == amount


@pytest.mark.parametrize(
    "amount",
    [
        None,
        {},
        10_000,
        "10000.00",
        {"value": "10000.00"},
        {"value": "10000.00", "currency": "USD"},
        {"value": 10000, "currency": "IDR"},
        {"value": "10000.", "currency": "IDR"},
        {"value": "10000.50", "currency": "IDR"},
        {"value": "10000,00", "currency": "IDR"},
        {"value": " 10000.00", "currency": "IDR"},
        {"value": "10000.00000", "currency": "IDR"},
        {"value": "10000.01", "currency": "IDR"},
        {"value": "10000.00\n", "currency": "IDR"},
        {"value": "-1.00", "currency": "IDR"},
        {"value": "1e4.00", "currency": "IDR"},
        {"value": "99999999999999.00", "currency": "IDR"},
    ],
)
def test_invalid_snap_amount_is_refused(amount: object) -> None:
    with pytest.raises(ValueError, match="whole rupiah"):
        Rupiah.from_snap(amount)


@pytest.mark.parametrize("value", ["10000", "10000.0", "10000.00", "10000.0000"])
def test_whole_rupiah_are_read_with_any_number_of_zero_decimals(value: str) -> None:
    assert Rupiah.from_snap({"value": value, "currency": "IDR"}) == Rupiah(10_000)


def test_rupiah_is_formatted_as_in_indonesia() -> None:
    assert str(Rupiah(1_234_567)) == "Rp1.234.567"
    assert str(Rupiah(-30_000)) == "-Rp30.000"
