"""Parsing of a bank's answers and notifications in SNAP BI; pure, and able to process any bytes, even malformed ones.

An answer is done, refused, or of unknown outcome.  It is done only if the HTTP status is 200 *and* the body has the success
code of the called service (200, service, 00).  It is refused if the HTTP status is 4xx and the body has a code of that
status.  Code 202/00 of the service is `TransferUnderWay`.  Everything else (3xx, 5xx, a refusal inside a 200, HTML, an empty
body) is `OutcomeUnknown`, and a query follows.

Every answer, also a refusal, passes `read_answer`, which compares its facts with the query (`PaymentIdentity`): an answer about
another subject is `AboutAnother` and is never used.  The other functions accept only the type `Answer`, which is an answer that
passed this comparison.  An absent or empty member is no difference: SNAP BI makes most members optional, and each bank repeats
a different choice of them.

Only a payment with latestTransactionStatus 00, a payment number and an amount in whole rupiah counts as received.  If the
number or the amount is missing, the payment is returned as `UnmatchedNews`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NewType, TypeVar

import msgspec

from meterai.kit.doubles import check_names
from meterai.kit.money import Rupiah
from meterai.payments.model import (
    AboutAnother,
    AttemptStatus,
    Movement,
    MovementKind,
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
    UnmatchedLine,
    UnmatchedNews,
    UnmatchedReason,
    differences,
)

Json = Mapping[str, object]
Answer = NewType("Answer", Json)  # compared with the query; only `read_answer` makes one

NUMBER_CHARACTERS_MAX = 64  # SNAP BI: referenceNo, partnerReferenceNo, refundNo
QR_CHARACTERS_MAX = 512  # SNAP BI: qrContent
PAYMENTS_MAX = 100  # on one QR; an answer with more is `OutcomeUnknown`
MESSAGE_CHARACTERS_MAX = 150  # SNAP BI: responseMessage
_DIGITS = re.compile(r"[0-9]{1,28}\Z")  # SNAP BI: virtualAccountNo
_CODE = re.compile(r"[0-9]{7}\Z")
_NUMBER = re.compile(rf"(?! )[\x20-\x7e]{{1,{NUMBER_CHARACTERS_MAX}}}(?<! )\Z")
# latestTransactionStatus
STATUSES = {
    "00": ProviderStatus.PAID,
    "01": ProviderStatus.PENDING,  # initiated
    "02": ProviderStatus.PENDING,  # paying
    "03": ProviderStatus.PENDING,
    "04": ProviderStatus.REFUNDED,
    "05": ProviderStatus.CANCELLED,
    "06": ProviderStatus.FAILED,
    "07": ProviderStatus.UNKNOWN,
}
# Names of the facts of `PaymentIdentity` in SNAP BI, in the answer or in its additionalInfo.  referenceNo is not among them:
# in an answer with originalReferenceNo it identifies the call, not the attempt.
_NAMES = {
    "reference": ("partnerReferenceNo", "originalPartnerReferenceNo", "trxId"),
    "provider_reference": ("originalReferenceNo", "virtualAccountNo"),
    "merchant": ("merchantId",),
    "store": ("storeId", "externalStoreId"),
    "terminal": ("terminalId",),
    "amount": ("amount", "totalAmount"),
    "payment": ("rrn",),
    "refund_number": ("partnerRefundNo",),
    "refund_amount": ("refundAmount",),
}
# Fields of an unreadable line that may be shown; the others may name a person.
_SHOWN = (
    "type",
    "dateTime",
    "amount",
    "status",
    "originalPartnerReferenceNo",
    "originalReferenceNo",
    "rrn",
    "partnerRefundNo",
    "refundNo",
)
_ACCOUNT_DATA = "virtualaccountdata"  # in lower case: banks spell it in two ways
SECOND = timedelta(seconds=1)  # precision of times in SNAP BI
_MONEY = (ProviderStatus.PAID, ProviderStatus.REFUNDED, ProviderStatus.FAILED)
_MOVEMENTS = {
    "PAYMENT": MovementKind.PAYMENT,
    "REFUND": MovementKind.REFUND,
    "REFUND_REVERSAL": MovementKind.REFUND_REVERSED,
    "CHARGEBACK": MovementKind.CHARGEBACK,
    "CHARGEBACK_REVERSAL": MovementKind.CHARGEBACK_WON,
}


def case_of(refusal: ProviderRefused, service: str) -> str:
    """HTTP status and case code of a refusal, without the code of the service: '40401', '40901'.

    The result for a refusal that the service did not make, such as that of a gateway, is only the HTTP status: '404'.
    """
    code = refusal.response_code
    return code[:3] + (code[5:] if code[3:5] == service else "")


def read_object(raw: bytes) -> Json | None:
    """The JSON object in these bytes; None if they contain no JSON object, or one in which a name occurs twice."""
    try:
        check_names(raw.decode())
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def read_answer(service: str, status: int, raw: bytes, asked: PaymentIdentity) -> Answer:
    """Parse the answer to a call of a service, compare it with the call's subject (`asked`), and return a successful answer.

    Refuses `AboutAnother` if the answer is about another subject, whatever else it says; otherwise `ProviderRefused` for an
    answer that refuses, `TransferUnderWay` for a transfer under way, and `OutcomeUnknown` for any other that is not a
    success.
    """
    answer = compared(_flat(read_object(raw) or {}), asked)
    code = _code(answer.get("responseCode"))
    text = answer.get("responseMessage")
    # The bank's message goes into our log: shortened, and with printable characters only.
    message = ascii(text)[1 : MESSAGE_CHARACTERS_MAX + 1] if isinstance(text, str) else ""
    if status == 200 and code == f"200{service}00":
        return answer
    is_passing = status in (408, 429)  # no refusal: the provider may have acted
    if 400 <= status < 500 and not is_passing and code.startswith(str(status)):
        raise ProviderRefused(code, message)
    if status == 202 and code == f"202{service}00":
        raise TransferUnderWay(f"{code} {message}".rstrip())
    raise OutcomeUnknown(f"HTTP {status}, code {code or 'none'} {message}".rstrip())


def _flat(answer: Json) -> Json:
    """The answer, flattened: members of its nested object about a virtual account are moved to the top level."""
    found = next((one for name, one in answer.items() if name.lower() == _ACCOUNT_DATA), None)
    if not isinstance(found, dict):
        return answer
    told = _about(answer).get("latestTransactionStatus", found.get("paymentFlagStatus"))
    return {"latestTransactionStatus": told, **found, **answer}


def compared(answer: Json, asked: PaymentIdentity) -> Answer:
    """Compare an answer, or a part of an answer, with its query, and return that answer or part with the type `Answer`.

    Refuses `AboutAnother`.
    """
    told = subject_of(answer)
    status = _status(answer.get("latestTransactionStatus"))
    if found := differences(asked, told):
        raise AboutAnother(found, told, is_money=status in _MONEY)
    return Answer(answer)


def subject_of(answer: Json) -> PaymentIdentity:
    """The facts by which an answer, a notification or a line of a record identifies its subject.

    If two members contradict each other about a fact, both values are joined to one text, so that the fact differs from that
    of every query.
    """
    about = _about(answer)
    found: dict[str, Any] = {}
    for fact, names in _NAMES.items():
        told = (_text(one.get(name)) for one in (answer, about) for name in names)
        if texts := dict.fromkeys(text for text in told if text):
            found[fact] = ", ".join(texts)
    if _status(answer.get("latestTransactionStatus")) in _MONEY:
        # Not compared: the sum paid may differ from the sum asked for, and the sum paid is booked.
        found.pop("amount", None)
    return PaymentIdentity(**found)


def _text(told: object) -> str | None:
    """The value of a JSON member as text, for comparison and for the log: shortened, printable characters only; None if the
    member is absent or empty.
    """
    match told:
        case None | "":
            return None
        case str() | int():
            return ascii(str(told).strip())[1:-1][:NUMBER_CHARACTERS_MAX]
        case {"value": value, "currency": currency}:
            amount = _amount(told)
            return str(amount) if amount else ascii(f"{currency} {value}")[1:-1][:40]
        case _:
            return ascii(told)[:NUMBER_CHARACTERS_MAX]


def _code(told: object) -> str:
    # Some partners write the code as a number.
    text = str(told) if type(told) in (str, int) else ""
    return text if _CODE.match(text) else ""


def _number(told: object) -> str | None:
    """A number (identifier) in SNAP BI as text; None if it is missing or has an invalid form."""
    text = str(told) if type(told) in (str, int) else ""
    return text if _NUMBER.match(text) else None


def _amount(told: object) -> Rupiah | None:
    """A sum in whole rupiah above zero; None if it is unreadable."""
    try:
        amount = Rupiah.from_snap(told)
    except ValueError:
        return None
    return amount if amount.value > 0 else None


def _status(told: object) -> ProviderStatus | None:
    return STATUSES.get(told) if isinstance(told, str) else None


def _about(answer: Json) -> Json:
    found = answer.get("additionalInfo")
    return found if isinstance(found, dict) else {}


# -- our calls ---------------------------------------------------------------------------------


def qr_made(answer: Answer) -> OpenedAttempt:
    """Parse an answer of service 47: a QR that was made.  Refuses `OutcomeUnknown` if it contains no QR."""
    content, number = answer.get("qrContent"), _number(answer.get("referenceNo"))
    is_text = isinstance(content, str) and content.isascii() and content.isprintable()
    if not is_text or not 0 < len(str(content)) <= QR_CHARACTERS_MAX or number is None:
        raise OutcomeUnknown("the answer has no QR")
    return OpenedAttempt(PaymentQr(str(content)), number)


def attempt_status(answer: Answer) -> AttemptStatus:
    """Parse an answer of service 51: status of a QR and its payments.  Refuses `OutcomeUnknown` if it has no status."""
    status = _status(answer.get("latestTransactionStatus"))
    if status is None:
        raise OutcomeUnknown("the answer has no status")
    about = _about(answer)
    if "payments" not in about:
        lines = [_line(status, status, about.get("rrn"), answer.get("amount"))]
    else:
        listed = about["payments"]
        if not isinstance(listed, list) or len(listed) > PAYMENTS_MAX:
            raise OutcomeUnknown("the payments cannot be read")
        lines = [_listed(status, one) for one in listed]
        if status is ProviderStatus.PAID and not listed:
            lines = [UnmatchedNews(UnmatchedReason.NUMBER_MISSING)]
    return AttemptStatus(status, tuple(line for line in lines if line is not None))


def account_status(answer: Answer) -> AttemptStatus:
    """Parse an answer of service 26: status of a virtual account.  Refuses `OutcomeUnknown` if it has no status."""
    about = {"rrn": _payment_of(answer), **_about(answer)}
    told = {"amount": answer.get("paidAmount"), "additionalInfo": about}
    return attempt_status(Answer({**answer, **told}))


def _payment_of(content: Json) -> str | None:
    """The bank's number of a payment into a virtual account: referenceNo, else paymentRequestId."""
    return _number(content.get("referenceNo")) or _number(content.get("paymentRequestId"))


