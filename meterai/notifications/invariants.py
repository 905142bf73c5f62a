"""Invariants of mails."""

from collections.abc import Sequence

from meterai.plumbing.db.invariants import Invariant, MailCause

INVARIANTS = ()


def told(causes: Sequence[MailCause]) -> Invariant:
    """Return the invariant over all causes of mails: each mail has a cause, and each cause that demands a mail
    has a mail.

    A missing mail is no finding while the job that queues it waits, after that job was given up, or if the person was
    erased.
    """
    listed = "\nUNION ALL\n".join(
        f"SELECT q.*, ARRAY{list(one.kinds)}::text[], '{one.fact}' FROM ({one.query}) q"
        for one in causes
    )
    return Invariant(
        "mails_are_what_their_causes_make",
        "Every mail names the object of its cause, has the template for it, and goes to the "
        "address of the account; every mail that is owed exists, or the job that writes it is "
        "waiting.",
        f"""
        SELECT account_id, m.mail_id, cause, m.template, m.recipient, c.owed_since
        FROM (SELECT x.*,
                -- A waiting line stores that an account wants the mail, not each number that was near.
                CASE WHEN template = 'turn_near' THEN 'turn_near:' || split_part(cause_key, ':', 2)
                    ELSE cause_key END AS cause
            FROM {{mails*}} x WHERE account_id <> '00000000-0000-0000-0000-000000000000') m
        FULL JOIN ({listed}) c (account_id, cause, template, contact, owed_since, subject, kinds, fact)
            USING (account_id, cause)
        LEFT JOIN {{accounts*}} a USING (account_id)
        WHERE CASE WHEN m.mail_id IS NULL THEN
            c.owed_since > now() - interval '30 days' AND a.erased_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM (SELECT account_id, kind, facts FROM jobs
                    UNION ALL SELECT account_id, kind, facts FROM dead_jobs) j
                WHERE j.account_id = c.account_id AND j.kind = ANY (c.kinds) AND j.facts->>c.fact = c.subject)
        -- Mails of an organization go to an owner, those of an invitation and a case to their own address.
        ELSE (m.recipient IS DISTINCT FROM coalesce(a.email, c.contact)
              AND NOT EXISTS (SELECT 1 FROM {{audit_events*}} i WHERE i.account_id = m.account_id
                  AND i.action = 'invitation_made' AND i.subject || ':made' = m.cause_key
                  -- The address of an erased person is blanked in its mails.
                  AND ((m.recipient = '' AND m.state <> 'queued') OR i.facts->>'digest' = encode(sha256(
                      uuid_send(m.account_id) || convert_to(m.recipient, 'UTF8')), 'hex')))
              AND NOT EXISTS (SELECT 1 FROM {{memberships*}} o JOIN accounts p ON p.account_id = o.member_id
                  WHERE o.account_id = m.account_id AND o.role = 'owner'
                      AND (p.email = m.recipient OR (m.recipient = '' AND p.erased_at IS NOT NULL)))
              -- An erasure blanks the address in all mails of the person, in the last ones after sending.
              AND a.erased_at IS NULL
              AND (m.recipient <> '' OR m.state = 'queued'
                   OR m.queued_at > now() - interval '80 days'))  -- except those blanked by retention
            OR c.template IS DISTINCT FROM m.template END
        """,
    )
