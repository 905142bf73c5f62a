"""Invariants of webhooks."""

from meterai.plumbing.db.invariants import Invariant, MailCause

INVARIANTS = (
    Invariant(
        "webhook_is_what_the_trail_says",
        "Every endpoint has the URL and the secret recorded (as a digest) in the audit trail.",
        """
        SELECT w.account_id, w.endpoint_id, w.made_at, e.happened_at FROM {webhook_endpoints*} w
        LEFT JOIN LATERAL (
            SELECT happened_at, facts->>'digest' AS digest FROM audit_events x
            WHERE x.account_id = w.account_id AND x.subject = 'whk_' || lower(compact(w.endpoint_id))
                AND x.action IN ('webhook_made', 'webhook_changed', 'webhook_secret_rotated')
            ORDER BY happened_at DESC LIMIT 1
        ) e ON true
        WHERE e.happened_at IS NULL OR e.digest <> encode(sha256(w.secret || convert_to(w.url, 'UTF8')), 'hex')
        """,
    ),
    Invariant(
        "webhooks_and_messages_are_in_states_that_agree",
        "A message waits only for an enabled endpoint, in the separate queue if the endpoint "
        "answers slowly; a delivered message has its time and at least one try.",
        """
        SELECT m.account_id, m.message_id, m.state, e.state AS endpoint_state
        FROM webhook_messages m JOIN webhook_endpoints e
            ON e.account_id = m.account_id AND e.endpoint_id = m.endpoint_id
        WHERE (m.state = 'waiting' AND (e.state <> 'enabled' OR m.is_aside <> e.is_aside))
            OR m.state NOT IN ('waiting', 'delivered', 'undelivered')
            OR e.state NOT IN ('enabled', 'disabled', 'removed')
            OR (m.state = 'delivered') <> (m.delivered_at IS NOT NULL) OR m.delivered_at < m.made_at
            OR (m.state = 'delivered' AND m.attempts < 1)
        """,
    ),
)
MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, 'webhook_disabled:' || (facts->>'stop'), 'webhook_disabled', NULL::text, happened_at,
            facts->>'stop'
        FROM {audit_events*} s WHERE action = 'webhook_stopped'
        """,
        ("webhook_disabled",),
        "stop",
    ),
)
