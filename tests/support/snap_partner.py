"""A merchant of one stand-in bank, independent of the platform.

It signs calls by the bank's profile and serves the four endpoints of a merchant.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import standins
from standins import clock
from standins.bank.profile import METHODS, profile_of
from tests.support.keys import OUR_KEY, public_pem_of

CLIENT, SECRET, TOKEN = "meterai-test", "not so secret", "token-of-the-merchant"
SERVICE_ID, CUSTOMER = "   88899", "1234567890"
_numbers = itertools.count(1)


def money(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def account(trx_id: str, rupiah: int, customer: str = CUSTOMER) -> dict[str, Any]:
    """A body of create-va."""
    return triple(customer) | {
        "virtualAccountName": "BUDI SANTOSO",
        "trxId": trx_id,
        "totalAmount": money(rupiah),
        "virtualAccountTrxType": "C",
    }


def triple(customer: str = CUSTOMER) -> dict[str, Any]:
    number = SERVICE_ID + customer
    return {"partnerServiceId": SERVICE_ID, "customerNo": customer, "virtualAccountNo": number}


def transfer(number: str, rupiah: int, account_no: str = "1234567890") -> dict[str, Any]:
    """A body of transfer-interbank."""
    return {
        "partnerReferenceNo": number,
        "amount": money(rupiah),
        "beneficiaryAccountName": "BUDI SANTOSO",
        "beneficiaryAccountNo": account_no,
        "beneficiaryBankCode": "014",
        "sourceAccountNo": "8800000002",
        "transactionDate": clock.snap_time(clock.now_ms()),
    }


def _signed(text: str) -> str:
    return b64encode(OUR_KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def _is_object(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw), dict)
    except ValueError:
        return False


class SnapPartner:
    """Calls services by their code. `heard` has the requests of each endpoint, with their headers."""

    def __init__(self, http: aiohttp.ClientSession, profile: str, key: rsa.RSAPublicKey) -> None:
        self.http, self.profile, self.key = http, profile_of(profile), key
        self.bank = self.token = ""
        self.heard: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.forged: list[str] = []
        self.unreadable: list[str] = []
        self.answers: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.meanwhile: Callable[[], Awaitable[object]] | None = None  # done before 24 is answered
        self._arrived = asyncio.Event()

    def endpoint(self, service: str) -> Any:
        async def serve(request: web.Request) -> web.Response:
            raw = await request.read()
            if not _is_object(raw):
                self.unreadable.append(service)
                return web.json_response({"responseCode": f"400{service}00"}, status=400)
            if not self._is_signed(service, request, raw):
                self.forged.append(service)
                return web.json_response({"responseCode": f"401{service}00"}, status=401)
            self.heard.append((service, json.loads(raw), dict(request.headers)))
            self._arrived.set()
            if self.meanwhile and service == "24":
                await self.meanwhile()
            waiting = self.answers.get(service, [])
            status, facts = waiting.pop(0) if waiting else (200, {})
            head = {"responseCode": f"{status}{service}00", "responseMessage": "x"}
            return web.json_response(head | facts, status=status)

        return serve

    def _is_signed(self, service: str, request: web.Request, raw: bytes) -> bool:
        stamp, told = request.headers["X-TIMESTAMP"], request.headers["X-SIGNATURE"]
        body = json.dumps(json.loads(raw), separators=(",", ":")).encode()
        digest = hashlib.sha256(body).hexdigest()
        if service == "73":
            text = f"{request.headers['X-CLIENT-KEY']}|{stamp}"
        elif "Authorization" in request.headers:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            text = f"POST:{request.path}:{TOKEN}:{digest}:{stamp}"
            made = hmac.new(SECRET.encode(), text.encode(), hashlib.sha512).digest()
            return hmac.compare_digest(b64decode(told), made)
        else:
            text = f"POST:{request.path}:{digest}:{stamp}"
        try:
            self.key.verify(b64decode(told), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except Exception:
            return False
        return True

    async def log_in(self) -> None:
        stamp = clock.snap_time(clock.now_ms())
        headers = {"X-CLIENT-KEY": CLIENT, "X-TIMESTAMP": stamp}
        headers["X-SIGNATURE"] = _signed(f"{CLIENT}|{stamp}")
        url = self.bank + self.profile.paths["73"]
        body = b'{"grantType":"client_credentials"}'
        async with self.http.post(url, data=body, headers=headers) as response:
            self.token = (await response.json())["accessToken"]

    async def call(self, code: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of a service, signed with a token."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        method, path = METHODS.get(code, "POST"), self.profile.paths[code]
        stamp = clock.snap_time(clock.now_ms())
        digest = hashlib.sha256(raw).hexdigest()
        text = f"{method}:{path}:{self.token}:{digest}:{stamp}".encode()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token}",
            "X-TIMESTAMP": stamp,
            "X-PARTNER-ID": CLIENT,
            "X-EXTERNAL-ID": f"{next(_numbers):012d}",
            "CHANNEL-ID": "95221",
            "X-SIGNATURE": b64encode(
                hmac.new(SECRET.encode(), text, hashlib.sha512).digest()
            ).decode(),
        }
        async with self.http.request(
            method, self.bank + path, data=raw, headers=headers
        ) as response:
            answer: dict[str, Any] = await response.json()
            assert str(answer["responseCode"]).startswith(str(response.status))
            return answer

    async def standin(self, path: str, **body: object) -> Any:
        """POST below `/standin` if there is a body, otherwise GET."""
        method = "POST" if body else "GET"
        url = f"{self.bank}/standin/{path}"
        async with self.http.request(method, url, json=body or None) as response:
            return await response.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Repeat a GET below `/standin` until its answer satisfies `holds`, and return it."""
        async with asyncio.timeout(30):
            while not holds(found := await self.standin(path)):  # noqa: ASYNC110 - of another server
                await asyncio.sleep(0.02)
        return found

    async def arrived(self, count: int, service: str = "") -> list[dict[str, Any]]:
        """Bodies received at an endpoint, or at any, once there are `count`."""
        async with asyncio.timeout(30):
            while True:
                found = [body for endpoint, body, _ in self.heard if service in ("", endpoint)]
                if len(found) >= count:
                    return found
                self._arrived.clear()
                await self._arrived.wait()


@asynccontextmanager
async def partner(
    directory: Path, profile: str = "standard", **changes: Any
) -> AsyncIterator[SnapPartner]:
    """A merchant that is logged in at a new bank with this profile, which runs beside a first bank."""
    pem = standins.bank_keys(directory, "second")
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, rsa.RSAPublicKey)
    async with aiohttp.ClientSession() as http:
        found = SnapPartner(http, profile, key)
        found.answers["73"] = [(200, {"accessToken": TOKEN, "expiresIn": 900})] * 100
        app = web.Application()
        endpoints = {"notify": "52", "token": "73", "inquiry": "24", "payment": "25"}
        for endpoint, service in endpoints.items():
            app.router.add_post(f"/{endpoint}", found.endpoint(service))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        mine = public_pem_of(OUR_KEY)
        urls = {f"{endpoint}_url": f"{url}/{endpoint}" for endpoint in endpoints}
        second = standins.BankOptions(
            "second", CLIENT, SECRET, mine, profile=profile, **(urls | changes)
        )
        options = standins.Options(
            directory, CLIENT, SECRET, mine, f"{url}/notify", banks=(second,)
        )
        running = await standins.start(options)
        try:
            found.bank = running.bank_urls["second"]
            await found.log_in()
            yield found
        finally:
            await running.stop()
            await runner.cleanup()
