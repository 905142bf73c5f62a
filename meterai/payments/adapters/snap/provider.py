"""The rail of a bank with SNAP BI: QRs, virtual accounts, transfers, notifications, and the bank's record of movements."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime

from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.adapters.snap import reading
from meterai.payments.adapters.snap.bank import VIRTUAL_ACCOUNT, Access
from meterai.payments.adapters.snap.client import SnapClient
from meterai.payments.adapters.snap.desk import SnapDesk, external_id
from meterai.payments.adapters.snap.qris import REFUND, Qris
from meterai.payments.adapters.snap.reading import Answer, prefixed
from meterai.payments.adapters.snap.transfers import Transfers
from meterai.payments.adapters.snap.virtual_account import VirtualAccounts
from meterai.payments.adapters.snap.wire import snap_time
from meterai.payments.model import (
    AttemptStatus,
    Delivered,
    MadeBefore,
    Movement,
    OpenedAttempt,
    OutcomeUnknown,
    PaymentIdentity,
    RefundLine,
    RefundMade,
    RefusedForEver,
    UnmatchedLine,
)

HISTORY_PAGE = 100  # lines of one page
HISTORY_PAGES_MAX = 100_000  # guards against a bank without a last page
HISTORY, DETAIL = "12", "13"


class SnapProvider:
    """A `Rail` to one bank, with persistent connections."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._client = SnapClient(access, clock)
        self._bank = access.bank
        self._qris = Qris(self._client)
        self._accounts = VirtualAccounts(self._client)
        self.desk = SnapDesk(access, clock)
        self.payouts = Transfers(self._client) if access.bank.source_account else None
        self.connect, self.close = self._client.connect, self._client.close

    def _by(self, about: PaymentIdentity) -> Qris | VirtualAccounts:
        return self._accounts if about.method == VIRTUAL_ACCOUNT else self._qris

    async def open(
        self, method: str, reference: str, amount: Rupiah, expires_at: datetime
    ) -> OpenedAttempt | MadeBefore:
        """Make a QR or a virtual account, depending on `method`."""
        return await self._by(PaymentIdentity(method=method)).open(reference, amount, expires_at)

    async def ask(self, about: PaymentIdentity) -> AttemptStatus:
        """Query the status of an attempt."""
        found = await self._by(about).ask(about)
        prefix = self._bank.prefix
        return replace(found, payments=tuple(prefixed(prefix, one) for one in found.payments))

    async def cancel(self, about: PaymentIdentity, reason: str) -> bool:
        """Cancel an attempt; False if the attempt was paid or has ended.  Safe to repeat."""
        return await self._by(about).cancel(about, reason)

    async def refund(
        self, about: PaymentIdentity, payment: str, number: str, amount: Rupiah
    ) -> RefundMade:
        """Refund a payment that was made by QR.

        Refuses `RefusedForEver` for a payment to a virtual account, which needs a transfer.
        """
        if about.method == VIRTUAL_ACCOUNT:
            raise RefusedForEver(f"405{REFUND}00", "a virtual account cannot be refunded")
        there = payment.removeprefix(self._bank.prefix)
        return await self._qris.refund(about, there, number, amount)

    async def refunded(
        self, about: PaymentIdentity, number: str, amount: Rupiah
    ) -> RefundMade | None:
        """Query a refund by our `number`; None if the bank has not made it."""
        return reading.refund_in_history(await self._detail(about), number, amount)

    async def refunds_of(self, about: PaymentIdentity) -> tuple[RefundLine, ...]:
        """Every refund of an attempt in the bank's record: our refunds and those that the bank made without us.

        Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`.
        """
        lines = reading.refunds_in_history(await self._detail(about))
        return tuple(prefixed(self._bank.prefix, one) for one in lines)

    async def _detail(self, about: PaymentIdentity) -> Answer:
        # Not compared: the amount of the record is the sum paid, which may differ.
        asked = replace(about, amount=None)
        if self._client.access.profile.refunds_in_query:
            return await self._qris.query(asked)
        if about.method == VIRTUAL_ACCOUNT:
            asked = replace(
                asked, provider_reference=None
            )  # the record names the bill, not the account
        return await self._client.call(
            DETAIL, asked, {"originalPartnerReferenceNo": about.reference}
        )

    async def history(
        self, begins: datetime, ends: datetime
    ) -> AsyncIterator[Movement | UnmatchedLine]:
        """The movements in the bank's record from `begins` to before `ends`, in order of time.

        A line that cannot be read, or is not about us and this period, is yielded as an `UnmatchedLine`.  The result is
        complete only if `ends` is in the past.  Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`; lines
        yielded before a refusal are valid, and the call can be repeated.
        """
        before: object = None
        for page in range(HISTORY_PAGES_MAX):
            answer = await self._client.call(
                HISTORY,
                PaymentIdentity(),
                {
                    "fromDateTime": snap_time(begins),
                    "toDateTime": snap_time(ends),
                    "pageSize": str(HISTORY_PAGE),
                    "pageNumber": str(page),
                },
            )
            found = reading.movements(answer, self._bank.ourselves, begins, ends)
            if found and answer.get("detailData") == before:
                raise OutcomeUnknown("the history repeats a page")
            before = answer.get("detailData")
            for movement in found:
                yield (
                    movement
                    if isinstance(movement, UnmatchedLine)
                    else prefixed(self._bank.prefix, movement)
                )
            if len(found) < HISTORY_PAGE:
                return
        raise OutcomeUnknown("the history does not end")

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Delivered:
        """Check the signature of a notification, and return its parsed content.

        Refuses `NotificationForged`.
        """
        sent_at = self.desk.signed_at(path, headers, body)
        said = prefixed(self._bank.prefix, reading.read_notification(body))
        return Delivered(external_id(headers), sent_at.date(), said)
