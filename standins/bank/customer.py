"""Acts of customers and their banks: pay a QR or a virtual account, decline, charge a payment back. A chargeback is named
`deny` in the control API and the faults: the payer's bank takes a settled payment back.  Every act changes the store and
adds its notification in one transaction, so the merchant is notified of everything that happened, also after a restart.
"""

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from standins import clock
from standins.bank import model, qris
from standins.bank.answers import to_json
from standins.bank.fees import Tariff
from standins.bank.fields import money
from standins.bank.later import Later
from standins.bank.mix_ups import mixed_up
from standins.bank.model import (
    Bill,
    Closing,
    Notification,
    NotificationState,
    NotifiedService,
    Payment,
    Refund,
    Status,
)
from standins.bank.partner import MerchantEndpoints
from standins.bank.profile import Profile
from standins.bank.store import Store
from standins.bank.storm import SECONDS, BankFaults
from standins.bank.virtual_accounts import AMOUNT_MAX as VA_AMOUNT_MAX
from standins.bank.virtual_accounts import payment_facts
from standins.refusal import NotFound, NotUnderstood, Refusal


class UnknownQr(NotFound):
    """A well-formed QR or a number that this bank does not know."""

    code = "unknown_qr"


class BillClosed(Refusal):
    """The QR was cancelled by the merchant or declined."""

    code = "bill_closed"


class AlreadyPaid(Refusal):
    """The QR was paid, so it cannot be declined, and with the fault `strict` not be paid again."""

    code = "already_paid"


class PastValidity(Refusal):
    """The QR has expired; checked only with the fault `strict`."""

    code = "past_validity"


class NothingToReverse(Refusal):
    """The payment has no chargeback, or the refund was reversed already."""

    code = "nothing_to_reverse"


class NothingToChargeBack(Refusal):
    """No settled payment has enough money left to be charged back."""

    code = "nothing_to_deny"