def _listed(whole: ProviderStatus, one: object) -> Payment | UnmatchedNews | None:
    if not isinstance(one, dict):
        return UnmatchedNews(UnmatchedReason.UNREADABLE)
    return _line(whole, _status(one.get("status")), one.get("rrn"), one.get("amount"))


def _line(
    whole: ProviderStatus, own: ProviderStatus | None, rrn: object, told: object
) -> Payment | UnmatchedNews | None:
    """Interpret one payment of a QR.

    whole  status of the QR
    own    status of this payment
    rrn    number of the payment
    told   its amount

    Returns None if the payment neither brought nor took money.
    """
    number, amount = _number(rrn), _amount(told)
    if own is None:
        return UnmatchedNews(UnmatchedReason.STATUS_UNKNOWN, number, amount)
    if own in (ProviderStatus.CANCELLED, ProviderStatus.FAILED):
        # Without a number this is not a payment: the caller acts on the status of the QR.
        return None if number is None else _taken_back(number, amount, told, own)
    if own is ProviderStatus.REFUNDED or (
        own is ProviderStatus.PAID and whole is ProviderStatus.REFUNDED
    ):
        return (
            None if number is None else _taken_back(number, amount, told, ProviderStatus.REFUNDED)
        )
    if own is not ProviderStatus.PAID:
        return None
    if number is None:
        return UnmatchedNews(UnmatchedReason.NUMBER_MISSING, None, amount)
    if amount is None:
        return UnmatchedNews(UnmatchedReason.AMOUNT_UNREADABLE, number)
    if whole is not ProviderStatus.PAID:
        return UnmatchedNews(UnmatchedReason.STATUS_CONTRADICTS, number, amount)
    return Payment(number, amount, ProviderStatus.PAID)


