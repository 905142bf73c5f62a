"""Organizations, and the roles that people have in them."""

from uuid import UUID

from meterai import audit
from meterai.accounts import store
from meterai.accounts.model import PERMISSIONS, Permission, Role
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, show
from meterai.plumbing.database import Tx

MEMBERSHIP_KIND = "mem"


async def make_organization(tx: Tx, account: UUID, name: str, *, actor: Actor) -> None:
    """Make an account an organization; the person of the account becomes its owner.  A repeat
    changes nothing.
    """
    if await store.insert_organization(tx, account, name):
        await give_role(tx, account, account, Role.OWNER, actor=actor)


async def give_role(tx: Tx, account: UUID, member: UUID, role: Role, *, actor: Actor) -> None:
    """Give a person this role in an organization, in place of the one it has."""
    await end_role(tx, account, member, actor=actor)
    membership = new_id()
    await store.insert_membership(tx, account, membership, member, role)
    subject = show(MEMBERSHIP_KIND, membership)
    await audit.record(tx, account, actor=actor, action="role_given", subject=subject, role=role)


async def end_role(tx: Tx, account: UUID, member: UUID, *, actor: Actor) -> None:
    """End the role of a person in an organization; nothing happens where there is none."""
    ended = await store.end_membership(tx, account, member)
    if ended is not None:
        subject = show(MEMBERSHIP_KIND, ended)
        await audit.record(tx, account, actor=actor, action="role_ended", subject=subject)


async def permissions_in(tx: Tx, account: UUID, member: UUID) -> frozenset[Permission]:
    """What a person may do for an account: all of its own, else what its role there has."""
    if member == account:
        return PERMISSIONS[Role.OWNER]
    role = await store.role_of(tx, account, member)
    return PERMISSIONS[Role(role)] if role else frozenset()
