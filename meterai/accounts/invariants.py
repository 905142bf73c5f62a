"""Invariants of accounts and of their lines in the audit trail."""

from meterai.kit.actor import ActorKind
from meterai.plumbing.db.invariants import AHEAD, BEFORE_DIGESTS, Invariant, MailCause

# No row is deleted before this time has passed (retention rules, less a day for differing clocks).
SESSIONS_KEPT = "interval '29 days'"  # after the end of a session
KEYS_KEPT = "interval '364 days'"  # after the end of a key
INVITATIONS_KEPT = "interval '29 days'"  # after an invitation ended or expired
# The trail keeps lines about an erased person, whose rows are deleted.
ERASED = (
    "SELECT 1 FROM {{accounts*}} z WHERE z.account_id = {of}.account_id AND z.erased_at IS NOT NULL"
)
_ACTORS = ", ".join(f"'{kind}'" for kind in ActorKind)

MAIL_CAUSES = (
    MailCause(
        # An operator hands over the result of a command in person, so no mail is due.
        """
        SELECT account_id, subject || ':' || substring(action FROM '[a-z]+$'), action, NULL,
               CASE WHEN split_part(actor, ':', 1) <> 'operator' THEN happened_at END, subject
        FROM {audit_events*} e
        WHERE action IN ('passkey_made', 'passkey_ended', 'api_key_made', 'api_key_ended', 'api_key_ends')
        """,
        ("credential_changed", "api_key_ends"),
        "credential",
    ),
    MailCause(
        """
        SELECT account_id, subject || ':' || substring(action FROM '[a-z]+$'), action, NULL, NULL::timestamptz, NULL
        FROM {audit_events*} e WHERE action IN ('invitation_made', 'organization_approved', 'organization_declined')
        """,
    ),
)
INVARIANTS = (
    Invariant(
        "address_finds_its_account",
        "Every account of a person is found by its address, every address leads to its account, "
        "and an account without an address is an organization or an erased person.",
        """
        SELECT a.account_id, a.email, d.account_id AS directory FROM {accounts*} a
        LEFT JOIN email_directory d ON d.email = a.email
        WHERE CASE WHEN a.email IS NULL THEN a.erased_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM {organizations*} o WHERE o.account_id = a.account_id)
            ELSE d.account_id IS DISTINCT FROM a.account_id END
        UNION ALL
        SELECT d.account_id, d.email, NULL FROM {email_directory*} d
        LEFT JOIN {accounts*} a ON a.account_id = d.account_id AND a.email = d.email
        WHERE a.account_id IS NULL
        """,
    ),
    Invariant(
        "trail_knows_every_address",
        "Every account of a person has the address recorded in the audit trail (as a digest) "
        "when the account was made.",
        f"""
        SELECT account_id, a.email, a.created_at, e.happened_at
        FROM (SELECT * FROM {{accounts*}} x WHERE email IS NOT NULL) a
        FULL JOIN (
            SELECT account_id, happened_at, facts->>'digest' AS digest FROM {{audit_events*}} x
            WHERE action IN ('account_made', 'account_noted')
                AND NOT EXISTS ({ERASED.format(of="x")})
        ) e USING (account_id)
        WHERE a.email IS NULL
            OR (e.happened_at IS NULL AND a.created_at > {BEFORE_DIGESTS})
            OR e.digest <> encode(sha256(
                uuid_send(account_id) || convert_to(a.email, 'UTF8')), 'hex')
        """,
    ),
    Invariant(
        "erased_is_what_the_trail_says",
        "An account is erased exactly when the audit trail says so; an erased account has no "
        "session, API key, passkey or role in an organization.",
        """
        SELECT coalesce(a.account_id, e.account_id) AS account_id, a.erased_at, e.happened_at
        FROM (SELECT * FROM {accounts*} x WHERE erased_at IS NOT NULL) a
        FULL JOIN (SELECT account_id, happened_at FROM {audit_events*} x WHERE action = 'account_erased') e
            USING (account_id)
        WHERE a.erased_at IS DISTINCT FROM e.happened_at
            OR EXISTS (SELECT 1 FROM {sessions*} s WHERE s.account_id = a.account_id)
            OR EXISTS (SELECT 1 FROM {api_keys*} k WHERE k.account_id = a.account_id)
            OR EXISTS (SELECT 1 FROM {passkeys*} p WHERE p.account_id = a.account_id)
            OR EXISTS (SELECT 1 FROM memberships m JOIN organizations o ON o.account_id = m.account_id
                WHERE m.member_id = a.account_id AND m.ended_at IS NULL AND o.state <> 'declined')
        """,
    ),
    Invariant(
        "session_is_what_the_trail_says",
        "Every session has the secret and the expiry recorded in the audit trail, ended exactly "
        "if the audit trail says so, and is not deleted early.",
        f"""
        SELECT coalesce(s.account_id, e.account_id) AS account_id, e.subject, s.created_at, s.ended_at, e.happened_at
        FROM (SELECT *, 'ses_' || lower(compact(session_id)) AS subject FROM {{sessions*}} x) s
        FULL JOIN (
            SELECT account_id, subject, happened_at, facts->>'digest' AS digest,
                   (facts->>'until')::timestamptz AS until, facts ? 'passkey' AS by_passkey
            FROM {{audit_events*}} x WHERE action IN ('signed_in', 'session_noted')
                AND (facts ? 'digest' OR happened_at < {BEFORE_DIGESTS})
        ) e USING (account_id, subject)
        LEFT JOIN {{audit_events*}} o
            ON o.account_id = e.account_id AND o.subject = e.subject AND o.action = 'signed_out'
        WHERE CASE WHEN s.session_id IS NULL THEN
                least(e.until, o.happened_at) > now() - {SESSIONS_KEPT} AND NOT EXISTS ({ERASED.format(of="e")})
            ELSE e.happened_at IS NULL OR e.digest <> encode(sha256(s.secret_hash), 'hex') OR e.until <> s.expires_at
                OR NOT (s.opened_with = 'mail' OR (s.opened_with = 'passkey' AND e.by_passkey))
                OR (s.ended_at IS NULL) <> (o.event_id IS NULL) END
        """,
    ),
    Invariant(
        "api_key_is_what_the_trail_says",
        "Every API key has the secret, name, scopes and maker recorded in the audit trail, ended "
        "exactly if the audit trail says so, and is not deleted early.",
        f"""
        SELECT coalesce(k.account_id, e.account_id) AS account_id, e.subject, k.created_at, k.ended_at, e.happened_at
        FROM (SELECT *, 'key_' || lower(compact(key_id)) AS subject FROM {{api_keys*}} x) k
        FULL JOIN (
            SELECT account_id, subject, happened_at, facts->>'digest' AS digest, facts->'scopes' AS scopes,
                   (facts->>'until')::timestamptz AS until, facts->>'by' AS by, facts->>'replaces' AS replaces
            FROM {{audit_events*}} x WHERE action IN ('api_key_made', 'api_key_noted')
                AND (facts ? 'digest' OR happened_at < {BEFORE_DIGESTS})
        ) e USING (account_id, subject)
        LEFT JOIN {{audit_events*}} o
            ON o.account_id = e.account_id AND o.subject = e.subject AND o.action = 'api_key_ended'
        LEFT JOIN {{audit_events*}} r
            ON r.account_id = e.account_id AND r.subject = e.subject AND r.action = 'api_key_replaced'
        WHERE CASE WHEN k.key_id IS NULL THEN
                coalesce(least(o.happened_at, (r.facts->>'until')::timestamptz, e.until) > now() - {KEYS_KEPT}, true)
                AND NOT EXISTS ({ERASED.format(of="e")})
            ELSE e.happened_at IS NULL OR e.digest <> encode(sha256(
                    k.secret_hash || convert_to(k.name, 'UTF8')), 'hex')
                OR (k.ended_at IS NULL) <> (o.event_id IS NULL)
                OR to_jsonb(k.scopes) IS DISTINCT FROM e.scopes
                OR k.expires_at IS DISTINCT FROM coalesce((r.facts->>'until')::timestamptz, e.until)
                OR 'acc_' || lower(compact(k.made_by)) IS DISTINCT FROM e.by
                OR 'key_' || lower(compact(k.follows)) IS DISTINCT FROM e.replaces
                OR k.last_used_at < k.created_at END
        """,
    ),
    Invariant(
        "replaced_key_has_its_successor",
        "A replaced API key and its successor name each other, and have the same name and scopes.",
        """
        SELECT k.account_id, k.key_id, k.follows FROM {api_keys*} k
        WHERE k.follows IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM {audit_events*} e WHERE e.account_id = k.account_id AND e.action = 'api_key_replaced'
                AND e.subject = 'key_' || lower(compact(k.follows))
                AND e.facts->>'successor' = 'key_' || lower(compact(k.key_id)))
        UNION ALL
        SELECT k.account_id, k.key_id, k.follows
        FROM {api_keys*} k JOIN {api_keys*} o ON o.account_id = k.account_id AND o.key_id = k.follows
        WHERE o.name <> k.name OR o.scopes IS DISTINCT FROM k.scopes
        """,
    ),
    Invariant(
        "passkey_is_what_the_trail_says",
        "Every passkey has the credential, public key and name recorded in the audit trail, "
        "ended exactly if the audit trail says so, and is not deleted early.",
        f"""
        SELECT coalesce(p.account_id, e.account_id) AS account_id, e.subject, p.made_at, p.ended_at
        FROM (SELECT *, 'psk_' || lower(compact(passkey_id)) AS subject FROM {{passkeys*}} x) p
        FULL JOIN (
            SELECT account_id, subject, facts->>'digest' AS digest
            FROM {{audit_events*}} x WHERE action = 'passkey_made'
        ) e USING (account_id, subject)
        LEFT JOIN {{audit_events*}} o
            ON o.account_id = e.account_id AND o.subject = e.subject AND o.action = 'passkey_ended'
        WHERE CASE WHEN p.passkey_id IS NULL THEN
                coalesce(o.happened_at > now() - {KEYS_KEPT}, true) AND NOT EXISTS ({ERASED.format(of="e")})
            ELSE e.subject IS NULL OR e.digest <> encode(sha256(
                    p.credential_id || p.public_key || convert_to(p.name, 'UTF8')), 'hex')
                OR (p.ended_at IS NULL) <> (o.event_id IS NULL) END
        """,
    ),
    Invariant(
        "session_and_key_are_in_the_trail",
        "Every session and every API key belongs to an account, and its creation is recorded in "
        "the audit trail.",
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
        "role_is_in_the_trail",
        "Every role of a member belongs to an existing organization and account; the audit trail "
        "records when each role, also of staff, was given and when it ended.",
        """
        SELECT m.account_id, m.membership_id, m.role FROM {memberships*} m
        WHERE NOT EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = m.account_id
                AND e.action = 'role_given' AND e.facts->>'role' = m.role
                AND e.subject = 'mem_' || lower(compact(m.membership_id)))
            OR (m.ended_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM {audit_events*} e WHERE e.account_id = m.account_id
                AND e.action = 'role_ended' AND e.happened_at = m.ended_at
                AND e.subject = 'mem_' || lower(compact(m.membership_id))))
            OR NOT EXISTS (SELECT 1 FROM {organizations*} o WHERE o.account_id = m.account_id)
            OR NOT EXISTS (SELECT 1 FROM accounts a WHERE a.account_id = m.member_id)
        UNION ALL
        SELECT s.account_id, s.grant_id, s.role FROM {staff_roles*} s
        WHERE NOT EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = s.account_id
                AND e.action = 'staff_role_given' AND e.facts->>'role' = s.role
                AND e.subject = 'stf_' || lower(compact(s.grant_id)))
            OR (s.ended_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM {audit_events*} e WHERE e.account_id = s.account_id
                AND e.action = 'staff_role_ended' AND e.happened_at = s.ended_at
                AND e.subject = 'stf_' || lower(compact(s.grant_id))))
            OR NOT EXISTS (SELECT 1 FROM {accounts*} a WHERE a.account_id = s.account_id)
        """,
    ),
    Invariant(
        "organization_is_what_the_trail_says",
        "Every organization is an account without an address, has the name, numbers and state "
        "recorded in the audit trail, is marked if a number has an unknown format, and has an "
        "owner.",
        r"""
        SELECT o.account_id, o.name, o.state, e.state AS began FROM {organizations*} o
        FULL JOIN (SELECT account_id, facts->>'digest' AS digest, facts->>'state' AS state
            FROM {audit_events*} x WHERE action = 'organization_made') e USING (account_id)
        LEFT JOIN (SELECT account_id, max(substring(action FROM '[a-z]+$')) AS event, count(*) AS events
            FROM {audit_events*} y WHERE action IN ('organization_approved', 'organization_declined')
            GROUP BY account_id) d USING (account_id)
        WHERE o.name IS NULL OR e.state IS NULL OR d.events > 1
            OR o.state <> CASE d.event WHEN 'approved' THEN 'open' WHEN 'declined' THEN 'declined' ELSE e.state END
            OR e.digest <> encode(sha256(uuid_send(o.account_id)
                || convert_to(concat_ws(E'\n', o.name, o.npwp, o.nib), 'UTF8')), 'hex')
            OR ('npwp' = ANY (o.warns)) <> (o.npwp !~ '^[0-9]{15,16}$')
            OR ('nib' = ANY (o.warns)) <> (length(o.nib) <> 13 OR o.nib ~ '[^0-9]')
            OR NOT EXISTS (SELECT 1 FROM {accounts*} a WHERE a.account_id = o.account_id AND a.email IS NULL)
            OR NOT EXISTS (SELECT 1 FROM {memberships*} m WHERE m.account_id = o.account_id
                AND m.role = 'owner' AND m.ended_at IS NULL)
        """,
    ),
    Invariant(
        "member_limit_is_in_the_trail",
        "The stamp limit of every member is the last one recorded in the audit trail for its role.",
        """
        SELECT m.account_id, m.membership_id, m.stamps_per_month FROM {memberships*} m
        WHERE m.stamps_per_month::text IS DISTINCT FROM (
            SELECT e.facts->>'stamps' FROM {audit_events*} e WHERE e.account_id = m.account_id
                AND e.action IN ('role_given', 'member_limit_set')
                AND e.subject = 'mem_' || lower(compact(m.membership_id))
            ORDER BY e.happened_at DESC, e.event_id DESC LIMIT 1)
        """,
    ),
    Invariant(
        "invitation_is_what_the_trail_says",
        "Every invitation has the secret, address, role and limit recorded in the audit trail, "
        "is valid for seven days, ended as the audit trail says, and is not deleted early.",
        f"""
        SELECT coalesce(i.account_id, e.account_id) AS account_id, e.subject, i.state, i.made_at
        FROM (SELECT *, 'inv_' || lower(compact(invitation_id)) AS subject FROM {{invitations*}} x) i
        FULL JOIN (SELECT account_id, subject, happened_at, facts FROM {{audit_events*}} x
            WHERE action = 'invitation_made') e USING (account_id, subject)
        LEFT JOIN {{audit_events*}} o ON o.account_id = e.account_id AND o.subject = e.subject
            AND o.action IN ('invitation_accepted', 'invitation_withdrawn', 'invitation_replaced')
        WHERE CASE WHEN i.invitation_id IS NULL THEN
                coalesce(o.happened_at, e.happened_at + interval '7 days') > now() - {INVITATIONS_KEPT}
            ELSE e.facts IS NULL OR e.facts->>'role' <> i.role
                OR e.facts->>'stamps' IS DISTINCT FROM i.stamps_per_month::text
                -- An invitation to an erased person has ended, and its address is blanked.
                OR ((i.email <> '' OR i.state = 'sent') AND e.facts->>'digest' <> encode(sha256(
                    uuid_send(i.account_id) || convert_to(i.email, 'UTF8')), 'hex'))
                OR i.state <> coalesce(substring(o.action FROM '[a-z]+$'), 'sent')
                OR i.ended_at IS DISTINCT FROM o.happened_at OR i.made_at > now() + {AHEAD}
                OR i.expires_at <> i.made_at + interval '7 days'
                OR e.facts->>'secret' <> encode(sha256(i.secret_hash), 'hex') END
        """,
    ),
    Invariant(
        "trail_says_who_acted",
        "Every line of the audit trail names its actor: the kind of actor and, for most kinds, "
        "its identifier.",
        f"""
        SELECT e.account_id, e.event_id, e.actor, e.action FROM {{audit_events*}} e
        WHERE split_part(e.actor, ':', 1) NOT IN ({_ACTORS}) OR right(e.actor, 1) = ':'
        """,
    ),
    Invariant(
        "sign_up_was_changed_in_the_trail",
        "Sign-up is open or closed according to the last such act in the audit trail.",
        f"""
        SELECT s.is_open, s.changed_at, e.action, e.happened_at FROM sign_up s LEFT JOIN LATERAL (
            SELECT action, happened_at FROM audit_events e
            WHERE e.account_id = '00000000-0000-0000-0000-000000000000'
                AND e.action IN ('sign_up_opened', 'sign_up_closed')
            ORDER BY happened_at DESC LIMIT 1) e ON true
        WHERE s.changed_at > now() + {AHEAD} OR (e.action IS NULL AND NOT s.is_open)
            OR (e.action IS NOT NULL
                AND (s.is_open <> (e.action = 'sign_up_opened') OR s.changed_at <> e.happened_at))
        UNION ALL
        SELECT NULL, NULL, 'no row of sign_up', NULL WHERE (SELECT count(*) FROM sign_up) <> 1
        """,
    ),
)
