"""Commands and queries of payments.

`PaymentDesk` is where an outside machine is called, so each of its steps commits by itself:
the intent before the call, the result after it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import structlog

from meterai.accounts import NOBODY
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.payments import store
from meterai.payments.adapters.snap import SnapProvider
from meterai.payments.model import (
    ASK_LIFE,
    ASK_SECONDS_MAX,
    Attempt,
    AttemptState,
    Notification,
    OutcomeUnknown,
    Payment,
    ProviderRefused,
    ProviderUnreachable,
    QrMade,
    Status,
    parse_reference,
    reference_of,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Row, Tx, jsonb
from meterai.plumbing.rounds import each

PROVIDER = "bank"
OPEN_LEASE_SECONDS = 15.0  # longer than a call with its time-out
PAUSE_SECONDS = 2.0  # before trying again at a provider that was not reached
BATCH = 20  # provider calls under way in one round
_log = structlog.get_logger()


def _attempt(row: Row) -> Attempt:
    return Attempt(
        row["account_id"],
        row["attempt_id"],
        row["subject"],
        row["reference"],
        Rupiah(row["amount"]),
        AttemptState(row["state"]),
        row["qr_content"],
        row["expires_at"],
    )


def new_attempt(account: UUID) -> tuple[UUID, str]:
    """An id and a reference for an attempt that is about to be recorded."""
    attempt = new_id()
    return attempt, reference_of(account, attempt)


async def attempts_of(tx: Tx, account: UUID, subjects: Sequence[UUID]) -> dict[UUID, Attempt]:
    """For each subject the attempt a buyer would pay now: its newest."""
    rows = await store.latest(tx, account, list(subjects))
    return {row["subject"]: _attempt(row) for row in rows}


async def is_denied(tx: Tx, account: UUID, attempt: UUID, payment: str) -> bool:
    """True where the issuer took this payment back."""
    return await store.denied(tx, account, attempt, payment)


async def open_another(
    tx: Tx, account: UUID, subject: UUID, amount: Rupiah, expires_at: datetime
) -> None:
    """Wish to be paid once more for the same subject: its last QR is spent, the sum is not paid.

    The worker asks the provider for the QR at once.
    """
    attempt, reference = new_attempt(account)
    await tx.run(store.OPEN_ANOTHER, account, attempt, subject, reference, amount.value, expires_at)


class PaymentDesk:
    """Opens attempts, takes notifications, asks what became of payments."""

    def __init__(
        self, database: Database, provider: SnapProvider, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self.provider = provider
        self._settings = settings
        self._clock = clock

    # -- opening ---------------------------------------------------------------------------

    async def open(
        self, account: UUID, attempt: UUID, reference: str, amount: Rupiah, expires_at: datetime
    ) -> str | None:
        """Ask the provider for the QR of a recorded attempt, and record the answer.

        Returns the QR, or None where there is none yet: the worker goes on with it.
        """
        try:
            made = await self.provider.generate(reference, amount, expires_at)
        except ProviderUnreachable:
            await self._database.call(store.LATER, PAUSE_SECONDS, account, attempt)
            return None
        except (OutcomeUnknown, ProviderRefused) as refusal:
            # A QR may exist that we cannot show.  It stays asked about under its old
            # reference, and a new reference takes its place.
            _log.warning("attempt_lost", reference=reference, reason=str(refusal))
            successor, its_reference = new_attempt(account)
            await self._database.call(
                store.REPLACE, account, attempt, successor, its_reference, PAUSE_SECONDS
            )
            return None
        return await self._record(account, attempt, made)

    async def _record(self, account: UUID, attempt: UUID, made: QrMade) -> str:
        await self._database.call(
            store.OPENED,
            made.qr_content,
            made.provider_reference,
            self._settings.poll_after_seconds,
            account,
            attempt,
        )
        return made.qr_content

    async def open_waiting(self) -> int:
        """Round: open the attempts that nobody opened."""
        rows = await self._database.read(store.TO_OPEN, OPEN_LEASE_SECONDS, BATCH)
        return await each(
            self._database,
            "open_payments",
            rows,
            self._open_late,
            subject="attempt_id",
            at_once=BATCH,
        )

    async def _open_late(self, row: Row) -> None:
        attempt = _attempt(row)
        if attempt.expires_at <= self._clock.now():
            await self._database.call(store.EXPIRE_OPENING, attempt.account, attempt.id)
            return
        await self.open(
            attempt.account, attempt.id, attempt.reference, attempt.amount, attempt.expires_at
        )

    # -- learning --------------------------------------------------------------------------

    async def take_notification(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Keep a notification, to be acted on from the inbox; false where its id came before
        with another body.

        Refuses `NotificationForged`; raises `ValueError` where it cannot be read.
        """
        self.provider.notification(path, headers, body)
        external_id = headers.get("x-external-id", "")
        if not 1 <= len(external_id) <= 36:
            raise ValueError("X-EXTERNAL-ID: expected 1 to 36 characters")
        sent_on = datetime.fromisoformat(headers["x-timestamp"]).date()
        async with self._database.transaction() as tx:
            if await store.insert_inbox(tx, PROVIDER, external_id, sent_on, body):
                facts = jsonb({"external_id": external_id, "sent_on": sent_on.isoformat()})
                await tx.run("SELECT emit(%s, 'notification_received', %s)", NOBODY, facts)
                return True
            known = await store.inboxed(tx, PROVIDER, external_id, sent_on)
        return known is not None and known["body"] == body

    async def ask_waiting(self) -> int:
        """Round: ask the provider about payments that we may not have been told of."""
        rows = await self._database.read(
            store.TO_ASK,
            ASK_LIFE.total_seconds(),
            self._settings.poll_after_seconds,
            ASK_SECONDS_MAX,
            BATCH,
        )
        return await each(
            self._database,
            "ask_about_payments",
            rows,
            self._ask,
            subject="attempt_id",
            at_once=BATCH,
        )

    async def _ask(self, row: Row) -> None:
        await self.ask(_attempt(row))

    async def ask(self, attempt: Attempt) -> None:
        """Ask what became of one attempt and record it."""
        try:
            standing = await self.provider.query(attempt.reference)
        except (OutcomeUnknown, ProviderUnreachable, ProviderRefused):
            return  # the next question is on the calendar already
        for payment in standing.payments:
            if isinstance(payment, Payment):
                await self._record_payment(attempt, payment)
        if standing.status == Status.FAILED and not standing.payments:
            await self._database.call(store.DENY, attempt.account, attempt.id, None, None)

    async def _record_payment(self, attempt: Attempt, payment: Payment) -> None:
        about = (attempt.account, attempt.id, payment.number)
        amount = payment.amount and payment.amount.value
        if payment.status == Status.SUCCESS:
            await self._database.call(store.CAPTURE, *about, amount, "question")
        elif payment.status in (Status.FAILED, Status.CANCELLED):
            await self._database.call(store.DENY, *about, amount)

    async def withdraw(self, account: UUID, subject: UUID) -> None:
        """Close what is open of a subject: no QR of it should be paid any more."""
        async with self._database.transaction() as tx:
            await store.close_opening(tx, account, subject)
            open_ones = await store.expire(tx, account, subject, AttemptState.CANCELLED)
        for row in open_ones:
            try:
                await self.provider.cancel(row["reference"], "withdrawn by the buyer")
            except (OutcomeUnknown, ProviderUnreachable, ProviderRefused) as refusal:
                # It may be paid at this very moment; then the money is late and goes back.
                _log.info("cancel_failed", reference=row["reference"], reason=str(refusal))


async def act_on(tx: Tx, provider: str, external_id: str, sent_on: date, read: Notification) -> str:
    """Do what a kept notification says, in the transaction that marks it done."""
    try:
        account, attempt = parse_reference(read.reference or "")
    except ValueError:
        outcome = "unknown_reference"
    else:
        number, amount = read.number, read.amount and read.amount.value
        if read.status == Status.SUCCESS and number and amount:
            row = await tx.one(store.CAPTURE, account, attempt, number, amount, "notification")
        elif read.status in ("05", "06"):
            row = await tx.one(store.DENY, account, attempt, number, amount)
        else:
            row = {"outcome": "nothing_to_do"}
        assert row is not None
        outcome = row["outcome"]
    await store.set_outcome(tx, provider, external_id, sent_on, outcome)
    return outcome
