"""Answers, notifications and lines of history about a wrong subject.

Each is a fault switch with a count. The bank acts correctly; only its messages are changed.
"""

from collections.abc import Callable, Mapping

from standins.faults import Faults

Facts = dict[str, object]
OTHER_MERCHANT = "OTHER-MERCHANT"
OTHER_CURRENCY = "USD"
_REFERENCES = (
    "partnerReferenceNo",
    "originalPartnerReferenceNo",
    "referenceNo",
    "originalReferenceNo",
    "partnerRefundNo",
    "trxId",
)
ONE_RRN = "999999999999"
_SUMS = ("amount", "refundAmount", "paidAmount", "totalAmount")


def mixed_up(faults: Faults, facts: Facts) -> Facts:
    """Return these facts, changed by the armed switches."""
    for name, change in _CHANGES.items():
        if faults.take(name):
            facts = change(facts)
    return facts


def _each(facts: Facts, change: Callable[[str, object], object]) -> Facts:
    """Return the same members with changed values, at every depth."""

    def changed(name: str, value: object) -> object:
        new = change(name, value)
        if new is not value:
            return new
        match value:
            case dict():
                return _each(value, change)
            case list():
                return [_each(one, change) if isinstance(one, dict) else one for one in value]
            case _:
                return value

    return {name: changed(name, value) for name, value in facts.items()}


def _other_reference(facts: Facts) -> Facts:
    def change(name: str, value: object) -> object:
        if name not in _REFERENCES or not isinstance(value, str) or not value:
            return value
        return value[:-1] + ("1" if value[-1] == "0" else "0")

    return _each(facts, change)


def _other_merchant(facts: Facts) -> Facts:
    lines = facts.get("detailData")
    if isinstance(lines, list):
        return facts | {"detailData": [_other_merchant(line) for line in lines]}
    return facts | {"merchantId": OTHER_MERCHANT}


def _money(facts: Facts, **other: str) -> Facts:
    def change(name: str, value: object) -> object:
        return value | other if name in _SUMS and isinstance(value, dict) else value

    return _each(facts, change)


_CHANGES: Mapping[str, Callable[[Facts], Facts]] = {
    "other_reference": _other_reference,
    "other_merchant": _other_merchant,
    "other_amount": lambda facts: _money(facts, value="777.00"),
    "one_rrn": lambda facts: _each(facts, lambda name, value: ONE_RRN if name == "rrn" else value),
    "other_currency": lambda facts: _money(facts, currency=OTHER_CURRENCY),
}
