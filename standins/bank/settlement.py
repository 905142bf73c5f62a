"""Money that the bank owes the merchant, day by day (WIB), and its payment into the merchant's own account. The lines of a
day have the fee and tax of each payment, and the returned parts of both. The net of a day is paid at six in the morning of
the next day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from standins import clock
from standins.bank.accounts import OWN_ACCOUNT, Accounts
from standins.bank.fees import Tariff
from standins.bank.model import BANK_CODE, Movement
from standins.bank.store import Store
from standins.clock import WIB
from standins.faults import Faults

PAID_AT = time(6)
LOOK_SECONDS = 60.0
_CHANNELS = {True: "VIRTUAL_ACCOUNT", False: "QRIS"}
_TYPES = {
    "payment": ("PAYMENT", "TRANSACTION", 1),
    "refund": ("REFUND", "TRANSACTION", -1),
    "refund_reversed": ("REFUND", "TRANSACTION_REVERSAL", 1),
    "chargeback": ("CHARGEBACK", "TRANSACTION", -1),
    "chargeback_won": ("CHARGEBACK", "TRANSACTION_REVERSAL", 1),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the settlement of a day; `amount` in rupiah, below zero if the bank owes the merchant less by it."""

    transaction: str
    part: str
    number: str  # of the payment, the refund or the settlement
    reference: str  # the merchant's own number
    channel: str
    moved_at: int
    amount: int


class Settlements:
    """The money that this bank holds for the merchant, and its settlement."""

    def __init__(self, store: Store, accounts: Accounts, tariff: Tariff, faults: Faults) -> None:
        self._faults = faults
        self._store = store
        self._accounts = accounts
        self._tariff = tariff
        self._next_day: date | None = None  # first day that may be unpaid

    def book(self) -> float:
        """Pay the net of each due day into the merchant's own account, once. Return the seconds until the next check."""
        now = clock.now_ms()
        first = self._store.first_payment()
        day = self._next_day or (None if first is None else clock.wib(first).date())
        if day is None:
            return LOOK_SECONDS
        paid = {line.reference for line in self._accounts.lines(OWN_ACCOUNT)}
        while (due := _moment(day + timedelta(days=1), PAID_AT)) <= now:
            net = sum(line.amount for line in self._lines(*self.cut(day)))
            reference = f"STL{day:%Y%m%d}"
            if net and reference not in paid:
                remark = f"SETTLEMENT {day}"
                self._accounts.move(
                    BANK_CODE, OWN_ACCOUNT, due, net, "settlement", reference, remark
                )
            day += timedelta(days=1)
        self._next_day = day
        return LOOK_SECONDS

    def of_day(self, day: date) -> list[Line]:
        """Return the lines of a day: its movements, and the payment for the days before."""
        self.book()
        begins, ends = self.cut(day)
        paid = [
            Line(
                "WITHDRAWAL", "TRANSACTION", line.reference, "", "BANK", line.moved_at, -line.amount
            )
            for line in self._accounts.lines(OWN_ACCOUNT, begins, ends)
            if line.kind == "settlement"
        ]
        return sorted([*self._lines(begins, ends), *paid], key=lambda line: line.moved_at)

    def held(self, before: int) -> int:
        """Return the rupiah held for the merchant before a moment (milliseconds since 1970): received and not paid out."""
        self.book()
        moved = sum(line.amount for line in self._lines(0, before))
        return moved - sum(
            line.amount
            for line in self._accounts.lines(OWN_ACCOUNT, 0, before)
            if line.kind == "settlement"
        )

    def cut(self, day: date) -> tuple[int, int]:
        """Return begin and end of a day of settlement in milliseconds since 1970; by a fault it ends before midnight."""
        early = round(self._faults.seconds("cut_off_early_seconds") * 1000)
        begins, ends = span(day)
        return begins - early, ends - early

    def _lines(self, begins: int, ends: int) -> Iterator[Line]:
        for movement in self._store.movements(begins, ends, 0, -1):
            yield from self.lines_of(movement)

    def lines_of(self, movement: Movement) -> Iterator[Line]:
        """Yield a movement, and its fee and tax, or their return."""
        transaction, part, sign = _TYPES[movement.kind]
        channel = _CHANNELS[movement.is_virtual_account]
        number = movement.refund_no or movement.rrn
        reference = movement.partner_refund_no or movement.partner_reference_no
        at = movement.moved_at
        yield Line(transaction, part, number, reference, channel, at, sign * movement.amount)
        is_payment = movement.kind == "payment"
        if is_payment or (self._tariff.fees.is_returned and movement.is_whole):
            back = "_REVERSAL" if sign < 0 else ""
            for name, amount in (("FEE", movement.fee), ("VAT", movement.tax)):
                if amount:
                    reference = movement.partner_reference_no
                    yield Line(
                        "PAYMENT", name + back, movement.rrn, reference, channel, at, -sign * amount
                    )


def span(day: date) -> tuple[int, int]:
    """Return begin and end of a day (WIB) in milliseconds since 1970."""
    return _moment(day, time()), _moment(day + timedelta(days=1), time())


def _moment(day: date, at: time) -> int:
    return round(datetime.combine(day, at, WIB).timestamp() * 1000)
