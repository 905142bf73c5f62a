"""SQL of payments, one function per question."""

from datetime import date
from uuid import UUID

from meterai.plumbing.database import Row, Tx

_COLUMNS = "account_id, attempt_id, subject, reference, amount, state, qr_content, expires_at"

LATEST = f"""
SELECT DISTINCT ON (subject) {_COLUMNS} FROM payment_attempts
WHERE account_id = %s AND subject = ANY(%s) ORDER BY subject, attempt_id DESC
"""  # noqa: S608 - columns are a constant
TO_OPEN = f"""
UPDATE payment_attempts SET leased_until = now() + make_interval(secs => %s)
WHERE (account_id, attempt_id) IN (
    SELECT account_id, attempt_id FROM payment_attempts
    WHERE state = 'opening' AND leased_until <= now()
    ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""  # noqa: S608
OPENED = """
UPDATE payment_attempts SET state = 'waiting', qr_content = %s, provider_reference = %s,
    ask_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND attempt_id = %s AND state = 'opening' RETURNING attempt_id
"""
LATER = """
UPDATE payment_attempts SET leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND attempt_id = %s AND state = 'opening'
"""
EXPIRE_OPENING = """
UPDATE payment_attempts SET state = 'expired', ask_at = 'infinity'
WHERE account_id = %s AND attempt_id = %s AND state = 'opening'
"""
REPLACE = "SELECT payment_replace(%s, %s, %s, %s, %s)"
# The pause doubles with every question, without a bound once a payment is known (what is left to
# learn is a second payment or a denial); the lease is the pause itself, so that a worker that
# dies in between is simply followed by the next question.
TO_ASK = f"""
UPDATE payment_attempts SET asked = asked + 1,
    ask_at = CASE WHEN opened_at < now() - make_interval(secs => %s) THEN 'infinity'
             ELSE now() + make_interval(secs => least(
                %s * 2.0 ^ asked, CASE state WHEN 'paid' THEN 1e6 ELSE %s END)) END
WHERE (account_id, attempt_id) IN (
    SELECT account_id, attempt_id FROM payment_attempts
    WHERE state <> 'opening' AND ask_at <= now() AND ask_at < 'infinity'
    ORDER BY ask_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""  # noqa: S608
OPEN_ANOTHER = "SELECT payment_open(%s, %s, %s, %s, %s, %s, 0)"
CAPTURE = "SELECT payment_capture(%s, %s, %s, %s, %s) AS outcome"
DENY = "SELECT payment_deny(%s, %s, %s, %s) AS outcome"
INBOX = """
INSERT INTO notification_inbox (provider, external_id, sent_on, body) VALUES (%s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT notification_inbox_pkey DO NOTHING RETURNING external_id
"""


async def attempt(tx: Tx, account: UUID, attempt_id: UUID) -> Row | None:
    """One attempt."""
    return await tx.one(
        f"SELECT {_COLUMNS} FROM payment_attempts"  # noqa: S608
        " WHERE account_id = %s AND attempt_id = %s",
        account,
        attempt_id,
    )


async def latest(tx: Tx, account: UUID, subjects: list[UUID]) -> list[Row]:
    """The newest attempt of each subject."""
    return await tx.all(LATEST, account, subjects)


async def inboxed(tx: Tx, provider: str, external_id: str, sent_on: date) -> Row | None:
    """A notification that came before."""
    return await tx.one(
        "SELECT body, outcome FROM notification_inbox"
        " WHERE provider = %s AND sent_on = %s AND external_id = %s",
        provider,
        sent_on,
        external_id,
    )


async def insert_inbox(tx: Tx, provider: str, external_id: str, sent_on: date, body: bytes) -> bool:
    """Keep a notification; false where it came before."""
    return await tx.one(INBOX, provider, external_id, sent_on, body) is not None


async def set_outcome(tx: Tx, provider: str, external_id: str, sent_on: date, outcome: str) -> None:
    """Note what became of a notification."""
    await tx.run(
        "UPDATE notification_inbox SET outcome = %s"
        " WHERE provider = %s AND sent_on = %s AND external_id = %s",
        outcome,
        provider,
        sent_on,
        external_id,
    )


async def expire(tx: Tx, account: UUID, subject: UUID, state: str) -> list[Row]:
    """Close the open attempts of a subject; those the buyer may have seen are returned."""
    return await tx.all(
        "UPDATE payment_attempts SET state = %s WHERE account_id = %s AND subject = %s"
        " AND state = 'waiting' RETURNING attempt_id, reference",
        state,
        account,
        subject,
    )


async def close_opening(tx: Tx, account: UUID, subject: UUID) -> None:
    """Give up attempts that nobody has seen yet."""
    await tx.run(
        "UPDATE payment_attempts SET state = 'lost' WHERE account_id = %s AND subject = %s"
        " AND state = 'opening'",
        account,
        subject,
    )


async def denied(tx: Tx, account: UUID, attempt_id: UUID, payment: str) -> bool:
    """True where the issuer took this payment back."""
    return bool(
        await tx.value(
            "SELECT denied_at IS NOT NULL FROM captures"
            " WHERE account_id = %s AND attempt_id = %s AND payment = %s",
            account,
            attempt_id,
            payment,
        )
    )
