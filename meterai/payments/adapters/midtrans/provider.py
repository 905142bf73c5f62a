"""Calls of Midtrans' Core API: charge, status, cancel, direct refund; and its notifications.

Calls use basic authentication with the server key.  The module `reading` interprets the answers.
"""

import hmac
from base64 import b64encode
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

import aiohttp
import msgspec
import structlog

from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.adapters.midtrans import reading
from meterai.payments.adapters.midtrans.reading import PREFIX, Answer, order_id_of
from meterai.payments.adapters.snap import qr_complaints
from meterai.payments.metrics import count_call
from meterai.payments.model import (
    AboutAnother,
    AccountNumber,
    AttemptStatus,
    Delivered,
    Instructions,
    MadeBefore,
    Movement,
    NoAnswer,
    NotificationForged,
    OpenedAttempt,
    OutcomeUnknown,
    PaymentIdentity,
    PaymentQr,
    ProviderRefused,
    ProviderStatus,
    ProviderUnreachable,
    RefundLine,
    RefundMade,
    UnmatchedLine,
)

QRIS, VA = "qris", "va"
CONNECTIONS_MAX = 100
ANSWER_BYTES_MAX = 256 * 1024  # of one transaction with its refunds
END_SECONDS_MIN = 20  # seconds; the shortest custom_expiry
NOT_FOUND, DUPLICATE, NOT_MODIFIABLE = "404", "406", "412"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Merchant:
    """Our identity at Midtrans, and the settings of calls."""

    base_url: str
    server_key: str
    merchant_id: str
    acquirer: str
    va_bank: str
    qr_accounts: frozenset[str]
    timeout_seconds: float

    @property
    def authorization(self) -> str:
        """The value of the header Authorization: Basic, with the server key as user and an empty password."""
        return f"Basic {b64encode(f'{self.server_key}:'.encode()).decode()}"


def complaints(
    instructions: Instructions, amount: int, number: str, *, ours: Collection[str]
) -> Iterator[str]:
    """Yield each fault because of which a buyer must not pay `amount` rupiah by these instructions; nothing if they are
    right.

    ours    our merchant ids and PANs in a QR
    number  the id of the transaction at Midtrans

    A QR of Midtrans contains neither our reference nor the id of the transaction. For a virtual account the sum is not
    checked, since the account accepts only the sum of its transaction.
    """
    match instructions:
        case PaymentQr(content):
            yield from qr_complaints(content, amount, ours, None)
        case AccountNumber(bank, account):
            if bank not in reading.BANKS.values() or not reading.is_account(account):
                yield "without an account number of a known bank"
        case _:
            yield "neither a QR nor an account number"
    if not number:
        yield "without a transaction"


