"""Personal data of accounts."""

from collections.abc import Sequence

from meterai.accounts.erasing import erase
from meterai.plumbing.db.personal import KeepReason, Person, Personal, PersonalTable, Wait
from meterai.plumbing.work.retention import MONTH, YEAR


def _address(person: Person) -> Sequence[object]:
    return (person.email,)


_ORGANIZATION = {
    "organization": "(SELECT o.name FROM organizations o WHERE o.account_id = t.account_id)"
}
_OF_ORGANIZATIONS = "t.account_id = ANY(%s) AND t.member_id = %s"


def _in_organizations(person: Person) -> Sequence[object]:
    return (list(person.organizations), person.account)


PERSONAL = Personal(
    ids={
        "session_id": "ses",
        "key_id": "key",
        "passkey_id": "psk",
        "membership_id": "mem",
        "invitation_id": "inv",
    },
    before=erase,
    tables=(
        PersonalTable(
            table="accounts",
            columns="account_id email language created_at",
            inner="erased_at",
            blanks={"email": "NULL"},
            kept=KeepReason.NUMBER,
        ),
        PersonalTable(
            table="sessions",
            columns="session_id created_at browser system opened_with last_used_at expires_at ended_at",
            inner="account_id acts_for",
            hidden="secret_hash",
            deletes=True,
        ),
        PersonalTable(
            table="api_keys",
            columns="key_id name scopes created_at last_used_at expires_at ended_at",
            inner="account_id end_told_at follows made_by",
            hidden="secret_hash",
            deletes=True,
        ),
        PersonalTable(
            table="passkeys",
            columns="passkey_id name made_at last_used_at ended_at",
            inner="account_id sign_count",
            hidden="credential_id public_key",
            deletes=True,
        ),
        PersonalTable(
            table="passkey_challenges",
            inner="account_id answered_at",
            hidden="challenge_id",
            deletes=True,
        ),
        PersonalTable(
            table="sign_in_challenges",
            columns="created_at network leads_to expires_at used_at",
            inner="email tries",
            hidden="challenge_id device",
            whose="t.email = %s",
            named=_address,
            deletes=True,
        ),
        PersonalTable(
            table="memberships",
            columns="membership_id account_id role given_at ended_at stamps_per_month",
            inner="member_id",
            also=_ORGANIZATION,
            whose=_OF_ORGANIZATIONS,
            named=_in_organizations,
            kept=KeepReason.BRIEFLY,
            since="now()",
            keeps=YEAR,
        ),
        PersonalTable(
            table="member_uses",
            columns="use_id account_id stamps returned used_at",
            inner="member_id",
            whose=_OF_ORGANIZATIONS,
            named=_in_organizations,
            kept=KeepReason.BRIEFLY,
            since="t.used_at",
            keeps=YEAR,
        ),
        PersonalTable(
            table="invitations",
            columns="invitation_id account_id role state made_at expires_at ended_at",
            inner="email stamps_per_month",
            hidden="secret_hash",
            also=_ORGANIZATION,
            whose="t.email = %s",
            named=_address,
            blanks={"email": "''"},
            only="t.state <> 'sent'",  # erasure has ended the open invitations by then
            kept=KeepReason.BRIEFLY,
            since="coalesce(t.ended_at, now())",
            keeps=MONTH,
        ),
        PersonalTable(
            table="staff_roles",
            columns="grant_id role given_at ended_at",
            inner="account_id",
            kept=KeepReason.BRIEFLY,
            since="t.ended_at",
            keeps=YEAR,
        ),
    ),
    nobodys={
        "email_directory": "A copy of the address of an account; deleted with it.",
        "passkey_directory": "A copy of the number of a passkey; deleted with it.",
        "organizations": "An organization is no person; its members are listed in memberships.",
    },
    waits=(
        Wait(
            "last_owner",
            "SELECT count(*) AS count, NULL::timestamptz AS until FROM memberships m"
            " JOIN organizations o ON o.account_id = m.account_id"
            " WHERE m.member_id = %s AND m.ended_at IS NULL AND m.role = 'owner' AND o.state <> 'declined'"
            " AND NOT EXISTS (SELECT 1 FROM memberships x WHERE x.account_id = m.account_id"
            " AND x.member_id <> m.member_id AND x.role = 'owner' AND x.ended_at IS NULL)",
        ),
    ),
)
