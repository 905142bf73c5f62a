"""Sign-in codes and links by mail: requesting a code, and exchanging a code or link for a session."""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from meterai import trail
from meterai.accounts import store
from meterai.accounts.agents import UNKNOWN, Agent
from meterai.accounts.model import (
    CODE_DIGITS,
    SESSION_KIND,
    Challenge,
    CodeIncomplete,
    CodeLimits,
    CodeSpent,
    CodeWrong,
    Credential,
    KnownBrowser,
    LinkSpent,
    OpenedAccount,
    PasskeyRequired,
    StoredCredential,
    TooManyCodes,
    asked_mark,
    code_of,
    link_secret,
    normalized,
)
from meterai.accounts.sessions import PERSON, SignedIn, session_facts
from meterai.accounts.settings import AccountSettings
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, jsonb
from meterai.plumbing.networks import WIDER, Buckets, nested

CHALLENGE_KIND = "chl"
LINK_PATH = "/sign-in/link"
# A form that is sent twice by a double press of its button arrives twice within this time.
SAME_PRESS = timedelta(seconds=10)
# Time after which a code may be requested again if the quota of a wider network is used up.
WIDER_WAITS = timedelta(minutes=1)
_KNOWN_DEVICES = 5  # known devices of one address that may each use a full hourly quota of codes


