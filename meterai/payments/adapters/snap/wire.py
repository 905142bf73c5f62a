"""Signed calls to a bank over HTTP.

A call refuses `ProviderUnreachable` if nothing was sent, `NoAnswer` if the call was sent and no complete answer came, and
`OutcomeUnknown` if the answer is too long or malformed.
"""

import re
import secrets
import time
from datetime import datetime

import aiohttp

from meterai.kit.clock import WIB, Clock
from meterai.kit.numbers import counted
from meterai.payments.adapters.snap import signing
from meterai.payments.adapters.snap.bank import Access
from meterai.payments.adapters.snap.reading import read_answer
from meterai.payments.adapters.snap.tokens import AccessTokens, Token
from meterai.payments.model import NoAnswer, OutcomeUnknown, PaymentIdentity, ProviderUnreachable

CONNECTIONS_MAX = 100
ANSWER_BYTES_MAX = 1024 * 1024  # far more than the longest answer, a page of the history
TOKEN_SERVICE = "73"  # noqa: S105 - a service code
TOKEN_SECONDS = 900.0  # SNAP BI: life of a B2B token, if the answer names none
TOKEN_SECONDS_MAX = 86_400.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}\Z")  # it goes into a header


def call_seconds_max(timeout_seconds: float) -> float:
    """The longest time of one call, in seconds: the sum of a token request, the call itself, and one second for our work."""
    return 2 * timeout_seconds + 1.0


def snap_time(at: datetime) -> str:
    """Format a time as SNAP BI demands in the body of a message: in WIB, with whole seconds."""
    return at.astimezone(WIB).strftime("%Y-%m-%dT%H:%M:%S+07:00")


def _external_id() -> str:
    # At most 36 digits, unique per partner and day.
    return str(time.time_ns()) + f"{secrets.randbelow(10**12):012}"


class Wire:
    """Sends signed calls to one bank, over persistent connections."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._tokens = AccessTokens(self._ask_token, access.bank.timeout_seconds)

    async def open(self) -> None:
        """Prepare connections; sends nothing."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(total=self._access.bank.timeout_seconds),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._tokens.close()
        if self._session is not None:
            await self._session.close()

    async def call(self, service: str, body: bytes) -> tuple[int, bytes, str]:
        """Make a signed call; return the HTTP status and the body of the answer, and the access token that was used.

        The token is empty if signatures are asymmetric.
        """
        access, profile = self._access, self._access.profile
        token = await self._tokens.get() if access.signature == "symmetric" else ""
        timestamp = profile.time(self._clock.now())
        verb, path = profile.verbs.get(service, "POST"), self._path(service)
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            profile.partner_header: access.bank.client_id,
            "X-EXTERNAL-ID": _external_id(),
            "CHANNEL-ID": profile.channel_id,
        }
        text = signing.string_to_sign(verb, path, body, timestamp, token or None)
        if token:
            headers["Authorization"] = f"Bearer {token}"
            headers["X-SIGNATURE"] = signing.sign_symmetric(
                access.client_secret, text, profile.encoding
            )
        else:
            headers["X-SIGNATURE"] = signing.sign_asymmetric(
                access.private_key, text, profile.encoding
            )
        status, raw = await self._send(verb, path, headers, body)
        return status, raw, token

    def _path(self, service: str) -> str:
        profile = self._access.profile
        return (self._access.bank.path or profile.base) + profile.paths[service]

    def drop_token(self, token: str) -> None:
        """Drop an access token that the bank rejects before its expiry, for instance after a restart of the bank."""
        self._tokens.drop(token)

    async def _ask_token(self) -> Token:
        access, profile = self._access, self._access.profile
        timestamp = profile.time(self._clock.now())
        signed = f"{access.bank.client_id}|{timestamp}".encode()
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-CLIENT-KEY": access.bank.client_id,
            "X-SIGNATURE": signing.sign_asymmetric(access.private_key, signed, profile.encoding),
        }
        body = b'{"grantType":"client_credentials","additionalInfo":{}}'
        status, raw = await self._send("POST", self._path(TOKEN_SERVICE), headers, body)
        answer = read_answer(
            TOKEN_SERVICE, status, raw, PaymentIdentity()
        )  # a token has no subject
        text = answer.get("accessToken")
        if not isinstance(text, str) or not _TOKEN.match(text):
            raise OutcomeUnknown("the answer has no token")
        return Token(text, _life(answer.get("expiresIn")))

    async def _send(
        self, verb: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        assert self._session is not None, "open() comes first"
        url = self._access.bank.url.rstrip("/") + path
        try:
            async with self._session.request(
                verb, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                raw = await _bounded(response.content)
                return response.status, raw
        except aiohttp.ClientConnectorError as error:
            raise ProviderUnreachable(repr(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoAnswer(repr(error)[:200]) from None


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """The whole body of an answer.  Refuses `OutcomeUnknown` if it is longer than `ANSWER_BYTES_MAX`."""
    read = bytearray()
    async for part in content.iter_any():
        read += part
        if len(read) > ANSWER_BYTES_MAX:
            raise OutcomeUnknown("the answer is too long")
    return bytes(read)


def _life(told: object) -> float:
    """The life of an access token in seconds, from the member expiresIn of the bank's answer, which may be a number or a
    text.
    """
    text = str(told) if type(told) in (str, int) else ""
    return min(float(counted(text) or 0), TOKEN_SECONDS_MAX) or TOKEN_SECONDS
