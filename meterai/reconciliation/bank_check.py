"""Our books of payments against the bank's own record (SNAP BI 12, transaction history).

For every payment that the record or the books moved in the time compared, three sums must be equal
on both sides: received, given back, and taken back by the payer's bank.  Sums are compared and not
movements: one side may have made in two parts what the other made in one.  A line of the record that
cannot be read is a complaint of its own, and all others are compared.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from meterai.kit.money import Rupiah
from meterai.payments import REFUND_PREFIX, Movement, OddLine, PaymentService
from meterai.plumbing.database import Database, Row
from meterai.plumbing.invariants import SHOWN_MAX, Finding, Invariant

DAYS = 3  # compared by default: a daily audit has compared what is older
# Movements younger than this may not have reached our books yet; clocks differ by less.
FRESH = timedelta(minutes=15)
READ_AT_ONCE = 1_000
_SUMS = {"payment": "captured", "refund": "refunded", "chargeback": "charged_back"}

BANK = Invariant(
    "bank_says_what_the_books_say",
    "Of every payment the bank's record and ours have the same sums: what came, what was given "
    "back, what the payer's bank took back.",
    "",
)
_MOVED = """
SELECT payment FROM captures
WHERE learned_by <> 'denial' AND captured_at >= %s AND captured_at < %s
UNION SELECT payment FROM refunds WHERE state = 'settled' AND settled_at >= %s AND settled_at < %s
UNION SELECT payment FROM chargebacks
WHERE posted + returned_posted > 0 AND last_told_at >= %s AND last_told_at < %s
"""
# Money in suspense is of no order, and came all the same.  Nothing of a payment is older than its
# attempt; what has none was told within a day.
_OURS = """
WITH asked AS (SELECT * FROM captures WHERE payment = ANY(%s) AND learned_by <> 'denial')
SELECT payment, sum(captured)::bigint AS captured, sum(refunded)::bigint AS refunded,
       sum(charged_back)::bigint AS charged_back, min(since) AS since, min(reference) AS reference
FROM (
    SELECT c.payment, c.amount AS captured, 0 AS refunded, 0 AS charged_back, a.opened_at AS since,
           CASE WHEN c.learned_by <> 'operator' THEN a.reference END AS reference
    FROM asked c JOIN payment_attempts a USING (account_id, attempt_id)
    UNION ALL
    SELECT r.payment, 0, r.amount - r.reversed, 0, NULL, NULL
    FROM asked c JOIN refunds r USING (account_id, attempt_id, payment) WHERE r.state = 'settled'
    UNION ALL
    SELECT b.payment, 0, b.returned_posted, b.posted - b.won, NULL, NULL
    FROM asked c JOIN chargebacks b USING (account_id, attempt_id, payment)
    UNION ALL
    SELECT i.payment, i.booked, CASE i.resolution WHEN 'returned' THEN i.booked ELSE 0 END, 0,
           i.opened_at - interval '1 day', NULL
    FROM suspense_items i WHERE i.payment = ANY(%s) AND i.booked > 0
        AND coalesce(i.resolution, '') NOT IN ('explained', 'applied')
) moved
GROUP BY payment
"""
_REFUNDS = "SELECT refund_no, payment FROM refunds WHERE refund_no = ANY(%s)"
_REFUNDED = """
SELECT refund_no, amount FROM refunds WHERE state = 'settled' AND settled_at >= %s AND settled_at < %s
"""


@dataclass(slots=True)
class Statement:
    """The bank's record of a time: sums in rupiah by payment; of what is younger than `FRESH` by
    itself, since our books may not have it yet.
    """

    fresh_from: datetime
    sums: dict[str, Counter[str]] = field(default_factory=dict)
    fresh: dict[str, Counter[str]] = field(default_factory=dict)
    refunds: dict[str, Movement] = field(default_factory=dict)  # by our number
    nameless: list[Movement] = field(default_factory=list)
    odd: list[OddLine] = field(default_factory=list)
    references: dict[str, set[str]] = field(
        default_factory=dict
    )  # of a payment, as lines name them
    lines: int = 0

    def take(self, movement: Movement | OddLine, payment: str | None = None) -> None:
        """Add one line; `payment` is whose it is where the record itself does not say."""
        self.lines += 1
        if isinstance(movement, OddLine):
            self.odd.append(movement)
            return
        if movement.kind == "refund" and movement.refund_number:
            self.refunds[movement.refund_number] = movement
        number = movement.payment or payment
        if number is None:
            self.nameless.append(movement)
            return
        if movement.reference:
            self.references.setdefault(number, set()).add(movement.reference)
        sums = self.fresh if movement.moved_at >= self.fresh_from else self.sums
        sums.setdefault(number, Counter())[_SUMS[movement.kind]] += movement.amount.value

    def numbers(self) -> set[str]:
        """Every payment it names."""
        return self.sums.keys() | self.fresh.keys()

    def differs(self, payment: str, ours: Mapping[str, int]) -> list[str]:
        """Which sums of a payment differ from ours, whether fresh movements are counted or not."""
        sums, fresh = self.sums.get(payment, Counter()), self.fresh.get(payment, Counter())
        return [
            name
            for name in _SUMS.values()
            if not sums[name] <= ours.get(name, 0) <= sums[name] + fresh[name]
        ]


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison: what differs, and how much of it is lines that could not be read."""

    finding: Finding
    payments: int  # that the record or the books moved
    lines: int  # of the record
    unreadable: int


