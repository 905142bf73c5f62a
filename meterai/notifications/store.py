"""SQL of notifications, one function per question."""

from uuid import UUID

from meterai.plumbing.database import Tx, jsonb

LEASE_SECONDS = 60
TO_SEND = """
UPDATE mails SET try_at = now() + make_interval(secs => %s), tries = tries + 1
WHERE (account_id, mail_id) IN (
    SELECT account_id, mail_id FROM mails WHERE state = 'queued' AND try_at <= now()
    ORDER BY try_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING account_id, mail_id, template, language, recipient, facts, tries
"""
SENT = "UPDATE mails SET state = 'sent', sent_at = now() WHERE account_id = %s AND mail_id = %s"
LATER = """
UPDATE mails SET try_at = now() + make_interval(secs => %s),
    state = CASE WHEN queued_at < now() - interval '1 day' THEN 'given_up' ELSE state END
WHERE account_id = %s AND mail_id = %s
"""


async def insert(
    tx: Tx,
    account: UUID,
    mail: UUID,
    cause: str,
    template: str,
    language: str,
    recipient: str,
    facts: dict[str, object],
) -> None:
    """Queue one mail; a cause that has its mail changes nothing."""
    await tx.run(
        "INSERT INTO mails"
        " (account_id, mail_id, cause_key, template, language, recipient, facts)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT one_mail_per_cause"
        " DO NOTHING",
        account,
        mail,
        cause,
        template,
        language,
        recipient,
        jsonb(facts),
    )
