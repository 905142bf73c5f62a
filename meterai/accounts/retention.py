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
        "A code is valid for minutes and limits count an hour; abuse is investigated within a "
        "week. The addresses and networks of the requests are deleted with the code.",
    ),
    Leaves(
        "sessions",
        "sessions",
        ("account_id", "session_id"),
        MONTH,
        "coalesce(ended_at, expires_at)",
        "The session is not valid any more; the sign-in is in the audit trail.",
    ),
    Leaves(
        "passkeys",
        "passkeys",
        ("account_id", "passkey_id"),
        YEAR,
        "ended_at",
        "The key is not valid any more; its creation and end are in the audit trail.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "answered_challenges",
        "passkey_challenges",
        ("account_id", "challenge_id"),
        WEEK,
        "answered_at",
        "A challenge is valid for minutes; until then a second answer to it must be refused.",
    ),
    Leaves(
        "api_keys",
        "api_keys",
        ("account_id", "key_id"),
        YEAR,
        "least(ended_at, expires_at)",
        "The owner sees for a year that the passkey was ended; its creation and end are in the "
        "audit trail.",
        only="least(ended_at, expires_at) IS NOT NULL",
    ),
    Leaves(
        "roles_of_members",
        "memberships",
        ("account_id", "membership_id"),
        YEAR,
        "ended_at",
        "The organization sees the former member for a year; the beginning and end of the role "
        "are in the audit trail.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "invitations",
        "invitations",
        ("account_id", "invitation_id"),
        MONTH,
        "coalesce(ended_at, expires_at)",
        "The invitation is not valid any more, and contains an address; its creation and end are "
        "in the audit trail.",
    ),
    Leaves(
        "uses_of_members",
        "member_uses",
        ("account_id", "use_id"),
        YEAR,
        "used_at",
        "A limit applies to a calendar month; the organization reviews uses for a year.",
    ),
    Leaves(
        "roles_of_staff",
        "staff_roles",
        ("account_id", "grant_id"),
        YEAR,
        "ended_at",
        "As for roles of members (`memberships`).",
        only="ended_at IS NOT NULL",
    ),
    Stays("accounts", _OWNER, harmless={"email": "deleted at the owner's request"}),
    Stays("email_directory", _OWNER, harmless={"email": "deleted at the owner's request"}),
    Stays("organizations", _OWNER, harmless={"name": "deleted at the owner's request"}),
    Stays("passkey_directory", "The account of a passkey in use; deleted when the passkey ends."),
)
