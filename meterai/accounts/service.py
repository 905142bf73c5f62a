"""Service of accounts: callers of requests, their sessions and their API keys."""

import hashlib
import hmac
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection

from meterai.accounts import store
from meterai.accounts.addresses import create
from meterai.accounts.keys import end_api_key, make_api_key, replace_api_key, tell_of_end
from meterai.accounts.members import member_actor
from meterai.accounts.model import (
    KEY_END_TOLD_BEFORE,
    KEY_KIND,
    KEY_PREFIX,
    KEYS_SHOWN_MAX,
    PERMISSIONS,
    SESSION_KIND,
    SESSIONS_SHOWN_MAX,
    ApiKeyView,
    Credential,
    KeyMaker,
    KeyOfAccount,
    KeyTerms,
    OrganizationNotOpen,
    Replacement,
    Role,
    SessionView,
    StoredCredential,
    key_permissions,
    normalized,
    staff_permissions,
)
from meterai.accounts.sessions import SignedIn, end_session, end_session_of, end_sessions
from meterai.accounts.sign_up import sign_up_closed_at
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.refusal import NotFound, SignInRequired
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, DatabaseAway, DatabaseBusy, ReadTx, Tx
from meterai.plumbing.http.callers import Caller
from meterai.plumbing.http.head import head_of
from meterai.plumbing.http.requests import cookie_name
from meterai.plumbing.work.periodic import each, run_row

