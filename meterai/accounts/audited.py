"""What the audit knows of the columns of accounts."""

from meterai.plumbing.db.audited import ONE_ROW, SHOWN, Audited, Clock, Evidence, fact

AUDITED = Audited(
    clocks=(
        Clock("api_keys", "expires_at", "t.created_at + interval '3661 days'"),
        Clock("invitations", "expires_at", "t.made_at + interval '7 days'"),
        Clock("sessions", "expires_at", "t.created_at + interval '400 days'", since="t.created_at"),
        Clock("sign_in_challenges", "expires_at", "t.created_at + interval '1 day'"),
    ),
    evidence=(
        Evidence(
            "api_keys",
            "t.end_told_at IS NOT NULL",
            """EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = t.account_id
                AND e.action = 'api_key_ends' AND e.subject = 'key_' || lower(compact(t.key_id)))""",
        ),
    ),
    facts=(fact("accounts", "created_at", ""),),
    checked={
        "accounts": {
            "email": ("trail_knows_every_address", "address_finds_its_account"),
            "erased_at": ("erased_is_what_the_trail_says",),
        },
        "api_keys": {
            "account_id": ("session_and_key_are_in_the_trail",),
            "key_id": ("session_and_key_are_in_the_trail",),
            "secret_hash": ("api_key_is_what_the_trail_says",),
            **dict.fromkeys(
                ("name", "ended_at", "scopes", "expires_at", "made_by", "follows"),
                ("api_key_is_what_the_trail_says",),
            ),
        },
        "passkeys": dict.fromkeys(
            ("account_id", "passkey_id", "credential_id", "public_key", "name", "ended_at"),
            ("passkey_is_what_the_trail_says",),
        ),
        "memberships": dict.fromkeys(
            ("account_id", "membership_id", "member_id", "role", "ended_at"),
            ("role_is_in_the_trail",),
        )
        | {"stamps_per_month": ("member_limit_is_in_the_trail",)},
        "organizations": dict.fromkeys(
            ("account_id", "name", "npwp", "nib", "warns", "state"),
            ("organization_is_what_the_trail_says",),
        ),
        "invitations": dict.fromkeys(
            (
                *("account_id", "invitation_id", "email", "role", "stamps_per_month"),
                *("secret_hash", "state", "made_at", "expires_at", "ended_at"),
            ),
            ("invitation_is_what_the_trail_says",),
        ),
        "member_uses": dict.fromkeys(
            ("account_id", "use_id", "member_id", "stamps", "returned", "used_at"),
            ("member_use_is_what_was_asked",),
        ),
        "staff_roles": dict.fromkeys(
            ("account_id", "grant_id", "role", "ended_at"), ("role_is_in_the_trail",)
        ),
        "sign_up": dict.fromkeys(("is_open", "changed_at"), ("sign_up_was_changed_in_the_trail",)),
        "email_directory": {
            "email": ("address_finds_its_account",),
            "account_id": ("address_finds_its_account",),
        },
        "sessions": {
            "account_id": ("session_and_key_are_in_the_trail",),
            "session_id": ("session_and_key_are_in_the_trail",),
            "secret_hash": ("session_is_what_the_trail_says",),
            "created_at": ("times_hide_no_work",),
            "expires_at": ("session_is_what_the_trail_says",),
            "ended_at": ("session_is_what_the_trail_says",),
            "opened_with": ("session_is_what_the_trail_says",),
        },
    },
    unchecked={
        "sign_up": {"only_row": ONE_ROW},
        "accounts": {"language": "Which of two languages its pages and mails are in."},
        "api_keys": {
            "created_at": f"{SHOWN} When it was made is in the audit trail.",
            "last_used_at": SHOWN,
            "end_told_at": "That its owner was told of its end is in the audit trail.",
        },
        "passkeys": {
            "made_at": f"{SHOWN} When it was made is in the audit trail.",
            "last_used_at": SHOWN,
            "sign_count": "How far its authenticator has counted; one that counts back is refused.",
        },
        "passkey_directory": dict.fromkeys(
            ("credential_id", "account_id"),
            "Keeps a credential from being made a passkey twice; what opens an account is the passkey.",
        ),
        "passkey_challenges": dict.fromkeys(
            ("account_id", "challenge_id", "answered_at"),
            "That a challenge of minutes was answered; what it opened is in the audit trail.",
        ),
        "memberships": {"given_at": f"{SHOWN} When it was given is in the audit trail."},
        "organizations": {"made_at": SHOWN},
        "sessions": {
            "browser": SHOWN,
            "system": SHOWN,
            "last_used_at": SHOWN,
            "acts_for": "What the person chose; the role there is asked for at each request.",
        },
        "staff_roles": {"given_at": f"{SHOWN} When it was given is in the audit trail."},
        "sign_in_challenges": dict.fromkeys(
            [
                "challenge_id",
                "email",
                "network",
                "created_at",
                "expires_at",
                "tries",
                "used_at",
                "device",
                "leads_to",
            ],
            "A code that lives for minutes; what it opened is a session in the audit trail.",
        ),
    },
    of_accounts=(
        "accounts",
        "api_keys",
        "email_directory",
        "sessions",
    ),
)
