"""QR MPM over SNAP BI: generate (47), query (51), cancel (77), refund (78), notify (52).

Every answer is one of three: it was done, it was refused (4xx with a response code), or nobody
knows (5xx, time-out, a broken connection after the request left).  HTTP status is authoritative.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NoReturn

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.kit.clock import Clock
from meterai.kit.money import Rupiah
from meterai.payments.adapters import signing
from meterai.payments.model import (
    Notification,
    NotificationForged,
    OutcomeUnknown,
    Payment,
    ProviderRefused,
    ProviderUnreachable,
    QrMade,
    Standing,
)
from meterai.plumbing import telemetry
from meterai.plumbing.messages import WIB

TOKEN_MARGIN_SECONDS = 60.0  # a token is renewed so long before it ends
SKEW_SECONDS_MAX = 300.0  # tolerance of X-TIMESTAMP; the standard names none
CONNECTIONS_MAX = 100
CHANNEL = "95221"


@dataclass(frozen=True, slots=True)
class SnapProfile:
    """One provider: where it is, who we are there, and how it wants things signed."""

    base_url: str
    path: str  # '/snap/v1.0': before '/qr/qr-mpm-generate' and '/access-token/b2b'
    client_id: str
    client_secret: str
    merchant_id: str
    private_key: rsa.RSAPrivateKey
    provider_public_key: rsa.RSAPublicKey
    signature: Literal["symmetric", "asymmetric"] = "symmetric"
    timeout_seconds: float = 5.0


def _timestamp(at: datetime) -> str:
    return at.astimezone(WIB).strftime("%Y-%m-%dT%H:%M:%S+07:00")


def _external_id() -> str:
    # Digits, unique per partner and day, at most 36.
    return str(time.time_ns()) + f"{secrets.randbelow(10**12):012}"


class SnapProvider:
    """Speaks to one provider.  Use as an async context: it keeps connections open."""

    def __init__(self, profile: SnapProfile, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._token: tuple[str, float] | None = None
        self._token_lock = asyncio.Lock()

    async def open(self) -> None:
        """Make ready to connect; nothing is sent yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(total=self._profile.timeout_seconds),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def generate(self, reference: str, amount: Rupiah, expires_at: datetime) -> QrMade:
        """Make a QR.  Refuses `ProviderRefused`, `OutcomeUnknown`, `ProviderUnreachable`."""
        answer = await self._call(
            "qr-mpm-generate",
            {
                "partnerReferenceNo": reference,
                "amount": amount.snap(),
                "merchantId": self._profile.merchant_id,
                "validityPeriod": _timestamp(expires_at),
            },
        )
        try:
            return QrMade(str(answer["qrContent"]), str(answer["referenceNo"]))
        except KeyError:
            raise OutcomeUnknown("the answer has no QR") from None

    async def query(self, reference: str) -> Standing:
        """Ask what became of a QR.  An unknown one has the status 07."""
        try:
            answer = await self._call(
                "qr-mpm-query",
                {
                    "originalPartnerReferenceNo": reference,
                    "serviceCode": "47",
                    "merchantId": self._profile.merchant_id,
                },
            )
        except ProviderRefused as refusal:
            if refusal.case == "40401":
                return Standing("07", ())
            raise
        try:
            return Standing(str(answer["latestTransactionStatus"]), _payments(answer))
        except (KeyError, ValueError):
            raise OutcomeUnknown("the answer cannot be read") from None

    async def cancel(self, reference: str, reason: str) -> None:
        """Withdraw a QR that was not paid."""
        await self._call(
            "qr-mpm-cancel",
            {
                "originalPartnerReferenceNo": reference,
                "merchantId": self._profile.merchant_id,
                "reason": reason,
            },
        )

    async def refund(self, reference: str, payment: str, number: str, amount: Rupiah) -> str:
        """Give money back and return the provider's number of it.

        Safe to repeat with the same `number`: the provider answers what it answered before.
        """
        try:
            answer = await self._call(
                "qr-mpm-refund",
                {
                    "merchantId": self._profile.merchant_id,
                    "originalPartnerReferenceNo": reference,
                    "partnerRefundNo": number,
                    "refundAmount": amount.snap(),
                    "reason": "paid and not executed",
                    "additionalInfo": {"rrn": payment},
                },
            )
        except ProviderRefused as refusal:
            # 404/18 Inconsistent Request: for a refund, the first one with this number stands.
            if refusal.case == "40418":
                return number
            raise
        return str(answer.get("refundNo", number))

    def notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Notification:
        """Check the signature of a notification and read it.

        Refuses `NotificationForged`; raises `ValueError` where a signed body cannot be read.
        """
        timestamp = headers.get("x-timestamp", "")
        signature = headers.get("x-signature", "")
        try:
            age = (self._clock.now() - datetime.fromisoformat(timestamp)).total_seconds()
        except (ValueError, TypeError):
            raise NotificationForged("no readable X-TIMESTAMP") from None
        if abs(age) > SKEW_SECONDS_MAX:
            raise NotificationForged("X-TIMESTAMP is too far away")
        for candidate in (body, signing.minified(body)):
            text = signing.string_to_sign("POST", path, candidate, timestamp)
            if signing.is_signed_by(self._profile.provider_public_key, text, signature):
                return read_notification(body)
        raise NotificationForged("the signature does not fit")

    async def _call(self, act: str, content: Mapping[str, object]) -> dict[str, object]:
        path = f"{self._profile.path}/qr/{act}"
        body = msgspec.json.encode(content)
        try:
            answer = await self._signed_post(path, body)
        except ProviderRefused as refusal:
            if refusal.case != "40101":
                telemetry.PROVIDER.labels(call=act, outcome=refusal.case).inc()
                raise
            self._token = None  # the token ended early, or the provider was restarted
            answer = await self._signed_post(path, body)
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            telemetry.PROVIDER.labels(call=act, outcome=refusal.code).inc()
            raise
        telemetry.PROVIDER.labels(call=act, outcome="done").inc()
        return answer

    async def _signed_post(self, path: str, body: bytes) -> dict[str, object]:
        timestamp = _timestamp(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-PARTNER-ID": self._profile.client_id,
            "X-EXTERNAL-ID": _external_id(),
            "CHANNEL-ID": CHANNEL,
        }
        if self._profile.signature == "symmetric":
            token = await self._access_token()
            text = signing.string_to_sign("POST", path, body, timestamp, token)
            headers["Authorization"] = f"Bearer {token}"
            headers["X-SIGNATURE"] = signing.sign_symmetric(self._profile.client_secret, text)
        else:
            text = signing.string_to_sign("POST", path, body, timestamp)
            headers["X-SIGNATURE"] = signing.sign_asymmetric(self._profile.private_key, text)
        return await self._post(path, headers, body)

    async def _access_token(self) -> str:
        async with self._token_lock:
            if self._token is not None and self._token[1] > time.monotonic():
                return self._token[0]
            timestamp = _timestamp(self._clock.now())
            signed = f"{self._profile.client_id}|{timestamp}".encode()
            headers = {
                "Content-Type": "application/json",
                "X-TIMESTAMP": timestamp,
                "X-CLIENT-KEY": self._profile.client_id,
                "X-SIGNATURE": signing.sign_asymmetric(self._profile.private_key, signed),
            }
            body = b'{"grantType":"client_credentials","additionalInfo":{}}'
            path = f"{self._profile.path}/access-token/b2b"
            try:
                answer = await self._post(path, headers, body)
            except OutcomeUnknown:
                # A token that was perhaps made moves no money.
                raise ProviderUnreachable("no access token") from None
            life = float(str(answer.get("expiresIn", "900")))
            token = str(answer["accessToken"])
            self._token = (token, time.monotonic() + life - TOKEN_MARGIN_SECONDS)
            return token

    async def _post(self, path: str, headers: dict[str, str], body: bytes) -> dict[str, object]:
        assert self._session is not None, "open() comes first"
        url = self._profile.base_url + path
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                status, raw = response.status, await response.read()
        except aiohttp.ClientConnectorError as error:
            raise ProviderUnreachable(repr(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(repr(error)) from None
        try:
            answer = msgspec.json.decode(raw, type=dict[str, object])
        except (msgspec.DecodeError, RecursionError):
            answer = {}
        if not 200 <= status < 300:
            _refuse(status, answer)
        return answer


def _refuse(status: int, answer: dict[str, object]) -> NoReturn:
    code = str(answer.get("responseCode", f"{status}0000"))
    message = str(answer.get("responseMessage", ""))[:150]
    if status >= 500 or status in (408, 429):
        raise OutcomeUnknown(f"{code} {message}")
    raise ProviderRefused(code, message)


def _payments(answer: dict[str, object]) -> tuple[Payment, ...]:
    match answer.get("additionalInfo"):
        case {"payments": list(listed)}:
            return tuple(
                Payment(
                    str(one["rrn"]),
                    Rupiah.from_snap(one["amount"]),
                    is_denied=one.get("status") == "06",
                )
                for one in listed
            )
        case {"rrn": str(rrn)} if rrn:
            return (Payment(rrn, Rupiah.from_snap(answer["amount"])),)
    return ()


def read_notification(body: bytes) -> Notification:
    """Read the body of a notification (52).  Raises `ValueError` where it cannot be read."""
    try:
        content = msgspec.json.decode(body, type=dict[str, object])
        reference = str(content["originalPartnerReferenceNo"])
        status = str(content["latestTransactionStatus"])
    except (msgspec.DecodeError, KeyError, RecursionError) as error:
        raise ValueError(f"cannot be read: {error!r}") from None
    payment = None
    if content.get("amount") is not None:
        details = content.get("additionalInfo")
        number = details.get("rrn") if isinstance(details, dict) else None
        if number:
            payment = Payment(str(number), Rupiah.from_snap(content["amount"]))
    return Notification(reference, status, payment)
