"""One signed call over HTTP: body and signature out, status and body back.

Refuses `ProviderUnreachable` where nothing was sent, `NoAnswer` where something was and no whole
answer came, and `OutcomeUnknown` for an answer that is too long or makes no sense.
"""

import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import aiohttp
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.kit.clock import WIB, Clock
from meterai.kit.numbers import counted
from meterai.payments.adapters.snap import signing
from meterai.payments.adapters.snap.reading import read_answer
from meterai.payments.adapters.snap.tokens import Token, Tokens
from meterai.payments.model import About, NoAnswer, OutcomeUnknown, ProviderUnreachable

CONNECTIONS_MAX = 100
CHANNEL = "95221"
ANSWER_BYTES_MAX = 1024 * 1024  # a page of history is far smaller
TOKEN_SERVICE = "73"  # noqa: S105 - a service code
TOKEN_SECONDS = 900.0  # SNAP BI: life of a B2B token, where the answer names none
TOKEN_SECONDS_MAX = 86_400.0
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}\Z")  # it goes into a header


@dataclass(frozen=True, slots=True)
class SnapProfile:
    """One provider: where it is, who we are there, and how it wants things signed."""

    base_url: str
    path: str  # '/snap/v1.0': before '/qr/qr-mpm-generate' and '/access-token/b2b'
    client_id: str
    client_secret: str
    ourselves: About  # merchant, and store and terminal where it has them
    private_key: rsa.RSAPrivateKey
    provider_public_key: rsa.RSAPublicKey
    signature: Literal["symmetric", "asymmetric"] = "symmetric"
    timeout_seconds: float = 5.0
    qr_accounts: frozenset[str] = frozenset()  # what may stand for a merchant in a QR of ours


def call_seconds_max(timeout_seconds: float) -> float:
    """The longest one call takes: a token, the call, and a second for our own work."""
    return 2 * timeout_seconds + 1.0


def snap_time(at: datetime) -> str:
    """A moment as SNAP BI writes it."""
    return at.astimezone(WIB).strftime("%Y-%m-%dT%H:%M:%S+07:00")


def _external_id() -> str:
    # Digits, unique per partner and day, at most 36.
    return str(time.time_ns()) + f"{secrets.randbelow(10**12):012}"


class Wire:
    """Keeps connections and a token to one provider."""

    def __init__(self, profile: SnapProfile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._tokens = Tokens(self._ask_token, profile.timeout_seconds)

    async def open(self) -> None:
        """Make ready to connect; nothing is sent yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(total=self._profile.timeout_seconds),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._tokens.close()
        if self._session is not None:
            await self._session.close()

    async def call(self, path: str, body: bytes) -> tuple[int, bytes, str]:
        """HTTP status and body of the answer to a signed call, and the token it was made with."""
        token = await self._tokens.get() if self._profile.signature == "symmetric" else ""
        timestamp = snap_time(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-PARTNER-ID": self._profile.client_id,
            "X-EXTERNAL-ID": _external_id(),
            "CHANNEL-ID": CHANNEL,
        }
        if token:
            text = signing.string_to_sign("POST", path, body, timestamp, token)
            headers["Authorization"] = f"Bearer {token}"
            headers["X-SIGNATURE"] = signing.sign_symmetric(self._profile.client_secret, text)
        else:
            text = signing.string_to_sign("POST", path, body, timestamp)
            headers["X-SIGNATURE"] = signing.sign_asymmetric(self._profile.private_key, text)
        status, raw = await self._post(path, headers, body)
        return status, raw, token

    def drop_token(self, token: str) -> None:
        """This token ended early, or the provider was restarted."""
        self._tokens.drop(token)

    async def _ask_token(self) -> Token:
        timestamp = snap_time(self._clock.now())
        signed = f"{self._profile.client_id}|{timestamp}".encode()
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-CLIENT-KEY": self._profile.client_id,
            "X-SIGNATURE": signing.sign_asymmetric(self._profile.private_key, signed),
        }
        body = b'{"grantType":"client_credentials","additionalInfo":{}}'
        path = f"{self._profile.path}/access-token/b2b"
        status, raw = await self._post(path, headers, body)
        answer = read_answer(TOKEN_SERVICE, status, raw, About())  # a token is about nothing
        text = answer.get("accessToken")
        if not isinstance(text, str) or not _TOKEN.match(text):
            raise OutcomeUnknown("the answer has no token")
        return Token(text, _life(answer.get("expiresIn")))

    async def _post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        assert self._session is not None, "open() comes first"
        url = self._profile.base_url + path
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                raw = await _bounded(response.content)
                return response.status, raw
        except aiohttp.ClientConnectorError as error:
            raise ProviderUnreachable(repr(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoAnswer(repr(error)[:200]) from None


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """The whole body; `OutcomeUnknown` for one longer than `ANSWER_BYTES_MAX`."""
    read = bytearray()
    async for part in content.iter_any():
        read += part
        if len(read) > ANSWER_BYTES_MAX:
            raise OutcomeUnknown("the answer is too long")
    return bytes(read)


def _life(told: object) -> float:
    """Seconds a token lives, written as a number or as a text."""
    text = str(told) if type(told) in (str, int) else ""
    return min(float(counted(text) or 0), TOKEN_SECONDS_MAX) or TOKEN_SECONDS
