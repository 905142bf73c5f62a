"""Commands and queries of accounts."""

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection

from meterai import audit
from meterai.accounts import store
from meterai.accounts.model import (
    KEY_PREFIX,
    NOBODY,
    CodeSpent,
    CodeWrong,
    Credential,
    FormExpired,
    SignInRequired,
    TooManyCodes,
    code_of,
    normalized,
)
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Tx, jsonb
from meterai.plumbing.http import Caller

COOKIE = "session"
REMEMBERED_SECONDS = 5.0  # an ended key still opens for so long; saves a query per request
REMEMBERED_MAX = 10_000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Contact:
    """Where and in which language an account is written to."""

    email: str
    language: str


async def contact(tx: Tx, account: UUID) -> Contact:
    """How to write to an account."""
    row = await store.account(tx, account)
    if row is None:
        raise NotFound("no such account")
    return Contact(row["email"], row["language"])


class AccountDesk:
    """Signs people in and says who is asking.  Also the doorkeeper of every route."""

    def __init__(self, database: Database, key: bytes, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._settings = settings
        self._clock = clock
        self._remembered: dict[str, tuple[float, Caller]] = {}

    async def ask_for_code(self, email: str, network: str, language: str) -> UUID:
        """Send a code to an address.  Refuses `Malformed`, `TooManyCodes`.

        Whether the address has an account is not told: a new one gets its account with the
        first right code.
        """
        address = normalized(email)
        now = self._clock.now()
        challenge = new_id()
        async with self._database.transaction() as tx:
            asked = await store.codes_asked_since(tx, address, network, now - _HOUR)
            if (
                asked["by_email"] >= self._settings.codes_per_hour_max
                or asked["by_network"] >= self._settings.codes_per_hour_per_network_max
            ):
                raise TooManyCodes("too many codes in the last hour")
            expires = now + timedelta(seconds=self._settings.code_lives_seconds)
            await store.insert_challenge(tx, challenge, address, network, expires)
            facts = jsonb({"challenge": str(challenge), "email": address, "language": language})
            await tx.run("SELECT emit(%s, 'sign_in_asked', %s)", NOBODY, facts)
        return challenge

    def code(self, challenge: UUID) -> str:
        """The code of a challenge, for the mail that carries it."""
        return code_of(self._key, challenge)

    async def sign_in(self, challenge: UUID, code: str, language: str) -> tuple[str, float]:
        """Trade a code for a session: the cookie's text and its life in seconds.

        Refuses `CodeWrong`, `CodeSpent`.
        """
        now = self._clock.now()
        # Its own transaction: a wrong try must be counted even though the request is refused.
        async with self._database.transaction() as tx:
            row = await store.try_challenge(tx, challenge)
        spent = row is None or row["used_at"] is not None or row["expires_at"] <= now
        if row is None or spent or row["tries"] >= self._settings.code_tries_max:
            raise CodeSpent("the code cannot be used any more")
        given = "".join(letter for letter in code if letter.isdigit())
        if not hmac.compare_digest(given.encode(), self.code(challenge).encode()):
            raise CodeWrong("another code was sent")
        async with self._database.transaction() as tx:
            if not await store.use_challenge(tx, challenge, now):
                raise CodeSpent("the code was used")
            account = await store.insert_account(tx, new_id(), row["email"], language)
            session = Credential.fresh(account, new_id())
            life = self._settings.session_lives_seconds
            await store.insert_session(
                tx, account, session.id, session.hash(), now + timedelta(seconds=life)
            )
            await audit.record(
                tx, account, actor="account", action="signed_in", subject=show("ses", session.id)
            )
        return session.text(), life

    async def sign_out(self, cookie: str) -> None:
        """End the session of a cookie; nothing happens where there is none."""
        try:
            session = Credential.read(cookie)
        except SignInRequired:
            return
        self._remembered.pop(cookie, None)
        async with self._database.transaction() as tx:
            await store.end_session(tx, session.account, session.id, self._clock.now())

    async def create(self, email: str, language: str = "id") -> UUID:
        """The account of an address, made if it is new.  For the command line."""
        async with self._database.transaction() as tx:
            return await store.insert_account(tx, new_id(), normalized(email), language)

    async def set_language(self, account: UUID, language: str) -> None:
        """The language of our pages and mails to this account from now on."""
        async with self._database.transaction() as tx:
            await store.set_language(tx, account, language)

    async def create_api_key(self, account: UUID, name: str) -> str:
        """A new API key.  This is the only time its text exists on our side."""
        key = Credential.fresh(account, new_id())
        async with self._database.transaction() as tx:
            await store.insert_api_key(tx, account, key.id, key.hash(), name)
            await audit.record(
                tx, account, actor="operator", action="api_key_made", subject=show("key", key.id)
            )
        return key.text(KEY_PREFIX)

    async def caller(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
        """Who is asking, by `Authorization: Bearer` or by cookie.  Refuses `SignInRequired`."""
        given = connection.headers.get("authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            if scheme.lower() != "bearer":
                raise SignInRequired("only Bearer is understood")
            return await self._opened(token.strip(), "api_key")
        cookie = connection.cookies.get(COOKIE)
        if cookie is None:
            raise SignInRequired("neither key nor session")
        return await self._opened(cookie, "session")

    async def _opened(self, text: str, by: str) -> Caller:
        remembered = self._remembered.get(text)
        if remembered is not None and remembered[0] > time.monotonic() and remembered[1].by == by:
            return remembered[1]
        is_key = by == "api_key"
        credential = Credential.read(text, KEY_PREFIX if is_key else "")
        query = store.API_KEY if is_key else store.SESSION
        row = await self._database.call(query, credential.account, credential.id)
        if row is None or not credential.opens(row["secret_hash"]):
            raise SignInRequired("unknown or ended")
        token = hmac.digest(self._key, f"form:{text}".encode(), hashlib.sha256).hex()[:32]
        caller = Caller(credential.account, by, row["language"], token)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[text] = (time.monotonic() + REMEMBERED_SECONDS, caller)
        return caller


def check_form(caller: Caller, token: str) -> None:
    """Refuse a form that our own page did not make for this session (`FormExpired`)."""
    if not hmac.compare_digest(caller.form_token.encode(), token.encode()):
        raise FormExpired("the form token does not match")