def _taken_back(
    number: str, amount: Rupiah | None, told: object, status: ProviderStatus
) -> Payment | UnmatchedNews:
    """The payment with the sum that was taken back (`amount`).

    If the answer names no amount (`told` is None), the whole payment was taken back.  Returns `UnmatchedNews` for an unreadable
    amount.
    """
    if amount is None and told is not None:
        return UnmatchedNews(UnmatchedReason.AMOUNT_UNREADABLE, number)
    return Payment(number, amount, status)


def name_of_holder(answer: Answer, characters_max: int) -> str:
    """Parse an answer of service 15 or 16: the name of an account's holder, shortened to `characters_max`.

    Refuses `OutcomeUnknown` if it contains no name.
    """
    found = answer.get("beneficiaryAccountName")
    if not isinstance(found, str) or not found.strip() or not found.isprintable():
        raise OutcomeUnknown("the account has no name")
    return found.strip()[:characters_max]


def status_of(answer: Answer) -> ProviderStatus | None:
    """Parse an answer of service 36: the status of a transfer; None for an unknown status."""
    return _status(answer.get("latestTransactionStatus"))


def amount_of(answer: Answer) -> Rupiah | None:
    """The amount in an answer; None if it is missing or unreadable."""
    return _amount(answer.get("amount"))


