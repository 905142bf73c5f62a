"""Our payments and refunds against the bank's own record (SNAP BI 12, transaction history).

Everything else an audit asks is what we wrote down ourselves.  Here both sides are read: whatever
the bank moved for us is in our tables with the same amount, and the other way round.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from meterai.payments import Movement, SnapProvider
from meterai.plumbing.database import Database, Row
from meterai.plumbing.invariants import SHOWN_MAX, Finding, Invariant, look

DAYS = 3  # looked at unless told otherwise; what is older was looked at before
# What the bank did so shortly ago we may still be about to learn; clocks differ by less.
FRESH = timedelta(minutes=15)
READ_AT_ONCE = 1_000

BANK = Invariant(
    "bank_says_what_the_books_say",
    "Every payment, refund and chargeback is in the bank's record and in ours, with its amount.",
    "",
)
_PAYMENTS = """
SELECT payment, amount, learned_by, denied_at FROM captures WHERE payment = ANY(%s)
"""
_REFUNDS = "SELECT refund_no, amount, state FROM refunds WHERE refund_no = ANY(%s)"
_OURS = """
SELECT 'payment' AS kind, payment AS number, amount FROM captures
WHERE learned_by <> 'denial' AND captured_at >= %s AND captured_at < %s
UNION ALL
SELECT 'refund', refund_no, amount FROM refunds
WHERE state = 'settled' AND settled_at >= %s AND settled_at < %s
UNION ALL
SELECT 'chargeback', payment, amount FROM captures
WHERE denied_at >= %s AND denied_at < %s
"""


@dataclass(slots=True)
class Statement:
    """The bank's record of a time, by kind and number."""

    moved: dict[tuple[str, str], Movement]
    wrong: list[Row]

    def take(self, movement: Movement) -> None:
        """One line of it."""
        number = movement.refund_number if movement.kind == "refund" else movement.payment
        key = movement.kind, number or ""
        if number is None:
            self.wrong.append(_told(movement, number, "without a number"))
        elif movement.kind == "payment" and key in self.moved:
            self.wrong.append(_told(movement, number, "twice at the bank"))
        self.moved[key] = movement


def _told(movement: Movement, number: str | None, complaint: str) -> Row:
    return {
        "kind": movement.kind,
        "number": number,
        "amount": movement.amount.value,
        "reference": movement.reference,
        "moved_at": movement.moved_at.isoformat(),
        "is": complaint,
    }


async def check_bank(
    database: Database, provider: SnapProvider, begins: datetime, now: datetime
) -> Finding:
    """Compare both records from `begins` on.  Refuses what the provider does."""
    statement = Statement({}, [])
    async for movement in provider.history(begins - FRESH, now + FRESH):
        statement.take(movement)
    wrong = statement.wrong
    for row in await look(database, _OURS, *(begins, now) * 3):
        movement_there = statement.moved.get((row["kind"], row["number"]))
        if movement_there is None:
            wrong.append(row | {"is": "not at the bank"})
        elif movement_there.amount.value != row["amount"] and row["kind"] != "chargeback":
            wrong.append(row | {"is": f"{movement_there.amount.value} at the bank"})
    due = [one for one in statement.moved.values() if begins <= one.moved_at < now - FRESH]
    for start in range(0, len(due), READ_AT_ONCE):
        wrong += await _unknown(database, due[start : start + READ_AT_ONCE])
    return Finding(BANK, len(wrong), wrong[:SHOWN_MAX])


async def _unknown(database: Database, due: list[Movement]) -> list[Row]:
    """What the bank moved and we do not know."""
    payments = await _by(database, _PAYMENTS, "payment", (one.payment for one in due))
    refunds = await _by(database, _REFUNDS, "refund_no", (one.refund_number for one in due))
    wrong = []
    for one in due:
        if one.kind == "refund":
            number, row = one.refund_number, refunds.get(one.refund_number)
            is_known = row is not None and row["state"] == "settled"
        else:
            number, row = one.payment, payments.get(one.payment)
            is_known = row is not None and (one.kind == "payment" or row["denied_at"] is not None)
        if number and not is_known:
            wrong.append(_told(one, number, "not in our books"))
        elif row is not None and one.kind == "payment" and row["amount"] != one.amount.value:
            wrong.append(_told(one, number, f"{row['amount']} in our books"))
    return wrong


async def _by(
    database: Database, query: str, key: str, numbers: Iterable[str | None]
) -> dict[Any, Row]:
    rows = await look(database, query, [number for number in numbers if number])
    return {row[key]: row for row in rows}
