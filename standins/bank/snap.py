"""The bank's SNAP BI services for QR MPM: generate 47, query 51, cancel 77, refund 78.

Each service takes the body of an authenticated call and returns the members of a successful answer, or raises `Refused`. If
a customer paid a QR twice, the query's top-level amount, rrn and paidTime are those of the first payment that was not
charged back, and additionalInfo.payments lists all payments, each with its own `status` 00 or 06.  A payment that was
charged back in part has two lines with its rrn: the whole amount with 00, and the sum charged back so far with 06.
"""

from collections.abc import Callable
from dataclasses import dataclass

from standins import clock
from standins.bank import fields, model, qris
from standins.bank.answers import Case, Refused
from standins.bank.fields import Body, money
from standins.bank.history import payment_lines, refund_line
from standins.bank.later import Later
from standins.bank.model import Bill, Closing, Payment, Refund, Status
from standins.bank.profile import Profile
from standins.bank.qris import MERCHANT_ID_MAX, MERCHANT_NAME_MAX
from standins.bank.store import Store
from standins.faults import Faults

VALIDITY_MS = 15 * 60 * 1000  # validity of a QR without validityPeriod
TERMINAL_ID = "STANDIN1"

# Refusals after which the refund is nevertheless made, by fault switch.
_MADE_LATER = {
    "refunds_refused_and_made": Case.NOT_ALLOWED,
    "refunds_too_late_and_made": Case.EXPIRED,
    "refunds_pending": Case.IN_PROGRESS,
}

Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class Merchant:
    """The merchant of all QR codes. Raises `ValueError` for an id that does not fit into a QR."""

    merchant_id: str

    def __post_init__(self) -> None:
        if not (self.merchant_id.isascii() and 0 < len(self.merchant_id) <= MERCHANT_ID_MAX):
            raise ValueError(f"a merchant id is 1 to {MERCHANT_ID_MAX} ASCII characters")

    @property
    def name(self) -> str:
        """The name that the customer's app shows."""
        return f"{self.merchant_id} STAND-IN"[:MERCHANT_NAME_MAX]


