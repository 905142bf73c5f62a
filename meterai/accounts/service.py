"""Accounts: sign in and out, authenticate a request, make, list and end API keys."""

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from meterai import audit
from meterai.accounts import store
from meterai.accounts.model import (
    KEY_KIND,
    KEY_PREFIX,
    KEYS_PER_ACCOUNT_MAX,
    KEYS_SHOWN_MAX,
    OPEN,
    PERMISSIONS,
    ApiKeyView,
    Challenge,
    CodeLimits,
    CodeSpent,
    CodeWrong,
    Contact,
    Credential,
    Device,
    KeyAlreadyMade,
    LinkSpent,
    NotPermitted,
    Permission,
    Role,
    TooManyCodes,
    TooManyKeys,
    address_digest,
    asked_mark,
    code_of,
    key_digest,
    key_name,
    link_secret,
    normalized,
    session_digest,
)
from meterai.accounts.settings import AccountSettings
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound, SignInRequired
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, ReadTx, Tx
from meterai.plumbing.http import (
    Authenticator,
    Caller,
    KeyRequired,
    check_headers,
    cookie_name,
    is_api,
    is_safe,
)

COOKIE = "session"
REMEMBERED_SECONDS = 5.0  # an ended key still opens for so long; saves a query per request
REMEMBERED_MAX = 10_000
LAST_USE_EVERY = timedelta(minutes=1)  # how often the last use of a key is written
SESSION_KIND = "ses"
CHALLENGE_KIND = "chl"
LINK_PATH = "/sign-in/link"
# A second press of the button comes within so long of the first.
SAME_PRESS = timedelta(seconds=10)
PERSON = Actor(ActorKind.ACCOUNT)
_KNOWN_DEVICES = 5  # of one address; as many may use up their own codes within an hour


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser keeps after signing in: the texts of two cookies, and how long the first."""

    session: str
    life_seconds: float
    device: str


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A credential that was checked within `REMEMBERED_SECONDS`, and whose it is."""

    until: float  # of the monotonic clock
    id: UUID  # of its session or key
    caller: Caller


async def contact(tx: ReadTx, account: UUID) -> Contact:
    """How to write to an account."""
    found = await store.contact(tx, account)
    if found is None:
        raise NotFound("no such account")
    return found


async def _account(tx: Tx, email: str, language: str, *, actor: Actor) -> UUID:
    """The account of an address, made if it is new."""
    account, is_new = await store.insert_account(tx, new_id(), email, language)
    if is_new:
        await audit.record(
            tx,
            account,
            actor=actor,
            action="account_made",
            subject=show("acc", account),
            digest=address_digest(account, email),
        )
    return account


async def create(tx: Tx, email: str, language: str, *, actor: Actor) -> UUID:
    """The account of an address, made if it is new.  An operator's act.  Refuses `Malformed`."""
    return await _account(tx, normalized(email), language, actor=actor)


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
    return ended


async def begin_session(
    tx: Tx,
    challenge: UUID,
    email: str,
    language: str,
    *,
    at: datetime,
    until: datetime,
    again_since: datetime | None = None,
) -> Credential:
    """A session for the address whose code was right; its account is made if it is new.

    Refuses `CodeSpent` where another request used the code, and not after `again_since`.
    """
    if not await store.use_challenge(tx, challenge, at, again_since):
        raise CodeSpent("the code was used")
    account = await _account(tx, email, language, actor=PERSON)
    return await open_session(tx, account, until, actor=PERSON)


async def open_session(
    tx: Tx, account: UUID, until: datetime, *, actor: Actor, **by: str
) -> Credential:
    """A new session of an account that somebody proved to be theirs, always with a secret of its
    own; `by` says in the trail with what, where it was no mail.
    """
    session = Credential.fresh(account, new_id())
    await store.insert_session(tx, account, session.id, session.hash(), until)
    await audit.record(
        tx,
        account,
        actor=actor,
        action="signed_in",
        subject=show(SESSION_KIND, session.id),
        digest=session_digest(session.hash()),
        until=until.isoformat(),
        **by,
    )
    return session


async def end_session(tx: Tx, session: Credential, *, at: datetime) -> None:
    """End a session; nothing happens where the credential opens none."""
    found = await store.session(tx, session.account, session.id)
    if found is None or not session.opens(found.secret_hash):
        return
    if await store.end_session(tx, session.account, session.id, at):
        await audit.record(
            tx,
            session.account,
            actor=PERSON,
            action="signed_out",
            subject=show(SESSION_KIND, session.id),
        )


