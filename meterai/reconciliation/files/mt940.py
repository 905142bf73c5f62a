"""Statements of bank accounts as MT940 (SWIFT), parsed by the package mt-940, one movement of the account at a time.

The package parses a whole message or nothing.  Therefore it is given the lines of a message one by one, so that after a broken
line the others are still read.

A statement is incomplete if its balances do not add up, or if it has no closing balance.  A file has a gap or a repeated
statement if a statement does not begin with the closing balance of the one before it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from mt940.models import Amount, Balance, Transactions

from meterai.kit.clock import WIB
from meterai.kit.money import Rupiah
from meterai.payments import Movement, MovementKind, UnmatchedLine
from meterai.reconciliation.files.layouts import Names, RowTexts, judge_statement

_TAG = re.compile(r":(?P<tag>[0-9]{2}[A-Z]?):")
_DIFFER = "balances_differ"
BLOCK_CHARACTERS_MAX = 4_000  # text of one tag; the longest tag, :86:, has six lines of 65


def is_mt940(head: Sequence[str]) -> bool:
    """True if a file that begins with these lines consists of MT940 messages."""
    tags = {found["tag"] for line in head if (found := _TAG.match(line))}
    return "20" in tags and bool(tags & {"60F", "60M"})


def _tags(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (tag, text) of each field, in order."""
    tag, text = "", ""
    for line in lines:
        bare = line.rstrip("\r\n")
        found = _TAG.match(bare)
        if found or bare.startswith(("{", "-}")) or bare == "-":
            if tag:
                yield tag, text
            tag, text = (found["tag"], bare[found.end() :]) if found else ("", "")
        elif tag and len(text) < BLOCK_CHARACTERS_MAX:
            text += "\n" + bare
    if tag:
        yield tag, text


class _Statement:
    """Statement of one account: an opening balance, lines, a closing balance."""

    def __init__(self) -> None:
        self.opening = ""
        self.sum: Decimal | None = None
        self.is_closed = False

    def parsed(self, tags: str) -> Transactions:
        """Parse the fields of one line of the statement (`tags`) by the package mt-940, together with the opening balance,
        since only the balance names the currency. Raises what the package raises.
        """
        found = Transactions()
        found.parse(f":20:X\n:25:X\n{self.opening}\n{tags}")
        return found

    def closes(self, tag: str, text: str) -> bool:
        """True if a closing balance equals the opening balance plus all lines."""
        try:
            data = self.parsed(f":{tag}:{text}").data
        except Exception:  # the package may raise any exception
            return False
        names = ("final_closing_balance", "intermediate_closing_balance")
        balance = next((data[name] for name in names if name in data), None)
        return _amount(balance) == self.sum


class _Messages:
    """Checks that each statement of a file begins with the closing balance of the same account's previous statement."""

    def __init__(self, faults: list[str], look_at_account: Callable[[str], None]) -> None:
        self._faults = faults
        self._look_at_account = look_at_account
        self._account = ""
        self.now = _Statement()

    def take(self, tag: str, text: str) -> None:
        """Process a tag that is not part of a line: account, opening balance or closing balance."""
        if tag == "25" and text != self._account:
            self.end()
            self.now, self._account = _Statement(), text
            self._look_at_account(text.rpartition("/")[2])
        elif tag in ("60F", "60M"):
            self.end()
            before, self.now = self.now, _begun(f":{tag}:{text}")
            if before.opening and before.sum != self.now.sum:
                self._faults.append(_DIFFER)
        elif tag in ("62F", "62M"):
            self.now.is_closed = True
            if not self.now.closes(tag, text):
                self._faults.append(_DIFFER)

    def end(self) -> None:
        """Note a fault if the current statement has no closing balance."""
        if self.now.opening and not self.now.is_closed and "half_a_file" not in self._faults:
            self._faults.append("half_a_file")


def read_mt940(
    lines: Iterable[str],
    day: date,
    names: Names,
    faults: list[str],
    look_at_account: Callable[[str], None],
) -> Iterator[Movement | UnmatchedLine]:
    """Yield the lines of a file that are movements of the day `day`.

    Faults of the whole file are appended to `faults`; `look_at_account` gets the number of each statement's account.
    """
    messages, waiting, number = _Messages(faults, look_at_account), "", 0
    for tag, text in _tags(lines):
        if tag == "86" and waiting:
            waiting += f"\n:86:{text}"
            continue
        if waiting:
            yield from _line(messages.now, waiting, number, day, names)
            waiting = ""
        if tag == "61":
            waiting, number = f":61:{text}", number + 1
        messages.take(tag, text)
    if waiting:
        yield from _line(messages.now, waiting, number, day, names)
    messages.end()


def _begun(opening: str) -> _Statement:
    found = _Statement()
    found.opening = opening
    try:
        data = found.parsed("").data
    except Exception:  # the package may raise any exception
        return found
    names = ("final_opening_balance", "intermediate_opening_balance")
    balance = next((data[name] for name in names if name in data), None)
    found.sum = _amount(balance)
    return found


def _amount(balance: object) -> Decimal | None:
    """Return the sum of a balance as the package parsed it; None if it has none."""
    amount = balance.amount if isinstance(balance, Balance) else None
    return amount.amount if isinstance(amount, Amount) else None


def _line(
    now: _Statement, tags: str, number: int, day: date, names: Names
) -> Iterator[Movement | UnmatchedLine]:
    told = f"line {number}, {tags[4:40].splitlines()[0]!a}"
    try:
        [one] = now.parsed(tags)
        data = one.data
        amount, moved_on = data["amount"], data.get("entry_date") or data["date"]
    except Exception:  # the package may raise any exception
        yield UnmatchedLine("a line that is no MT940", told)
        return
    if now.sum is not None:
        now.sum += amount.amount
    if amount.currency != "IDR":
        yield UnmatchedLine("of another currency", told)
    elif amount.amount != amount.amount.to_integral_value() or not amount.amount:
        yield UnmatchedLine("no readable sum of rupiah", told)
    elif (moved_on.year, moved_on.month, moved_on.day) == (day.year, day.month, day.day):
        at = datetime(day.year, day.month, day.day, tzinfo=WIB)
        yield _movement(data, int(amount.amount), at, number, names)


def _movement(
    data: dict[str, object], rupiah: int, at: datetime, number: int, names: Names
) -> Movement:
    def said(name: str) -> str:
        text = " ".join(str(data.get(name) or "").split())
        return "" if text == "NONREF" else text

    is_in = rupiah > 0
    text = f"{said('transaction_details')} {said('extra_details')}"
    line = RowTexts("", said("customer_reference"), said("bank_reference"), "", text)
    judged = judge_statement(line, is_in, names)
    kind = judged.kind or MovementKind.OTHER
    if kind is MovementKind.OTHER and str(data.get("id")) == "NCHG":
        kind = MovementKind.FEE
    side = "" if kind is not MovementKind.OTHER else (" in" if is_in else " out")
    return Movement(
        kind,
        at,
        judged.reference,
        judged.payment,
        Rupiah(abs(rupiah)),
        judged.refund_number,
        judged.provider_refund_number,
        line=f"{number}{side}",
        counterpart=judged.counterpart,
    )
