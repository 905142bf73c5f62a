"""API keys: making, replacing and ending keys, and mails about keys that end soon."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.model import (
    ACCOUNT_KIND,
    KEY_KIND,
    KEY_LIVES_MAX,
    KEY_OVERLAP_HOURS,
    KEY_PERMISSIONS,
    KEY_PREFIX,
    KEYS_PER_ACCOUNT_MAX,
    SHOWS_ORDERS,
    ApiKeyView,
    Credential,
    KeyAlreadyMade,
    KeyOfAccount,
    KeyOver,
    KeyReplaced,
    KeyTerms,
    Permission,
    Replacement,
    ScopeNotHeld,
    TooManyKeys,
    key_digest,
    key_name,
    key_permissions,
)
from meterai.accounts.telling import tell_owner, tell_that_key_ends
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import Malformed, NotFound
from meterai.plumbing.db.database import Tx


async def make_api_key(
    tx: Tx,
    account: UUID,
    name: str,
    *,
    actor: Actor,
    at: datetime,
    key: UUID | None = None,
    terms: KeyTerms = KeyTerms(),  # noqa: B008 - frozen
) -> str:
    """Make an API key and return its text, which is not stored.

    `key` is the id of the new key; a caller whose request may be repeated passes it.  Refuses `Malformed`,
    `ScopeNotHeld`, `TooManyKeys`, `KeyAlreadyMade`.
    """
    name = key_name(name)
    _check_terms(terms, at)
    made = Credential.fresh(account, key or new_id())
    if await store.keys_in_use(tx, account) >= KEYS_PER_ACCOUNT_MAX:
        raise TooManyKeys(KEYS_PER_ACCOUNT_MAX)
    if not await store.insert_api_key(tx, account, made.id, made.hash(), name, at, terms):
        raise KeyAlreadyMade("this key was already made")
    facts: dict[str, object] = {
        "scopes": None if terms.scopes is None else sorted(terms.scopes),
        "until": terms.expires_at and terms.expires_at.isoformat(),
        "by": terms.made_by and show(ACCOUNT_KIND, terms.made_by),
        "replaces": terms.follows and show(KEY_KIND, terms.follows),
    }
    await trail.record(
        tx,
        account,
        actor=actor,
        action="api_key_made",
        subject=show(KEY_KIND, made.id),
        digest=key_digest(made.hash(), name),
        **{fact: value for fact, value in facts.items() if value is not None},
    )
    await tell_owner(tx, account, actor, "api_key", "made", show(KEY_KIND, made.id), name)
    return made.text(KEY_PREFIX)


def _check_terms(terms: KeyTerms, at: datetime) -> None:
    if terms.scopes is not None and not terms.scopes <= KEY_PERMISSIONS:
        raise Malformed("scopes", "known_name")
    if (
        terms.scopes is not None
        and Permission.ORDER_READ not in terms.scopes
        and terms.scopes & SHOWS_ORDERS
    ):
        raise Malformed("scopes", "with_order_read")
    wanted = key_permissions(None if terms.scopes is None else list(terms.scopes))
    if terms.held is not None and (lacking := wanted - terms.held):
        raise ScopeNotHeld(min(lacking))
    if terms.expires_at is not None and not at < terms.expires_at <= at + KEY_LIVES_MAX:
        raise Malformed("until", "later_day")


async def replace_api_key(
    tx: Tx,
    account: UUID,
    wish: Replacement,
    *,
    actor: Actor,
    at: datetime,
    terms: KeyTerms,
) -> str:
    """Make the successor of a key and return its text; the old key works until the requested overlap is over.

    The successor has the same name, scopes and lifetime.  `terms` contains its maker and the maker's permissions.
    Refuses `NotFound`, `KeyOver`, `KeyReplaced`, and what `make_api_key` refuses.
    """
    key, overlap_hours, successor = wish
    if overlap_hours not in KEY_OVERLAP_HOURS:
        raise Malformed("overlap", "another_value")
    await store.keys_in_use(
        tx, account
    )  # locks the account: the second of two requests finds the successor
    old = await store.stored_key(tx, account, key)
    if old is None:
        raise NotFound("no such key of this account")
    if old.successor == successor:
        raise KeyAlreadyMade("this key was already made")
    if old.successor is not None:
        raise KeyReplaced("the key already has a successor")
    if old.ended_at is not None or (old.expires_at is not None and old.expires_at <= at):
        raise KeyOver("the key is no longer valid")
    facts = {"successor": show(KEY_KIND, successor)}
    if overlap_hours:
        until = at + timedelta(hours=overlap_hours)
        until = until if old.expires_at is None else min(until, old.expires_at)
        await store.set_key_end(tx, account, key, until)
        facts["until"] = until.isoformat()
    subject = show(KEY_KIND, key)
    await trail.record(
        tx, account, actor=actor, action="api_key_replaced", subject=subject, **facts
    )
    if not overlap_hours:
        await end_api_key(tx, account, key, actor=actor, at=at)
    scopes = None if old.scopes is None else frozenset(old.scopes)
    expires_at = at + (old.expires_at - old.made_at) if old.expires_at is not None else None
    terms = replace(terms, scopes=scopes, expires_at=expires_at, follows=key)
    return await make_api_key(tx, account, old.name, actor=actor, at=at, key=successor, terms=terms)


async def end_api_key(
    tx: Tx, account: UUID, key: UUID, *, actor: Actor, at: datetime
) -> ApiKeyView:
    """End a key; every process stops accepting it within `REMEMBERED_SECONDS`.

    A repeat changes nothing.  Refuses `NotFound`.
    """
    ended, is_new = await store.end_api_key(tx, account, key, at)
    if ended is None:
        raise NotFound("no such key of this account")
    if is_new:
        subject = show(KEY_KIND, key)
        await trail.record(tx, account, actor=actor, action="api_key_ended", subject=subject)
        await tell_owner(tx, account, actor, "api_key", "ended", subject, ended.name)
    return ended


async def tell_of_end(tx: Tx, ending: KeyOfAccount, at: datetime) -> None:
    """Notify the owner of an API key, once, that the key ends soon."""
    if not await store.note_end_told(tx, ending.account, ending.key, at):
        return
    subject = show(KEY_KIND, ending.key)
    await trail.record(
        tx,
        ending.account,
        actor=Actor(ActorKind.JOB, store.KEY_ENDS),
        action="api_key_ends",
        subject=subject,
    )
    await tell_that_key_ends(tx, ending.account, subject, ending.name, ending.expires_at)
