"""Summary of the money of an order, derived from the books; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal, refusal_of_constraint


class BalanceTooLow(Refusal):
    """The entry or hold would take the balance of a guarded book, less its holds, below zero."""

    code = "balance_too_low"


refusal_of_constraint("balance_covers_its_holds", BalanceTooLow)


@dataclass(frozen=True, slots=True)
class MoneySummary:
    """The money of one order, divided by where it is now.

    captured - charged back + loss = executed + refunded + in flight, and none of them is below zero.
    captured - charged back - refunded is the sum that the provider holds for the order.
    """

    captured: Rupiah  # received for the order
    charged_back: Rupiah  # taken back by the payer's bank
    executed: Rupiah  # became stamps, or the deposit of a seller
    refunded: Rupiah  # given back and settled, by us or by the provider itself
    in_flight: Rupiah  # neither executed nor refunded yet, or on its way back
    loss: Rupiah  # executed or refunded, and also charged back: borne by us
    captured_at: datetime | None  # time of the newest payment

    @classmethod
    def of(
        cls, books: Mapping[str, tuple[int, int]], captured_at: datetime | None = None
    ) -> "MoneySummary":
        """Return the summary for the (debits, credits) in rupiah of each book; `captured_at` is the time of the newest
        payment.

        Money that left the provider's account is in the books `refunded` and `charged_back`.
        """

        def balance(book: str) -> int:
            debit, credit = books.get(book, (0, 0))
            return credit - debit

        return cls(
            captured=Rupiah(-balance("bank_clearing")),
            charged_back=Rupiah(balance("charged_back")),
            executed=Rupiah(sum(map(balance, ("duty_payable", "service_fee", "deposits")))),
            refunded=Rupiah(balance("refunded")),
            in_flight=Rupiah(balance("buyer_funds") + balance("refunds_payable")),
            loss=Rupiah(-balance("denied_loss")),
            captured_at=captured_at,
        )


class MoneyMove(NamedTuple):
    """One movement of the money of an order: reason, time and rupiah."""

    reason: str
    at: datetime
    amount: int
    entry: str = ""  # id of the entry, unique by cause

    @property
    def rupiah(self) -> Rupiah:
        """The amount as a `Rupiah`."""
        return Rupiah(self.amount)


NOTHING = MoneySummary.of({})
