"""Staff: people who work for the operator, and their roles.

Staff sign in by passkey alone.  An account needs a passkey before its first role.  The first role, and the end of
the last role, change how the account signs in, so both end all its sessions.
"""

from dataclasses import dataclass
from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.addresses import contact
from meterai.accounts.model import (
    ACCOUNT_KIND,
    SUPERVISORS_FIRST_MAX,
    LastSupervisor,
    PasskeyNeeded,
    Permission,
    StaffRole,
    StaffRoleUnchanged,
    SupervisorsExist,
    normalized,
    staff_permissions,
)
from meterai.accounts.sessions import end_sessions
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import Malformed, NotFound
from meterai.plumbing.db.database import ReadTx, Tx

STAFF_KIND = "stf"


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person who works for the operator, with the person's current roles of staff."""

    account: UUID
    email: str
    roles: frozenset[StaffRole]

    @property
    def permissions(self) -> frozenset[Permission]:
        """Permissions of all roles of the person together."""
        return staff_permissions(sorted(self.roles))

    @property
    def shown(self) -> str:
        """Account id as the audit trail and the console show it."""
        return show(ACCOUNT_KIND, self.account)


async def staff_by_address(tx: ReadTx, email: str) -> StaffMember | None:
    """Return the member of staff with this mail address; None if no member of staff has it."""
    try:
        address = normalized(email)
    except Malformed:
        return None
    account = await store.account_by_email(tx, address)
    return None if account is None else await staff_member(tx, account)


async def staff_member(tx: ReadTx, account: UUID) -> StaffMember | None:
    """Return the member of staff with this account; None if the account has no role of staff."""
    roles = await store.staff_roles_of(tx, account)
    if not roles:
        return None
    written_to = await contact(tx, account)
    return StaffMember(account, written_to.email, frozenset(map(StaffRole, roles)))


async def permissions_of_staff(tx: ReadTx, account: UUID) -> frozenset[Permission]:
    """Return the permissions of an account as staff; empty if the account has no role of staff."""
    return staff_permissions(await store.staff_roles_of(tx, account))


async def is_staff(tx: ReadTx, account: UUID) -> bool:
    """True if the account has a role of staff."""
    return bool(await store.staff_roles_of(tx, account))


async def has_supervisor(tx: ReadTx) -> bool:
    """True if a supervisor exists; from then on commands that carry out levers (staff actions) require a member of staff."""
    return await store.count_supervisors(tx) > 0


async def staff(tx: ReadTx) -> list[StaffMember]:
    """Return every member of staff, ordered by mail address."""
    return [
        StaffMember(account, email, frozenset(map(StaffRole, roles)))
        for account, email, roles in await store.all_staff(tx)
    ]


async def check_may_be_given(tx: ReadTx, account: UUID, role: StaffRole) -> list[StaffRole]:
    """Check that a role of staff may be given; return the roles of staff that the account has already.

    Refuses `StaffRoleUnchanged`, `PasskeyNeeded`.
    """
    held = [StaffRole(one) for one in await store.staff_roles_of(tx, account)]
    if role in held:
        raise StaffRoleUnchanged(f"the role {role} is already held")
    if not await store.passkey_credentials(tx, account):
        raise PasskeyNeeded("staff need a passkey to sign in")
    return held


async def check_may_be_ended(tx: ReadTx, account: UUID, role: StaffRole) -> list[StaffRole]:
    """Check that a role of staff may end; return the other roles of staff of the account.

    Refuses `StaffRoleUnchanged`, `LastSupervisor`.
    """
    held = [StaffRole(one) for one in await store.staff_roles_of(tx, account)]
    if role not in held:
        raise StaffRoleUnchanged(f"the role {role} is not held")
    if role == StaffRole.SUPERVISOR and await store.count_supervisors(tx) == 1:
        raise LastSupervisor("at least one supervisor must remain")
    return [one for one in held if one != role]


async def give_staff_role(tx: Tx, account: UUID, role: StaffRole, *, actor: Actor) -> None:
    """Give an account a role of staff; the first such role ends all sessions of the account.

    Refuses what `check_may_be_given` refuses.
    """
    await store.lock_staff(tx, account)
    held = await check_may_be_given(tx, account, role)
    grant = new_id()
    await store.insert_staff_role(tx, account, grant, role)
    await trail.record(
        tx,
        account,
        actor=actor,
        action="staff_role_given",
        subject=show(STAFF_KIND, grant),
        role=role,
    )
    if not held:
        await end_sessions(tx, account, actor=actor, at=await store.moment(tx))


async def end_staff_role(tx: Tx, account: UUID, role: StaffRole, *, actor: Actor) -> None:
    """End a role of staff of an account; the end of the last one ends all sessions of the account, which may then sign in by
    mail again.

    Refuses what `check_may_be_ended` refuses.
    """
    await store.lock_staff(tx, account)
    kept = await check_may_be_ended(tx, account, role)
    grant = await store.end_staff_role(tx, account, role)
    await trail.record(
        tx, account, actor=actor, action="staff_role_ended", subject=show(STAFF_KIND, grant)
    )
    if not kept:
        await end_sessions(tx, account, actor=actor, at=await store.moment(tx))


async def first_supervisor(tx: Tx, email: str, *, actor: Actor) -> UUID:
    """Make the account of an address a supervisor, while fewer than two supervisors exist. Two can be made this way, because a
    request of one supervisor needs the approval of another.

    Refuses `Malformed`, `NotFound`, `SupervisorsExist` and what `give_staff_role` refuses.
    """
    account = await store.account_by_email(tx, normalized(email))
    if account is None:
        raise NotFound("no such account")
    await store.lock_staff(tx, account)
    if await store.count_supervisors(tx) >= SUPERVISORS_FIRST_MAX:
        raise SupervisorsExist("supervisors exist, who give and end roles of staff")
    await give_staff_role(tx, account, StaffRole.SUPERVISOR, actor=actor)
    return account