async def check_bank(
    database: Database, payments: PaymentService, begins: datetime, now: datetime
) -> Finding:
    """Differences between both records from `begins` on.  Refuses as the provider does."""
    return (await compare(database, payments, begins, now)).finding


async def compare(
    database: Database, payments: PaymentService, begins: datetime, now: datetime
) -> Compared:
    """Compare both records from `begins` on.  Refuses what the provider does."""
    statement = Statement(now - FRESH)
    async for movement in payments.history(begins - FRESH, now + FRESH):
        statement.take(movement)
    wrong = await _named(database, statement)
    moved = {row["payment"] for row in await database.read(_MOVED, *(begins, now) * 3)}
    ours = await _ours(database, statement.numbers() | moved)
    doubted = {
        number: sums["since"]
        for number, sums in ours.items()
        if sums["since"] < begins and statement.differs(number, sums)
    }
    if doubted:  # moved in part before this time, on either side
        async for movement in payments.history(min(doubted.values()) - FRESH, begins - FRESH):
            if isinstance(movement, Movement) and movement.payment in doubted:
                statement.take(movement)
    numbers = statement.numbers() | moved
    for number in sorted(numbers):
        wrong += _complaints(number, ours.get(number, {}), statement)
    wrong += await _unknown_refunds(database, statement, begins, now)
    # First, so that a long list of what differs hides none of them.
    odd: list[Row] = [{"line": one.told, "is": f"odd: {one.why}"} for one in statement.odd]
    finding = Finding(BANK, len(odd) + len(wrong), (odd + wrong)[:SHOWN_MAX])
    return Compared(finding, len(numbers), statement.lines, len(odd))


async def _ours(database: Database, numbers: Iterable[str]) -> dict[str, Row]:
    """Our sums of these payments."""
    found: dict[str, Row] = {}
    for some in _batches(sorted(numbers)):
        found |= {row["payment"]: row for row in await database.read(_OURS, some, some)}
    return found


async def _named(database: Database, statement: Statement) -> list[Row]:
    """Count the lines without a payment where the refund is ours; the others are shown."""
    lines, statement.nameless = statement.nameless, []
    ours: dict[str, str] = {}
    for some in _batches([one.refund_number for one in lines if one.refund_number]):
        rows = await database.read(_REFUNDS, some)
        ours |= {row["refund_no"]: row["payment"] for row in rows}
    for one in lines:
        statement.take(one, ours.get(one.refund_number or ""))
    return [_told(one, "without a number") for one in statement.nameless]


def _complaints(number: str, ours: Mapping[str, Any], statement: Statement) -> Iterator[Row]:
    bank, fresh = statement.sums.get(number, Counter()), statement.fresh.get(number, Counter())
    known = ours.get("reference")
    if others := known and statement.references.get(number, set()) - {known}:
        told = ", ".join(sorted(others))
        yield {"number": number, "reference": known, "is": f"of {told} at the bank"}
    if not statement.differs(number, ours):
        return
    is_at_the_bank = number in statement.numbers()
    if not (ours and is_at_the_bank):
        about = {name: ours.get(name, 0) or bank[name] for name in _SUMS.values()}
        yield _row(number, about, "not in our books" if is_at_the_bank else "not at the bank")
        return
    for name in statement.differs(number, ours):
        here = Rupiah(ours.get(name, 0))
        # What is too much here is too much beside all that the bank says, fresh movements too.
        is_more = here.value > bank[name]
        there = Rupiah(bank[name] + fresh[name] if is_more else bank[name])
        word = name.replace("_", " ")
        yield _row(
            number,
            {name: here.value},
            f"{word} {there} at the bank, {here} in our books: "
            + (f"{there - here} missing here" if there > here else f"{here - there} too much here"),
        )


async def _unknown_refunds(
    database: Database, statement: Statement, begins: datetime, now: datetime
) -> list[Row]:
    """Refunds by our numbers that one side has and the other does not."""
    wrong = [
        _row(row["refund_no"], {"refunded": row["amount"]}, "not at the bank")
        for row in await database.read(_REFUNDED, begins, now)
        if row["refund_no"] not in statement.refunds
    ]
    lines = [
        (number, one)
        for number, one in statement.refunds.items()
        if number.startswith(REFUND_PREFIX) and begins <= one.moved_at < now - FRESH
    ]
    known: set[str] = set()
    for some in _batches([number for number, _ in lines]):
        known |= {row["refund_no"] for row in await database.read(_REFUNDS, some)}
    return wrong + [_told(one, "not in our books") for number, one in lines if number not in known]


def _batches(numbers: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(numbers), READ_AT_ONCE):
        yield numbers[start : start + READ_AT_ONCE]


def _row(number: str, about: Mapping[str, int], complaint: str) -> Row:
    return {"number": number, **about, "is": complaint}


def _told(movement: Movement, complaint: str) -> Row:
    number = movement.refund_number or movement.payment
    about = {"reference": movement.reference, "moved_at": movement.moved_at.isoformat()}
    return {"number": number, "amount": movement.amount.value, **about, "is": complaint}
