"""What customers and their banks do: pay a QR, decline it, take a settled payment back.

Every act changes the books and writes the notification in one transaction, so the merchant is
told of everything that happened, also after a restart.
"""

import secrets
from collections.abc import Callable

from standins import clock
from standins.bank import model, qris
from standins.bank.answers import written
from standins.bank.books import Books
from standins.bank.fields import money
from standins.bank.model import Bill, Closing, Letter, LetterState, Payment, Status
from standins.faults import Faults
from standins.refusal import NotFound, NotUnderstood, Refusal


class UnknownQr(NotFound):
    """A well-formed QR that this bank did not give out, or a number it does not know."""

    code = "unknown_qr"


class BillClosed(Refusal):
    """The QR was cancelled by the merchant or declined."""

    code = "bill_closed"


class AlreadyPaid(Refusal):
    """The QR was paid: it cannot be declined, nor (with `strict`) paid again."""

    code = "already_paid"


class PastValidity(Refusal):
    """With `strict`: the QR ran out."""

    code = "past_validity"


class NothingToDeny(Refusal):
    """No settled payment, or money of it was refunded already."""

    code = "nothing_to_deny"


class Customers:
    """All customers of all banks.  `on_news` is called when a notification or denial is due."""

    def __init__(self, books: Books, faults: Faults, on_news: Callable[[], None]) -> None:
        self._books = books
        self._faults = faults
        self._on_news = on_news

    def bill_of(self, qr_content: str) -> Bill:
        """The bill behind a scanned QR; refuses with `NotAQr` or `UnknownQr`."""
        text = qr_content.strip()
        qris.scan(text)
        bill = self._books.bill_of_qr(text)
        if bill is None:
            raise UnknownQr("this bank did not give out that QR")
        return bill

    def bill(self, reference_no: str) -> Bill:
        """The bill with this number of the bank."""
        bill = self._books.bill(reference_no)
        if bill is None:
            raise UnknownQr("no QR has this number")
        return bill

    def pay(self, bill: Bill, amount: int | None = None) -> Payment:
        """Pay what was asked, or another amount; a second payment is another payment.

        Refuses with `BillClosed`, and with the fault `strict` also `AlreadyPaid`, `PastValidity`.
        """
        now = clock.now_ms()
        self._check_payable(bill, now)
        if amount is not None and not 0 < amount <= model.AMOUNT_MAX:
            raise NotUnderstood(f"a payment is 1 to {model.AMOUNT_MAX} rupiah")
        after = self._faults.seconds_or_never("deny_after_settlement_seconds")
        deny_at = None if after is None else now + round(after * 1000)
        with self._books.transaction():
            number = self._books.next_number("payment")
            payment = Payment(
                reference_no=bill.reference_no,
                # ISO 8583 field 37: last digit of the year, day of the year, running number.
                rrn=f"{clock.wib(now):%Y%j}"[3:] + f"{number:08d}",
                amount=bill.amount if amount is None else amount,
                paid_at=now,
                denied_at=None,
            )
            self._books.add_payment(payment, deny_at)
            self._tell(bill, Status.SUCCESS, payment)
        self._on_news()
        return payment

    def decline(self, bill: Bill) -> None:
        """The customer's bank says no for good; refuses with `BillClosed` or `AlreadyPaid`."""
        if bill.closing is not None:
            raise BillClosed(f"the QR was {bill.closing}")
        if bill.payments:
            raise AlreadyPaid("the QR was paid")
        with self._books.transaction():
            self._books.close_bill(bill.reference_no, Closing.DECLINED, clock.now_ms())
            self._tell(bill, Status.FAILED, None)
        self._on_news()

    def deny(self, bill: Bill, rrn: str | None = None) -> Payment:
        """The issuer takes a settled payment back: this one, or the latest.

        Refuses with `NothingToDeny`.
        """
        candidates = [payment for payment in bill.settled if rrn in (None, payment.rrn)]
        if not candidates or bill.left_of(candidates[-1]) < candidates[-1].amount:
            raise NothingToDeny("no such settled payment, or it was refunded")
        payment = candidates[-1]
        with self._books.transaction():
            self._books.deny_payment(payment.rrn, clock.now_ms())
            self._tell(bill, Status.FAILED, payment)
        self._on_news()
        return payment

    def deny_what_is_due(self) -> float | None:
        """Carry out the fault `deny_after_settlement_seconds`; seconds until the next."""
        for reference_no, rrn in self._books.payments_to_deny(clock.now_ms()):
            try:
                self.deny(self.bill(reference_no), rrn)
            except NothingToDeny:
                self._books.keep_payment(rrn)  # the merchant's refund was faster
        due = self._books.next_denial()
        return None if due is None else max(0, due - clock.now_ms()) / 1000

    def _check_payable(self, bill: Bill, now: int) -> None:
        if bill.closing is not None:
            raise BillClosed(f"the QR was {bill.closing}")
        if self._faults.is_on("strict"):
            if bill.payments:
                raise AlreadyPaid("the QR was paid")
            if bill.valid_until < now:
                raise PastValidity("the QR ran out")

    def _tell(self, bill: Bill, status: Status, payment: Payment | None) -> None:
        """Write the notification, spoilt as the faults want it."""
        is_dropped = self._faults.take("drop_notifications")
        is_doubled = not is_dropped and self._faults.take("double_notifications")
        now = clock.now_ms()
        letter = Letter(
            # Digits only, because older texts of SNAP BI say so; random, so that two banks with
            # fresh books do not repeat each other's ids.
            external_id=f"{now}{secrets.randbelow(10**12):012d}",
            reference_no=bill.reference_no,
            body=notification(bill, status, payment),
            copies=2 if is_doubled else 1,
            attempts=0,
            due_at=now + round(self._faults.seconds("notification_delay_seconds") * 1000),
            state=LetterState.DROPPED if is_dropped else LetterState.WAITING,
        )
        self._books.add_letter(letter)


def notification(bill: Bill, status: Status, payment: Payment | None) -> bytes:
    """The body of qr-mpm-notify (service 52): one payment, or a decline without one."""
    about = {"issuer": model.ISSUER}
    if payment is not None:
        about |= {"rrn": payment.rrn, "paidTime": clock.snap_time(payment.paid_at)}
    return written(
        {
            "originalReferenceNo": bill.reference_no,
            "originalPartnerReferenceNo": bill.partner_reference_no,
            "latestTransactionStatus": status,
            "transactionStatusDesc": model.STATUS_TEXT[status],
            "customerNumber": model.CUSTOMER_NUMBER,
            "destinationNumber": qris.MERCHANT_PAN,
            "amount": money(bill.amount if payment is None else payment.amount),
            "bankCode": model.BANK_CODE,
            "additionalInfo": about,
        }
    )