class CodeService:
    """Sends codes to addresses and signs in people by code or link."""

    def __init__(self, database: Database, key: bytes, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._settings = settings.of(AccountSettings)
        self._clock = clock
        # Quotas of the wider networks, per process; the database counts the codes of the request's own network.
        most = self._settings.codes_per_hour_per_network_max
        self._wider = Buckets(most, 3_600.0, WIDER[1:])

    async def ask_for_code(
        self, email: str, network: str, language: str, device: str = "", leads_to: str = "/"
    ) -> UUID:
        """Send a sign-in code to a mail address, and return the id of its challenge. The link of the mail leads to the path
        `leads_to`.

        The answer does not reveal whether the address has an account: a new address gets one with the first right code. Refuses
        `Malformed`, `TooManyCodes`.

        `device` is the text of the device cookie: a device that signed in with this address before has a separate quota of
        codes, which neither strangers nor a crowded network can use up. Each process also limits the codes of the wider
        networks around `network` (`plumbing/networks.py`), to four and sixteen times the quota of a network.
        """
        address = normalized(email)
        known = KnownBrowser.read(device)
        if known is not None and not known.knows(self._key, address):
            known = None
        now = self._clock.now()
        challenge, limits = new_id(), self._settings
        wider = nested(network)[1:] if known is None else ()
        if not self._wider.take(wider):
            raise TooManyCodes(now + WIDER_WAITS)
        waits_until: datetime | None = now
        try:
            waits_until = await self._database.once(
                store.ask_for_code,
                challenge,
                address,
                network,
                known.id if known else None,
                language,
                leads_to,
                at=now,
                expires_at=now + timedelta(seconds=limits.code_lives_seconds),
                limits=CodeLimits(
                    limits.codes_per_hour_max,
                    limits.codes_per_hour_max * _KNOWN_DEVICES,
                    limits.codes_per_hour_per_network_max,
                    limits.codes_outstanding_max,
                ),
            )
        finally:
            if waits_until is not None:  # no challenge was made
                self._wider.give_back(wider)
        if waits_until is not None:
            raise TooManyCodes(waits_until)
        return challenge

    async def begin_code(self, challenge: UUID) -> None:
        """Start the lifetime of a code when its mail is sent: under load a mail may wait longer than a code lives."""
        until = self._clock.now() + timedelta(seconds=self._settings.code_lives_seconds)
        await self._database.once(store.begin_challenge, challenge, until)

    def code(self, challenge: UUID) -> str:
        """Return the code of a challenge, for its mail."""
        return code_of(self._key, challenge)

    def asked_mark(self, challenge: UUID) -> str:
        """Return the mark of the browser that requested this code: a text by which `sign_in` recognizes that browser, because
        no other browser stores it.
        """
        return asked_mark(self._key, challenge)

    def link(self, challenge: UUID) -> str:
        """Return the path of the sign-in link of a challenge, for the mail with its code."""
        secret = link_secret(self._key, challenge)
        return f"{LINK_PATH}?challenge={show(CHALLENGE_KIND, challenge)}&secret={secret}"

    async def address_of_link(self, challenge: UUID, secret: str) -> str:
        """Return the mail address to which a sign-in link belongs, without using the link.  Refuses `LinkSpent`."""
        return (await self._linked(challenge, secret)).email

    async def _linked(self, challenge: UUID, secret: str) -> Challenge:
        ours = link_secret(self._key, challenge)
        if not (secret.isascii() and hmac.compare_digest(secret, ours)):
            raise LinkSpent("the link was not made by us")
        found = await self._database.once(store.challenge, challenge)
        now, lives = self._clock.now(), timedelta(seconds=self._settings.code_lives_seconds)
        if found is None or found.is_link_over(now, now - SAME_PRESS, lives):
            raise LinkSpent("the link has expired")
        return found

    async def sign_in_by_link(
        self,
        challenge: UUID,
        secret: str,
        language: str,
        device: str = "",
        agent: Agent = UNKNOWN,
    ) -> tuple[SignedIn, str]:
        """Exchange the link of a mail for a session; return it with the path at which the sign-in began.

        The path comes from the challenge, not from the link, so nobody can change it. Tries of links are not counted, so a
        stranger without the mail cannot use up the link. A link works once, and again within `SAME_PRESS` of its first use, as
        a button may be pressed twice. Refuses `LinkSpent`, `CodeSpent`, `PasskeyRequired`.
        """
        linked = await self._linked(challenge, secret)
        session, proof = self._proof(challenge, language, agent, self._clock.now() - SAME_PRESS)
        opened = await self._database.once(store.open_by_link, proof)
        if opened is None:
            raise CodeSpent("the code was already used")
        return self._signed_in(session, opened, linked.email, device), linked.leads_to

    async def sign_in(
        self,
        challenge: UUID,
        code: str,
        language: str,
        device: str = "",
        asked: str = "",
        agent: Agent = UNKNOWN,
    ) -> SignedIn:
        """Exchange a code for a session and an updated device cookie.

        A code opens one session.  But a browser that sends the form twice shows the second answer, and drops the session
        of the first answer.  Therefore the browser that requested the code, identified by its mark (`asked`), may use the
        right code again within `SAME_PRESS`.  Without a valid mark the code works once.  Refuses `CodeIncomplete`,
        `CodeWrong`, `CodeSpent`, `PasskeyRequired`.
        """
        given = "".join(str(int(letter)) for letter in code if letter.isdecimal())
        if len(given) != CODE_DIGITS:
            raise CodeIncomplete(f"{len(given)} digits")
        now = self._clock.now()
        is_same = asked.isascii() and hmac.compare_digest(asked, self.asked_mark(challenge))
        again_since = now - SAME_PRESS if is_same else None
        session, proof = self._proof(challenge, language, agent, again_since)
        # A wrong try is counted although the request is refused.
        is_right = hmac.compare_digest(given.encode(), self.code(challenge).encode())
        most = self._settings.code_tries_max
        tried = await self._database.once(
            store.open_by_code, proof, is_right=is_right, tries_max=most
        )
        if tried is None or tried.is_spent(now, most, again_since):
            raise CodeSpent("the code is no longer valid")
        if not is_right:
            left = most - tried.tries - 1
            if left == 0:
                raise CodeSpent("that was the last allowed try")
            lives = timedelta(seconds=self._settings.code_lives_seconds)
            raise CodeWrong(left, tried.expires_at - lives)
        assert tried.account is not None
        opened = OpenedAccount(tried.account, tried.language)
        return self._signed_in(session, opened, tried.email, device)

    def _proof(
        self, challenge: UUID, language: str, agent: Agent, again_since: datetime | None
    ) -> tuple[Credential, tuple[object, ...]]:
        """Return the credential of a session to open, and the arguments of the database function that opens the session.

        The session is for a new account; if the address already has an account, the function opens the session for that
        account. A challenge that was used after `again_since` may be used once more.
        """
        now = self._clock.now()
        until = now + timedelta(seconds=self._settings.session_lives_seconds)
        account = new_id()  # used if the address is new
        session = Credential.fresh(account, new_id())
        subject, facts = show(SESSION_KIND, session.id), session_facts(session, until)
        new = str(PERSON), account, language
        row = session.id, session.hash(), until, *agent
        return session, (
            challenge,
            now,
            again_since,
            *new,
            *row,
            subject,
            jsonb(trail.with_request({**facts})),
        )

    def _signed_in(
        self, session: Credential, opened: OpenedAccount, email: str, device: str
    ) -> SignedIn:
        """Return the session and the device cookie of a completed sign-in.  Refuses `PasskeyRequired` for staff."""
        if opened.language is None:
            raise PasskeyRequired("staff sign in with a passkey only")
        known = KnownBrowser.read(device) or KnownBrowser.fresh()
        return SignedIn(
            replace(session, account=opened.account).text(),
            self._settings.session_lives_seconds,
            known.with_address(self._key, email).text(),
            StoredCredential(session.hash(), opened.language, self._clock.now(), None),
        )
