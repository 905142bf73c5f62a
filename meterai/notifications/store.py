"""SQL of notifications, one function per question."""

from uuid import UUID

from meterai.plumbing.database import Tx, jsonb
from meterai.plumbing.mail import SEND_SECONDS_MAX

# A lease is longer than what it covers: one mail, with every step of the server at its slowest.
LEASE_SECONDS = SEND_SECONDS_MAX * 2
CLOCK = "SELECT now() AS now"
LOOK = """
SELECT account_id, mail_id, try_at FROM mails
WHERE state = 'queued' AND try_at > %s AND try_at <= now() AND account_id <> ALL(%s)
ORDER BY try_at LIMIT %s
"""
# A try is counted by its outcome: when the database goes away before it is recorded, there was none.
CLAIM = """
UPDATE mails SET try_at = now() + make_interval(secs => %s)
WHERE account_id = %s AND mail_id = %s AND state = 'queued' AND try_at <= now()
RETURNING account_id, mail_id, template, language, recipient, facts, tries + 1 AS tries,
    queued_at < now() - interval '1 day' AS is_old
"""
SENT = """
UPDATE mails SET state = 'sent', sent_at = now(), last_fault = NULL, tries = tries + 1
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
LATER = """
UPDATE mails SET try_at = now() + make_interval(secs => %s), last_fault = %s, tries = tries + 1
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
GIVE_UP = """
UPDATE mails SET state = 'given_up', last_fault = %s, tries = tries + 1
WHERE account_id = %s AND mail_id = %s AND state = 'queued'
"""
GIVEN_UP = """
SELECT account_id, mail_id, template, queued_at, tries, last_fault FROM mails
WHERE state = 'given_up' ORDER BY queued_at DESC LIMIT %s
"""
COUNT_GIVEN_UP = "SELECT count(*) AS number FROM mails WHERE state = 'given_up'"
# Queued anew: it has another day.
QUEUE_AGAIN = """
UPDATE mails SET state = 'queued', queued_at = now(), try_at = now(), tries = 0
WHERE state = 'given_up' AND recipient <> '' AND (%s::uuid IS NULL OR mail_id = %s) RETURNING mail_id
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
