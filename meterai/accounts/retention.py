"""Retention rules of the tables of accounts, with the reason of each rule."""

from meterai.plumbing.work.retention import MONTH, ONE, WEEK, YEAR, Leaves, Rule, Stays

_OWNER = "Owner of orders and stamps; removed at the owner's request (UU PDP 43)."

RETENTION: tuple[Rule, ...] = (
    Stays("sign_up", ONE),
    Leaves(
        "sign_in_codes",
        "sign_in_challenges",
        ("challenge_id",),
        WEEK,
        "created_at",
        "A code lives for minutes and limits count an hour; abuse is investigated within a week. "
        "Addresses and networks of the requests are deleted with it.",
    ),
    Leaves(
        "sessions",
        "sessions",
        ("account_id", "session_id"),
        MONTH,
        "coalesce(ended_at, expires_at)",
        "It opens nothing any more; the sign-in is in the audit trail.",
    ),
    Leaves(
        "passkeys",
        "passkeys",
        ("account_id", "passkey_id"),
        YEAR,
        "ended_at",
        "It opens nothing any more; making and ending are in the audit trail.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "answered_challenges",
        "passkey_challenges",
        ("account_id", "challenge_id"),
        WEEK,
        "answered_at",
        "A challenge lives for minutes; until then no second answer to it may hold.",
    ),
    Leaves(
        "api_keys",
        "api_keys",
        ("account_id", "key_id"),
        YEAR,
        "least(ended_at, expires_at)",
        "Its owner sees for a year that it was ended; making and ending are in the audit trail.",
        only="least(ended_at, expires_at) IS NOT NULL",
    ),
    Leaves(
        "roles_of_members",
        "memberships",
        ("account_id", "membership_id"),
        YEAR,
        "ended_at",
        "Its organization sees the holder for a year; giving and ending are in the audit trail.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "invitations",
        "invitations",
        ("account_id", "invitation_id"),
        MONTH,
        "coalesce(ended_at, expires_at)",
        "It opens nothing any more, and has an address; making and ending are in the audit trail.",
    ),
    Leaves(
        "uses_of_members",
        "member_uses",
        ("account_id", "use_id"),
        YEAR,
        "used_at",
        "A limit is of a calendar month; its organization reviews uses for a year.",
    ),
    Leaves(
        "roles_of_staff",
        "staff_roles",
        ("account_id", "grant_id"),
        YEAR,
        "ended_at",
        "As of members.",
        only="ended_at IS NOT NULL",
    ),
    Stays("accounts", _OWNER, harmless={"email": "leaves when its owner asks for that"}),
    Stays("email_directory", _OWNER, harmless={"email": "leaves when its owner asks for that"}),
    Stays("organizations", _OWNER, harmless={"name": "leaves when its owner asks for that"}),
    Stays("passkey_directory", "Account of a passkey in use; deleted when the passkey ends."),
)
