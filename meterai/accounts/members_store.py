"""SQL of organizations, their members and invitations, one function per question."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from meterai.accounts.model import (
    MEMBERSHIP_KIND,
    Invitation,
    InvitationState,
    Member,
    Organization,
    OrganizationState,
    PlaceOf,
    Role,
)
from meterai.kit.ids import show
from meterai.plumbing.database import ReadTx, Tx, jsonb
from meterai.plumbing.rows import RowMapper

_ORGANIZATIONS = RowMapper(Organization)
_PLACES = RowMapper(PlaceOf)
_MEMBERS = RowMapper(Member, id=partial(show, MEMBERSHIP_KIND))
_INVITATIONS = RowMapper(Invitation)
_ORGANIZATION = """
SELECT account_id AS account, name, npwp, nib, warns, state, made_at FROM organizations
"""
# By the clock of Jakarta, as members read their month.
_MEMBER = """
SELECT m.membership_id AS id, m.member_id AS person, m.role, m.given_at, m.stamps_per_month,
    (SELECT coalesce(sum(u.stamps - u.returned), 0)::integer FROM member_uses u
     WHERE u.account_id = m.account_id AND u.member_id = m.member_id AND u.used_at >=
        date_trunc('month', now() AT TIME ZONE 'Asia/Jakarta') AT TIME ZONE 'Asia/Jakarta') AS stamps_used
FROM memberships m WHERE m.account_id = %s AND m.ended_at IS NULL
"""
_INVITATION = """
SELECT account_id AS account, invitation_id AS id, email, role, stamps_per_month, secret_hash, state,
    made_at, expires_at
FROM invitations WHERE account_id = %s
"""


async def insert_organization(
    tx: Tx, made: Organization, language: str, *, numbers: Sequence[str]
) -> bool:
    """Make an account for an organization; false where this very one was made before."""
    is_new = await tx.run(
        "INSERT INTO accounts (account_id, language) VALUES (%s, %s)"
        " ON CONFLICT ON CONSTRAINT accounts_pkey DO NOTHING",
        made.account,
        language,
    )
    if is_new:
        await tx.run(
            "INSERT INTO organizations (account_id, name, npwp, nib, warns, state, made_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            made.account,
            made.name,
            *numbers,
            list(made.warns),
            made.state,
            made.made_at,
        )
    return bool(is_new)


async def organization(tx: ReadTx, account: UUID) -> Organization | None:
    """The organization that an account is; None where it is a person's."""
    return await tx.one_as(_ORGANIZATIONS, _ORGANIZATION + "WHERE account_id = %s", account)


async def waiting_organizations(tx: ReadTx, limit: int) -> list[Organization]:
    """Organizations that wait for the approval of staff, the longest first."""
    query = _ORGANIZATION + "WHERE state = 'waiting' ORDER BY made_at LIMIT %s"
    return await tx.all_as(_ORGANIZATIONS, query, limit)


async def lock_organization(tx: Tx, account: UUID) -> Organization | None:
    """An organization; until the transaction ends nobody else changes it or its members."""
    query = _ORGANIZATION + "WHERE account_id = %s FOR NO KEY UPDATE"
    return await tx.one_as(_ORGANIZATIONS, query, account)


async def set_organization_state(tx: Tx, account: UUID, state: OrganizationState) -> None:
    """The state of an organization from now on."""
    await tx.run("UPDATE organizations SET state = %s WHERE account_id = %s", state, account)


PLACES = """
SELECT m.account_id AS account, o.name, o.state, m.role
FROM memberships m JOIN organizations o ON o.account_id = m.account_id
WHERE m.member_id = %s AND m.ended_at IS NULL ORDER BY o.name, m.account_id LIMIT %s
"""


async def places_of(tx: ReadTx, person: UUID, limit: int) -> list[PlaceOf]:
    """The organizations in which a person has a role."""
    return await tx.all_as(_PLACES, PLACES, person, limit)


async def count_places(tx: Tx, person: UUID) -> int:
    """How many organizations a person has a role in.  Until the transaction ends nobody else adds one."""
    await tx.run("SELECT 1 FROM accounts WHERE account_id = %s FOR NO KEY UPDATE", person)
    found = await tx.value(
        "SELECT count(*) FROM memberships WHERE member_id = %s AND ended_at IS NULL", person
    )
    assert isinstance(found, int)
    return found


async def members(tx: ReadTx, account: UUID, limit: int) -> list[Member]:
    """The members of an organization, the earliest first."""
    return await tx.all_as(_MEMBERS, _MEMBER + "ORDER BY m.membership_id LIMIT %s", account, limit)


async def member(tx: ReadTx, account: UUID, membership: UUID) -> Member | None:
    """A member by the number of its role."""
    return await tx.one_as(_MEMBERS, _MEMBER + "AND m.membership_id = %s", account, membership)


