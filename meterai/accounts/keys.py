"""API keys: making and ending one."""

from datetime import datetime
from uuid import UUID

from meterai import audit
from meterai.accounts import store
from meterai.accounts.model import (
    KEY_KIND,
    KEY_PREFIX,
    KEYS_PER_ACCOUNT_MAX,
    ApiKeyView,
    Credential,
    KeyAlreadyMade,
    TooManyKeys,
    key_digest,
    key_name,
)
from meterai.accounts.telling import tell_owner
from meterai.kit.actor import Actor
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.database import Tx


async def make_api_key(
    tx: Tx, account: UUID, name: str, *, actor: Actor, at: datetime, key: UUID | None = None
) -> str:
    """A new API key.  This is the only time its text exists on our side.

    `key` is its id, made by the caller where the same wish may come twice.  Refuses
    `Malformed`, `TooManyKeys`, `KeyAlreadyMade`.
    """
    name = key_name(name)
    made = Credential.fresh(account, key or new_id())
    if await store.keys_in_use(tx, account) >= KEYS_PER_ACCOUNT_MAX:
        raise TooManyKeys(KEYS_PER_ACCOUNT_MAX)
    if not await store.insert_api_key(tx, account, made.id, made.hash(), name, at):
        raise KeyAlreadyMade("this key was made before")
    await audit.record(
        tx,
        account,
        actor=actor,
        action="api_key_made",
        subject=show(KEY_KIND, made.id),
        digest=key_digest(made.hash(), name),
    )
    await tell_owner(tx, account, actor, "api_key", "made", show(KEY_KIND, made.id), name)
    return made.text(KEY_PREFIX)


async def end_api_key(
    tx: Tx, account: UUID, key: UUID, *, actor: Actor, at: datetime
) -> ApiKeyView:
    """End a key: within `REMEMBERED_SECONDS` it opens nothing any more, anywhere.

    Ending it again changes nothing.  Refuses `NotFound`.
    """
    ended, is_new = await store.end_api_key(tx, account, key, at)
    if ended is None:
        raise NotFound("no such key of this account")
    if is_new:
        subject = show(KEY_KIND, key)
        await audit.record(tx, account, actor=actor, action="api_key_ended", subject=subject)
        await tell_owner(tx, account, actor, "api_key", "ended", subject, ended.name)
    return ended