class MidtransRail:
    """A `Rail` to Midtrans."""

    def __init__(self, merchant: Merchant, clock: Clock, http: aiohttp.ClientSession) -> None:
        self._merchant = merchant
        self._clock = clock
        self._http = http

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Make a charge: a QR or a virtual account.

        If Midtrans made this charge in an earlier call (status code 406), the status of the charge is queried.  The status
        contains the number of a virtual account but never a QR; for a QR the result is `MadeBefore`.
        """
        assert method in (QRIS, VA), method
        about = PaymentIdentity(reference=reference, amount=str(amount))
        order_id = order_id_of(reference)
        seconds = (expires_at - self._clock.now()).total_seconds()
        by: dict[str, object] = (
            {"payment_type": "qris", "qris": {"acquirer": self._merchant.acquirer}}
            if method == QRIS
            else {
                "payment_type": "bank_transfer",
                "bank_transfer": {"bank": self._merchant.va_bank},
            }
        )
        content = by | {
            "transaction_details": {"order_id": order_id, "gross_amount": amount.value},
            "custom_expiry": {
                "expiry_duration": max(END_SECONDS_MIN, ceil(seconds)),
                "unit": "second",
            },
        }
        try:
            made = reading.opened(await self._call("POST", "charge", about, content))
        except ProviderRefused as refusal:
            if refusal.response_code != DUPLICATE:
                raise
            made = reading.opened(await self._call("GET", f"{order_id}/status", about))
            if made is None:
                return MadeBefore()
        if made is None:
            raise OutcomeUnknown("the answer has no instructions to pay")
        of = (made.instructions, amount.value, made.provider_reference)
        if wrong := list(complaints(*of, ours=self._merchant.qr_accounts)):
            raise OutcomeUnknown(f"the answer differs from the request: {', '.join(wrong)}")
        return made

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Query the status of a transaction."""
        try:
            return reading.attempt_status(await self._status(about))
        except ProviderRefused as refusal:
            if refusal.response_code == NOT_FOUND:
                return AttemptStatus(ProviderStatus.UNKNOWN, ())
            raise

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Cancel a pending transaction; False if the transaction was paid or has ended.  Safe to repeat."""
        del reason  # Midtrans takes none
        try:
            answer = await self._call("POST", f"{_order(about)}/cancel", about, {})
        except ProviderRefused as refusal:
            if refusal.response_code == NOT_MODIFIABLE:
                return False
            raise
        word = answer.get("transaction_status")
        if word in (None, "pending"):
            raise OutcomeUnknown("the answer does not confirm the cancellation")
        return word == "cancel"

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Make a direct refund under our refund_key, which makes a repeat safe.

        Midtrans does not refund payments to a virtual account (status code 412).  Refuses `OutcomeUnknown` if the key was used
        before (406): `refunded` then finds the earlier refund.
        """
        content = {"refund_key": number, "amount": amount.value, "reason": "paid and not executed"}
        path = f"{payment.removeprefix(PREFIX)}/refund/online/direct"
        asked = replace(about, refund_number=number)
        try:
            answer = await self._call("POST", path, asked, content)
        except ProviderRefused as refusal:
            if refusal.response_code == DUPLICATE:
                raise OutcomeUnknown(f"the key was already used: {refusal}") from None
            raise
        return reading.refund_made(answer, amount)

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """Query a refund by our `number`; None if Midtrans does not have it."""
        return reading.refund_listed(await self._status(about), number, amount)

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Every refund of a transaction: our refunds and those that were made without us."""
        return reading.refund_lines(await self._status(about))

    async def history(
        self, begins: datetime, ends: datetime
    ) -> AsyncIterator[Movement | UnmatchedLine]:
        """Yields nothing, since Midtrans has no history by API but a settlement file of each day (`is_history_there`)."""
        nothing: tuple[Movement, ...] = ()
        for line in nothing:
            yield line

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification, and return its parsed content. Refuses `NotificationForged`."""
        given, own = reading.signed_by(body, self._merchant.server_key)
        if not given:
            raise NotificationForged("no readable signature_key")
        if not hmac.compare_digest(given.encode(), own.encode()):
            raise NotificationForged("the signature is wrong")
        return Delivered(None, self._clock.now().date(), reading.read_notification(body))

    async def _status(self, about: PaymentIdentity) -> Answer:
        return await self._call("GET", f"{_order(about)}/status", about)

    async def _call(
        self,
        method: str,
        path: str,
        about: PaymentIdentity,
        content: Mapping[str, object] | None = None,
    ) -> Answer:
        """Make a call, and compare the answer with the subject of the call (`about`) and with our merchant id.

        Refuses as the calls of `Rail` do; an answer about another subject (`AboutAnother`) is logged here.
        """
        name = f"midtrans-{path.rsplit('/', 1)[-1]}"
        try:
            status, raw = await self._send(method, path, content)
            asked = replace(about, merchant=self._merchant.merchant_id)
            answer = reading.read_answer(status, raw, asked)
        except ProviderRefused as refusal:
            count_call(name, refusal.response_code)
            raise
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            if isinstance(refusal, AboutAnother):
                _log.warning("answer_about_another", call=name, differs=str(refusal))
            count_call(name, refusal.code)
            raise
        count_call(name, "done")
        return answer

    async def _send(
        self, method: str, path: str, content: Mapping[str, object] | None
    ) -> tuple[int, bytes]:
        headers = {"Authorization": self._merchant.authorization, "Accept": "application/json"}
        body = None
        if content is not None:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(content)
        try:
            async with self._http.request(
                method,
                f"{self._merchant.base_url}/v2/{path}",
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                raw = await response.content.read(ANSWER_BYTES_MAX + 1)
                while len(raw) <= ANSWER_BYTES_MAX and not response.content.at_eof():
                    raw += await response.content.read(ANSWER_BYTES_MAX + 1 - len(raw))
        except aiohttp.ClientConnectorError as error:
            raise ProviderUnreachable(repr(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoAnswer(repr(error)[:200]) from None
        if len(raw) > ANSWER_BYTES_MAX:
            raise OutcomeUnknown("the answer is too long")
        return response.status, raw


def _order(about: PaymentIdentity) -> str:
    return order_id_of(str(about.reference))
