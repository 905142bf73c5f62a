"""What the books say; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from meterai.kit.money import Rupiah
from meterai.kit.refusal import Refusal, refusal_of_constraint


class BalanceTooLow(Refusal):
    """The entry or hold would take a balance below zero."""

    code = "balance_too_low"


refusal_of_constraint("balance_covers_its_holds", BalanceTooLow)


@dataclass(frozen=True, slots=True)
class Position:
    """Where every rupiah of one order is.  captured = executed + refunded + in flight."""

    captured: Rupiah  # received for it, denials taken off
    executed: Rupiah  # became stamps
    refunded: Rupiah  # given back and settled
    in_flight: Rupiah  # neither yet, or on its way back

    @classmethod
    def of(cls, books: Mapping[str, tuple[int, int]]) -> "Position":
        """From (debits, credits) of each book; settled refunds are under 'refunded'."""

        def balance(book: str) -> int:
            debit, credit = books.get(book, (0, 0))
            return credit - debit

        refunded = books.get("refunded", (0, 0))[1]
        in_flight = balance("buyer_funds") + balance("refunds_payable")
        return cls(
            captured=Rupiah(-balance("bank_clearing")),
            executed=Rupiah(
                balance("duty_payable") + balance("service_fee") + balance("denied_loss")
            ),
            refunded=Rupiah(refunded),
            in_flight=Rupiah(in_flight),
        )


NOTHING = Position(Rupiah(0), Rupiah(0), Rupiah(0), Rupiah(0))
