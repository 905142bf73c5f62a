"""Accounts by mail address: lookup, creation, and the address to which mails are sent."""

from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.model import ACCOUNT_KIND, Contact, Organization, address_digest, normalized
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, read, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import ReadTx, Tx


async def contact(tx: ReadTx, account: UUID) -> Contact:
    """Return the address and language of mails to an account; for an organization, the address and language of one of its
    owners. Refuses `NotFound`.
    """
    found = await store.contact(tx, account)
    if found is None and (owner := await store.owner_of(tx, account)) is not None:
        found = await store.contact(tx, owner)
    if found is None:
        raise NotFound("no such account")
    return found


async def organization_called(tx: ReadTx, account: UUID) -> str | None:
    """Return the name of an organization's account; None for the account of a person."""
    found = await store.organization(tx, account)
    return found.name if found else None


async def organization_of(tx: ReadTx, account: UUID) -> Organization | None:
    """Return the organization of an account, with its NPWP and NIB; None for the account of a person."""
    return await store.organization(tx, account)


async def account_known(tx: ReadTx, email: str) -> UUID | None:
    """Return the account of a mail address; None if the address has no account.  Refuses `Malformed`."""
    return await store.account_by_email(tx, normalized(email))


async def account_of_address(tx: Tx, email: str, language: str, *, actor: Actor) -> UUID:
    """Return the account of a normalized mail address; an account is made if the address is new."""
    account, is_new = await store.insert_account(tx, new_id(), email, language)
    if is_new:
        await trail.record(
            tx,
            account,
            actor=actor,
            action="account_made",
            subject=show("acc", account),
            digest=address_digest(account, email),
        )
    return account


async def account_named(tx: ReadTx, text: str) -> UUID:
    """Return the account that staff typed as a mail address or as `acc_...`.  Refuses `Malformed`, `NotFound`."""
    if text.startswith(f"{ACCOUNT_KIND}_"):
        account = read(ACCOUNT_KIND, text)
        await contact(tx, account)
        return account
    found = await store.account_by_email(tx, normalized(text))
    if found is None:
        raise NotFound("no such account")
    return found


async def create(tx: Tx, email: str, language: str, *, actor: Actor) -> UUID:
    """Return the account of a mail address for an operator; an account is made if the address is new.  Refuses
    `Malformed`.
    """
    return await account_of_address(tx, normalized(email), language, actor=actor)
