"""QRIS: QR MPM over SNAP BI: generate (47), query (51), cancel (77), refund (78), notify (52), and the
provider's own record: transaction history list (12) and detail (13).

Every answer is one of three: it was done, it was refused (4xx with a response code), or its outcome
is unknown.  `reading` says which; `wire` says how a call is made.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import msgspec
import structlog

from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap import emv, reading, signing
from meterai.payments.adapters.snap.reading import Answer, case_of, read_notification
from meterai.payments.adapters.snap.wire import SnapProfile, Wire, call_seconds_max, snap_time
from meterai.payments.metrics import count_call
from meterai.payments.model import (
    About,
    AboutAnother,
    Delivered,
    Instructions,
    MadeBefore,
    Movement,
    NoAnswer,
    NotificationForged,
    OddLine,
    Opened,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
    Qr,
    RefundLine,
    RefundMade,
    Status,
    TransactionStatus,
)

SKEW_SECONDS_MAX = 300.0  # tolerance of X-TIMESTAMP; the standard names none
HISTORY_PAGE = 100  # lines asked for at once
HISTORY_PAGES_MAX = 100_000  # protects from a provider whose last page never comes

METHOD = "qris"
EXTERNAL_ID_CHARACTERS_MAX = 36  # X-EXTERNAL-ID
# The provider says the QR exists already: it was made by a call whose answer we never saw.
_MADE_BEFORE = frozenset({"40901", "40418"})

# Path after the profile's, and the code of the service.
_GENERATE = ("/qr/qr-mpm-generate", "47")
_QUERY = ("/qr/qr-mpm-query", "51")
_CANCEL = ("/qr/qr-mpm-cancel", "77")
_REFUND = ("/qr/qr-mpm-refund", "78")
_HISTORY = ("/transaction-history-list", "12")
_DETAIL = ("/transaction-history-detail", "13")
_log = structlog.get_logger()


def complaints(
    instructions: Instructions, amount: int, number: str, *, ours: Collection[str]
) -> Iterator[str]:
    """Why nobody should pay by these instructions; `ours` is what may stand for us in a QR."""
    if not isinstance(instructions, Qr):
        yield "not a QR"
        return
    yield from emv.qr_complaints(instructions.content, amount, ours, number)


class SnapProvider:
    """Speaks to one provider: a `Rail`.  It keeps connections open."""

    def __init__(self, profile: SnapProfile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._wire = Wire(profile, clock)

    async def connect(self) -> None:
        """Make ready to connect; nothing is sent yet."""
        await self._wire.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> Opened | MadeBefore:
        """Make a QR.  A provider that made it before says so (409/01)."""
        assert method == METHOD, method
        try:
            answer = await self._call(
                _GENERATE,
                About(reference=reference, amount=str(amount)),
                {
                    "partnerReferenceNo": reference,
                    "amount": amount.snap(),
                    **self._place(),
                    "validityPeriod": snap_time(expires_at),
                },
            )
        except ProviderRefused as refusal:
            if case_of(refusal, _GENERATE[1]) in _MADE_BEFORE:
                return MadeBefore()
            raise
        made = reading.qr_made(answer)
        accounts, number = self._profile.qr_accounts, made.provider_reference
        wrong = list(complaints(made.instructions, amount.value, number, ours=accounts))
        if wrong:
            raise OutcomeUnknown(f"the QR is not the one asked for: {', '.join(wrong)}")
        return made

    def _place(self) -> dict[str, str]:
        ours = self._profile.ourselves
        told = {"merchantId": ours.merchant, "storeId": ours.store, "terminalId": ours.terminal}
        return {name: value for name, value in told.items() if value}

    async def ask(self, about: About) -> TransactionStatus:
        """Ask what became of a QR."""
        try:
            answer = await self._call(
                _QUERY,
                about,
                {
                    "originalPartnerReferenceNo": about.reference,
                    "serviceCode": _GENERATE[1],
                    "merchantId": self._profile.ourselves.merchant,
                },
            )
        except ProviderRefused as refusal:
            if case_of(refusal, _QUERY[1]) == "40401":
                return TransactionStatus(Status.UNKNOWN, ())
            raise
        return reading.standing(answer)

    async def cancel(self, about: About, reason: str) -> bool:
        """Withdraw a QR; false where it was paid, or has ended.  Safe to repeat."""
        try:
            await self._call(
                _CANCEL,
                about,
                {
                    "originalPartnerReferenceNo": about.reference,
                    "merchantId": self._profile.ourselves.merchant,
                    "reason": reason,
                },
            )
        except ProviderRefused as refusal:
            if refusal.response_code.startswith("405"):
                return False
            raise
        return True

    async def refund(self, about: About, payment: str, number: str, amount: Rupiah) -> RefundMade:
        """Give money back.

        Safe to repeat with the same `number`: the provider answers what it answered before.  Where
        it says that this number stands for something else (404/18), `refunded` says for what.
        """
        try:
            answer = await self._call(
                _REFUND,
                replace(
                    about,
                    amount=None,
                    payment=payment,
                    refund_number=number,
                    refund_amount=str(amount),
                ),
                {
                    "merchantId": self._profile.ourselves.merchant,
                    "originalPartnerReferenceNo": about.reference,
                    "partnerRefundNo": number,
                    "refundAmount": amount.snap(),
                    "reason": "paid and not executed",
                    "additionalInfo": {"rrn": payment},
                },
            )
        except ProviderRefused as refusal:
            if case_of(refusal, _REFUND[1]) == "40418":
                raise OutcomeUnknown(f"inconsistent request: {refusal}") from None
            raise
        return reading.refund_made(answer)

    async def refunded(self, about: About, number: str, amount: Rupiah) -> RefundMade | None:
        """Ask what became of a refund; None where the provider has not made it."""
        answer = await self._detail(about)
        return reading.refund_in_history(answer, number, amount)

    async def refunds_of(self, about: About) -> tuple[RefundLine, ...]:
        """Every refund of a QR in the provider's own record, asked for by us or not.

        Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`.
        """
        return reading.refunds_in_history(await self._detail(about))

    async def _detail(self, about: About) -> Answer:
        # Its amount is the sum of what was paid.
        asked = replace(about, amount=None)
        return await self._call(_DETAIL, asked, {"originalPartnerReferenceNo": about.reference})

    async def history(self, begins: datetime, ends: datetime) -> AsyncIterator[Movement | OddLine]:
        """The provider's own record from `begins` on and before `ends`, in the order it moved.

        A line that cannot be read, or is not of us and this time, is an `OddLine`.  Complete for an `ends` that
        has passed.  Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`; what came before stands,
        and it can be asked for again.
        """
        before: object = None
        for page in range(HISTORY_PAGES_MAX):
            answer = await self._call(
                _HISTORY,
                About(),
                {
                    "fromDateTime": snap_time(begins),
                    "toDateTime": snap_time(ends),
                    "pageSize": str(HISTORY_PAGE),
                    "pageNumber": str(page),
                },
            )
            found = reading.movements(answer, self._profile.ourselves, begins, ends)
            if found and answer.get("detailData") == before:
                raise OutcomeUnknown("the history repeats a page")
            before = answer.get("detailData")
            for movement in found:
                yield movement
            if len(found) < HISTORY_PAGE:
                return
        raise OutcomeUnknown("the history does not end")

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification and read it, whatever it says.

        Refuses `NotificationForged`.
        """
        timestamp = headers.get("x-timestamp", "")
        signature = headers.get("x-signature", "")
        try:
            sent_at = datetime.fromisoformat(timestamp)
            age = (self._clock.now() - sent_at).total_seconds()
        except (ValueError, TypeError):
            raise NotificationForged("no readable X-TIMESTAMP") from None
        if abs(age) > SKEW_SECONDS_MAX:
            raise NotificationForged("X-TIMESTAMP is too far away")
        if signing.read_signature(self._profile.provider_public_key, signature) is None:
            raise NotificationForged("no readable X-SIGNATURE")
        # What costs time comes last: anybody may call here.
        if not self._is_signed(path, timestamp, signature, body):
            raise NotificationForged("the signature does not fit")
        told = headers.get("x-external-id", "")
        is_usable = 0 < len(told) <= EXTERNAL_ID_CHARACTERS_MAX and told.isprintable()
        return Delivered(told if is_usable else None, sent_at.date(), read_notification(body))

    def _is_signed(self, path: str, timestamp: str, signature: str, body: bytes) -> bool:
        minified = signing.minified(body)
        candidates = (body, minified) if minified != body else (body,)
        return any(
            signing.is_signed_by(
                self._profile.provider_public_key,
                signing.string_to_sign("POST", path, candidate, timestamp),
                signature,
            )
            for candidate in candidates
        )

    async def _call(
        self, act: tuple[str, str], about: About, content: Mapping[str, object]
    ) -> Answer:
        """The answer of a service about what was asked, of us.

        Refuses what `Rail` says; `AboutAnother` is counted and logged here, for every service.
        """
        path, service = act
        name = path.rsplit("/", 1)[1]
        ours = self._profile.ourselves
        asked = replace(
            about,
            merchant=ours.merchant,
            store=ours.store,
            terminal=ours.terminal,
            aliases=ours.aliases,
        )
        try:
            async with asyncio.timeout(call_seconds_max(self._profile.timeout_seconds)):
                answer = await self._answer(path, service, msgspec.json.encode(content), asked)
        except TimeoutError:
            count_call(name, OutcomeUnknown.code)
            raise NoAnswer("no answer in time") from None
        except ProviderRefused as refusal:
            count_call(name, case_of(refusal, service))
            raise
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            if isinstance(refusal, AboutAnother):
                _log.warning("answer_about_another", call=name, differs=str(refusal))
            count_call(name, refusal.code)
            raise
        count_call(name, "done")
        return answer

    async def _answer(self, path: str, service: str, body: bytes, asked: About) -> Answer:
        target = f"{self._profile.path}{path}"
        status, raw, token = await self._wire.call(target, body)
        try:
            return reading.read_answer(service, status, raw, asked)
        except ProviderRefused as refusal:
            if case_of(refusal, service) != "40101" or not token:
                raise
        self._wire.drop_token(token)
        status, raw, _ = await self._wire.call(target, body)
        return reading.read_answer(service, status, raw, asked)
