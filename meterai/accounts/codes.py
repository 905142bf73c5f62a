"""Codes and links by mail: asking for one, and trading it for a session."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from meterai.accounts import store
from meterai.accounts.addresses import account_of_address
from meterai.accounts.agents import UNKNOWN, Agent
from meterai.accounts.model import (
    CODE_DIGITS,
    Challenge,
    CodeIncomplete,
    CodeLimits,
    CodeSpent,
    CodeWrong,
    Credential,
    Device,
    LinkSpent,
    TooManyCodes,
    asked_mark,
    code_of,
    link_secret,
    normalized,
)
from meterai.accounts.sessions import PERSON, SignedIn, open_session
from meterai.accounts.settings import AccountSettings
from meterai.kit.clock import Clock
from meterai.kit.ids import new_id, show
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Tx
from meterai.plumbing.networks import WIDER, Buckets, nested

CHALLENGE_KIND = "chl"
LINK_PATH = "/sign-in/link"
# A second press of the button comes within so long of the first.
SAME_PRESS = timedelta(seconds=10)
# The pause told to who asks while the wider networks have had all they may: the buckets go on filling.
WIDER_WAITS = timedelta(minutes=1)
_KNOWN_DEVICES = 5  # of one address; as many may use up their own codes within an hour


class CodeService:
    """Sends codes to addresses and signs in whoever read the mail."""

    def __init__(self, database: Database, key: bytes, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._settings = settings.of(AccountSettings)
        self._clock = clock
        # One for this process; the database counts the network itself.
        most = self._settings.codes_per_hour_per_network_max
        self._wider = Buckets(most, 3_600.0, WIDER[1:])

    async def ask_for_code(
        self, email: str, network: str, language: str, device: str = "", leads_to: str = "/"
    ) -> UUID:
        """Send a code to an address; whoever follows the link of its mail goes to `leads_to`, a path
        of ours.  Refuses `Malformed`, `TooManyCodes`.

        Whether the address has an account is not told: a new one gets its account with the
        first right code.  A device (its cookie's text) that this address signed in with before
        is counted by itself: no stranger and no crowded network uses up its codes.  The wider networks around one
        (`plumbing/networks.py`) get four and sixteen times as many from this process.
        """
        address = normalized(email)
        known = Device.read(device)
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
            if waits_until is not None:  # none was made
                self._wider.give_back(wider)
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
        self,
        challenge: UUID,
        secret: str,
        language: str,
        device: str = "",
        agent: Agent = UNKNOWN,
    ) -> tuple[SignedIn, str]:
        """Trade the link of a mail for a session of the browser that opened it; and where its
        sign-in began, which no link tells and so nobody can change.

        It is the way that no stranger can fill: it needs the mail, and no count of tries.  It
        opens once, and for `SAME_PRESS` again.  Refuses `LinkSpent`, `CodeSpent`.
        """
        linked = await self._linked(challenge, secret)
        again_since = self._clock.now() - SAME_PRESS
        begun = await self._begin(challenge, linked.email, language, device, agent, again_since)
        return begun, linked.leads_to

    async def sign_in(
        self,
        challenge: UUID,
        code: str,
        language: str,
        device: str = "",
        asked: str = "",
        agent: Agent = UNKNOWN,
    ) -> SignedIn:
        """Trade a code for a session, and for a mark on the device.

        A code opens one session; but to a button pressed twice a browser shows the second answer and
        throws the first away, session and all.  So whoever shows the mark of the browser that
        asked (`asked`) is let in again with the right code for `SAME_PRESS`.  A mark that is
        forged or missing changes nothing.  Refuses `CodeIncomplete`, `CodeWrong`, `CodeSpent`.
        """
        given = "".join(str(int(letter)) for letter in code if letter.isdecimal())
        if len(given) != CODE_DIGITS:
            raise CodeIncomplete(f"{len(given)} digits")
        now = self._clock.now()
        is_same = asked.isascii() and hmac.compare_digest(asked, self.asked_mark(challenge))
        again_since = now - SAME_PRESS if is_same else None
        # Stepwise: a wrong try must be counted even though the request is refused.
        tried = await self._database.once(store.try_challenge, challenge)
        if tried is None or tried.is_spent(now, self._settings.code_tries_max, again_since):
            raise CodeSpent("the code cannot be used any more")
        if not hmac.compare_digest(given.encode(), self.code(challenge).encode()):
            left = self._settings.code_tries_max - tried.tries - 1
            if left == 0:
                raise CodeSpent("that was the last try")
            lives = timedelta(seconds=self._settings.code_lives_seconds)
            raise CodeWrong(left, tried.expires_at - lives)
        return await self._begin(challenge, tried.email, language, device, agent, again_since)

    async def _begin(
        self,
        challenge: UUID,
        email: str,
        language: str,
        device: str,
        agent: Agent,
        again_since: datetime | None,
    ) -> SignedIn:
        now, life = self._clock.now(), self._settings.session_lives_seconds

        async def begin(tx: Tx) -> Credential:
            """Refuses `CodeSpent` where another request used the code, and not after `again_since`."""
            if not await store.use_challenge(tx, challenge, now, again_since):
                raise CodeSpent("the code was used")
            account = await account_of_address(tx, email, language, actor=PERSON)
            lives = now, now + timedelta(seconds=life)
            return await open_session(tx, account, lives, agent, actor=PERSON)

        session = await self._database.run(begin)
        known = Device.read(device) or Device.fresh()
        return SignedIn(session.text(), life, known.knowing(self._key, email).text())
