"""The bank's SNAP BI services for virtual accounts of a closed amount: status 26, create 27, update 28, delete 31; and the
bodies of inquiry 24 and payment 25, which the bank sends. An account belongs to a bill until the bill is paid, deleted or
past its end; then its number may be used again.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from standins import clock
from standins.bank import fields, model
from standins.bank.answers import Case, Refused
from standins.bank.fields import Body, money
from standins.bank.history import payment_lines
from standins.bank.model import Bill, Closing, Payment, Status, VirtualAccount
from standins.bank.profile import Profile
from standins.bank.store import Store
from standins.clock import DAY_MS
from standins.faults import Faults

AMOUNT_MAX = 500_000_000  # rupiah in one payment
CLOSED_AMOUNT = "C"  # virtualAccountTrxType
_SERVICE_ID = re.compile(r" {0,7}[0-9]{1,8}")  # 8 characters, padded with spaces
_CUSTOMER_NO = re.compile(r"[0-9]{1,20}")
NAME_CHARACTERS_MAX = 255  # SNAP BI, virtualAccountName

Facts = dict[str, object]


class VirtualAccounts:
    """The services for virtual accounts."""

    def __init__(self, profile: Profile, store: Store, faults: Faults) -> None:
        self._profile = profile
        self._store = store
        self._faults = faults

    def by_code(self) -> dict[str, Callable[[Body], Facts]]:
        """Return the services by code."""
        return {"26": self.status, "27": self.create, "28": self.update, "31": self.delete}

    def create(self, body: Body) -> Facts:
        """Service 27: make an account for one payment. Refused with 409/01 for a used trxId, 404/18 for the number of
        another open bill.
        """
        self._fail_if("create_va_500", Case.GENERAL_ERROR)
        trx_id, amount, valid_until = self._wanted(body)
        name = fields.mandatory_text(body, "virtualAccountName", NAME_CHARACTERS_MAX)
        kind = fields.text(body, "virtualAccountTrxType", 1) or CLOSED_AMOUNT
        if kind != CLOSED_AMOUNT:
            raise Refused(Case.INVALID_FIELD, "virtualAccountTrxType")
        service_id, customer_no, number = _triple(body)
        if self._store.bill_of_partner(trx_id) is not None:
            raise Refused(Case.DUPLICATE)
        known, now = self._store.bill_of_account(number), clock.now_ms()
        if known and known.status is Status.PENDING and known.valid_until > now:
            raise Refused(Case.INCONSISTENT)
        bill = self.write(trx_id, amount, valid_until, (service_id, customer_no, number, name))
        self._fail_if("create_va_504_after_success", Case.TIMEOUT)
        return {"virtualAccountData": account_facts(bill)}

    def update(self, body: Body) -> Facts:
        """Service 28: change amount, end or name of an account. Refused with 404/14 if it was paid, 404/12 if there is none."""
        _, amount, valid_until = self._wanted(body)
        bill, account = self._pending(body)
        name = fields.text(body, "virtualAccountName", NAME_CHARACTERS_MAX) or account.name
        with self._store.transaction():
            self._store.change_bill(bill.reference_no, amount, valid_until, name)
        changed = self._store.bill(bill.reference_no)
        assert changed is not None
        return {"virtualAccountData": account_facts(changed)}

    def delete(self, body: Body) -> Facts:
        """Service 31: delete an account, which can then not be paid. A repeat gets the same answer."""
        self._fail_if("delete_va_500", Case.GENERAL_ERROR)
        bill, account = self._pending(body)
        if bill.closing is None:
            self._store.close_bill(bill.reference_no, Closing.CANCELLED, clock.now_ms())
        return {
            "virtualAccountData": {
                **triple_facts(account),
                "trxId": bill.partner_reference_no,
            }
        }

    def status(self, body: Body) -> Facts:
        """Service 26: return the state of an account and its payments. The named payment is the first that was not charged
        back; additionalInfo.payments has all payments, as in the query of a QR.
        """
        self._fail_if("va_status_500", Case.GENERAL_ERROR)
        self._fail_if("va_status_504", Case.TIMEOUT)
        bill, account = self._original(body)
        lag = round(self._profile.status_after_seconds * 1000)
        paid = bill.shown_payment
        if paid is not None and clock.now_ms() < paid.paid_at + lag:
            paid = None
            bill = replace(bill, payments=(), refunds=())
        facts: Facts = {
            **triple_facts(account),
            "trxId": bill.partner_reference_no,
            "paymentFlagReason": {"english": model.STATUS_TEXT[bill.status]},
            "paymentFlagStatus": bill.status,
            "totalAmount": money(bill.amount),
            "expiredDate": clock.snap_time(bill.valid_until),
        }
        if paid is not None:
            facts |= {
                "paymentRequestId": paid.request_id,
                "paidAmount": money(paid.amount),
                "trxDateTime": clock.snap_time(paid.paid_at),
                "transactionDate": clock.snap_time(paid.paid_at),
                "referenceNo": paid.rrn,
            }
        return {
            "virtualAccountData": facts,
            "additionalInfo": {
                "trxId": bill.partner_reference_no,
                "latestTransactionStatus": bill.status,
                "payments": payment_lines(bill),
            },
        }

    def write(
        self, trx_id: str, amount: int, until: int, account: tuple[str, str, str, str]
    ) -> Bill:
        """Write a new bill and its account (service id, customer number, number, name). Return the bill."""
        now = clock.now_ms()
        with self._store.transaction():
            seq = self._store.next_number("bill")
            reference_no = f"{clock.wib(now):%Y%m%d}{seq:010d}"
            bill = Bill(
                reference_no=reference_no,
                partner_reference_no=trx_id,
                amount=amount,
                qr_content=f"{account[2]}/{reference_no}",  # unique text, which is not a QR
                terminal_id="",
                created_at=now,
                valid_until=until,
                closing=None,
                closed_at=None,
                account=VirtualAccount(reference_no, *account),
            )
            self._store.add_bill(bill)
            assert bill.account is not None
            self._store.add_account(bill.account)
        return bill

    def _wanted(self, body: Body) -> tuple[str, int, int]:
        trx_id = fields.mandatory_text(body, "trxId")
        amount = fields.amount(body, "totalAmount")
        now = clock.now_ms()
        valid_until = fields.optional_time(body, "expiredDate") or now + DAY_MS
        if valid_until <= now:
            raise Refused(Case.INVALID_FIELD, "expiredDate")
        if amount > AMOUNT_MAX:
            raise Refused(Case.EXCEEDS_AMOUNT)
        return trx_id, amount, valid_until

    def _pending(self, body: Body) -> tuple[Bill, VirtualAccount]:
        bill, account = self._original(body)
        if bill.status not in (Status.PENDING, Status.CANCELLED):
            raise Refused(Case.PAID_BILL)
        return bill, account

    def _original(self, body: Body) -> tuple[Bill, VirtualAccount]:
        """Return the bill of the trxId or the paymentRequestId, else the latest bill of the number, and its account."""
        _, _, number = _triple(body)
        trx_id = fields.text(body, "trxId") or fields.text(fields.additional(body), "trxId")
        request_id = fields.text(body, "paymentRequestId", 128)
        if trx_id:
            bill = self._store.bill_of_partner(trx_id)
        elif request_id:
            bill = self._store.bill_of_request(request_id)
        else:
            bill = self._store.bill_of_account(number)
        if bill is None or bill.account is None or bill.account.number != number:
            raise Refused(Case.INVALID_BILL, "[Not Found]")
        return bill, bill.account

    def _fail_if(self, fault: str, case: Case) -> None:
        if self._faults.take(fault):
            raise Refused(case)


def _triple(body: Body) -> tuple[str, str, str]:
    """Return service id, customer number, and both together."""
    service_id = fields.mandatory_text(body, "partnerServiceId", 8)
    customer_no = fields.mandatory_text(body, "customerNo", 20)
    number = fields.mandatory_text(body, "virtualAccountNo", 28)
    if len(service_id) != 8 or not _SERVICE_ID.fullmatch(service_id):
        raise Refused(Case.INVALID_FIELD, "partnerServiceId")
    if not _CUSTOMER_NO.fullmatch(customer_no):
        raise Refused(Case.INVALID_FIELD, "customerNo")
    if number != service_id + customer_no:
        raise Refused(Case.INVALID_FIELD, "virtualAccountNo")
    return service_id, customer_no, number


def triple_facts(account: VirtualAccount) -> Facts:
    """Return the members that identify an account."""
    return {
        "partnerServiceId": account.service_id,
        "customerNo": account.customer_no,
        "virtualAccountNo": account.number,
    }


def account_facts(bill: Bill) -> Facts:
    """Return the members of an account for the answers of services 27 and 28."""
    assert bill.account is not None
    return {
        **triple_facts(bill.account),
        "virtualAccountName": bill.account.name,
        "trxId": bill.partner_reference_no,
        "totalAmount": money(bill.amount),
        "virtualAccountTrxType": CLOSED_AMOUNT,
        "expiredDate": clock.snap_time(bill.valid_until),
        "additionalInfo": {"referenceNo": bill.reference_no},
    }


def inquiry_facts(account: VirtualAccount, request_id: str, now: int) -> Facts:
    """Return the body of inquiry 24, which the bank sends before a customer pays."""
    return {
        **triple_facts(account),
        "trxDateInit": clock.snap_time(now),
        "channelCode": 6011,
        "language": "",
        "inquiryRequestId": request_id,
        "sourceBankCode": model.BANK_CODE,
        "additionalInfo": {},
    }


def payment_facts(profile: Profile, bill: Bill, payment: Payment) -> Facts:
    """Return the body of payment 25."""
    assert bill.account is not None
    return {
        **triple_facts(bill.account),
        "virtualAccountName": bill.account.name,
        "trxId": bill.partner_reference_no,
        "paymentRequestId": payment.request_id,
        "channelCode": 6011,
        "sourceBankCode": model.BANK_CODE,
        "paidAmount": money(payment.amount),
        "totalAmount": money(bill.amount),
        "trxDateTime": clock.snap_time(payment.paid_at),
        "referenceNo": payment.rrn,
        "journalNum": payment.rrn[-6:],
        "paymentType": 1 if profile.payment_type == "number" else "1",
        "flagAdvise": "N",
        "subCompany": "00000",
        "billDetails": [],
        "freeTexts": [],
        "additionalInfo": {},
    }