def transfer_made(answer: Answer) -> RefundMade:
    """Parse an answer of service 17, 18 or 36: the bank's number of a transfer.

    Refuses `OutcomeUnknown` if it contains no number.
    """
    found = _number(answer.get("originalReferenceNo")) or _number(answer.get("referenceNo"))
    if found is None:
        raise OutcomeUnknown("the transfer has no number")
    return RefundMade(found)


def balance(answer: Answer) -> Rupiah:
    """Parse an answer of service 11: the available balance of an account.  Refuses `OutcomeUnknown` if it is unreadable."""
    infos = answer.get("accountInfos")
    first = infos[0] if isinstance(infos, list) and infos and isinstance(infos[0], dict) else {}
    try:
        return Rupiah.from_snap(first.get("availableBalance", first.get("amount")))
    except ValueError:
        raise OutcomeUnknown("the balance cannot be read") from None


def refund_made(answer: Answer) -> RefundMade:
    """Parse an answer of service 78: the bank's number of a refund.  Refuses `OutcomeUnknown` if it contains no number."""
    found = _number(answer.get("refundNo"))
    if found is None:
        raise OutcomeUnknown("the refund has no number")
    return RefundMade(found)


def refund_in_history(answer: Answer, number: str, amount: Rupiah) -> RefundMade | None:
    """Parse an answer of service 13: the refund with our `number`; None if the bank has not made it.

    Refuses `TransferUnderWay` if the refund is under way, `OutcomeUnknown` if it is unreadable, `AboutAnother` if it has
    another amount.
    """
    listed = _about(answer).get("refundHistory")
    if not isinstance(listed, list):
        raise OutcomeUnknown("the answer has no refund history")
    for one in listed:
        if not isinstance(one, dict) or one.get("partnerRefundNo") != number:
            continue
        status = _status(one.get("refundStatus"))
        if status in (ProviderStatus.FAILED, ProviderStatus.CANCELLED, ProviderStatus.UNKNOWN):
            continue
        if status is ProviderStatus.PENDING:
            raise TransferUnderWay("the refund is under way")
        if status is not ProviderStatus.PAID:
            raise OutcomeUnknown("the refund has no known status")
        return refund_made(compared(one, PaymentIdentity(refund_amount=str(amount))))
    return None


def refunds_in_history(answer: Answer) -> tuple[RefundLine, ...]:
    """Parse an answer of service 13: every refund of a QR, ours and those that the bank made without us.

    A failed refund has 0 rupiah.  Refuses `OutcomeUnknown` if a refund is unreadable or under way.
    """
    listed = _about(answer).get("refundHistory")
    if not isinstance(listed, list):
        raise OutcomeUnknown("the answer has no refund history")
    return tuple(line for line in map(_refund_line, listed) if line is not None)


def _refund_line(one: object) -> RefundLine | None:
    found = one if isinstance(one, dict) else {}
    status, amount = _status(found.get("refundStatus")), _amount(found.get("refundAmount"))
    if status is ProviderStatus.UNKNOWN:
        return None
    if status in (ProviderStatus.FAILED, ProviderStatus.CANCELLED):
        amount = Rupiah(0)
    elif status is not ProviderStatus.PAID or amount is None:
        raise OutcomeUnknown("a refund of the history is under way, or cannot be read")
    number, provider_number = _number(found.get("partnerRefundNo")), _number(found.get("refundNo"))
    return RefundLine(number, provider_number, _number(found.get("rrn")), amount)


def movements(
    answer: Answer, ourselves: PaymentIdentity, begins: datetime, ends: datetime
) -> tuple[Movement | UnmatchedLine, ...]:
    """Parse an answer of service 12: one page of the bank's record from `begins` to before `ends`.

    A line that is unreadable, or not about us (`ourselves`) and this period, is an `UnmatchedLine`.  Refuses
    `OutcomeUnknown` if the answer contains no list of lines.
    """
    listed = answer.get("detailData")
    if not isinstance(listed, list):
        raise OutcomeUnknown("the history cannot be read")
    return tuple(_movement(one, ourselves, begins - SECOND, ends + SECOND) for one in listed)


