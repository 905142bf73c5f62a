"""Service of webhook endpoints: make and change endpoints, rotate secrets, test, replay; read messages and attempts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from meterai import trail
from meterai.accounts import NotPermitted, Permission
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import earliest_id, new_id, show
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.http.requests import IdempotencyKeyReused
from meterai.plumbing.observe.exchange import note_replay
from meterai.plumbing.work import published
from meterai.webhooks import store
from meterai.webhooks.adapters.egress import Egress
from meterai.webhooks.model import (
    ENDPOINT,
    ENDPOINT_KIND,
    ENDPOINTS_MAX,
    EVERYTHING,
    KEPT,
    REPLAYED_MAX,
    SECRET_OVERLAP,
    SECRET_SHOWN,
    TEST,
    TESTS_PER_HOUR_MAX,
    DisabledWhy,
    Endpoint,
    EndpointEvent,
    EndpointState,
    Message,
    MessageState,
    TooManyTests,
    TooManyWebhooks,
    WebhookAttempt,
    WebhookNotEnabled,
    address_of,
    chosen,
    described,
)
from meterai.webhooks.recording import Publishing
from meterai.webhooks.signing import Safe, shown_secret


@dataclass(frozen=True, slots=True)
class WebhookWish:
    """Requested values of a new endpoint, and the permissions of the caller."""

    url: str
    events: Sequence[str]
    description: str
    held: Collection[str]

    def digest(self) -> bytes:
        """Return the hash of the request, stored with its Idempotency-Key."""
        asked = [self.url, sorted(set(self.events)), self.description]
        return sha256(msgspec.json.encode(asked)).digest()


class WebhookService:
    """Commands and queries of the endpoints of accounts."""

    def __init__(
        self, database: Database, egress: Egress, safe: Safe, publishing: Publishing, clock: Clock
    ) -> None:
        self._database = database
        self._egress = egress
        self._safe = safe
        self._publishing = publishing
        self._clock = clock

    @property
    def types(self) -> Mapping[str, str]:
        """Event types that endpoints may choose, each with the permission that it needs."""
        return {name: one.permission for name, one in self._publishing.types.items()}

    def may_see(self, type_: str, held: Collection[str]) -> bool:
        """True if these permissions allow reading the content of messages of this type over the API."""
        return type_ == TEST or self.types.get(type_) in held

    # -- queries ---------------------------------------------------------------------------

    async def all_of(self, account: UUID) -> list[Endpoint]:
        """Return the endpoints of an account, the oldest first."""
        return await self._database.once(store.endpoints, account)

    async def find(self, account: UUID, endpoint: UUID) -> Endpoint:
        """Return one endpoint of an account.  Refuses `NotFound`."""
        return _existing(await self._database.once(store.endpoint, account, endpoint))

    async def messages(
        self, account: UUID, endpoint: UUID, page: ListPage, state: MessageState | None = None
    ) -> tuple[list[Message], bool]:
        """Return a page of the messages to an endpoint, newest first, and true if older messages follow. Refuses
        `NotFound`.
        """
        await self.find(account, endpoint)
        found = await self._database.once(
            store.messages, account, endpoint, page.before, state, page.wanted
        )
        return page.cut(found)

    async def message(
        self, account: UUID, endpoint: UUID, message: UUID
    ) -> tuple[Message, list[WebhookAttempt]]:
        """Return one message to an endpoint, and its attempts. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            found = await _message(tx, account, endpoint, message)
            return found, await store.attempts(tx, account, message)

    # -- commands --------------------------------------------------------------------------

    async def make(
        self, account: UUID, wish: WebhookWish, key: str, *, actor: Actor
    ) -> tuple[Endpoint, str | None]:
        """Make an endpoint and return it with its secret. A repeat with the same key returns the same endpoint,
        within a day with its secret, later with None.

        Refuses `Malformed`, `WebhookUrlRefused`, `NotPermitted`, `TooManyWebhooks`, `IdempotencyKeyReused`.
        """
        if (made := await self._find_by_key(account, wish, key)) is not None:
            return made
        events = self._check_events(wish)
        await self._egress.check(address_of(wish.url))
        at = self._clock.now()
        fresh = Endpoint(
            account=account,
            id=new_id(),
            url=wish.url,
            description=described(wish.description),
            events=events,
            state=EndpointState.ENABLED,
            why=None,
            made_at=at,
            moved_at=at,
            before_until=None,
            failing_since=None,
            failed_messages=0,
            is_aside=False,
        )
        sealed = self._safe.made(account, fresh.id)

        async def make(tx: Tx) -> bool:
            await store.lock_account(tx, account)
            if await store.by_key(tx, account, key) is not None:
                return False  # an equal concurrent request inserted it first
            if len(await store.endpoints(tx, account)) >= ENDPOINTS_MAX:
                raise TooManyWebhooks(ENDPOINTS_MAX)
            await store.insert(tx, fresh, sealed, key, wish.digest())
            await self._listen(tx, account)
            await _record_given(tx, fresh, sealed, "webhook_made", actor)
            return True

        if not await self._database.run(make):
            again = await self._find_by_key(account, wish, key)
            assert again is not None
            return again
        return fresh, self._shown(fresh, sealed)

    async def change(
        self,
        account: UUID,
        endpoint: UUID,
        *,
        url: str | None,
        events: Sequence[str] | None,
        description: str | None,
        held: Collection[str],
        actor: Actor,
    ) -> Endpoint:
        """Change the given fields of an endpoint. Refuses what `make` refuses, and `NotFound`.

        The caller needs the permissions of all event types of the endpoint. Otherwise it could redirect
        messages that it may not read to a URL that it controls.
        """
        if url is not None:
            await self._egress.check(address_of(url))

        async def change(tx: Tx) -> Endpoint:
            await store.lock_account(tx, account)
            old = _existing(await store.locked(tx, account, endpoint))
            wanted = WebhookWish(
                old.url if url is None else url,
                old.events if events is None else events,
                old.description if description is None else description,
                held,
            )
            changed = replace(
                old,
                url=wanted.url,
                events=self._check_events(wanted),
                description=described(wanted.description),
            )
            await store.change(tx, changed)
            await self._listen(tx, account)
            sealed, _, _ = await store.secret(tx, account, endpoint)
            await _record_given(tx, changed, sealed, "webhook_changed", actor)
            return changed

        return await self._database.run(change)

    async def rotate(
        self, account: UUID, endpoint: UUID, key: str, *, actor: Actor
    ) -> tuple[Endpoint, str | None]:
        """Make a new secret; messages are signed with the earlier one as well for `SECRET_OVERLAP`. A repeat with the
        same key returns the same secret during that time, and None later.

        Refuses `NotFound`.
        """

        async def rotate(tx: Tx) -> str | None:
            found = _existing(await store.locked(tx, account, endpoint))
            sealed, rotate_key, before_until = await store.secret(tx, account, endpoint)
            if rotate_key == key:
                note_replay()
                is_shown = before_until is not None and self._clock.now() < before_until
                return self._shown(found, sealed) if is_shown else None
            sealed = self._safe.made(account, endpoint)
            until = self._clock.now() + SECRET_OVERLAP
            await store.rotate(tx, account, endpoint, sealed, key, until)
            await _record_given(tx, found, sealed, "webhook_secret_rotated", actor)
            return self._shown(found, sealed)

        secret = await self._database.run(rotate)
        return await self.find(account, endpoint), secret

    async def enable(self, account: UUID, endpoint: UUID, *, actor: Actor) -> Endpoint:
        """Enable an endpoint. Messages kept while it was disabled are sent only by a replay.

        A repeat changes nothing. Refuses `NotFound`, `WebhookUrlRefused`.
        """
        found = await self.find(account, endpoint)
        await self._egress.check(address_of(found.url))

        async def enable(tx: Tx) -> None:
            old = _existing(await store.locked(tx, account, endpoint))
            if old.state == EndpointState.ENABLED:
                return
            ENDPOINT.after(old.state, EndpointEvent.ENABLED)
            await store.enable(tx, account, endpoint, self._clock.now())
            await _record(tx, old, "webhook_enabled", actor)

        await self._database.run(enable)
        return await self.find(account, endpoint)

    async def disable(self, account: UUID, endpoint: UUID, *, actor: Actor) -> Endpoint:
        """Disable an endpoint; messages to it are kept undelivered. A repeat changes nothing. Refuses `NotFound`."""

        async def disable(tx: Tx) -> None:
            old = _existing(await store.locked(tx, account, endpoint))
            if old.state == EndpointState.DISABLED:
                return
            state = ENDPOINT.after(old.state, EndpointEvent.DISABLED)
            await store.stop(tx, account, endpoint, state, DisabledWhy.ASKED)
            await _record(tx, old, "webhook_disabled", actor)

        await self._database.run(disable)
        return await self.find(account, endpoint)

    async def remove(self, account: UUID, endpoint: UUID, *, actor: Actor) -> None:
        """Remove an endpoint permanently; its messages are kept for their usual retention. A repeat changes nothing.

        Refuses `NotFound`.
        """

        async def remove(tx: Tx) -> None:
            await store.lock_account(tx, account)
            old = await store.locked(tx, account, endpoint)
            if old is None:
                raise NotFound("no such webhook of this account")
            if old.state == EndpointState.REMOVED:
                return
            state = ENDPOINT.after(old.state, EndpointEvent.REMOVED)
            await store.stop(tx, account, endpoint, state, None)
            await self._listen(tx, account)
            await _record(tx, old, "webhook_removed", actor)

        await self._database.run(remove)

    async def test(self, account: UUID, endpoint: UUID, *, actor: Actor) -> Message:
        """Queue a test message to an endpoint and return it.  Refuses `NotFound`, `WebhookNotEnabled`, `TooManyTests`."""

        async def test(tx: Tx) -> UUID:
            found = _enabled(await store.locked(tx, account, endpoint))
            since = earliest_id(self._clock.now() - timedelta(hours=1), margin_seconds=0)
            if await store.tests_since(tx, account, endpoint, since) >= TESTS_PER_HOUR_MAX:
                raise TooManyTests(TESTS_PER_HOUR_MAX)
            data = {"endpoint_id": show(ENDPOINT_KIND, endpoint)}
            [made] = await self._publishing.queue(tx, account, [endpoint], TEST, data)
            await _record(tx, found, "webhook_tested", actor)
            return made

        made = await self._database.run(test)
        found, _ = await self.message(account, endpoint, made)
        return found

    async def replay(
        self, account: UUID, endpoint: UUID, message: UUID, *, actor: Actor
    ) -> Message:
        """Queue a message for another delivery, under the same id. Refuses `NotFound`, `WebhookNotEnabled`."""

        async def replay(tx: Tx) -> None:
            to = _enabled(await store.locked(tx, account, endpoint))
            found = await _message(tx, account, endpoint, message)
            await store.replay(tx, found, self._clock.now(), is_aside=to.is_aside)
            await _record(tx, to, "webhook_replayed", actor, messages=1)

        await self._database.run(replay)
        found, _ = await self.message(account, endpoint, message)
        return found

    async def replay_since(
        self, account: UUID, endpoint: UUID, since: datetime, *, actor: Actor
    ) -> int:
        """Queue again the undelivered messages that were created since a moment, at most `REPLAYED_MAX`. Return their
        number.

        Refuses `NotFound`, `WebhookNotEnabled`.
        """

        async def replay(tx: Tx) -> int:
            to = _enabled(await store.locked(tx, account, endpoint))
            earliest = max(since, self._clock.now() - KEPT)
            count = await store.replay_since(tx, to, self._clock.now(), earliest, REPLAYED_MAX)
            await _record(tx, to, "webhook_replayed", actor, messages=count)
            return count

        return await self._database.run(replay)

    # -- shared parts -----------------------------------------------------------------------

    async def _find_by_key(
        self, account: UUID, wish: WebhookWish, key: str
    ) -> tuple[Endpoint, str | None] | None:
        found = await self._database.once(store.by_key, account, key)
        if found is None:
            return None
        if found.request != wish.digest():
            raise IdempotencyKeyReused("another request had this key")
        note_replay()
        endpoint = _existing(await self._database.once(store.endpoint, account, found.id))
        is_shown = found.secret is not None and self._clock.now() < found.made_at + SECRET_SHOWN
        sealed = found.secret if is_shown else None
        return endpoint, None if sealed is None else self._shown(endpoint, sealed)

    def _check_events(self, wish: WebhookWish) -> list[str]:
        """Return the requested event types. Refuses `Malformed`, and `NotPermitted` for a type whose messages the caller may
        not read.
        """
        events = chosen(wish.events, self.types)
        wanted = self.types if EVERYTHING in events else events
        for one in sorted(wanted):
            if (needed := self.types[one]) not in wish.held:
                raise NotPermitted(Permission(needed))
        return events

    async def _listen(self, tx: Tx, account: UUID) -> None:
        """Set for which event types messages are made for this account: exactly the types that its endpoints chose."""
        kinds = {
            published.ALL if one == EVERYTHING else self._publishing.types[one].kind
            for endpoint in await store.endpoints(tx, account)
            for one in endpoint.events
            if one == EVERYTHING or one in self._publishing.types
        }
        await published.listen(tx, account, kinds)

    def _shown(self, of: Endpoint, sealed: bytes) -> str:
        return shown_secret(self._safe.opened(sealed, of.account, of.id))