class Customers:
    """All customers of all banks.  `wake` is called when a notification was added or a chargeback was scheduled."""

    def __init__(
        self,
        store: Store,
        faults: BankFaults,
        profile: Profile,
        endpoints: MerchantEndpoints,
        tariff: Tariff,
        later: Later,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._faults = faults
        self._profile = profile
        self._endpoints = endpoints
        self._tariff = tariff
        self._later = later
        self._wake = wake
        later.can("reverse-refund", self.reverse_refund)
        later.can("act", self._act_later)

    def bill_of(self, qr_content: str) -> Bill:
        """Return the bill of a scanned QR. Refuses `NotAQr`, `UnknownQr`."""
        text = qr_content.strip()
        qris.scan(text)
        bill = self._store.bill_of_qr(text)
        if bill is None:
            raise UnknownQr("this bank did not issue the QR")
        return bill

    def bill_of_account(self, number: str) -> Bill:
        """Return the latest bill of a virtual account. Refuses `UnknownQr`."""
        bill = self._store.bill_of_account(number)
        if bill is None:
            raise UnknownQr("no virtual account has this number")
        return bill

    def bill(self, reference_no: str) -> Bill:
        """Return the bill with this reference number of the bank."""
        bill = self._store.bill(reference_no)
        if bill is None:
            raise UnknownQr("no QR has this number")
        return bill

    def pay(self, bill: Bill, amount: int | None = None, request_id: str = "") -> Payment:
        """Pay the amount of the bill, or another amount in rupiah. A bill can be paid twice, as two payments. `request_id`
        is the id of an inquiry about a virtual account. Refuses `BillClosed`, and with the fault `strict` also
        `AlreadyPaid`, `PastValidity`.
        """
        now = clock.now_ms()
        self._check_payable(bill, now)
        most = VA_AMOUNT_MAX if bill.account else model.AMOUNT_MAX
        if amount is not None and not 0 < amount <= most:
            raise NotUnderstood(f"a payment must be 1 to {most} rupiah")
        after = self._faults.seconds_or_never("deny_after_settlement_seconds")
        deny_at = None if after is None else now + round(after * 1000)
        with self._store.transaction():
            number = self._store.next_number("payment")
            payment = Payment(
                reference_no=bill.reference_no,
                # ISO 8583 field 37: last digit of the year, day of the year, sequence number.
                rrn=f"{clock.wib(now):%Y%j}"[3:] + f"{number:08d}",
                amount=bill.amount if amount is None else amount,
                paid_at=now,
                denied_at=None,
                request_id=(request_id or new_external_id(now)) if bill.account else "",
            )
            fee, tax = self._tariff.fees.of_payment(
                payment.amount, is_virtual_account=bill.account is not None
            )
            self._store.add_payment(payment, deny_at, fee, tax)
            self._notify(bill, Status.SUCCESS, payment)
            if strike := self._faults.storm.strike("payment"):
                facts = {"reference_no": bill.reference_no, "rrn": payment.rrn}
                self._later.plan("act", strike.seconds, what=strike.fault, **facts)
        self._wake()
        return payment

    def _act_later(self, what: str, reference_no: str, rrn: str) -> None:
        """Carry out an act that a storm (`storm.py`) scheduled for a payment. Refuses what the act refuses."""
        bill = self.bill(reference_no)
        payment = next(one for one in bill.payments if one.rrn == rrn)
        half = max(payment.amount // 2, 1)
        match what:
            case "deny":
                self.charge_back(bill, rrn)
            case "deny_part":
                self.charge_back(bill, rrn, half)
            case "deny_and_win":
                self.charge_back(bill, rrn)
                self.win_back(self.bill(reference_no), rrn)
            case "give_back":
                self.refund_by_hand(bill, half, is_told=False)
            case "pay_again":
                self.pay(bill)
            case "tell_failed":
                with self._store.transaction():
                    self._notify(bill, Status.FAILED, payment)
                self._wake()
            case _:
                raise AssertionError(what)

    def decline(self, bill: Bill) -> None:
        """Let the payer's bank decline the payment of a bill, permanently. Refuses `BillClosed`, `AlreadyPaid`."""
        if bill.closing is not None:
            raise BillClosed(f"the QR was {bill.closing}")
        if bill.payments:
            raise AlreadyPaid("the QR was paid")
        with self._store.transaction():
            self._store.close_bill(bill.reference_no, Closing.DECLINED, clock.now_ms())
            self._notify(bill, Status.FAILED, None)
        self._wake()

    def charge_back(
        self,
        bill: Bill,
        rrn: str | None = None,
        amount: int | None = None,
        *,
        is_told: bool = True,
    ) -> Payment:
        """Let the payer's bank take a settled payment back: the payment `rrn`, or the latest; `amount` rupiah, or all that
        is left of the payment. The notification contains the total that was taken back of the payment so far. Refuses
        `NothingToChargeBack`.
        """
        candidates = [payment for payment in bill.settled if rrn in (None, payment.rrn)]
        payment = candidates[-1] if candidates else None
        left = 0 if payment is None else bill.left_of(payment)
        taken = left if amount is None else amount
        if payment is None or not 0 < taken <= left or payment.amount > left + payment.taken_back:
            raise NothingToChargeBack(
                "no such settled payment exists, it was refunded, or is smaller"
            )
        so_far = payment.taken_back + taken
        with self._store.transaction():
            now = clock.now_ms()
            self._store.add_chargeback(payment.rrn, taken, now)
            if so_far == payment.amount:
                self._store.charge_back_payment(payment.rrn, now)
            if is_told:
                self._notify(bill, Status.FAILED, replace(payment, amount=so_far))
        self._wake()
        return payment

    def win_back(self, bill: Bill, rrn: str | None = None) -> Payment:
        """Return the last chargeback of a payment to the merchant, and notify the payment again. Refuses `NothingToReverse`."""
        lost = [one for one in bill.payments if one.taken_back and rrn in (None, one.rrn)]
        if not lost:
            raise NothingToReverse("nothing of it was charged back")
        with self._store.transaction():
            self._store.win_back(lost[-1].rrn, clock.now_ms())
            self._notify(bill, Status.SUCCESS, lost[-1])
        self._wake()
        return lost[-1]

    def reverse_refund(self, partner_refund_no: str) -> Refund:
        """Reverse a refund that did not reach the payer; the reversal is only in the record. Refuses `NothingToReverse`."""
        refund = self._store.refund(partner_refund_no)
        if refund is None or refund.reversed_at is not None:
            raise NothingToReverse("no such refund exists, or it was reversed")
        self._store.reverse_refund(partner_refund_no, clock.now_ms())
        return refund

    def refund_by_hand(self, bill: Bill, amount: int, *, is_told: bool = True) -> Refund:
        """Make a refund by the bank's staff, without a call of the merchant. Refuses `NothingToChargeBack`."""
        enough = [payment for payment in bill.settled if bill.left_of(payment) >= amount > 0]
        if not enough:
            raise NothingToChargeBack("no payment has so much left")
        with self._store.transaction():
            now, number = clock.now_ms(), self._store.next_number("refund")
            refund = Refund(
                reference_no=bill.reference_no,
                partner_refund_no=f"BANK{number:010d}",
                refund_no=f"R{clock.wib(now):%Y%m%d}{number:010d}",
                rrn=enough[-1].rrn,
                amount=amount,
                reason="by the bank",
                refunded_at=now,
            )
            self._store.add_refund(refund)
            if is_told:
                self._notify(bill, Status.REFUNDED, replace(enough[-1], amount=amount))
        self._wake()
        return refund

    def notify(self, bill: Bill | None, body: bytes, external_id: str | None = None) -> None:
        """Send a notification with any body, which need not be JSON, signed like every notification. Refuses
        `NotUnderstood` if the external id was used before.
        """
        number = external_id or new_external_id(clock.now_ms())
        if self._store.is_notification_known(number):
            raise NotUnderstood("the external id was already used")
        with self._store.transaction():
            self._store.add_notification(
                Notification(
                    external_id=number,
                    reference_no="" if bill is None else bill.reference_no,
                    body=body,
                    copies=1,
                    attempts=0,
                    due_at=clock.now_ms(),
                    state=NotificationState.WAITING,
                )
            )
        self._wake()

    def charge_back_due(self) -> float | None:
        """Carry out due chargebacks of the fault `deny_after_settlement_seconds`. Return the seconds until the next, or
        None.
        """
        for reference_no, rrn in self._store.payments_to_charge_back(clock.now_ms()):
            try:
                self.charge_back(self.bill(reference_no), rrn)
            except NothingToChargeBack:
                self._store.unschedule_chargeback(rrn)  # the merchant refunded the payment before
        due = self._store.next_chargeback()
        return None if due is None else max(0, due - clock.now_ms()) / 1000

    def _check_payable(self, bill: Bill, now: int) -> None:
        if bill.closing is not None:
            raise BillClosed(f"the QR was {bill.closing}")
        if self._faults.is_on("strict"):
            if bill.payments:
                raise AlreadyPaid("the QR was paid")
            if bill.valid_until < now:
                raise PastValidity("the QR has expired")

    def refused(self, notification: Notification) -> None:
        """Process the merchant's refusal of a payment into a virtual account; the profile decides whether the money is
        returned.
        """
        if self._profile.refused_payment == "kept":
            return
        # No money is returned for a body that a fault truncated, or for a payment that was returned before.
        with suppress(ValueError, NothingToChargeBack):
            bill = self.bill(notification.reference_no)
            request_id = json.loads(notification.body)["paymentRequestId"]
            rrn = next(one.rrn for one in bill.payments if one.request_id == request_id)
            self.charge_back(bill, rrn)

    def _notify(self, bill: Bill, status: Status, payment: Payment | None) -> None:
        """Add the notification of an act, changed or dropped by the fault switches. For a virtual account only payments are
        notified.
        """
        if bill.account and (payment is None or status is not Status.SUCCESS):
            return
        with self._faults.struck("news") as strike:
            late = SECONDS if strike is None else strike.seconds
            self._add_notification(bill, status, payment, late)

    def _add_notification(
        self, bill: Bill, status: Status, payment: Payment | None, late_seconds: float
    ) -> None:
        is_dropped = self._faults.take("drop_notifications")
        is_doubled = not is_dropped and self._faults.take("double_notifications")
        delay = self._faults.seconds("notification_delay_seconds")
        if self._faults.take("late_notifications"):
            delay += late_seconds
        if status is Status.SUCCESS and self._faults.take("contradict_notifications"):
            status = Status.FAILED
        without_rrn = status is Status.FAILED and self._faults.take("deny_without_rrn")
        if bill.account and payment:
            service, told = NotifiedService.PAYMENT, payment_facts(self._profile, bill, payment)
            is_dropped = is_dropped or not self._endpoints.payment
        else:
            service = NotifiedService.NOTIFY
            told = notification_facts(bill, status, payment, with_rrn=not without_rrn)
        now, body = clock.now_ms(), to_json(mixed_up(self._faults, told))
        if self._faults.take("truncate_notifications"):
            body = body[: len(body) // 2]
        notification = Notification(
            external_id=new_external_id(now),
            reference_no=bill.reference_no,
            body=body,
            copies=2 if is_doubled else 1,
            attempts=0,
            due_at=now + round(delay * 1000),
            state=NotificationState.DROPPED if is_dropped else NotificationState.WAITING,
            service=service,
        )
        self._store.add_notification(notification)


def new_external_id(now: int) -> str:
    """Return an unused X-EXTERNAL-ID."""
    # Only digits, as older versions of SNAP BI demand; random, so that two banks with new stores do not use the same ids.
    return f"{now}{secrets.randbelow(10**12):012d}"


def notification_facts(
    bill: Bill, status: Status, payment: Payment | None, *, with_rrn: bool = True
) -> dict[str, object]:
    """Return the members of qr-mpm-notify (service 52), for a payment, or without one for a decline."""
    additional_info = {"issuer": model.PAYER_BANK}
    if payment is not None and with_rrn:
        additional_info |= {"rrn": payment.rrn, "paidTime": clock.snap_time(payment.paid_at)}
    return {
        "originalReferenceNo": bill.reference_no,
        "originalPartnerReferenceNo": bill.partner_reference_no,
        "latestTransactionStatus": status,
        "transactionStatusDesc": model.STATUS_TEXT[status],
        "customerNumber": model.CUSTOMER_NUMBER,
        "destinationNumber": qris.MERCHANT_PAN,
        "amount": money(bill.amount if payment is None else payment.amount),
        "bankCode": model.BANK_CODE,
        "additionalInfo": additional_info,
    }
