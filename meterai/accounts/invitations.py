"""Invitations to organizations: sending, withdrawing and accepting."""

from datetime import datetime, timedelta
from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.members import give_role, member_actor
from meterai.accounts.model import (
    INVITATION_LIVES,
    INVITATIONS_PER_ADDRESS_MAX,
    INVITATIONS_PER_DAY_MAX,
    AlreadyMember,
    Credential,
    Invitation,
    InvitationForAnother,
    InvitationSpent,
    InvitationState,
    Organization,
    OrganizationState,
    Role,
    TooManyInvitations,
    address_digest,
    normalized,
    session_digest,
)
from meterai.accounts.telling import tell_invited
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import ReadTx, Tx

_DAY = timedelta(days=1)


def new_invitation(
    key: bytes, account: UUID, email: str, role: Role, limit: int | None, at: datetime
) -> Invitation:
    """Return a new invitation, not stored yet. The credential in its link is derived from `key`; `limit` is the monthly limit
    of stamps, None is unlimited. Refuses `Malformed`.
    """
    number = new_id()
    return Invitation(
        account,
        number,
        normalized(email),
        role,
        limit,
        Credential.for_invitation(key, account, number).hash(),
        InvitationState.SENT,
        made_at=at,
        expires_at=at + INVITATION_LIVES,
    )


async def invite(tx: Tx, made: Invitation, language: str, *, actor: Actor) -> None:
    """Store an invitation and send its mail; the invitation replaces an earlier one to the same address.

    Refuses `NotFound`, `AlreadyMember`, `TooManyInvitations`.
    """
    account = made.account
    found = await store.lock_organization(tx, account)
    if found is None:
        raise NotFound("no such organization")
    if await store.count_invitations(tx, account, made.made_at - _DAY) >= INVITATIONS_PER_DAY_MAX:
        raise TooManyInvitations(INVITATIONS_PER_DAY_MAX)
    if (
        await store.count_invitations_to(tx, made.email, made.made_at - _DAY)
        >= INVITATIONS_PER_ADDRESS_MAX
    ):
        raise TooManyInvitations(INVITATIONS_PER_ADDRESS_MAX)
    person = await store.account_by_email(tx, made.email)
    if person is not None and await store.member_of_person(tx, account, person) is not None:
        raise AlreadyMember("the person already has a role in the organization")
    earlier = await store.invitation_to(tx, account, made.email)
    if earlier is not None:
        await _end(tx, earlier, InvitationState.REPLACED, actor=actor)
    await store.insert_invitation(tx, made)
    await trail.record(
        tx,
        account,
        actor=actor,
        action="invitation_made",
        subject=made.shown,
        digest=address_digest(account, made.email),
        secret=session_digest(made.secret_hash),
        role=made.role,
        stamps=made.stamps_per_month,
    )
    await tell_invited(tx, made, found.name, language)


async def withdraw(tx: Tx, account: UUID, invitation: UUID, *, actor: Actor) -> None:
    """Withdraw an invitation.  Refuses `NotFound`, and `InvitationSpent` if it was accepted."""
    found = await store.invitation(tx, account, invitation)
    if found is None:
        raise NotFound("no such invitation of this organization")
    if found.state == InvitationState.SENT:
        await _end(tx, found, InvitationState.WITHDRAWN, actor=actor)
    elif found.state == InvitationState.ACCEPTED:
        raise InvitationSpent("it was accepted")


async def open_invitation(
    tx: ReadTx, shown: Credential, person: UUID, at: datetime
) -> tuple[Invitation, Organization]:
    """Return the invitation whose link contains the credential `shown`, and the inviting organization, if the person may accept
    the invitation.

    Refuses `InvitationForAnother`, `InvitationSpent`.
    """
    found = await store.invitation(tx, shown.account, shown.id)
    if found is None or not shown.opens(found.secret_hash):
        raise InvitationSpent("the invitation was not made by us")
    contact = await store.contact(tx, person)
    if contact is None or contact.email != found.email:
        raise InvitationForAnother("the account has another address than the invitation")
    if found.is_over(at):
        raise InvitationSpent(f"the invitation is {found.state}")
    organization = await store.organization(tx, found.account)
    if organization is None or organization.state != OrganizationState.OPEN:
        raise InvitationSpent("the organization has no active owner")
    return found, organization


async def accept(tx: Tx, shown: Credential, person: UUID, *, at: datetime) -> Invitation:
    """Accept the invitation whose link contains the credential `shown`: the person gets the role of the invitation.

    Refuses what `open_invitation` and `give_role` refuse.
    """
    actor = member_actor(person)
    found, _ = await open_invitation(tx, shown, person, at)
    await give_role(tx, found.account, person, found.role, found.stamps_per_month, actor=actor)
    await _end(tx, found, InvitationState.ACCEPTED, actor=actor)
    return found


async def _end(tx: Tx, found: Invitation, state: InvitationState, *, actor: Actor) -> None:
    if not await store.end_invitation(tx, found.account, found.id, state):
        raise InvitationSpent("another request ended the invitation first")
    await trail.record(
        tx, found.account, actor=actor, action=f"invitation_{state}", subject=found.shown
    )
