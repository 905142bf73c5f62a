"""Parsing of Midtrans' notifications, and of its answers, each of which is compared with its query.

An answer is *done* if the status_code in its body is 2xx (or 407, for an expired transaction), *refused* if it is another
4xx, and of unknown outcome otherwise.  A transaction is paid once, so its id is the number of the payment.

An order_id has at most 50 characters, fewer than our references: we use the two ids of a reference in base64url.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha512
from typing import NewType
from uuid import UUID

import msgspec

from meterai.kit.doubles import check_names
from meterai.kit.money import Rupiah
from meterai.payments.model import (
    AboutAnother,
    AccountNumber,
    AttemptStatus,
    Instructions,
    Notification,
    OpenedAttempt,
    OutcomeUnknown,
    Payment,
    PaymentIdentity,
    PaymentQr,
    ProviderRefused,
    ProviderStatus,
    RefundLine,
    RefundMade,
    TransferUnderWay,
    UnmatchedNews,
    UnmatchedReason,
    differences,
    parse_reference,
    reference_of,
)

Json = Mapping[str, object]
Answer = NewType("Answer", Json)  # compared with the query; only `read_answer` makes one

PREFIX = "midtrans:"  # of the numbers of payments by Midtrans
NUMBER_CHARACTERS_MAX = 64
REFUNDS_MAX = 100  # of one transaction; an answer with more is `OutcomeUnknown`
MESSAGE_CHARACTERS_MAX = 150
# Name of the bank as payers know it.
BANKS = {"bca": "BCA", "bni": "BNI", "bri": "BRI", "permata": "Permata", "cimb": "CIMB Niaga"}
# transaction_status.  An expired transaction may settle late, so it counts as pending and is queried until the window ends.
STATUSES = {
    "pending": ProviderStatus.PENDING,
    "authorize": ProviderStatus.PENDING,
    "expire": ProviderStatus.PENDING,
    "capture": ProviderStatus.PAID,
    "settlement": ProviderStatus.PAID,
    "cancel": ProviderStatus.CANCELLED,
    "deny": ProviderStatus.FAILED,  # also of a settled payment that the payer's bank took back
    "failure": ProviderStatus.FAILED,
    "chargeback": ProviderStatus.FAILED,
    "partial_chargeback": ProviderStatus.FAILED,
    "refund": ProviderStatus.REFUNDED,
    "partial_refund": ProviderStatus.REFUNDED,
}
_WHOLLY_GONE = ("chargeback", "refund")
# Names of sum and status of chargebacks and refunds.
_PARTS = (("refund", ProviderStatus.REFUNDED), ("chargeback", ProviderStatus.FAILED))
_DONE_ALL_THE_SAME = "407"  # the transaction expired
_PASSING = ("408", "429")  # not a refusal: Midtrans may have acted
_CODE = re.compile(r"[1-5][0-9]{2}\Z")
_NUMBER = re.compile(rf"[\x21-\x7e]{{1,{NUMBER_CHARACTERS_MAX}}}\Z")
_ACCOUNT = re.compile(r"[0-9]{6,30}\Z")


def is_account(number: str) -> bool:
    """True if a text can be the number of a virtual account."""
    return _ACCOUNT.match(number) is not None


def order_id_of(reference: str) -> str:
    """The order_id of one of our references.  Raises `ValueError`."""
    account, attempt = parse_reference(reference)
    return urlsafe_b64encode(account.bytes + attempt.bytes).rstrip(b"=").decode()


def reference_of_order(order_id: object) -> str | None:
    """Our reference from an order_id; None if we did not make the order_id."""
    try:
        raw = urlsafe_b64decode(f"{order_id}=".encode("ascii"))
        reference = reference_of(UUID(bytes=raw[:16]), UUID(bytes=raw[16:]))
    except (ValueError, binascii.Error):
        return None
    # Other texts decode to the same bytes: only the text that we wrote is ours.
    return reference if order_id_of(reference) == order_id else None


def signature_of(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """The signature_key of a notification; it does not cover transaction_status."""
    return sha512(f"{order_id}{status_code}{gross_amount}{server_key}".encode()).hexdigest()


def read_object(raw: bytes) -> Json | None:
    """The JSON object in these bytes; None if they contain no JSON object, or one in which a name occurs twice."""
    try:
        check_names(raw.decode())
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def read_answer(status: int, raw: bytes, asked: PaymentIdentity) -> Answer:
    """Parse the answer to a query, compare it with the query (`asked`), and return the body of a successful answer.

    Refuses `AboutAnother` if the answer is about another payment than the query, whatever else it says; otherwise
    `ProviderRefused` for an answer that refuses, and `OutcomeUnknown` for any other that is not a success.
    """
    answer = read_object(raw) or {}
    told = subject_of(answer)
    if found := differences(asked, told):
        raise AboutAnother(found, told, is_money=_is_money(_status(answer)))
    text = answer.get("status_code")
    code = str(text) if type(text) in (str, int) and _CODE.match(str(text)) else ""
    message = ascii(answer.get("status_message", ""))[1 : MESSAGE_CHARACTERS_MAX + 1]
    is_done = code.startswith("2") or code == _DONE_ALL_THE_SAME
    if is_done and status == 200:
        return Answer(answer)
    # The HTTP status of a refusal is 200, or the status_code in the body.
    is_refusal = code.startswith("4") and code not in (*_PASSING, _DONE_ALL_THE_SAME)
    if is_refusal and status in (200, int(code)):
        raise ProviderRefused(code, message)
    raise OutcomeUnknown(f"HTTP {status}, code {code or 'none'} {message}".rstrip())


def subject_of(answer: Json) -> PaymentIdentity:
    """The facts by which an answer or a notification identifies its subject."""
    amount = _amount(answer, "gross_amount")
    told = _text(answer.get("gross_amount"))
    order_id = answer.get("order_id")
    return PaymentIdentity(
        reference=reference_of_order(order_id) or _text(order_id),
        provider_reference=_text(answer.get("transaction_id")),
        merchant=_text(answer.get("merchant_id")),
        # The sum of the transaction is also the sum paid: Midtrans accepts no other.
        amount=str(amount) if amount else told,
        refund_number=_text(answer.get("refund_key")),
    )


def _is_money(status: ProviderStatus | None) -> bool:
    return status in (ProviderStatus.PAID, ProviderStatus.REFUNDED, ProviderStatus.FAILED)


def _text(told: object) -> str | None:
    """The value of a JSON member as text, for comparison and for the log: shortened, printable characters only; None if the
    member is absent or empty.
    """
    return ascii(str(told))[1:-1][:NUMBER_CHARACTERS_MAX] if told not in (None, "") else None


def _status(answer: Json) -> ProviderStatus | None:
    told = answer.get("transaction_status")
    return STATUSES.get(told) if isinstance(told, str) else None


def _number(told: object) -> str | None:
    return told if isinstance(told, str) and _NUMBER.match(told) else None


def _payment(answer: Json) -> str | None:
    found = _number(answer.get("transaction_id"))
    return found and PREFIX + found


def _amount(answer: Json, name: str, *, least: int = 1) -> Rupiah | None:
    """A sum in whole rupiah of at least `least`; None if it is smaller or unreadable."""
    try:
        told = {"value": answer.get(name), "currency": answer.get("currency", "IDR")}
        amount = Rupiah.from_snap(told)
    except ValueError:
        return None
    return amount if amount.value >= least else None


# -- our calls ---------------------------------------------------------------------------------


def opened(answer: Answer) -> OpenedAttempt | None:
    """The instructions to pay and the id of the transaction; None if the answer lacks one of them."""
    number = _number(answer.get("transaction_id"))
    made = _instructions(answer)
    return OpenedAttempt(made, number) if made and number else None


def _instructions(answer: Answer) -> Instructions | None:
    if answer.get("payment_type") == "qris":
        content = answer.get("qr_string")
        return PaymentQr(content) if isinstance(content, str) else None
    listed = answer.get("va_numbers")
    match listed:
        case [{"bank": str(bank), "va_number": str(number)}]:
            pass
        case _:
            bank, number = "permata", str(answer.get("permata_va_number"))
    if bank not in BANKS or not is_account(number):
        return None
    return AccountNumber(BANKS[bank], number)


def attempt_status(answer: Answer) -> AttemptStatus:
    """The status of a transaction with its payment.  Refuses `OutcomeUnknown` if the answer has no known status."""
    status, word = _status(answer), answer.get("transaction_status")
    if status is None:
        raise OutcomeUnknown("the answer has no status")
    if word in ("deny", "failure") and not answer.get("settlement_time"):
        return AttemptStatus(status, ())  # a try to pay failed, and no payment was taken back
    if not _is_money(status):
        return AttemptStatus(status, ())
    number = _payment(answer)
    if number is None:
        return AttemptStatus(status, (UnmatchedNews(UnmatchedReason.NUMBER_MISSING),))
    if word in ("deny", "failure"):
        return AttemptStatus(status, (Payment(number, None, status),))
    lines = [] if word in _WHOLLY_GONE else [_paid(answer, number)]
    for name, gone in _PARTS:
        if answer.get(f"{name}_amount") is not None or str(word).endswith(name):
            lines.append(_taken_back(answer, f"{name}_amount", number, gone, is_whole=word == name))
    is_partly = word not in _WHOLLY_GONE
    return AttemptStatus(ProviderStatus.PAID if is_partly else status, tuple(lines))


def _paid(answer: Answer, number: str) -> Payment | UnmatchedNews:
    amount = _amount(answer, "gross_amount")
    if amount is None:
        return UnmatchedNews(UnmatchedReason.AMOUNT_UNREADABLE, number)
    if answer.get("fraud_status", "accept") != "accept":
        return UnmatchedNews(UnmatchedReason.STATUS_CONTRADICTS, number, amount)
    return Payment(number, amount, ProviderStatus.PAID)


def _taken_back(
    answer: Answer, name: str, number: str, status: ProviderStatus, *, is_whole: bool
) -> Payment | UnmatchedNews:
    """The payment with the sum that was refunded or charged back so far, from the field `name`.

    If the whole payment went back (`is_whole`), the answer may omit the sum.  Returns `UnmatchedNews` for an unreadable sum.
    """
    if is_whole and answer.get(name) is None:
        return Payment(number, None, status)
    amount = _amount(answer, name)
    return (
        Payment(number, amount, status)
        if amount
        else UnmatchedNews(UnmatchedReason.AMOUNT_UNREADABLE, number)
    )


def refund_made(answer: Answer, amount: Rupiah) -> RefundMade:
    """Midtrans' number of a refund of `amount`.

    Refuses `ProviderRefused` if the refund was denied, `OutcomeUnknown` if the number is missing or the sum differs.
    """
    if answer.get("status_code") != "200":
        raise ProviderRefused(str(answer.get("status_code")), "the refund was denied")
    number = _number(answer.get("refund_chargeback_uuid"))
    if number is None or _amount(answer, "refund_amount") != amount:
        raise OutcomeUnknown("the refund has no number, or another sum")
    return RefundMade(number)


def refund_listed(answer: Answer, number: str, amount: Rupiah) -> RefundMade | None:
    """The refund with our `number` among the refunds of its transaction; None if the list lacks the refund, or the refund
    failed.

    Refuses `TransferUnderWay` if the refund is under way, `OutcomeUnknown` if the refund has another amount.
    """
    for one in _refunds(answer):
        told = _amount(one, "refund_amount", least=0)
        if one.get("refund_key") != number or told == Rupiah(0):
            continue
        made = _number(one.get("refund_chargeback_uuid"))
        if told != amount:
            raise OutcomeUnknown("the refund has another sum")
        if made is None or not one.get("bank_confirmed_at"):
            raise TransferUnderWay("the refund is under way")
        return RefundMade(made)
    return None


def refund_lines(answer: Answer) -> tuple[RefundLine, ...]:
    """Every refund of a transaction: our refunds and those that were made without us; a declined refund has 0 rupiah."""
    return tuple(_refund_line(one, _payment(answer)) for one in _refunds(answer))


def _refunds(answer: Answer) -> list[Json]:
    listed = answer.get("refunds", [])
    if not isinstance(listed, list) or len(listed) > REFUNDS_MAX:
        raise OutcomeUnknown("the refunds cannot be read")
    return [one if isinstance(one, dict) else {} for one in listed]


def _refund_line(one: Json, payment: str | None) -> RefundLine:
    amount = _amount(one, "refund_amount", least=0)
    if amount is None:
        raise OutcomeUnknown("a refund of the record cannot be read")
    number = _number(one.get("refund_chargeback_uuid"))
    return RefundLine(_number(one.get("refund_key")), number, payment, amount)


# -- calls of Midtrans to us -------------------------------------------------------------------


def signed_by(body: bytes, server_key: str) -> tuple[str, str]:
    """Return the signature_key of a notification, and the signature_key that it should have; ('', '') if the body is no
    notification.
    """
    content = read_object(body) or {}
    match content:
        case {
            "order_id": str(order_id),
            "status_code": str(code),
            "gross_amount": str(amount),
            "signature_key": str(given),
        }:
            return given, signature_of(order_id, code, amount, server_key)
        case _:
            return "", ""


def read_notification(body: bytes) -> Notification:
    """Parse a notification whose signature was checked; a missing or unreadable field is None."""
    content = read_object(body)
    if content is None:
        return Notification(is_readable=False)
    told, status = subject_of(content), _status(content)
    return Notification(
        is_readable=True,
        reference=told.reference,
        provider_reference=_number(content.get("transaction_id")),
        merchant=told.merchant,
        status=status,
        word=str(content["transaction_status"]) if status else None,
        number=_payment(content),
        amount=_amount(content, "gross_amount"),
        is_amount_told="gross_amount" in content,
    )
