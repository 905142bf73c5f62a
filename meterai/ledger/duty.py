"""Sums of the books by reason and book, and the figures of duty derived from them; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from meterai.kit.money import STAMP_DUTY

SOLD = ("stamps_issued", "stamps_affixed")  # stamps of documents are sold when they are affixed
RETURNED = ("refund_requested", "stamps_returned")  # the first in entries of earlier versions
CHARGED_BACK = ("payment_denied", "loss_recovered", "stamps_recovered", "correction")
PAID_OUT = ("duty_paid_out", "collector_deposited")  # by us, and by collectors themselves


class ReasonSum(NamedTuple):
    """The entries of one reason in one book: number, and credits less debits."""

    reason: str
    book: str
    entries: int
    amount: int


class Sums:
    """Sums of the books over a period: entries and amount by reason and book."""

    def __init__(self, rows: Iterable[tuple[str, str, int, int]] = ()) -> None:
        self._found: dict[tuple[str, str], tuple[int, int]] = {}
        for reason, book, entries, amount in rows:
            before = self._found.get((reason, book), (0, 0))
            self._found[reason, book] = before[0] + entries, before[1] + amount

    def add(self, reason: str, legs: Iterable[tuple[str, int]]) -> None:
        """Add one entry."""
        for book, amount in legs:
            entries, before = self._found.get((reason, book), (0, 0))
            self._found[reason, book] = entries + 1, before + amount

    def rows(self) -> list[ReasonSum]:
        """All sums, in a fixed order."""
        return [ReasonSum(*key, *self._found[key]) for key in sorted(self._found)]

    def told(self) -> dict[str, dict[str, list[int]]]:
        """Entries and amount by reason, then by book, in the form of a manifest."""
        found: dict[str, dict[str, list[int]]] = {}
        for one in self.rows():
            found.setdefault(one.reason, {})[one.book] = [one.entries, one.amount]
        return found

    def of(self, book: str, *reasons: str) -> int:
        """The movement of a book by entries of these reasons; of all reasons if none is given."""
        return sum(
            amount
            for (reason, moved), (_, amount) in self._found.items()
            if moved == book and (not reasons or reason in reasons)
        )


@dataclass(frozen=True, slots=True)
class DutyFigure:
    """One line of a statement: a number of stamps, and rupiah."""

    name: str
    stamps: int
    rupiah: int


def figures_of(sums: Sums) -> list[DutyFigure]:
    """The five figures of a statement.

    A stamp is sold when its duty becomes due: one bought as quota when it is issued, one bought for a document when it is
    affixed.  Until then its price is money of the buyer, and goes back whole.  The duty of affixed stamps is their number
    times the tariff of the law: for a stamp of a quota it became due before.
    """
    affixed = sums.of("stamps_affixed")
    sold = sums.of("stamps_available", "stamps_issued") - sums.of(
        "stamps_ordered", "stamps_affixed"
    )
    refunded = -sums.of("stamps_available", *RETURNED)
    charged_back = -sums.of("stamps_available", *CHARGED_BACK)
    paid = sums.of("duty_payable", *PAID_OUT)
    return [
        DutyFigure("sold", sold, sums.of("duty_payable", *SOLD)),
        DutyFigure("affixed", affixed, affixed * STAMP_DUTY),
        DutyFigure("refunded", refunded, -sums.of("duty_payable", *RETURNED)),
        DutyFigure("charged_back", charged_back, -sums.of("duty_payable", *CHARGED_BACK)),
        DutyFigure("due", sold - refunded - charged_back, sums.of("duty_payable") - paid),
    ]
