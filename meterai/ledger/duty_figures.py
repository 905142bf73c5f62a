"""Sums of ledger entries by reason and book, and the figures of stamp duty derived from them; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from meterai.kit.money import STAMP_DUTY

SOLD = ("stamps_issued", "stamps_affixed")  # stamps bought for a document are sold when affixed
RETURNED = ("refund_requested", "stamps_returned")  # the first only in entries of earlier versions
CHARGED_BACK = ("payment_denied", "loss_recovered", "stamps_recovered", "correction")
PAID_OUT = ("duty_paid_out", "collector_deposited")  # by us, and by collectors directly


class ReasonSum(NamedTuple):
    """The entries of one reason in one book: their number, and their credits less their debits."""

    reason: str
    book: str
    entries: int
    amount: int


class Sums:
    """Sums of the ledger entries of a period: number of entries, and amount, by reason and book."""

    def __init__(self, rows: Iterable[tuple[str, str, int, int]] = ()) -> None:
        self._found: dict[tuple[str, str], tuple[int, int]] = {}
        for reason, book, entries, amount in rows:
            before = self._found.get((reason, book), (0, 0))
            self._found[reason, book] = before[0] + entries, before[1] + amount

    def add(self, reason: str, legs: Iterable[tuple[str, int]]) -> None:
        """Add one ledger entry, which has this reason; each of its legs is (book, credit less debit)."""
        for book, amount in legs:
            entries, before = self._found.get((reason, book), (0, 0))
            self._found[reason, book] = entries + 1, before + amount

    def rows(self) -> list[ReasonSum]:
        """Return all sums, in a fixed order."""
        return [ReasonSum(*key, *self._found[key]) for key in sorted(self._found)]

    def told(self) -> dict[str, dict[str, list[int]]]:
        """Return [number of entries, amount] by reason and then by book, in the form in which the manifest of a day's extract
        of the books has them.
        """
        found: dict[str, dict[str, list[int]]] = {}
        for one in self.rows():
            found.setdefault(one.reason, {})[one.book] = [one.entries, one.amount]
        return found

    def of(self, book: str, *reasons: str) -> int:
        """Return the credits of a book less its debits, over the entries of these reasons, or over all entries if none
        is given.
        """
        return sum(
            amount
            for (reason, moved), (_, amount) in self._found.items()
            if moved == book and (not reasons or reason in reasons)
        )


@dataclass(frozen=True, slots=True)
class DutyFigure:
    """One figure of a statement of stamp duty: a number of stamps, and an amount in rupiah."""

    name: str
    stamps: int
    rupiah: int


def figures_of(sums: Sums) -> list[DutyFigure]:
    """Return the five figures of a statement of duty.

    A stamp counts as sold when its duty becomes due. The duty of a stamp bought as quota becomes due when the stamp is issued,
    that of a stamp bought for a document when it is affixed. Until then the price belongs to the buyer, and is refunded in
    full. The duty of affixed stamps is their number times the tariff of the law, although the duty of stamps bought as quota
    became due earlier.
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
