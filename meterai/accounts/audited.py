"""Rules by which the audit checks the columns of the tables of accounts."""

from meterai.plumbing.db.audited import ONE_ROW, SHOWN, Audited, ClockColumn, MarkEvidence, fact

AUDITED = Audited(
    clocks=(
        ClockColumn("api_keys", "expires_at", "t.created_at + interval '3661 days'"),
        ClockColumn("invitations", "expires_at", "t.made_at + interval '7 days'"),
        ClockColumn(
            "sessions", "expires_at", "t.created_at + interval '400 days'", since="t.created_at"
        ),
        ClockColumn("sign_in_challenges", "expires_at", "t.created_at + interval '1 day'"),
    ),
    evidence=(
        MarkEvidence(
            "api_keys",
            "t.end_told_at IS NOT NULL",
            """EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = t.account_id
                AND e.action = 'api_key_ends' AND e.subject = 'key_' || lower(compact(t.key_id)))""",
        ),
    ),
    facts=(fact("accounts", "created_at", ""),),
    shown={
        "sign_up": {
            ONE_ROW: "only_row",
        },
        "accounts": {
            "Language of the account's pages and mails.": "language",
        },
        "api_keys": {
            "Shown to its owner; no decision depends on it. The creation is in the audit trail.": "created_at",
            SHOWN: "last_used_at",
            "The notice of the key's expiry is in the audit trail.": "end_told_at",
        },
        "passkeys": {
            "Shown to its owner; no decision depends on it. The creation is in the audit trail.": "made_at",
            SHOWN: "last_used_at",
            "Signature counter of the authenticator; a lower value is refused.": "sign_count",
        },
        "passkey_directory": (
            "Prevents a second passkey with the same credential; the rows of "
            "passkeys decide who signs in."
        ),
        "passkey_challenges": (
            "The answer to a challenge, which is valid for minutes; the "
            "session that it opened is in the audit trail."
        ),
        "memberships": {
            (
                "Shown to its owner; no decision depends on it. The giving of the role is in the "
                "audit trail."
            ): "given_at",
        },
        "organizations": {
            SHOWN: "made_at",
        },
        "sessions": {
            SHOWN: "browser system last_used_at",
            "Choice of the person; the role is checked at each request.": "acts_for",
        },
        "staff_roles": {
            (
                "Shown to its owner; no decision depends on it. The giving of the role is in the "
                "audit trail."
            ): "given_at",
        },
        "sign_in_challenges": (
            "The code is valid for minutes; the session that it opened is in the audit trail."
        ),
    },
    of_accounts=(
        "accounts",
        "api_keys",
        "email_directory",
        "sessions",
    ),
)