async def member_of_person(tx: ReadTx, account: UUID, person: UUID) -> Member | None:
    """The role of a person in an organization."""
    return await tx.one_as(_MEMBERS, _MEMBER + "AND m.member_id = %s", account, person)


async def count_members(tx: ReadTx, account: UUID, *roles: Role) -> int:
    """How many members with one of these roles an organization has."""
    found = await tx.value(
        "SELECT count(*) FROM memberships WHERE account_id = %s AND role = ANY (%s)"
        " AND ended_at IS NULL",
        account,
        list(roles),
    )
    assert isinstance(found, int)
    return found


async def insert_membership(
    tx: Tx, account: UUID, membership: UUID, member: UUID, role: str, limit: int | None
) -> None:
    """Give a person a role in an organization, with a limit of stamps per month."""
    await tx.run(
        "INSERT INTO memberships (account_id, membership_id, member_id, role, stamps_per_month)"
        " VALUES (%s, %s, %s, %s, %s)",
        account,
        membership,
        member,
        role,
        limit,
    )


async def set_limit(tx: Tx, account: UUID, membership: UUID, limit: int | None) -> None:
    """The limit of stamps per month of a member from now on."""
    await tx.run(
        "UPDATE memberships SET stamps_per_month = %s WHERE account_id = %s AND membership_id = %s",
        limit,
        account,
        membership,
    )


async def end_membership(tx: Tx, account: UUID, member: UUID) -> UUID | None:
    """End the role of a person in an organization; None where there is none."""
    found = await tx.value(
        "UPDATE memberships SET ended_at = now() WHERE account_id = %s AND member_id = %s"
        " AND ended_at IS NULL RETURNING membership_id",
        account,
        member,
    )
    assert found is None or isinstance(found, UUID)
    return found


async def owner_of(tx: ReadTx, account: UUID) -> UUID | None:
    """The owner of an organization who has been one for longest: it is written to for it."""
    found = await tx.value(
        "SELECT member_id FROM memberships WHERE account_id = %s AND role = 'owner'"
        " AND ended_at IS NULL ORDER BY membership_id LIMIT 1",
        account,
    )
    assert found is None or isinstance(found, UUID)
    return found


async def use_stamps(tx: Tx, account: UUID, member: UUID, uses: Mapping[UUID, int]) -> None:
    """Count stamps against the limit of a member; see sql/functions/member_stamps_use.sql."""
    counted = {str(use): stamps for use, stamps in uses.items()}
    await tx.run("SELECT member_stamps_use(%s, %s, %s)", account, member, jsonb(counted))


async def insert_invitation(tx: Tx, made: Invitation) -> None:
    """Keep an invitation."""
    await tx.run(
        "INSERT INTO invitations (account_id, invitation_id, email, role, stamps_per_month,"
        " secret_hash, made_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        made.account,
        made.id,
        made.email,
        made.role,
        made.stamps_per_month,
        made.secret_hash,
        made.made_at,
        made.expires_at,
    )


async def invitations(tx: ReadTx, account: UUID, at: datetime, limit: int) -> list[Invitation]:
    """The invitations of an organization that can be accepted, the newest first."""
    query = _INVITATION + (
        "AND state = 'sent' AND expires_at > %s ORDER BY invitation_id DESC LIMIT %s"
    )
    return await tx.all_as(_INVITATIONS, query, account, at, limit)


async def invitation(tx: ReadTx, account: UUID, invitation: UUID) -> Invitation | None:
    """An invitation by its number."""
    return await tx.one_as(
        _INVITATIONS, _INVITATION + "AND invitation_id = %s", account, invitation
    )


async def invitation_to(tx: ReadTx, account: UUID, email: str) -> Invitation | None:
    """The invitation of an address that has not ended, over or not."""
    query = _INVITATION + "AND email = %s AND state = 'sent'"
    return await tx.one_as(_INVITATIONS, query, account, email)


async def count_invitations(tx: ReadTx, account: UUID, since: datetime) -> int:
    """How many invitations an organization has sent since then."""
    found = await tx.value(
        "SELECT count(*) FROM invitations WHERE account_id = %s AND made_at > %s", account, since
    )
    assert isinstance(found, int)
    return found


async def end_invitation(
    tx: Tx, account: UUID, invitation: UUID, state: InvitationState, at: datetime
) -> bool:
    """End an invitation in this state; false where it had ended before."""
    return bool(
        await tx.run(
            "UPDATE invitations SET state = %s, ended_at = %s"
            " WHERE account_id = %s AND invitation_id = %s AND state = 'sent'",
            state,
            at,
            account,
            invitation,
        )
    )
