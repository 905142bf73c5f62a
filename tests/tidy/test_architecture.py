"""docs/architecture.md shows the actual rooms, and only a rail knows its provider."""

import re
from pathlib import Path

import pytest

from scripts import architecture

ROOT = Path(__file__).parents[2]


def test_picture_of_the_rooms_equals_the_code() -> None:
    text = architecture.FILE.read_text()
    assert text == architecture.written(text), "run `python -m scripts.architecture`"
    folders = {one.parent.name for one in (ROOT / "meterai").glob("*/__init__.py")}
    assert {room for level in architecture.levels() for room in level} == folders


# Words that only the package of the rail may contain: its class, headers, field names, paths, formats.
OF_MIDTRANS = re.compile(
    r"MidtransRail|signature_key|gross_amount|va_number|settlement_time|refund_charge"
)
OF_SNAP = re.compile(
    r"SnapProvider|SnapRefused|X-TIMESTAMP|X-SIGNATURE|X-EXTERNAL-ID|qr-mpm|TransactionStatus\"|"
    r"artnerReferenceNo|responseCode|additionalInfo|\bemv\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(("words", "rail"), [(OF_SNAP, "snap"), (OF_MIDTRANS, "midtrans")])
def test_words_of_a_provider_are_used_by_its_rail_alone(words: re.Pattern[str], rail: str) -> None:
    knowing = {
        one.relative_to(ROOT / "meterai").parent.as_posix()
        for one in (ROOT / "meterai").rglob("*.py")
        if words.search(one.read_text())
    }
    assert knowing == {f"payments/adapters/{rail}"}
