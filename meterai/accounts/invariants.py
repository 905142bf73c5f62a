"""What must be true of accounts, and of the trail of what was done with them."""

from meterai.plumbing.invariants import AHEAD, Invariant

INVARIANTS = (
    Invariant(
        "address_finds_its_account",
        "Every account is found by its address, and every address finds its account.",
        """
        SELECT a.account_id, a.email, d.account_id AS directory FROM {accounts*} a
        LEFT JOIN email_directory d ON d.email = a.email
        WHERE d.account_id IS DISTINCT FROM a.account_id
        UNION ALL
        SELECT d.account_id, d.email, NULL FROM {email_directory*} d
        LEFT JOIN {accounts*} a ON a.account_id = d.account_id AND a.email = d.email
        WHERE a.account_id IS NULL
        """,
    ),
    Invariant(
        "session_and_key_are_in_the_trail",
        "Every session and every API key is of an account and has its line in the audit trail.",
        """
        SELECT s.account_id, s.session_id AS id FROM {sessions*} s
        WHERE NOT EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = s.account_id
                AND e.action = 'signed_in' AND e.subject = 'ses_' || lower(compact(s.session_id)))
            OR NOT EXISTS (SELECT 1 FROM {accounts*} a WHERE a.account_id = s.account_id)
        UNION ALL
        SELECT k.account_id, k.key_id FROM {api_keys*} k
        WHERE NOT EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = k.account_id
                AND e.action = 'api_key_made' AND e.subject = 'key_' || lower(compact(k.key_id)))
            OR NOT EXISTS (SELECT 1 FROM {accounts*} a WHERE a.account_id = k.account_id)
        """,
    ),
    Invariant(
        "trail_speaks_of_what_happened",
        "A line of the audit trail about an order speaks of one that exists; none is from the "
        "future.",
        f"""
        SELECT e.account_id, e.event_id, e.action, e.subject, e.happened_at
        FROM {{audit_events*}} e
        WHERE e.happened_at > now() + {AHEAD}
            OR (e.action = 'refund_asked' AND NOT EXISTS (
                SELECT 1 FROM {{refunds*}} r WHERE r.account_id = e.account_id
                AND r.cause = 'asked' AND r.requested_at = e.happened_at
                AND e.subject = 'ord_' || lower(compact(r.order_id))
                AND (e.facts->>'stamps')::integer = r.stamps))
        """,
    ),
    Invariant(
        "session_times_are_possible",
        "A session ends after it began, and no later than sessions may; a code likewise.",
        f"""
        SELECT account_id, session_id, created_at, expires_at FROM {{sessions*}} s
        WHERE created_at > now() + {AHEAD} OR expires_at <= created_at
            OR expires_at > created_at + interval '400 days'
            OR ended_at > now() + {AHEAD} OR octet_length(secret_hash) <> 32
        """,
    ),
)
