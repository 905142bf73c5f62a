"""The bank's transaction history over SNAP BI: transaction-history-list 12 and -detail 13.

Every payment, refund, chargeback, reversed refund and won chargeback is one line. Lines are in the order of the movements
and never change.  So pages up to a past moment are complete: later movements come after it.

SNAP names the line's members (dateTime, amount, remark, sourceOfFunds, status, type); the numbers
of the payment, refund and QR are in its additionalInfo, under the names they have elsewhere.
"""

from collections.abc import Callable

from standins import clock
from standins.bank import fields, model
from standins.bank.answers import Case, Refused
from standins.bank.fields import Body, money
from standins.bank.model import Bill, Movement, Payment, Refund
from standins.bank.store import Store
from standins.faults import Faults

PAGE_LINES_MAX = 100  # lines of one page
_TYPES = {
    "payment": "PAYMENT",
    "refund": "REFUND",
    "refund_reversed": "REFUND_REVERSAL",
    "chargeback": "CHARGEBACK",
    "chargeback_won": "CHARGEBACK_REVERSAL",
}
_DEBITS = ("refund", "chargeback")

Facts = dict[str, object]


class History:
    """Services 12 and 13."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def listed(self, body: Body) -> Facts:
        """Service 12: movements from fromDateTime to before toDateTime, in pages from 0. A page that is not full is the
        last.
        """
        begins, ends = (
            fields.optional_time(body, "fromDateTime"),
            fields.optional_time(body, "toDateTime"),
        )
        if begins is None or ends is None:
            raise Refused(Case.MISSING_FIELD, "fromDateTime, toDateTime")
        size, page = (
            fields.count(body, "pageSize", PAGE_LINES_MAX),
            fields.count(body, "pageNumber", 0),
        )
        if not 1 <= size <= PAGE_LINES_MAX:
            raise Refused(Case.INVALID_FIELD, "pageSize")
        found = self._store.movements(begins, ends, page * size, size)
        lines = [_line(movement) for movement in found]
        if lines and self._faults.take("history_line_twice"):
            lines.append(lines[0])
        if lines and self._faults.take("history_line_missing"):
            lines.pop()
        return {"detailData": lines}

    def detail(self, body: Body) -> Facts:
        """Service 13: one QR payment, with its refunds and chargebacks."""
        partner_reference_no = fields.mandatory_text(body, "originalPartnerReferenceNo")
        bill = self._store.bill_of_partner(partner_reference_no)
        if bill is None:
            raise Refused(Case.NOT_FOUND)
        return {
            "referenceNo": bill.reference_no,
            "partnerReferenceNo": bill.partner_reference_no,
            "amount": money(sum(payment.amount for payment in bill.payments)),
            "refundedAmount": money(bill.refunded),
            "cancelledAmount": money(sum(payment.taken_back for payment in bill.payments)),
            "dateTime": clock.snap_time(bill.created_at),
            "status": model.STATUS_TEXT[bill.status].upper(),
            "type": _TYPES["payment"],
            "additionalInfo": {
                "latestTransactionStatus": bill.status,
                "payments": payment_lines(bill),
                "refundHistory": [refund_line(refund) for refund in bill.refunds],
            },
        }

    def by_code(self) -> dict[str, Callable[[Body], Facts]]:
        """Return the services by code."""
        return {"12": self.listed, "13": self.detail}


def payment_lines(bill: Bill) -> list[Facts]:
    """Return the payments of a bill, each with its status; a payment that was charged back in part has a second line."""
    return [line for payment in bill.payments for line in _lines_of(payment)]


def _lines_of(payment: Payment) -> list[Facts]:
    line: Facts = {
        "rrn": payment.rrn,
        "amount": money(payment.amount),
        "paidTime": clock.snap_time(payment.paid_at),
        "status": payment.status,
    }
    if payment.denied_at is not None or not payment.taken_back:
        return [line]
    return [line, line | {"amount": money(payment.taken_back), "status": model.Status.FAILED}]


def refund_line(refund: Refund) -> Facts:
    """Return the members of one refund."""
    payment: Facts = {"rrn": refund.rrn} if refund.rrn else {}
    return payment | {
        "refundNo": refund.refund_no,
        "partnerRefundNo": refund.partner_refund_no,
        "refundAmount": money(refund.amount),
        "refundStatus": refund.status,
        "refundDate": clock.snap_time(refund.refunded_at),
        "reason": refund.reason,
    }


def _line(movement: Movement) -> Facts:
    additional_info: Facts = {
        "debitCredit": "DEBIT" if movement.kind in _DEBITS else "CREDIT",
        "originalReferenceNo": movement.reference_no,
        "originalPartnerReferenceNo": movement.partner_reference_no,
        "rrn": movement.rrn,
    }
    if movement.fee and movement.kind == "payment":
        additional_info |= {"feeAmount": money(movement.fee), "taxAmount": money(movement.tax)}
    if movement.refund_no:
        additional_info |= {
            "refundNo": movement.refund_no,
            "partnerRefundNo": movement.partner_refund_no,
        }
    return {
        "dateTime": clock.snap_time(movement.moved_at),
        "amount": money(movement.amount),
        "remark": movement.kind,
        "sourceOfFunds": [{"source": "BANK_ACCOUNT"}],
        "status": "SUCCESS",
        "type": _TYPES[movement.kind],
        "additionalInfo": additional_info,
    }
