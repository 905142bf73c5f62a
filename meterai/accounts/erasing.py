"""Erasure of a person: the sessions, passkeys and API keys of the account end, and its mail address is removed.

The row of the account stays, because orders and stamps refer to its id.
"""

from datetime import datetime
from uuid import UUID

from meterai import trail
from meterai.accounts import members, store
from meterai.accounts.invitations import withdraw
from meterai.accounts.model import (
    KEY_KIND,
    MEMBERSHIP_KIND,
    ORGANIZATIONS_PER_PERSON_MAX,
    PASSKEY_KIND,
    OrganizationState,
)
from meterai.accounts.sessions import end_sessions
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import read, show
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.personal import Person


async def person_of(tx: ReadTx, account: UUID) -> Person | None:
    """Return the person to whom an account belongs, with the organizations in which the person has a role, or had one within a
    year; None if the account belongs to an organization or to an erased person.
    """
    contact = await store.contact(tx, account)
    if contact is None:
        return None
    return Person(account, contact.email, tuple(await store.organizations_ever(tx, account)))


async def is_erased(tx: ReadTx, account: UUID) -> bool:
    """True if the person to whom an account belongs was erased."""
    return await store.is_erased(tx, account)


async def people_after(tx: ReadTx, account: UUID | None, limit: int) -> list[UUID]:
    """Return up to `limit` accounts of people (not organizations) in the order of their ids: those after the id `account`, or
    the first ones if `account` is None.
    """
    return await store.people_after(tx, account, limit)


async def end_access(tx: Tx, account: UUID, *, actor: Actor, at: datetime) -> bool:
    """End every session, passkey and API key of an account. Return True if any existed.

    No mail is sent for each of them: the caller sends one mail about all of them.
    """
    sessions = await end_sessions(tx, account, actor=actor, at=at)
    passkeys = await store.passkeys(tx, account)
    for passkey in passkeys:
        await store.end_passkey(tx, account, read(PASSKEY_KIND, passkey.id), at)
        await trail.record(tx, account, actor=actor, action="passkey_ended", subject=passkey.id)
    keys = await store.open_keys(tx, account)
    for key in keys:
        await store.end_api_key(tx, account, key, at)
        subject = show(KEY_KIND, key)
        await trail.record(tx, account, actor=actor, action="api_key_ended", subject=subject)
    return bool(sessions or passkeys or keys)


async def remove_from_directory(tx: Tx, person: Person) -> None:
    """Remove the mail address of a person from the directory of addresses, so that the address belongs to no account.

    A concurrent sign-in with this address has either opened its session already, or waits until this transaction ends.
    """
    await store.forget_address(tx, person.account, person.email)


async def erase(tx: Tx, person: Person, at: datetime) -> None:
    """Remove the mail address from the account of a person.  The next sign-in with the address makes a new account.

    Refuses `LastOwner`.
    """
    if not person.email:
        return
    await remove_from_directory(tx, person)
    actor = Actor(ActorKind.JOB, "accounts.erase")
    await end_access(tx, person.account, actor=actor, at=at)
    for place in await store.places_of(tx, person.account, ORGANIZATIONS_PER_PERSON_MAX):
        if place.state == OrganizationState.DECLINED:
            continue  # nobody acts for this organization; the account id of its owner stays
        member = await store.member_of_person(tx, place.account, person.account)
        if member is not None:
            await members.end_role(tx, place.account, read(MEMBERSHIP_KIND, member.id), actor=actor)
    for sent in await store.invitations_sent_to(tx, person.email):
        await withdraw(tx, sent.account, sent.id, actor=actor)
    await store.set_erased(tx, person.account)