COOKIE = "session"
REMEMBERED_SECONDS = 5.0  # life of a cached caller, so an ended key may work so long
REMEMBERED_MAX = 10_000
BATCH = 100  # keys in one run of the periodic task
LAST_USE_EVERY = timedelta(minutes=1)  # interval at which the last use of a key is written
# Exact enough for a person to recognize a device.  Under load every visitor has a session, and each writes.
SESSION_USE_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Cached caller of a session or API key that was checked in the database at most `REMEMBERED_SECONDS` ago."""

    until: float  # monotonic clock
    id: UUID  # id of the session or key
    caller: Caller


async def account_of(tx: ReadTx, email: str) -> UUID:
    """Return the account of a mail address, for commands.  Refuses `NotFound`."""
    account = await store.account_by_email(tx, normalized(email))
    if account is None:
        raise NotFound("no such account")
    return account


class AccountService:
    """Identifies the callers of requests, and makes and ends their sessions and API keys."""

    def __init__(self, database: Database, key: bytes, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._process = settings.process
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def sign_out(self, cookie: str, follows: SignedIn | None = None) -> None:
        """End the session of a cookie; without a session nothing changes.

        `follows` is the session that replaces it after a fresh proof. If both belong to the same person, the new
        session acts for the same account as the ended one did.
        """
        try:
            session = Credential.read(cookie)
        except SignInRequired:
            return
        self._forget(session.id)
        ended = await self._database.run(
            partial(end_session, session=session, at=self._clock.now())
        )
        if follows is not None and ended is not None and ended.acts_for is not None:
            new = Credential.read(follows.session)
            if new.account == session.account:
                await self._database.once(store.act_for, new.account, new.id, ended.acts_for)
                self._forget(new.id)

    async def act_for(self, person: UUID, session: UUID, account: UUID) -> None:
        """Let a session of a person act for an organization in which the person has a role, or for the person's own account.

        This process drops the session from its cache, so that the next request acts for the chosen account. Refuses `NotFound`,
        `OrganizationNotOpen`.
        """

        async def choose(tx: Tx) -> None:
            is_own = account == person
            if not is_own and await store.acting_for(tx, account, person) is None:
                await self._refuse_acting(tx, account, person)
            if not await store.act_for(tx, person, session, None if is_own else account):
                raise NotFound("no such session of this account")
            tx.after_commit(partial(self._forget, session))

        await self._database.run(choose)

    @staticmethod
    async def _refuse_acting(tx: Tx, account: UUID, person: UUID) -> None:
        """Raise the refusal to act for an organization: `OrganizationNotOpen` for its members, `NotFound` for others."""
        found = await store.organization(tx, account)
        if found is None or await store.role_of(tx, account, person) is None:
            raise NotFound("no role there")
        raise OrganizationNotOpen(found.state)

    async def sign_out_everywhere(self, account: UUID, *, actor: Actor) -> None:
        """End every session of an account. This process rejects the sessions immediately, other processes within
        `REMEMBERED_SECONDS`.
        """

        async def end(tx: Tx) -> None:
            for session in await end_sessions(tx, account, actor=actor, at=self._clock.now()):
                tx.after_commit(partial(self._forget, session))

        await self._database.run(end)

    async def sessions(self, account: UUID) -> list[SessionView]:
        """Return the open sessions of an account, the newest first."""
        return await self._database.once(store.sessions, account, SESSIONS_SHOWN_MAX)

    async def end_session(self, account: UUID, session: UUID, *, actor: Actor) -> None:
        """End a session in a new transaction, by `end_session_of`; this process rejects the session immediately."""

        async def end(tx: Tx) -> None:
            tx.after_commit(partial(self._forget, session))
            await end_session_of(tx, account, session, actor=actor, at=self._clock.now())

        await self._database.run(end)

    async def create(self, email: str, language: str = "id", *, actor: Actor) -> UUID:
        """Make or find the account of a mail address in a new transaction, by `addresses.create`."""
        return await self._database.run(
            partial(create, email=email, language=language, actor=actor)
        )

    async def create_with_key(
        self,
        email: str,
        name: str,
        language: str = "id",
        *,
        actor: Actor,
        terms: KeyTerms = KeyTerms(),  # noqa: B008 - frozen
    ) -> tuple[UUID, str]:
        """Make or find the account of a mail address, and make an API key, in one transaction, so that a refused key leaves no
        new account behind.
        """
        at = self._clock.now()

        async def both(tx: Tx) -> tuple[UUID, str]:
            account = await create(tx, email, language, actor=actor)
            return account, await make_api_key(tx, account, name, actor=actor, at=at, terms=terms)

        return await self._database.run(both)

    async def set_language(self, account: UUID, language: str) -> None:
        """Set the language of pages and mails of an account."""
        await self._database.once(store.set_language, account, language)

    async def sign_up_closed_at(self) -> datetime | None:
        """Return the time since which sign-up is closed; None while it is open. None also if the database is unavailable, so
        that the sign-in page can be shown nevertheless.
        """
        try:
            return await self._database.once(sign_up_closed_at)
        except (DatabaseAway, DatabaseBusy):
            return None

    async def account_of(self, email: str) -> UUID:
        """Return the account of a mail address, read in a new transaction. Refuses `NotFound`."""
        return await self._database.once(account_of, email)

    async def create_api_key(
        self,
        account: UUID,
        name: str,
        *,
        actor: Actor,
        key: UUID | None = None,
        terms: KeyTerms = KeyTerms(),  # noqa: B008 - frozen
    ) -> str:
        """Make an API key in a new transaction, by `keys.make_api_key`; return the text of the key."""
        named = partial(make_api_key, account=account, name=name, key=key, terms=terms)
        return await self._database.run(partial(named, actor=actor, at=self._clock.now()))

    async def replace_api_key(
        self, account: UUID, wish: Replacement, *, actor: Actor, terms: KeyTerms
    ) -> str:
        """Replace an API key in a new transaction, by `keys.replace_api_key`; return the text of the new key. This process
        drops the old key from its cache.
        """
        at = self._clock.now()

        async def both(tx: Tx) -> str:
            tx.after_commit(partial(self._forget, wish.key))
            return await replace_api_key(tx, account, wish, actor=actor, at=at, terms=terms)

        return await self._database.run(both)

    async def tell_of_ends(self) -> int:
        """Periodic task: notify the owners of API keys that end soon."""
        now = self._clock.now()
        query = partial(store.keys_that_end, now=now, before=KEY_END_TOLD_BEFORE, limit=BATCH)
        tell = partial(self._tell_of_end, at=now)
        found = await self._database.once(query)
        return await each(self._database, store.KEY_ENDS, found, tell, subject="key")

    async def _tell_of_end(self, ending: KeyOfAccount, at: datetime) -> None:
        await run_row(self._database, tell_of_end, ending, at)

    async def key_makers(self, account: UUID) -> dict[str, KeyMaker]:
        """Return the maker of each key of an organization, by the public id of the key."""
        found = await self._database.once(store.key_makers, account)
        return {one.key: one for one in found}

    async def api_keys(self, account: UUID) -> list[ApiKeyView]:
        """Return the API keys of an account: first the keys in use, newest first, then the ended keys."""
        return await self._database.once(store.api_keys, account, KEYS_SHOWN_MAX)

    async def end_api_key(self, account: UUID, key: UUID, *, actor: Actor) -> ApiKeyView:
        """End an API key in a new transaction, by `keys.end_api_key`; this process rejects the key immediately."""

        async def end(tx: Tx) -> ApiKeyView:
            tx.after_commit(partial(self._forget, key))
            return await end_api_key(tx, account, key, actor=actor, at=self._clock.now())

        return await self._database.run(end)

    async def caller(
        self, connection: ASGIConnection[Any, Any, Any, Any], *, anew: bool = False
    ) -> Caller:
        """Return the caller of a request, by the header `Authorization: Bearer` or by cookie.  Refuses `SignInRequired`.

        With `anew` the session and its roles are read from the database, not from the cache.
        """
        head = head_of(connection.scope)
        if b"authorization" in head.values:
            scheme, _, token = head.text(b"authorization").partition(" ")
            if scheme.lower() != "bearer":
                raise SignInRequired("only the scheme Bearer is supported")
            return await self._opened(token.strip(), "api_key")
        cookie = connection.cookies.get(cookie_name(COOKIE, self._process))
        if cookie is None:
            raise SignInRequired("the request has neither a key nor a session")
        if anew:
            self._remembered.pop(cookie, None)
        return await self._opened(cookie, "session")

    async def caller_of(self, signed_in: SignedIn) -> Caller:
        """Return the caller of a session that began during this request, so that the browser has not sent the session's cookie
        yet.
        """
        return await self._opened(signed_in.session, "session", signed_in.stored)

    def cached_caller(self, key: str) -> Caller | None:
        """Return the cached caller of an API key, without a query. The cache entry may have expired, so it does not
        authenticate the caller.
        """
        known = self._remembered.get(key)
        return known.caller if known is not None and known.caller.by == "api_key" else None

    def has_session(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """True if the request has a session cookie, valid or not."""
        return cookie_name(COOKIE, self._process) in connection.cookies

    def session_shown(self, connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, str]:
        """Return the account and the form token that a session cookie contains, without checking the session."""
        text = connection.cookies.get(cookie_name(COOKIE, self._process), "")
        try:
            return str(Credential.read(text).account), self._form_token(text)
        except SignInRequired:
            return "", ""

    def _form_token(self, text: str) -> str:
        """Return the form token of a session: a form with it is accepted in this session only."""
        return hmac.digest(self._key, f"form:{text}".encode(), hashlib.sha256).hex()[:32]

    async def _opened(self, text: str, by: str, stored: StoredCredential | None = None) -> Caller:
        remembered = self._remembered.get(text)
        if (
            remembered is not None
            and remembered.until > time.monotonic()
            and remembered.caller.by == by
        ):
            return remembered.caller
        asked = time.monotonic()
        is_key = by == "api_key"
        credential = Credential.read(text, KEY_PREFIX if is_key else "")
        query = store.api_key if is_key else store.session
        if stored is None:
            stored = await self._database.once(query, credential.account, credential.id)
        if stored is None or not credential.opens(stored.secret_hash):
            raise SignInRequired("unknown or ended")
        await self._note_use(credential, stored, is_key=is_key)
        caller = await self._caller(credential, stored, text, is_key=is_key)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        # Counted from before the query, because its answer may be that old.
        self._remembered[text] = _Remembered(asked + REMEMBERED_SECONDS, credential.id, caller)
        return caller

    async def _caller(
        self, credential: Credential, stored: StoredCredential, text: str, *, is_key: bool
    ) -> Caller:
        own = Actor(ActorKind.ACCOUNT, show(KEY_KIND if is_key else SESSION_KIND, credential.id))
        caller = Caller(
            account=credential.account,
            by="api_key" if is_key else "session",
            language=stored.language,
            form_token=self._form_token(text),
            actor=own,
            own_actor=own,
            permissions=key_permissions(stored.scopes) if is_key else PERMISSIONS[Role.OWNER],
        )
        if is_key:
            return caller
        caller = replace(
            caller,
            person=credential.account,
            proved_at=stored.made_at,
            is_by_passkey=stored.is_by_passkey,
            staff_permissions=staff_permissions(stored.staff),
        )
        return caller if stored.acts_for is None else await self._acting(caller, stored, text)

    async def _acting(self, caller: Caller, stored: StoredCredential, text: str) -> Caller:
        """Return the caller with the organization that the session acts for, and the permissions of the person's role there.

        The form token differs for each organization, so a form never acts for another account.
        """
        assert stored.acts_for is not None
        acting = await self._database.once(store.acting_for, stored.acts_for, caller.account)
        if acting is None:
            return replace(caller, permissions=frozenset(), is_acting_over=True)
        return replace(
            caller,
            account=stored.acts_for,
            organization=stored.acts_for,
            acts_for=acting.name,
            permissions=PERMISSIONS[Role(acting.role)],
            actor=member_actor(caller.account),
            form_token=self._form_token(f"{text}:{stored.acts_for.hex}"),
        )

    async def _note_use(self, used: Credential, stored: StoredCredential, *, is_key: bool) -> None:
        now = self._clock.now()
        due = now - (LAST_USE_EVERY if is_key else SESSION_USE_EVERY)
        # The beginning of a session counts as its first use, so a new session writes no use.
        last = stored.last_used_at or (None if is_key else stored.made_at)
        if last is None or last < due:
            note = store.note_key_use if is_key else store.note_session_use
            await self._database.once(note, used.account, used.id, at=now, since=due)

    def forget_person(self, person: UUID) -> None:
        """Drop from the cache of this process the sessions and API keys of a person whose role changed, so that the next
        request reads the role from the database.
        """
        for text in [text for text, one in self._remembered.items() if one.caller.person == person]:
            del self._remembered[text]

    def _forget(self, credential: UUID) -> None:
        """Drop a session or API key from the cache, so that the next request reads its row."""
        for text in [text for text, one in self._remembered.items() if one.id == credential]:
            del self._remembered[text]
