"""Organizations, the roles of people in them, and the stamps that members use of their monthly limits.

A change of members locks the organization first, so that one owner stays if the last two leave at the same time.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.model import (
    ACCOUNT_KIND,
    MEMBERS_MAX,
    MEMBERSHIP_KIND,
    ORGANIZATION,
    ORGANIZATIONS_PER_PERSON_MAX,
    PERMISSIONS,
    AlreadyMember,
    LastOwner,
    Member,
    MemberLimitReached,
    MembershipEnded,
    Organization,
    OrganizationEvent,
    OrganizationState,
    Permission,
    Role,
    TooManyMembers,
    TooManyOrganizations,
    organization_digest,
    organization_name,
)
from meterai.accounts.state_numbers import nib, npwp
from meterai.accounts.telling import tell_of_decision
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import ReadTx, Tx


def member_actor(person: UUID) -> Actor:
    """Return the actor of a person who acts for an organization."""
    return Actor(ActorKind.MEMBER, show(ACCOUNT_KIND, person))


def new_organization(
    account: UUID, name: str, numbers: tuple[str, str], state: OrganizationState, at: datetime
) -> Organization:
    """Return a new organization; `numbers` are NPWP and NIB.  Refuses `Malformed`."""
    tax, business = npwp(numbers[0]), nib(numbers[1])
    known = {"npwp": tax.is_known, "nib": business.is_known}
    warns = [number for number, is_known in known.items() if not is_known]
    return Organization(account, organization_name(name), tax.text, business.text, warns, state, at)


async def make_organization(tx: Tx, made: Organization, person: UUID, language: str) -> None:
    """Make the account of an organization, owned by the person.  A repeat changes nothing.

    Refuses `TooManyOrganizations`, and `NotFound` if the id already belongs to another account.
    """
    account, actor = made.account, member_actor(person)
    if await store.count_places(tx, person) >= ORGANIZATIONS_PER_PERSON_MAX:
        raise TooManyOrganizations(ORGANIZATIONS_PER_PERSON_MAX)
    numbers = (made.npwp, made.nib)
    if not await store.insert_organization(tx, made, language, numbers=numbers):
        if await store.member_of_person(tx, account, person) is None:
            raise NotFound("the account belongs to somebody else")
        return
    await trail.record(
        tx,
        account,
        actor=actor,
        action="organization_made",
        subject=show(ACCOUNT_KIND, account),
        digest=organization_digest(account, made.name, *numbers),
        state=made.state,
    )
    await _give(tx, account, person, Role.OWNER, None, actor=actor)


async def decide_on_organization(
    tx: Tx, account: UUID, event: OrganizationEvent, *, actor: Actor
) -> Organization:
    """Record the decision of staff on an organization.  Refuses `NotFound`, `NotAllowedNow`."""
    found = await _locked(tx, account)
    await store.set_organization_state(tx, account, ORGANIZATION.after(found.state, event))
    subject = show(ACCOUNT_KIND, account)
    await trail.record(tx, account, actor=actor, action=f"organization_{event}", subject=subject)
    await tell_of_decision(tx, account, event, found.name)
    return found


async def give_role(
    tx: Tx, account: UUID, member: UUID, role: Role, limit: int | None = None, *, actor: Actor
) -> None:
    """Give a role to a person who has no role in the organization; `limit` is in stamps per month, None is unlimited.

    Refuses `NotFound`, `AlreadyMember`, `TooManyMembers`, `TooManyOrganizations`.
    """
    await _locked(tx, account)
    if await store.member_of_person(tx, account, member) is not None:
        raise AlreadyMember("the person already has a role in the organization")
    if await store.count_members(tx, account, *Role) >= MEMBERS_MAX:
        raise TooManyMembers(MEMBERS_MAX)
    if await store.count_places(tx, member) >= ORGANIZATIONS_PER_PERSON_MAX:
        raise TooManyOrganizations(ORGANIZATIONS_PER_PERSON_MAX)
    await _give(tx, account, member, role, limit, actor=actor)


async def change_role(
    tx: Tx, account: UUID, membership: UUID, role: Role, limit: int | None, *, actor: Actor
) -> Member:
    """Change role and monthly limit of a member; return the member before the change.  Refuses `NotFound`, `LastOwner`."""
    await _locked(tx, account)
    found = await _member(tx, account, membership)
    if role != found.role:
        await _end(tx, account, found, actor=actor)
        await _give(tx, account, found.person, role, limit, actor=actor)
    elif limit != found.stamps_per_month:
        await store.set_limit(tx, account, membership, limit)
        await trail.record(
            tx, account, actor=actor, action="member_limit_set", subject=found.id, stamps=limit
        )
    return found


async def end_role(tx: Tx, account: UUID, membership: UUID, *, actor: Actor) -> Member:
    """End the role of a member.  Refuses `NotFound`, `LastOwner`."""
    await _locked(tx, account)
    found = await _member(tx, account, membership)
    await _end(tx, account, found, actor=actor)
    return found


async def permissions_in(tx: Tx, account: UUID, member: UUID) -> frozenset[Permission]:
    """Return the permissions of a person in an account: all if it is the person's own, else those of the person's role."""
    if member == account:
        return PERMISSIONS[Role.OWNER]
    role = await store.role_of(tx, account, member)
    return PERMISSIONS[Role(role)] if role else frozenset()


async def use_stamps(tx: Tx, account: UUID, member: UUID | None, uses: Mapping[UUID, int]) -> None:
    """Count stamps against the monthly limit of a member, in the transaction that holds or orders these stamps.

    `uses` maps the id of each stamping or order to its number of stamps. A person who acts for their own account (`member` is
    None) has no limit. If a stamping or order ends without using its stamps, the database functions that end it give the stamps
    back to the limit. Refuses `MemberLimitReached`, `MembershipEnded`.
    """
    if member is not None and uses:
        await store.use_stamps(tx, account, member, uses)


async def check_stamps_left(tx: ReadTx, account: UUID, member: UUID | None, needed: int) -> None:
    """Check that a member may use `needed` more stamps this month; a person who acts for their own account (`member` is None)
    has no limit.

    Refuses `MemberLimitReached`, `MembershipEnded`.
    """
    if member is None:
        return
    found = await store.member_of_person(tx, account, member)
    if found is None:
        raise MembershipEnded("the person has no role in force")
    limit = found.stamps_per_month
    if limit is not None and found.stamps_used + needed > limit:
        raise MemberLimitReached(needed, max(limit - found.stamps_used, 0), limit)


async def _locked(tx: Tx, account: UUID) -> Organization:
    found = await store.lock_organization(tx, account)
    if found is None:
        raise NotFound("no such organization")
    return found


async def _member(tx: Tx, account: UUID, membership: UUID) -> Member:
    found = await store.member(tx, account, membership)
    if found is None:
        raise NotFound("no such member of this organization")
    return found


async def _end(tx: Tx, account: UUID, found: Member, *, actor: Actor) -> None:
    is_owner = found.role == Role.OWNER
    if is_owner and await store.count_members(tx, account, Role.OWNER) == 1:
        raise LastOwner("the organization has no other owner")
    await store.end_membership(tx, account, found.person)
    await trail.record(tx, account, actor=actor, action="role_ended", subject=found.id)


async def _give(
    tx: Tx, account: UUID, member: UUID, role: Role, limit: int | None, *, actor: Actor
) -> None:
    membership = new_id()
    await store.insert_membership(tx, account, membership, member, role, limit)
    subject = show(MEMBERSHIP_KIND, membership)
    facts: dict[str, object] = {"role": role, "stamps": limit}
    await trail.record(tx, account, actor=actor, action="role_given", subject=subject, **facts)
