"""QRIS payments over SNAP BI (QR MPM): services generate (47), query (51), cancel (77), refund (78)."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap import emv, reading
from meterai.payments.adapters.snap.client import SnapClient
from meterai.payments.adapters.snap.reading import Answer, case_of
from meterai.payments.adapters.snap.wire import snap_time
from meterai.payments.model import (
    AttemptStatus,
    Instructions,
    MadeBefore,
    OpenedAttempt,
    OutcomeUnknown,
    PaymentIdentity,
    PaymentQr,
    ProviderRefused,
    ProviderStatus,
    RefundMade,
    RefusedForEver,
)

GENERATE, QUERY, CANCEL, REFUND = "47", "51", "77", "78"
# The QR exists already: it was made by a call whose answer was lost.
MADE_BEFORE = frozenset({"40901", "40418"})
# Final refusals of a refund: its window is over, an account is closed, or the method has no refunds.
_NEVER = frozenset({"40300", "40318", "40319", "40500"})


def complaints(
    instructions: Instructions, amount: int, number: str, *, ours: Collection[str]
) -> Iterator[str]:
    """Yield each fault because of which a buyer must not pay `amount` rupiah by these instructions; nothing if they are
    right.

    `ours` are our merchant ids and PANs, `number` is the bank's number of the QR.
    """
    if not isinstance(instructions, PaymentQr):
        yield "not a QR"
        return
    yield from emv.qr_complaints(instructions.content, amount, ours, number)


class Qris:
    """QRIS payments at one bank."""

    def __init__(self, client: SnapClient) -> None:
        self._client = client
        self._bank = client.access.bank

    async def open(
        self, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Make a QR; returns `MadeBefore` if the bank answers that it made this QR before (409/01, 404/18)."""
        try:
            answer = await self._client.call(
                GENERATE,
                PaymentIdentity(reference=reference, amount=str(amount)),
                {
                    "partnerReferenceNo": reference,
                    "amount": amount.snap(),
                    **self._place(),
                    "validityPeriod": snap_time(expires_at),
                },
            )
        except ProviderRefused as refusal:
            if case_of(refusal, GENERATE) in MADE_BEFORE:
                return MadeBefore()
            raise
        made = reading.qr_made(answer)
        ours, number = self._bank.qr_names, made.provider_reference
        wrong = list(complaints(made.instructions, amount.value, number, ours=ours))
        if wrong:
            raise OutcomeUnknown(f"the QR differs from the request: {', '.join(wrong)}")
        return made

    def _place(self) -> dict[str, str]:
        ours = self._bank.ourselves
        told = {"merchantId": ours.merchant, "storeId": ours.store, "terminalId": ours.terminal}
        return {name: value for name, value in told.items() if value}

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Query the status of a QR; `UNKNOWN` if the bank has no such QR."""
        try:
            return reading.attempt_status(await self.query(about))
        except ProviderRefused as refusal:
            if case_of(refusal, QUERY) == "40401":
                return AttemptStatus(ProviderStatus.UNKNOWN, ())
            raise

    async def query(self, about: PaymentIdentity) -> Answer:
        """Query a QR and return the bank's answer.  Refuses as the calls of `Rail` do."""
        profile, terminal = self._client.access.profile, self._bank.terminal_id
        in_info = {"terminalId": terminal} if profile.terminal_in_info and terminal else None
        return await self._client.call(
            QUERY,
            about,
            {
                "originalPartnerReferenceNo": about.reference,
                "serviceCode": profile.qr_service,
                "merchantId": self._bank.merchant_id,
                **({"additionalInfo": in_info} if in_info else {}),
            },
        )

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Cancel a QR; False if the QR was paid or has ended.  Safe to repeat."""
        try:
            await self._client.call(
                CANCEL,
                about,
                {
                    "originalPartnerReferenceNo": about.reference,
                    "merchantId": self._bank.merchant_id,
                    "reason": reason,
                },
            )
        except ProviderRefused as refusal:
            if refusal.response_code.startswith("405"):
                return False
            raise
        return True

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Refund `amount` of a payment under our `number`.

        Safe to repeat with the same `number`: the bank repeats its answer.  Refuses `OutcomeUnknown` if the bank answers that a
        refund with other facts has this number (404/18): `SnapProvider.refunded` then finds that refund.
        """
        try:
            answer = await self._client.call(
                REFUND,
                replace(
                    about,
                    amount=None,
                    payment=payment,
                    refund_number=number,
                    refund_amount=str(amount),
                ),
                {
                    "merchantId": self._bank.merchant_id,
                    "originalPartnerReferenceNo": about.reference,
                    "partnerRefundNo": number,
                    "refundAmount": amount.snap(),
                    "reason": "paid and not executed",
                    "additionalInfo": {"rrn": payment},
                },
            )
        except ProviderRefused as refusal:
            if case_of(refusal, REFUND) == "40418":
                raise OutcomeUnknown(f"inconsistent request: {refusal}") from None
            if case_of(refusal, REFUND) in _NEVER:
                raise RefusedForEver(refusal.response_code, refusal.message) from None
            raise
        return reading.refund_made(answer)
