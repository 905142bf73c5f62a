"""What must be true of mails."""

from meterai.plumbing.invariants import AHEAD, LATE, Invariant

INVARIANTS = (
    Invariant(
        "mail_is_about_something",
        "Every mail is about what its cause names, in the words for it, to the account's address.",
        """
        SELECT m.account_id, m.mail_id, m.cause_key, m.template, m.recipient
        FROM {mails*} m LEFT JOIN {accounts*} a ON a.account_id = m.account_id
        LEFT JOIN (
            SELECT account_id, 'order_executed:' || order_id AS cause_key,
                   'order_executed_' || kind AS template, NULL AS contact
            FROM {orders*} o WHERE state NOT IN ('placed', 'lapsed', 'withdrawn')
            UNION ALL
            SELECT account_id, 'stamping_' || state || ':' || stamping_id, 'stamping_' || state, NULL
            FROM {stampings*} s WHERE state IN ('delivered', 'failed')
            UNION ALL
            SELECT account_id, 'refund_requested:' || refund_id, 'refund_requested', NULL
            FROM {refunds*} r
            UNION ALL
            SELECT account_id, 'refund_settled:' || refund_id, 'refund_settled', NULL
            FROM {refunds*} r WHERE state = 'settled'
            UNION ALL
            SELECT account_id, 'turn_near:' || line_id, 'turn_near', NULL
            FROM {waiting_room_places*} p WHERE wants_mail
            UNION ALL
            SELECT account_id, subject || ':' || substring(action FROM '[a-z]+$'), action, NULL
            FROM {audit_events*} e
            WHERE action IN ('passkey_made', 'passkey_ended', 'api_key_made', 'api_key_ended', 'api_key_ends',
                             'invitation_made', 'organization_approved', 'organization_declined',
                             'copy_made', 'erasure_asked', 'erasure_withdrawn')
            UNION ALL
            SELECT account_id, subject || ':erased', action, NULL FROM {audit_events*} e WHERE action = 'account_erased'
            UNION ALL
            SELECT a.account_id, 'breach_told:' || b.breach_id, 'breach_told', NULL
            FROM {accounts*} a JOIN breaches b ON b.subjects_from IS NOT NULL
                AND (b.accounts IS NULL OR a.account_id = ANY (b.accounts))
            UNION ALL
            SELECT account_id, 'case_received:' || case_id, 'case_received', contact FROM {cases*} k
            UNION ALL
            SELECT w.account_id, says.template || ':' || w.message_id, says.template, k.contact
            FROM {case_messages*} w JOIN {cases*} k ON k.account_id = w.account_id AND k.case_id = w.case_id
            JOIN (VALUES ('facts', 'answer', 'case_answered_from_facts'), ('facts', 'answer', 'case_closed'),
                         ('staff', 'answer', 'case_answered'), ('staff', 'question', 'case_asked'),
                         ('staff', 'closing', 'case_closed')) AS says (author, kind, template)
                ON says.author = w.author AND says.kind = w.kind
        ) cause ON cause.account_id = m.account_id
            -- Of a line it is kept that somebody wants to be told, and not each number that was near.
            AND cause.cause_key = CASE WHEN m.template = 'turn_near'
                THEN 'turn_near:' || split_part(m.cause_key, ':', 2) ELSE m.cause_key END
        WHERE m.account_id <> '00000000-0000-0000-0000-000000000000'
            -- An organization is written to at the address of an owner, an invitation and a case to their own.
            AND ((m.recipient IS DISTINCT FROM coalesce(a.email, cause.contact)
                  AND NOT EXISTS (SELECT 1 FROM {audit_events*} i WHERE i.account_id = m.account_id
                      AND i.action = 'invitation_made' AND i.subject || ':made' = m.cause_key
                      -- That of somebody who was erased has lost its address.
                      AND ((m.recipient = '' AND m.state <> 'queued') OR i.facts->>'digest' = encode(sha256(
                          uuid_send(m.account_id) || convert_to(m.recipient, 'UTF8')), 'hex')))
                  AND NOT EXISTS (SELECT 1 FROM {memberships*} o JOIN {accounts*} p ON p.account_id = o.member_id
                      WHERE o.account_id = m.account_id AND o.role = 'owner'
                          AND (p.email = m.recipient OR (m.recipient = '' AND p.erased_at IS NOT NULL)))
                  -- The mails of somebody who was erased lose their address with it, the last ones once they are sent.
                  AND a.erased_at IS NULL
                  AND (m.recipient <> '' OR m.state = 'queued'
                       OR m.queued_at > now() - interval '80 days'))  -- but for those that were let go
                 OR cause.template IS DISTINCT FROM m.template)
        """,
    ),
    Invariant(
        "no_mail_late",
        "No mail waits ten minutes past its time, or is put off further than any pause, and none "
        "was sent before it was written.",
        f"""
        SELECT account_id, mail_id, template, try_at, queued_at, sent_at FROM mails
        WHERE (state = 'queued' AND (try_at < now() - {LATE}
                OR try_at > now() + interval '30 minutes'))
            OR sent_at < queued_at OR queued_at > now() + {AHEAD}
        """,
    ),
)
