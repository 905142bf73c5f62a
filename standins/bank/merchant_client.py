"""The merchant's endpoints: its token endpoint 73, inquiry 24, payment 25 and notification 52.

With a symmetric profile the bank fetches a token first and signs with the secret that it shares with the merchant. With an
asymmetric profile, or without a token endpoint, it signs with its RSA key.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from standins import clock
from standins.bank import signing
from standins.bank.answers import to_json
from standins.bank.authentication import TOKEN_SECONDS
from standins.bank.partner import Partner
from standins.bank.profile import Profile
from standins.bank.storm import BankFaults

ANSWER_SECONDS_MAX = 10.0  # time-out of the merchant's answer
TOKEN_RENEWED_SECONDS = 30.0  # before the end of a token of the merchant, when a new one is fetched
SKEW_SECONDS = 3600  # of the fault `skew_clock`
CHANNEL_ID = "95221"


@dataclass(frozen=True, slots=True)
class Reply:
    """The merchant's answer; status 0 if there was none."""

    status: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The responseCode as a text, empty if absent; some partners write it as a number."""
        return str(self.facts.get("responseCode", ""))

    def is_success(self, service: str) -> bool:
        """True if HTTP status and response code mean success."""
        return self.status == 200 and self.code == f"200{service}00"


class MerchantClient:
    """Signed calls to one merchant."""

    def __init__(
        self,
        partner: Partner,
        key: signing.PrivateKey,
        profile: Profile,
        faults: BankFaults,
    ) -> None:
        self.endpoints = partner.endpoints
        self._partner = partner
        self.key = key
        self._profile = profile
        self._faults = faults
        self._token, self._token_ends = "", 0
        self._token_lock = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def call(self, url: str, body: bytes, external_id: str) -> Reply:
        """Return the answer to a signed call. A token that the merchant does not accept is discarded."""
        is_symmetric = self._profile.inbound_signature == "symmetric" and bool(self.endpoints.token)
        token = await self._fresh_token() if is_symmetric else ""
        if is_symmetric and not token:
            return Reply(0)
        # The URL is not normalized: the signed path must be the sent path.
        target = URL(url, encoded=True)
        with self._faults.struck("sending"):
            is_unknown = self._faults.take("unknown_key")
            skew = SKEW_SECONDS if self._faults.take("skew_clock") else 0
        timestamp = self._profile.time(self._now() + skew * 1000)
        headers = {
            "X-TIMESTAMP": timestamp,
            "X-PARTNER-ID": self._partner.client_id,
            "X-EXTERNAL-ID": external_id,
            "CHANNEL-ID": CHANNEL_ID,
        }
        if token:
            text = signing.symmetric_text("POST", target.raw_path_qs, token, body, timestamp)
            headers["Authorization"] = f"Bearer {token}"
            secret = self._partner.client_secret + ("-rolled" if is_unknown else "")
            headers["X-SIGNATURE"] = signing.encoded(signing.hmac_sha512(secret, text))
        else:
            text = signing.asymmetric_text("POST", target.raw_path_qs, body, timestamp)
            key = signing.PrivateKey.new() if is_unknown else self.key
            headers["X-SIGNATURE"] = key.sign(text)
        reply = await self._post(target, headers, self._profile.sent(body))
        if reply.status == 401 and token == self._token:
            self._token = ""
        return reply

    async def _fresh_token(self) -> str:
        async with self._token_lock:
            if not self._token or clock.now_ms() >= self._token_ends:
                await self._fetch_token()
            return self._token

    async def _fetch_token(self) -> None:
        timestamp = self._profile.time(self._now())
        client = self._partner.client_id
        headers = {
            "X-TIMESTAMP": timestamp,
            "X-CLIENT-KEY": client,
            "X-SIGNATURE": self.key.sign(f"{client}|{timestamp}".encode()),
        }
        body = to_json({"grantType": "client_credentials", "additionalInfo": {}})
        reply = await self._post(URL(self.endpoints.token, encoded=True), headers, body)
        token = reply.facts.get("accessToken")
        self._token = token if reply.is_success("73") and isinstance(token, str) else ""
        told = str(reply.facts.get("expiresIn", ""))
        seconds = int(told) if told.isdigit() else TOKEN_SECONDS
        self._token_ends = clock.now_ms() + round((seconds - TOKEN_RENEWED_SECONDS) * 1000)

    def _now(self) -> int:
        return clock.now_ms() + round(self._faults.seconds("clock_ahead_seconds") * 1000)

    async def _post(self, target: URL, headers: dict[str, str], body: bytes) -> Reply:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(
                target,
                data=body,
                headers=headers | {"Content-Type": "application/json"},
                allow_redirects=False,
            ) as response:
                return Reply(response.status, _object(await response.read()))
        except (aiohttp.ClientError, TimeoutError):
            return Reply(0)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