class Services:
    """The four services for QR codes."""

    def __init__(
        self, merchant: Merchant, profile: Profile, store: Store, faults: Faults, later: Later
    ) -> None:
        self._merchant = merchant
        self._profile = profile
        self._store = store
        self._faults = faults
        self._later = later
        later.can("refund", self._made_later)

    def generate(self, body: Body) -> Facts:
        """Service 47: make a QR for one payment. Refused with 409/01 for a used partnerReferenceNo."""
        self._fail_if("generate_500", Case.GENERAL_ERROR)
        self._check_merchant(body)
        partner_reference_no = fields.mandatory_text(body, "partnerReferenceNo")
        amount = fields.amount(body, "amount")
        now = clock.now_ms()
        valid_until = fields.optional_time(body, "validityPeriod") or now + VALIDITY_MS
        if valid_until <= now:
            raise Refused(Case.INVALID_FIELD, "validityPeriod")
        if amount > model.AMOUNT_MAX:
            raise Refused(Case.EXCEEDS_AMOUNT)
        if self._store.bill_of_partner(partner_reference_no) is not None:
            raise Refused(Case.DUPLICATE)
        bill = self.write_bill(partner_reference_no, amount, now, valid_until)
        self._fail_if("generate_504_after_success", Case.TIMEOUT)
        return {
            "referenceNo": bill.reference_no,
            "partnerReferenceNo": bill.partner_reference_no,
            "qrContent": bill.qr_content,
            "merchantName": self._merchant.name,
            "terminalId": bill.terminal_id,
        }

    def query(self, body: Body) -> Facts:
        """Service 51: return the state of a QR and its payments."""
        self._fail_if("query_500", Case.GENERAL_ERROR)
        self._fail_if("query_504", Case.TIMEOUT)
        self._check_merchant(body)
        if fields.mandatory_text(body, "serviceCode") != self._profile.qr_service:
            raise Refused(Case.INVALID_FIELD, "serviceCode")
        bill = self._original(body)
        paid = bill.shown_payment
        additional_info: Facts = {"payments": payment_lines(bill)}
        facts: Facts = {
            "originalReferenceNo": bill.reference_no,
            "originalPartnerReferenceNo": bill.partner_reference_no,
            "serviceCode": self._profile.qr_service,
            "latestTransactionStatus": bill.status,
            "transactionStatusDesc": model.STATUS_TEXT[bill.status],
            "amount": money(bill.amount if paid is None else paid.amount),
            "terminalId": bill.terminal_id,
            "additionalInfo": additional_info,
        }
        if paid is not None:
            facts["paidTime"] = clock.snap_time(paid.paid_at)
            additional_info |= {"issuer": model.PAYER_BANK, "rrn": paid.rrn}
        if self._profile.refunds_in_query:
            additional_info["refundHistory"] = [refund_line(refund) for refund in bill.refunds]
        return facts

    def cancel(self, body: Body) -> Facts:
        """Service 77: cancel a pending QR, which can then not be paid. A repeat gets the same answer."""
        self._fail_if("cancel_500", Case.GENERAL_ERROR)
        self._check_merchant(body)
        fields.mandatory_text(body, "merchantId")
        fields.mandatory_text(body, "reason", fields.REASON_CHARACTERS_MAX)
        bill = self._original(body)
        if bill.status not in (Status.PENDING, Status.CANCELLED):
            raise Refused(Case.NOT_ALLOWED)
        cancelled_at = bill.closed_at
        if cancelled_at is None:
            cancelled_at = clock.now_ms()
            self._store.close_bill(bill.reference_no, Closing.CANCELLED, cancelled_at)
        return {
            "originalReferenceNo": bill.reference_no,
            "originalPartnerReferenceNo": bill.partner_reference_no,
            "cancelTime": clock.snap_time(cancelled_at),
            "transactionDate": clock.snap_time(bill.created_at),
        }

    def refund(self, body: Body) -> Facts:
        """Service 78: refund the customer; partnerRefundNo makes a repeat safe. A repeat gets the first answer, or 404/18
        if its content differs. Refused with 405/01 if nothing was paid, 403/02 for more than is left, 404/01 for an rrn of
        another QR.
        """
        self._fail_if("refund_500", Case.GENERAL_ERROR)
        self._check_merchant(body)
        partner_refund_no = fields.mandatory_text(body, "partnerRefundNo")
        fields.mandatory_text(body, "originalPartnerReferenceNo")
        amount = fields.amount(body, "refundAmount")
        bill = self._original(body)
        refund = self._store.refund(partner_refund_no)
        if refund is None:
            # Checked after the search for a repeat: a refund that was made is never refused later, or the merchant would
            # send the money a second time by another way.
            self._fail_if("refuse_refunds", Case.NOT_ALLOWED)
            self._fail_if("refunds_too_late", Case.EXPIRED)
            for fault, case in _MADE_LATER.items():
                if self._faults.take(fault):
                    after = self._faults.seconds("made_after_seconds")
                    self._later.plan("refund", after, body=dict(body))
                    raise Refused(case)
            refund = self._write_refund(body, bill, partner_refund_no, amount)
        elif (refund.reference_no, refund.amount) != (bill.reference_no, amount):
            raise Refused(Case.INCONSISTENT)
        self._fail_if("refund_504_after_success", Case.TIMEOUT)
        return {
            "originalReferenceNo": bill.reference_no,
            "originalPartnerReferenceNo": bill.partner_reference_no,
            "refundNo": refund.refund_no,
            "partnerRefundNo": refund.partner_refund_no,
            "refundAmount": money(refund.amount),
            "refundTime": clock.snap_time(refund.refunded_at),
        }

    def by_code(self) -> dict[str, Callable[[Body], Facts]]:
        """Return the services by code."""
        return {"47": self.generate, "51": self.query, "77": self.cancel, "78": self.refund}

    def _fail_if(self, fault: str, case: Case) -> None:
        if self._faults.take(fault):
            raise Refused(case)

    def _check_merchant(self, body: Body) -> None:
        named = fields.text(body, "merchantId")
        if named and named != self._merchant.merchant_id:
            raise Refused(Case.INVALID_MERCHANT)

    def _original(self, body: Body) -> Bill:
        """Return the bill of the original numbers in the body; if both are given, both must belong to it."""
        reference_no = fields.text(body, "originalReferenceNo")
        partner_reference_no = fields.text(body, "originalPartnerReferenceNo")
        if partner_reference_no:
            bill = self._store.bill_of_partner(partner_reference_no)
        elif reference_no:
            bill = self._store.bill(reference_no)
        else:
            raise Refused(Case.MISSING_FIELD, "originalPartnerReferenceNo")
        if bill is None or bill.account or (reference_no and reference_no != bill.reference_no):
            raise Refused(Case.NOT_FOUND)
        return bill

    def write_bill(self, partner_reference_no: str, amount: int, now: int, until: int) -> Bill:
        """Write a new bill with its QR. Return it."""
        with self._store.transaction():
            number = self._store.next_number("bill")
            reference_no = f"{clock.wib(now):%Y%m%d}{number:010d}"
            qr = qris.DynamicQr(
                amount=amount,
                reference=reference_no,
                merchant_id=self._merchant.merchant_id,
                merchant_name=self._merchant.name,
                terminal_id=TERMINAL_ID,
            )
            bill = Bill(
                reference_no=reference_no,
                partner_reference_no=partner_reference_no,
                amount=amount,
                qr_content=qris.payload(qr),
                terminal_id=TERMINAL_ID,
                created_at=now,
                valid_until=until,
                closing=None,
                closed_at=None,
            )
            self._store.add_bill(bill)
        return bill

    def _made_later(self, body: Body) -> None:
        number = fields.mandatory_text(body, "partnerRefundNo")
        if self._store.refund(number) is None:
            bill, amount = self._original(body), fields.amount(body, "refundAmount")
            self._write_refund(body, bill, number, amount)

    def _write_refund(self, body: Body, bill: Bill, partner_refund_no: str, amount: int) -> Refund:
        if not bill.settled:
            raise Refused(Case.NOT_ALLOWED)
        rrn = fields.text(fields.additional(body), "rrn")
        payment = self._payment_to_refund(bill, rrn, amount)
        left = bill.refundable if payment is None else bill.left_of(payment)
        if amount > left:
            raise Refused(Case.EXCEEDS_AMOUNT)
        now = clock.now_ms()
        with self._store.transaction():
            number = self._store.next_number("refund")
            refund = Refund(
                reference_no=bill.reference_no,
                partner_refund_no=partner_refund_no,
                refund_no=f"R{clock.wib(now):%Y%m%d}{number:010d}",
                rrn="" if payment is None else payment.rrn,
                amount=amount,
                reason=fields.text(body, "reason", fields.REASON_CHARACTERS_MAX),
                refunded_at=now,
            )
            self._store.add_refund(refund)
            if self._faults.take("refunds_reversed"):
                after = self._faults.seconds("made_after_seconds")
                self._later.plan("reverse-refund", after, partner_refund_no=partner_refund_no)
        return refund

    @staticmethod
    def _payment_to_refund(bill: Bill, rrn: str, amount: int) -> Payment | None:
        """Return the payment of the rrn, or without one the latest with enough left; None to take the money from several."""
        if rrn:
            named = [payment for payment in bill.payments if payment.rrn == rrn]
            if not named:
                raise Refused(Case.NOT_FOUND)
            if named[0].denied_at is not None:
                raise Refused(Case.NOT_ALLOWED)
            return named[0]
        enough = (payment for payment in bill.settled if bill.left_of(payment) >= amount)
        return max(enough, key=lambda payment: payment.rrn, default=None)
