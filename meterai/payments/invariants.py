"""What must be true of payments."""

from meterai.plumbing.invariants import Invariant

INVARIANTS = (
    Invariant(
        "every_capture_is_in_the_books",
        "Every payment that reached us is posted once, with its amount, and nothing else is.",
        """
        SELECT coalesce(c.account_id, e.account_id) AS account_id, c.attempt_id, c.payment,
               c.amount, e.amount AS posted
        FROM (SELECT *, 'captured:' || attempt_id || ':' || payment AS entry_id
              FROM captures WHERE learned_by <> 'denial') c
        FULL JOIN (SELECT e.account_id, e.entry_id, l.debit AS amount
                   FROM entries e JOIN legs l USING (account_id, entry_id)
                   WHERE e.reason = 'payment_captured' AND l.book = 'bank_clearing') e
        ON e.account_id = c.account_id AND e.entry_id = c.entry_id
        WHERE c.amount IS DISTINCT FROM e.amount
        """,
    ),
    Invariant(
        "no_notification_forgotten",
        "Every notification was acted on within five minutes, or is a job that still tries.",
        """
        SELECT provider, external_id, received_at FROM notification_inbox i
        WHERE outcome IS NULL AND received_at < now() - interval '5 minutes'
            AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'notification_received'
                            AND j.facts->>'external_id' = i.external_id)
        """,
    ),
    Invariant(
        "no_job_stuck",
        "No job has failed for more than an hour.",
        """
        SELECT account_id, job_id, kind, tries, last_fault FROM jobs
        WHERE created_at < now() - interval '1 hour' AND tries > 3
        """,
    ),
)