def _existing(found: Endpoint | None) -> Endpoint:
    if found is None or found.state == EndpointState.REMOVED:
        raise NotFound("no such webhook of this account")
    return found


def _enabled(found: Endpoint | None) -> Endpoint:
    there = _existing(found)
    if there.state != EndpointState.ENABLED:
        raise WebhookNotEnabled("the webhook is disabled")
    return there


async def _message(tx: ReadTx, account: UUID, endpoint: UUID, message: UUID) -> Message:
    found = await store.message(tx, account, message)
    if found is None or found.endpoint != endpoint:
        raise NotFound("no such message to this webhook")
    return found


async def _record_given(tx: Tx, about: Endpoint, sealed: bytes, action: str, actor: Actor) -> None:
    """Record an action in the audit trail, with one hash over both the endpoint's encrypted secret and its URL.

    The audit compares this hash with the endpoint's row.  Neither the secret nor the URL can be guessed from the hash.
    """
    digest = sha256(sealed + about.url.encode()).hexdigest()
    await _record(tx, about, action, actor, host=address_of(about.url).host, digest=digest)


async def _record(tx: Tx, about: Endpoint, action: str, actor: Actor, /, **facts: object) -> None:
    subject = show(ENDPOINT_KIND, about.id)
    await trail.record(tx, about.account, actor=actor, action=action, subject=subject, **facts)
