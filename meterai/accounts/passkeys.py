"""Passkeys (Web Authentication, Level 3): registering a passkey, and signing in with it.

A challenge is derived from a cookie and a key of ours, so an answer is valid only together with the cookie of the
browser that requested the challenge.  The authenticator must have verified its user: possession of a device is not
enough.  Nothing is written before an answer is valid.  Then its challenge is stored, and no second answer to the
challenge is valid.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from meterai import trail
from meterai.accounts import store
from meterai.accounts.addresses import contact
from meterai.accounts.agents import UNKNOWN, Agent
from meterai.accounts.model import (
    PASSKEY_KIND,
    Credential,
    CredentialTaken,
    KnownBrowser,
    PasskeyNeeded,
    PasskeyRefused,
    PasskeyRequired,
    PasskeyView,
    StoredPasskey,
    TooManyPasskeys,
    key_name,
    passkey_digest,
)
from meterai.accounts.sessions import PERSON, SignedIn, open_session
from meterai.accounts.settings import AccountSettings
from meterai.accounts.staff import is_staff
from meterai.accounts.telling import tell_owner
from meterai.kit.actor import Actor
from meterai.kit.clock import Clock
from meterai.kit.ids import compact, from_compact, new_id, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, Tx

PASSKEYS_MAX = 10  # per account, in use; a person has a few devices
ANSWER_LENGTH_MAX = 8_192  # characters of an authenticator's answer; long answers have 2,000
CHALLENGE_LIVES = timedelta(minutes=10)  # the time that a person has to use the authenticator
_RELYING_PARTY = "meterai"
_SIGN_IN = b"sign-in"


@dataclass(frozen=True, slots=True)
class PasskeyChallenge:
    """Options for an authenticator, as JSON, and the text of the cookie with which its answer is verified."""

    options: str
    cookie: str


@dataclass(frozen=True, slots=True)
class _Assertion:
    """An assertion that the browser sent: challenge, account, credential."""

    challenge: bytes
    challenge_id: UUID
    account: UUID
    credential: bytes
    text: str


class PasskeyService:
    """Registers passkeys and signs in with them."""

    def __init__(self, database: Database, key: bytes, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._life = settings.of(AccountSettings).session_lives_seconds
        url = urlsplit(settings.process.url)
        self._origin = f"{url.scheme}://{url.netloc}"
        self._domain = url.hostname or ""

    @property
    def is_possible(self) -> bool:
        """False if our host is an IP address: a passkey belongs to a domain (Web Authentication, Level 3, section 5.1.2)."""
        try:
            ip_address(self._domain)
        except ValueError:
            return bool(self._domain)
        return False

    # -- challenges --

    def _challenge(self, purpose: bytes, cookie: str) -> tuple[bytes, UUID]:
        """Return the bytes and the id of the challenge that belongs to a cookie.  Refuses `PasskeyRefused`."""
        name, _, until = cookie.partition(".")
        try:
            identifier, ends = from_compact(name), int(until)
        except ValueError:
            raise PasskeyRefused("the request has no cookie with a challenge") from None
        now = self._clock.now()
        if not now.timestamp() < ends <= (now + CHALLENGE_LIVES).timestamp():
            raise PasskeyRefused("the challenge has expired, or was not made by us")
        about = b"passkey:" + purpose + identifier.bytes + ends.to_bytes(8)
        return hmac.digest(self._key, about, hashlib.sha256), identifier

    def _fresh(self, purpose: bytes) -> tuple[bytes, str]:
        ends = int((self._clock.now() + CHALLENGE_LIVES).timestamp())
        cookie = f"{compact(new_id())}.{ends}"
        return self._challenge(purpose, cookie)[0], cookie

    # -- registering --

    async def ask_to_make(self, account: UUID) -> PasskeyChallenge:
        """Return the options to register a new passkey.  Refuses `TooManyPasskeys`."""
        async with self._database.reading() as tx:
            kept = await store.passkey_credentials(tx, account)
            email = (await contact(tx, account)).email
        if len(kept) >= PASSKEYS_MAX:
            raise TooManyPasskeys(PASSKEYS_MAX)
        challenge, cookie = self._fresh(account.bytes)
        options = webauthn.generate_registration_options(
            rp_id=self._domain,
            rp_name=_RELYING_PARTY,
            user_id=account.bytes,
            user_name=email,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in kept],
        )
        return PasskeyChallenge(webauthn.options_to_json(options), cookie)

    async def make(
        self,
        account: UUID,
        name: str,
        answer: str,
        cookie: str,
        *,
        actor: Actor,
        is_by_passkey: bool = False,
    ) -> None:
        """Store the passkey that an authenticator made.  Staff need a session that a passkey opened (`is_by_passkey`).

        Refuses `Malformed`, `PasskeyRefused`, `TooManyPasskeys`, `CredentialTaken`, `PasskeyRequired`.
        """
        name = key_name(name)
        challenge, challenge_id = self._challenge(account.bytes, cookie)
        try:
            made = webauthn.verify_registration_response(
                credential=_json(answer),
                expected_challenge=challenge,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        # Untrusted bytes pass through parsers of CBOR, COSE and X.509, so any error is a refusal.
        except Exception as fault:
            raise PasskeyRefused("the new passkey failed its verification") from fault
        at = self._clock.now()
        digest = passkey_digest(made.credential_id, made.credential_public_key, name)

        async def keep(tx: Tx) -> None:
            if await store.count_passkeys(tx, account) >= PASSKEYS_MAX:
                raise TooManyPasskeys(PASSKEYS_MAX)
            if not is_by_passkey and await is_staff(tx, account):
                raise PasskeyRequired("staff sign in with a passkey only")
            await _spend(tx, account, challenge_id, at)
            if await store.claim_credential(tx, account, made.credential_id) != account:
                raise CredentialTaken("the credential belongs to another account")
            kept = StoredPasskey(new_id(), made.credential_public_key, made.sign_count)
            if not await store.insert_passkey(tx, account, kept, made.credential_id, name, at):
                raise PasskeyRefused("the account already has a passkey of this authenticator")
            subject = show(PASSKEY_KIND, kept.passkey_id)
            await trail.record(
                tx, account, actor=actor, action="passkey_made", subject=subject, digest=digest
            )
            await tell_owner(tx, account, actor, "passkey", "made", subject, name)

        await self._database.run(keep)

    async def passkeys(self, account: UUID) -> list[PasskeyView]:
        """Return the passkeys of an account that have not ended, the newest first."""
        return await self._database.once(store.passkeys, account)

    async def end(self, account: UUID, passkey: UUID, *, actor: Actor) -> None:
        """End a passkey; a repeat changes nothing.

        Refuses `NotFound`, and `PasskeyNeeded` for the last passkey of a member of staff.
        """

        async def end(tx: Tx) -> None:
            name, is_there = await store.end_passkey(tx, account, passkey, self._clock.now())
            if not is_there:
                raise NotFound("no such passkey")
            if name is not None:
                if not await store.count_passkeys(tx, account) and await is_staff(tx, account):
                    raise PasskeyNeeded("it is the last passkey of a member of staff")
                subject = show(PASSKEY_KIND, passkey)
                await trail.record(
                    tx, account, actor=actor, action="passkey_ended", subject=subject
                )
                await tell_owner(tx, account, actor, "passkey", "ended", subject, name)

        await self._database.run(end)

    # -- signing in --

    def ask_to_sign_in(self) -> PasskeyChallenge:
        """Return the options of a sign-in with any passkey for our domain; they contain no mail address."""
        challenge, cookie = self._fresh(_SIGN_IN)
        options = webauthn.generate_authentication_options(
            rp_id=self._domain,
            challenge=challenge,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return PasskeyChallenge(webauthn.options_to_json(options), cookie)

    async def sign_in(
        self, answer: str, cookie: str, device: str = "", agent: Agent = UNKNOWN
    ) -> SignedIn:
        """Exchange the answer of an authenticator for a session.  Refuses `PasskeyRefused`.

        The refusal does not reveal the reason: an ended passkey, a passkey of another account and an unknown passkey
        get the same answer.
        """
        challenge, challenge_id = self._challenge(_SIGN_IN, cookie)
        given = _json(answer)
        try:
            # The answer names the account and the credential; its signature is then checked with that passkey of the account.
            account = UUID(bytes=_bytes(given["response"]["userHandle"]))
            credential = _bytes(given["id"])
        except (KeyError, TypeError, ValueError):
            raise PasskeyRefused("the answer was not made by a passkey") from None
        said = _Assertion(challenge, challenge_id, account, credential, answer)
        session, email = await self._database.run(partial(self._open, said=said, agent=agent))
        known = KnownBrowser.read(device) or KnownBrowser.fresh()
        return SignedIn(session.text(), self._life, known.with_address(self._key, email).text())

    async def _open(self, tx: Tx, said: _Assertion, agent: Agent) -> tuple[Credential, str]:
        now = self._clock.now()
        kept = await store.passkey(tx, said.account, said.credential)
        if kept is None:
            raise PasskeyRefused("no such passkey")
        try:
            shown = webauthn.verify_authentication_response(
                credential=_json(said.text),
                expected_challenge=said.challenge,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                require_user_verification=True,
                credential_public_key=kept.public_key,
                credential_current_sign_count=kept.sign_count,
            )
        except Exception as fault:  # any error in untrusted bytes is a refusal
            raise PasskeyRefused("the answer of the passkey failed its verification") from fault
        await _spend(tx, said.account, said.challenge_id, now)
        await store.note_passkey_use(tx, said.account, kept.passkey_id, shown.new_sign_count, now)
        lives = now, now + timedelta(seconds=self._life)
        passkey = show(PASSKEY_KIND, kept.passkey_id)
        session = await open_session(tx, said.account, lives, agent, actor=PERSON, passkey=passkey)
        return session, (await contact(tx, said.account)).email


async def _spend(tx: Tx, account: UUID, challenge: UUID, at: datetime) -> None:
    if not await store.answer_challenge(tx, account, challenge, at):
        raise PasskeyRefused("the challenge was already answered")


def _json(answer: str) -> dict[str, Any]:
    """Parse the answer of an authenticator.  Refuses `PasskeyRefused`."""
    if len(answer) > ANSWER_LENGTH_MAX:
        raise PasskeyRefused("the answer is too long")
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError):
        raise PasskeyRefused("not an answer") from None
    if not isinstance(read, dict):
        raise PasskeyRefused("not an answer")
    return read


def _bytes(text: str) -> bytes:
    """Decode base64url without padding.  Raises `ValueError`, `TypeError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