def _movement(
    line: object, ourselves: PaymentIdentity, begins: datetime, ends: datetime
) -> Movement | UnmatchedLine:
    found: Json = line if isinstance(line, dict) else {}
    about = _about(found)
    kind, amount = _MOVEMENTS.get(str(found.get("type"))), _amount(found.get("amount"))
    moved_at = _moment(found.get("dateTime"))
    others = differences(ourselves, subject_of(found))
    complaints = {
        "no object": not isinstance(line, dict),
        "about another: " + "; ".join(map(str, others)): others,
        "no type that is known": kind is None,
        "no readable time": moved_at is None,
        "of another time than was asked for": moved_at and not begins <= moved_at < ends,
        "no readable sum of rupiah": amount is None,
        "not a success": found.get("status") != "SUCCESS",
    }
    why = next((complaint for complaint, holds in complaints.items() if holds), "")
    if why or kind is None or amount is None or moved_at is None:
        return UnmatchedLine(why, _shown(found))
    return Movement(
        kind,
        moved_at,
        _number(about.get("originalPartnerReferenceNo")),
        _number(about.get("rrn")),
        amount,
        _number(about.get("partnerRefundNo")),
        _number(about.get("refundNo")),
    )


def _moment(told: object) -> datetime | None:
    """A time with its UTC offset; None if the text is unreadable or has no offset."""
    try:
        found = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _shown(line: Json) -> str:
    """The members of a line that identify it, as text; without other text of the bank, and without personal data."""
    told = {**_about(line), **line}
    return ", ".join(f"{name}={_text(told[name])}" for name in _SHOWN if name in told)


# -- calls of the bank to us -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountCall:
    """A parsed call of a bank about a virtual account (services 24 and 25).

    `number` is the account number without leading spaces.  A missing or unreadable member is None.
    """

    number: str | None
    content: Json
    amount: Rupiah | None
    is_amount_told: bool
    moved_at: datetime | None
    request: str | None  # inquiryRequestId, paymentRequestId
    is_repeated: bool  # flagAdvise


def read_account_call(body: bytes) -> AccountCall:
    """Parse a call about a virtual account (services 24 and 25); identifiers may be texts or JSON numbers."""
    content = read_object(body) or {}
    number = _digits(content.get("virtualAccountNo"))
    told = content.get("paidAmount", content.get("amount"))
    request = content.get("paymentRequestId", content.get("inquiryRequestId"))
    return AccountCall(
        number,
        content,
        _amount(told),
        told is not None,
        _moment(content.get("trxDateTime", content.get("trxDateInit"))),
        _number(request),
        content.get("flagAdvise") == "Y",
    )


def _digits(told: object) -> str | None:
    text = str(told).strip() if type(told) in (str, int) else ""
    return text if _DIGITS.match(text) else None


def read_notification(body: bytes) -> Notification:
    """Parse a call of service 52 or 25 whose signature was checked; a missing or unreadable field is None."""
    content = read_object(body)
    if content is None:
        return Notification(is_readable=False)
    if "paymentRequestId" in content:
        return _read_payment(content, read_account_call(body))
    status = content.get("latestTransactionStatus")
    read, told = _status(status), subject_of(content)
    return Notification(
        is_readable=True,
        reference=_number(content.get("originalPartnerReferenceNo")),
        provider_reference=_number(content.get("originalReferenceNo")),
        merchant=told.merchant,
        store=told.store,
        terminal=told.terminal,
        status=read,
        word=str(status) if read else None,
        number=_number(_about(content).get("rrn")),
        amount=_amount(content.get("amount")),
        is_amount_told=content.get("amount") is not None,
    )


def _read_payment(content: Json, call: AccountCall) -> Notification:
    return Notification(
        is_readable=True,
        reference=_number(content.get("trxId")),
        provider_reference=call.number,
        status=ProviderStatus.PAID,
        word="25",  # the code of the service: this call has no status
        number=_payment_of(content),
        amount=call.amount,
        is_amount_told=call.is_amount_told,
    )


Told = TypeVar("Told", bound=Payment | UnmatchedNews | RefundLine | Movement | Notification)


def prefixed(prefix: str, told: Told) -> Told:
    """Return a copy of a parsed payment, refund, line or notification whose payment number begins with the prefix of the rail;
    without a payment number it is returned unchanged.
    """
    name = "payment" if hasattr(told, "payment") else "number"
    number = getattr(told, name)
    return replace(told, **{name: prefix + number}) if prefix and number else told