class AccountService:
    """Signs people in and finds the caller of a request, for every route."""

    def __init__(self, database: Database, key: bytes, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._settings = settings.of(AccountSettings)
        self._process = settings.process
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def ask_for_code(self, email: str, network: str, language: str, device: str = "") -> UUID:
        """Send a code to an address.  Refuses `Malformed`, `TooManyCodes`.

        Whether the address has an account is not told: a new one gets its account with the
        first right code.  A device (its cookie's text) that this address signed in with before
        is counted by itself: no stranger and no crowded network uses up its codes.
        """
        address = normalized(email)
        known = Device.read(device)
        if known is not None and not known.knows(self._key, address):
            known = None
        now = self._clock.now()
        challenge, limits = new_id(), self._settings
        waits_until = await self._database.once(
            store.ask_for_code,
            challenge,
            address,
            network,
            known.id if known else None,
            language,
            at=now,
            expires_at=now + timedelta(seconds=limits.code_lives_seconds),
            limits=CodeLimits(
                limits.codes_per_hour_max,
                limits.codes_per_hour_max * _KNOWN_DEVICES,
                limits.codes_per_hour_per_network_max,
            ),
        )
        if waits_until is not None:
            raise TooManyCodes(waits_until)
        return challenge

    async def begin_code(self, challenge: UUID) -> None:
        """The mail with a code goes out now: its life begins.

        In a rush a mail may wait for long, and nobody is to receive a code that is over.
        """
        until = self._clock.now() + timedelta(seconds=self._settings.code_lives_seconds)
        await self._database.once(store.begin_challenge, challenge, until)

    def code(self, challenge: UUID) -> str:
        """The code of a challenge, for the mail that carries it."""
        return code_of(self._key, challenge)

    def asked_mark(self, challenge: UUID) -> str:
        """What the browser keeps that asked for this code, and no other has."""
        return asked_mark(self._key, challenge)

    def link(self, challenge: UUID) -> str:
        """The path that signs in whoever reads the mail of this challenge."""
        secret = link_secret(self._key, challenge)
        return f"{LINK_PATH}?challenge={show(CHALLENGE_KIND, challenge)}&secret={secret}"

    async def address_of_link(self, challenge: UUID, secret: str) -> str:
        """The address that a link signs in.  Changes nothing.  Refuses `LinkSpent`."""
        return (await self._linked(challenge, secret)).email

    async def _linked(self, challenge: UUID, secret: str) -> Challenge:
        ours = link_secret(self._key, challenge)
        if not (secret.isascii() and hmac.compare_digest(secret, ours)):
            raise LinkSpent("not a link of ours")
        found = await self._database.once(store.challenge, challenge)
        now, lives = self._clock.now(), timedelta(seconds=self._settings.code_lives_seconds)
        if found is None or found.is_link_over(now, now - SAME_PRESS, lives):
            raise LinkSpent("the link is over")
        return found

    async def sign_in_by_link(
        self, challenge: UUID, secret: str, language: str, device: str = ""
    ) -> SignedIn:
        """Trade the link of a mail for a session of the browser that opened it.

        It is the way that no stranger can fill: it needs the mail, and no count of tries.  It
        opens once, and for `SAME_PRESS` again.  Refuses `LinkSpent`, `CodeSpent`.
        """
        linked = await self._linked(challenge, secret)
        again_since = self._clock.now() - SAME_PRESS
        return await self._begin(challenge, linked.email, language, device, again_since)

    async def sign_in(
        self, challenge: UUID, code: str, language: str, device: str = "", asked: str = ""
    ) -> SignedIn:
        """Trade a code for a session, and for a mark on the device.

        A code opens one session; but to a button pressed twice a browser shows the second answer and
        throws the first away, session and all.  So whoever shows the mark of the browser that
        asked (`asked`) is let in again with the right code for `SAME_PRESS`.  A mark that is
        forged or missing changes nothing.  Refuses `CodeWrong`, `CodeSpent`.
        """
        now = self._clock.now()
        is_same = asked.isascii() and hmac.compare_digest(asked, self.asked_mark(challenge))
        again_since = now - SAME_PRESS if is_same else None
        # Stepwise: a wrong try must be counted even though the request is refused.
        tried = await self._database.once(store.try_challenge, challenge)
        if tried is None or tried.is_spent(now, self._settings.code_tries_max, again_since):
            raise CodeSpent("the code cannot be used any more")
        given = "".join(letter for letter in code if letter.isdigit())
        if not hmac.compare_digest(given.encode(), self.code(challenge).encode()):
            left = self._settings.code_tries_max - tried.tries - 1
            if left == 0:
                raise CodeSpent("that was the last try")
            raise CodeWrong(left)
        return await self._begin(challenge, tried.email, language, device, again_since)

    async def _begin(
        self,
        challenge: UUID,
        email: str,
        language: str,
        device: str,
        again_since: datetime | None,
    ) -> SignedIn:
        now, life = self._clock.now(), self._settings.session_lives_seconds
        begin = partial(
            begin_session,
            challenge=challenge,
            email=email,
            language=language,
            at=now,
            until=now + timedelta(seconds=life),
            again_since=again_since,
        )
        session = await self._database.run(begin)
        known = Device.read(device) or Device.fresh()
        return SignedIn(session.text(), life, known.knowing(self._key, email).text())

    async def sign_out(self, cookie: str) -> None:
        """End the session of a cookie; nothing happens where it opens none."""
        try:
            session = Credential.read(cookie)
        except SignInRequired:
            return
        self._forget(session.id)
        await self._database.run(partial(end_session, session=session, at=self._clock.now()))

    async def sign_out_everywhere(self, account: UUID, *, actor: Actor) -> None:
        """End every session of an account: this process forgets them at once, every other within
        `REMEMBERED_SECONDS`.
        """

        async def end(tx: Tx) -> None:
            for session in await store.end_sessions(tx, account, self._clock.now()):
                tx.after_commit(partial(self._forget, session))
                subject = show(SESSION_KIND, session)
                await audit.record(tx, account, actor=actor, action="signed_out", subject=subject)

        await self._database.run(end)

    async def count_sessions(self, account: UUID) -> int:
        """On how many browsers somebody is signed in to an account."""
        return await self._database.once(store.count_sessions, account)

    async def create(self, email: str, language: str = "id", *, actor: Actor) -> UUID:
        """`create` in a transaction of its own."""
        return await self._database.run(
            partial(create, email=email, language=language, actor=actor)
        )

    async def set_language(self, account: UUID, language: str) -> None:
        """The language of our pages and mails to this account from now on."""
        await self._database.once(store.set_language, account, language)

    async def account_of(self, email: str) -> UUID:
        """The account of an address.  For the command line.  Refuses `NotFound`."""
        account = await self._database.once(store.account_by_email, normalized(email))
        if account is None:
            raise NotFound("no such account")
        return account

    async def create_api_key(
        self, account: UUID, name: str, *, actor: Actor, key: UUID | None = None
    ) -> str:
        """`make_api_key` in a transaction of its own."""
        at = self._clock.now()
        command = partial(make_api_key, account=account, name=name, actor=actor, at=at, key=key)
        return await self._database.run(command)

    async def api_keys(self, account: UUID) -> list[ApiKeyView]:
        """The keys of an account: those in use, newest first, then those that were ended."""
        return await self._database.once(store.api_keys, account, KEYS_SHOWN_MAX)

    async def end_api_key(self, account: UUID, key: UUID, *, actor: Actor) -> ApiKeyView:
        """`end_api_key` in a transaction of its own; this process forgets the key at once."""

        async def end(tx: Tx) -> ApiKeyView:
            tx.after_commit(partial(self._forget, key))
            return await end_api_key(tx, account, key, actor=actor, at=self._clock.now())

        return await self._database.run(end)

    async def caller(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
        """Who is asking, by `Authorization: Bearer` or by cookie.  Refuses `SignInRequired`."""
        given = connection.headers.get("authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != "bearer":
                raise SignInRequired("only Bearer is understood")
            return await self._opened(token.strip(), "api_key")
        cookie = connection.cookies.get(cookie_name(COOKIE, self._process))
        if cookie is None:
            raise SignInRequired("neither key nor session")
        return await self._opened(cookie, "session")

    def has_session(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """True where a browser sent the cookie of a session, whether it still opens one or not."""
        return cookie_name(COOKIE, self._process) in connection.cookies

    async def _opened(self, text: str, by: str) -> Caller:
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
        stored = await self._database.once(query, credential.account, credential.id)
        if stored is None or not credential.opens(stored.secret_hash):
            raise SignInRequired("unknown or ended")
        if is_key:
            await self._note_use(credential, stored.last_used_at)
        token = hmac.digest(self._key, f"form:{text}".encode(), hashlib.sha256).hex()[:32]
        shown = show(KEY_KIND if is_key else SESSION_KIND, credential.id)
        actor = Actor(ActorKind.ACCOUNT, shown)
        caller = Caller(credential.account, by, stored.language, token, actor)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        # Counted from before the query, because its answer may be as old as that.
        self._remembered[text] = _Remembered(asked + REMEMBERED_SECONDS, credential.id, caller)
        return caller

    async def _note_use(self, key: Credential, last: datetime | None) -> None:
        now = self._clock.now()
        due = now - LAST_USE_EVERY
        if last is None or last < due:
            await self._database.once(store.note_use, key.account, key.id, at=now, since=due)

    def _forget(self, credential: UUID) -> None:
        """Forget a credential that was checked a moment ago: the next request reads its row."""
        for text in [text for text, one in self._remembered.items() if one.id == credential]:
            del self._remembered[text]


async def require_permission(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Guard of every route: let in whoever has the permission it declares.

    Refuses `SignInRequired`, `KeyRequired`, `NotPermitted`, and what `check_headers` refuses.
    """
    check_headers(connection)
    if connection.scope.get("method") == "OPTIONS":
        return  # answered by the framework, which says nothing but the methods of the path
    permission = Permission(handler.opt["permission"])
    if permission in OPEN:
        return
    authenticator: Authenticator = connection.app.state.authenticator
    caller = await authenticator.caller(connection)
    # A browser sends its cookie along whoever made the request; a page's form has a token,
    # the API has none, so there a session may only look.
    if caller.by == "session" and not is_safe(connection) and is_api(connection):
        raise KeyRequired("commands of the API need an API key")
    if permission not in PERMISSIONS[Role.OWNER]:  # whoever is signed in acts for its own account
        raise NotPermitted(permission)
    connection.scope["caller"] = caller  # type: ignore[typeddict-unknown-key]
