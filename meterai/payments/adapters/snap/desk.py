"""Calls of a bank to us: signatures, access token (service 73), inquiry (24), payment (25).

A bank signs with its private key, or with the shared secret and an access token from us.  A token is stateless: it consists
of its time of expiry and a MAC of that time, so that every process accepts it, also after a restart.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from meterai.kit.clock import Clock
from meterai.kit.numbers import counted
from meterai.payments.adapters.snap import reading, signing
from meterai.payments.adapters.snap.bank import Access
from meterai.payments.adapters.snap.virtual_account import CLOSED_AMOUNT
from meterai.payments.model import (
    BankInquiry,
    Delivered,
    HttpAnswer,
    InquiryVerdict,
    NotificationForged,
    PaymentAttempt,
    ProviderCallKind,
)

SKEW_SECONDS_MAX = 300.0  # tolerance of X-TIMESTAMP; the standard names none
TOKEN_SECONDS = 900  # SNAP BI: life of a B2B token
EXTERNAL_ID_CHARACTERS_MAX = 36  # X-EXTERNAL-ID
TOKEN_WRONG = "Invalid Token (B2B)"  # noqa: S105 - a message
SERVICES = {
    ProviderCallKind.TOKEN: "73",
    ProviderCallKind.INQUIRY: "24",
    ProviderCallKind.PAYMENT: "25",
    ProviderCallKind.NOTIFICATION: "52",
}
_ECHOED = ("partnerServiceId", "customerNo", "virtualAccountNo")
# HTTP status, case, and message in both languages.
_SAID = {
    InquiryVerdict.PAYABLE: (200, "00", "Success", "Sukses"),
    InquiryVerdict.TAKEN: (200, "00", "Success", "Sukses"),
    InquiryVerdict.UNREADABLE: (400, "02", "Invalid Mandatory Field", "Isian wajib tidak sah"),
    InquiryVerdict.NOT_FOUND: (404, "12", "Bill not found", "Tagihan tidak ditemukan"),
    InquiryVerdict.AMOUNT_WRONG: (404, "13", "Invalid Amount", "Jumlah tidak sesuai"),
    InquiryVerdict.PAID: (404, "14", "Paid Bill", "Tagihan sudah dibayar"),
    InquiryVerdict.INCONSISTENT: (404, "18", "Inconsistent Request", "Permintaan tidak sama"),
    InquiryVerdict.EXPIRED: (404, "19", "Bill expired", "Tagihan kedaluwarsa"),
    InquiryVerdict.CONFLICT: (409, "00", "Conflict", "Bentrok"),
}


class SnapDesk:
    """The `InquiryDesk` of one bank: checks, parses and answers the bank's calls to us."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._bank = access.bank
        self._clock = clock

    # -- signatures ------------------------------------------------------------------------

    def signed_at(self, path: str, headers: Mapping[str, str], body: bytes) -> datetime:
        """Check the signature of a call and return its X-TIMESTAMP.  Refuses `NotificationForged`."""
        at, timestamp = self._time(headers)
        signature = headers.get("x-signature", "")
        bodies = dict.fromkeys((body, signing.minified(body)))
        if self._access.profile.inbound_signature == "symmetric":
            token = headers.get("authorization", "").removeprefix("Bearer ")
            self._check_token(token)
            if not any(
                signing.is_signed_with(
                    self._access.client_secret,
                    signing.string_to_sign("POST", path, one, timestamp, token),
                    signature,
                )
                for one in bodies
            ):
                raise NotificationForged("the signature is wrong")
            return at
        key = self._access.bank_key
        if signing.read_signature(key.key_size // 8, signature) is None:
            raise NotificationForged("no readable X-SIGNATURE")
        # The expensive check comes last, since calls may come from anybody.
        if not any(
            signing.is_signed_by(
                key, signing.string_to_sign("POST", path, one, timestamp), signature
            )
            for one in bodies
        ):
            raise NotificationForged("the signature is wrong")
        return at

    def _time(self, headers: Mapping[str, str]) -> tuple[datetime, str]:
        timestamp = headers.get("x-timestamp", "")
        try:
            at = datetime.fromisoformat(timestamp)
            age = (self._clock.now() - at).total_seconds()
        except (ValueError, TypeError):
            raise NotificationForged("no readable X-TIMESTAMP") from None
        if abs(age) > SKEW_SECONDS_MAX:
            raise NotificationForged("X-TIMESTAMP differs too much from our clock")
        return at, timestamp

    # -- tokens ----------------------------------------------------------------------------

    def token(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Service 73: answer a call that is signed with the bank's key; the answer contains an access token for the bank.
        Refuses `NotificationForged`.
        """
        _, timestamp = self._time(headers)
        client = headers.get("x-client-key", "")
        if client != self._bank.client_id:
            raise NotificationForged("unknown X-CLIENT-KEY")
        text = f"{client}|{timestamp}".encode()
        if not signing.is_signed_by(self._access.bank_key, text, headers.get("x-signature", "")):
            raise NotificationForged("the signature is wrong")
        asked = reading.read_object(body) or {}
        if asked.get("grantType", asked.get("granttype")) != "client_credentials":
            return HttpAnswer(400, _head("73", 400, "02", "Invalid Mandatory Field grantType"))
        ends = int(self._clock.now().timestamp()) + TOKEN_SECONDS
        told = {
            "accessToken": f"{ends}.{self._code(ends)}",
            "tokenType": "Bearer",
            "expiresIn": str(TOKEN_SECONDS),
            "additionalInfo": {},
        }
        return HttpAnswer(200, _head("73", 200, "00", "Successful") | told)

    def _code(self, ends: int) -> str:
        text = f"{self._bank.name}|{self._bank.client_id}|{ends}".encode()
        return hmac.digest(self._access.token_key, text, hashlib.sha256).hex()

    def _check_token(self, token: str) -> None:
        told, _, code = token.partition(".")
        ends = counted(told, 12) or 0
        is_ours = code.isascii() and hmac.compare_digest(code, self._code(ends))
        if not is_ours or ends < self._clock.now().timestamp():
            raise NotificationForged(TOKEN_WRONG)

    # -- inquiry and payment ---------------------------------------------------------------

    def asked(
        self, kind: ProviderCallKind, path: str, headers: Mapping[str, str], body: bytes
    ) -> BankInquiry:
        """Services 24 and 25: check the signature of a call about a virtual account and parse the call.

        Refuses `NotificationForged`.
        """
        sent_at = self.signed_at(path, headers, body)
        call = reading.read_account_call(body)
        is_whole = call.number is not None and call.request is not None
        told = None
        if kind is ProviderCallKind.PAYMENT:
            is_whole = is_whole and call.amount is not None
            said = reading.prefixed(self._bank.prefix, reading.read_notification(body))
            told = Delivered(external_id(headers), sent_at.date(), said) if is_whole else None
        return BankInquiry(
            kind=kind,
            provider_reference=call.number if is_whole else None,
            told=told,
            content=call.content,
            moved_at=call.moved_at or sent_at,
            is_repeated=call.is_repeated,
        )

    def answer(
        self, asked: BankInquiry, verdict: InquiryVerdict, attempt: PaymentAttempt | None
    ) -> HttpAnswer:
        """The HTTP answer to a call, with our verdict on the call; it repeats some members of the call, as the standard
        demands.
        """
        status, case, english, indonesia = _SAID[verdict]
        reason = {"english": english, "indonesia": indonesia}
        flag = "00" if status == 200 else "01"
        told: dict[str, object] = {
            name: asked.content[name] for name in _ECHOED if name in asked.content
        }
        if asked.kind is ProviderCallKind.INQUIRY:
            told |= {"inquiryStatus": flag, "inquiryReason": reason}
            told |= _of("inquiryRequestId", asked.content)
            if attempt is not None and status == 200:
                told |= {
                    "virtualAccountName": self._bank.va_name,
                    "trxId": attempt.reference,
                    "totalAmount": attempt.amount.snap(),
                    "subCompany": "00000",
                    "billDetails": [],
                    "freeTexts": [],
                    "virtualAccountTrxType": CLOSED_AMOUNT,
                    "feeAmount": {"value": "0.00", "currency": "IDR"},
                }
        else:
            told |= {"paymentFlagStatus": flag, "paymentFlagReason": reason}
            for name in ("virtualAccountName", "trxId", "paymentRequestId", "paidAmount"):
                told |= _of(name, asked.content)
        service = SERVICES[asked.kind]
        message = "Successful" if status == 200 else english
        data = {self._access.profile.account_data: told, "additionalInfo": {}}
        return HttpAnswer(status, _head(service, status, case, message) | data)


def external_id(headers: Mapping[str, str]) -> str | None:
    """The header X-EXTERNAL-ID, which identifies a repeated call; None if it is missing, too long or not printable."""
    told = headers.get("x-external-id", "")
    return told if 0 < len(told) <= EXTERNAL_ID_CHARACTERS_MAX and told.isprintable() else None


def _of(name: str, content: Mapping[str, object]) -> dict[str, object]:
    return {name: content[name]} if name in content else {}


def _head(service: str, status: int, case: str, message: str) -> dict[str, object]:
    return {"responseCode": f"{status}{service}{case}", "responseMessage": message}
