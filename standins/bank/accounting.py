"""The bank's own accounting: money held for the merchant, by payment and in sum.

A test compares it with the merchant's books, to the rupiah, gross and net.
"""

from dataclasses import asdict, dataclass

from standins import clock
from standins.bank.accounts import FLOAT_ACCOUNT, OWN_ACCOUNT, Accounts
from standins.bank.model import Bill
from standins.bank.settlement import Settlements
from standins.bank.store import Store
from standins.bank.transfers import Transfers, TransferState


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """One payment in rupiah.  `kept` is gross less chargebacks and refunds; `net` is kept less fee and tax."""

    rrn: str
    partner_reference_no: str
    method: str
    gross: int
    refunded: int
    taken_back: int
    kept: int
    fee: int
    tax: int
    net: int


class Accounting:
    """The accounting of all payments. To read it changes nothing, except that due settlements are made."""

    def __init__(
        self, store: Store, accounts: Accounts, transfers: Transfers, settlements: Settlements
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._transfers = transfers
        self._settlements = settlements

    def shown(self) -> dict[str, object]:
        """Return the sums and the payments; `held` and `settled` together are `net`."""
        held = self._settlements.held(clock.now_ms() + 1)
        fees = self._fees()
        payments = [one for bill in self._store.bills() for one in _of_bill(bill, fees)]
        settled = sum(
            line.amount for line in self._accounts.lines(OWN_ACCOUNT) if line.kind == "settlement"
        )
        sums = {
            name: sum(int(getattr(one, name)) for one in payments)
            for name in ("gross", "refunded", "taken_back", "kept", "fee", "tax", "net")
        }
        sent = [
            one
            for one in self._transfers.all()
            if one.state in (TransferState.SUCCESS, TransferState.PENDING)
        ]
        return {
            **sums,
            "held": held,
            "settled": settled,
            "own": self._accounts.balance(OWN_ACCOUNT),
            "float": self._accounts.balance(FLOAT_ACCOUNT),
            "transferred": sum(one.amount for one in sent),
            "transfer_fees": sum(one.fee for one in self._transfers.all()),
            "payments": [asdict(one) for one in payments],
        }

    def _fees(self) -> dict[str, tuple[int, int]]:
        """Return fee and tax of each payment, less the parts that were returned."""
        found: dict[str, tuple[int, int]] = {}
        for movement in self._store.movements(0, clock.now_ms() + 1, 0, -1):
            fee, tax = found.get(movement.rrn, (0, 0))
            for line in self._settlements.lines_of(movement):
                if line.part.startswith("FEE"):
                    fee -= line.amount
                elif line.part.startswith("VAT"):
                    tax -= line.amount
            found[movement.rrn] = (fee, tax)
        return found


def _of_bill(bill: Bill, fees: dict[str, tuple[int, int]]) -> list[PaymentAccount]:
    """Return the payments of a bill; a refund that names no payment is deducted from the first payment with money left."""
    unnamed = sum(one.amount for one in bill.refunds if not one.rrn and one.reversed_at is None)
    found = []
    for payment in bill.payments:
        refunded = sum(
            one.amount for one in bill.refunds if one.rrn == payment.rrn and one.reversed_at is None
        )
        more = min(unnamed, payment.amount - payment.taken_back - refunded)
        unnamed, refunded = unnamed - more, refunded + more
        kept = payment.amount - refunded - payment.taken_back
        fee, tax = fees[payment.rrn]
        found.append(
            PaymentAccount(
                payment.rrn,
                bill.partner_reference_no,
                "va" if bill.account else "qris",
                payment.amount,
                refunded,
                payment.taken_back,
                kept,
                fee,
                tax,
                kept - fee - tax,
            )
        )
    return found
