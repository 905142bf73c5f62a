"""An application with several SNAP banks.

Each bank is a stand-in with a profile of its own, and calls our endpoints over a loopback socket.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import psycopg
from aiohttp import web as http

import standins
from meterai.accounts import AccountService
from meterai.apps.rooms import ROOMS, subscriptions_of
from meterai.kit.ids import new_id
from meterai.payments import PaymentService, RefundSender
from meterai.payments.adapters.snap import signing
from meterai.plumbing.db.database import Row
from meterai.plumbing.work.jobs import Worker
from standins.bank import bank_key
from standins.bank.accounts import FLOAT_ACCOUNT
from tests.support.bank import CLIENT, MERCHANT, prepare
from tests.support.keys import BANK_KEY, OUR_KEY, pem_of, public_pem_of
from tests.support.shop import TESTER
from tests.support.till import SECRET, settings_of
from tests.support.within import Given, Within, within

SERVICE_ID = "89012"
PROFILES = {"bank": "standard", "doku": "doku", "bri": "bri"}
NOWHERE = "http://127.0.0.1:9"


@dataclass
class Banks:
    """The application, an account in it, and the banks by their names."""

    urls: dict[str, str]
    web: Within = field(init=False)
    account: UUID = field(init=False)
    key: str = field(init=False)
    restart: Callable[[], Awaitable[None]] = field(init=False)  # restarts the application
    _orders: int = 0
    _calls: int = 0

    async def order(self, *, quantity: int = 1, **more: object) -> dict[str, Any]:
        """Order stamps."""
        self._orders += 1
        given = await self.asked("/v1/orders", {"quantity": quantity, **more})
        assert given.status == 201, given.body
        found: dict[str, Any] = json.loads(given.body)
        return found

    async def asked(
        self, path: str, content: object = None, *, by: str = "", again: str = ""
    ) -> Given:
        """POST as the account, or with the API key `by` of another one.

        `again` is the Idempotency-Key of a repeated request. Bytes are sent unchanged: an archive, or rows as
        JSON lines.
        """
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = "application/json"
        if isinstance(content, bytes):
            kind = "application/zip" if content.startswith(b"PK") else "application/jsonl"
        headers = {
            "Authorization": f"Bearer {by or self.key}",
            "Idempotency-Key": again or new_id().hex,
            "Content-Type": kind,
        }
        return await self.web.post(path, raw, headers)

    async def shown(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order in its current state, from the API."""
        headers = {"Authorization": f"Bearer {self.key}"}
        found: dict[str, Any] = json.loads(
            (await self.web.get(f"/v1/orders/{order['id']}", headers)).body
        )
        return found

    async def rows(self, query: str, *parameters: object) -> list[Row]:
        """Rows of a query."""
        return await self.web.container.database.call_all(query, *parameters)

    def arrange(self, query: str) -> None:
        """Run a statement as the owner of the tables."""
        with psycopg.connect(self.web.container.database.url) as owner:
            owner.execute(query.encode())

    async def work(self) -> None:
        """Run every job."""
        container = self.web.container
        subscriptions = subscriptions_of(ROOMS)
        worker = Worker(
            container.database, subscriptions, [], services=container.services(), concurrency=1
        )
        while await worker.worker_pool().once():
            pass

    async def round(self) -> None:
        """Run every periodic task of payments and refunds."""
        # In a thread: a handler that holds one of these rows needs this event loop to end.
        await asyncio.to_thread(
            self.arrange,
            "UPDATE payment_attempts SET leased_until = now() WHERE state = 'opening';"
            " UPDATE payment_attempts SET ask_at = now() WHERE state <> 'opening'"
            " AND ask_at < 'infinity';"
            " UPDATE payment_attempts SET cancel_at = now() WHERE cancel_at < 'infinity'",
        )
        payments = self.web.container.of(PaymentService)
        await payments.open_waiting()
        await payments.poll_waiting()
        await payments.cancel_closed()
        await self.work()
        await self.web.container.of(RefundSender).send_due()
        await self.work()

    async def control(self, rail: str, path: str, **body: object) -> tuple[int, Any]:
        """POST to `/standin/...` of a bank."""
        url = f"{self.urls[rail]}/standin/{path}"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            return answer.status, await answer.json()

    async def look(self, rail: str, path: str) -> Any:
        """GET from `/standin/...` of a bank."""
        url = f"{self.urls[rail]}/standin/{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.json()

    async def pay(self, bank: str, number: str, **more: object) -> tuple[int, Any]:
        """Pay into the virtual account with this number, as a customer."""
        padded = SERVICE_ID.rjust(8) + number.removeprefix(SERVICE_ID)
        return await self.control(bank, "va/pay", number=padded, **more)

    async def told_by_bank(
        self, path: str, body: object, *, external_id: str = "", forged: bool = False
    ) -> tuple[int, Any]:
        """POST to an endpoint of ours, signed with the private key of the first bank."""
        raw = json.dumps(body).encode()
        timestamp = datetime.now(UTC).isoformat(timespec="seconds")
        text = signing.string_to_sign("POST", path, raw, timestamp)
        signature = signing.sign_asymmetric(OUR_KEY if forged else BANK_KEY, text)
        return await self._posted(path, raw, timestamp, signature, external_id)

    async def told_with_token(self, path: str, body: object, token: str) -> tuple[int, Any]:
        """POST to an endpoint of ours, signed with the secret that a bank shares with us."""
        raw = json.dumps(body).encode()
        timestamp = datetime.now(UTC).isoformat(timespec="seconds")
        text = signing.string_to_sign("POST", path, raw, timestamp, token)
        signature = signing.sign_symmetric(SECRET, text)
        return await self._posted(path, raw, timestamp, signature, token=token)

    async def token(self, name: str, directory: Path) -> str:
        """An access token of ours, issued to a bank."""
        timestamp = datetime.now(UTC).isoformat(timespec="seconds")
        signature = bank_key(directory / "bank" / "banks" / name).sign(
            f"{CLIENT}|{timestamp}".encode()
        )
        path, raw = f"/snap/{name}/v1.0/access-token/b2b", b'{"grantType":"client_credentials"}'
        _, told = await self._posted(path, raw, timestamp, signature)
        return str(told["accessToken"])

    async def _posted(
        self,
        path: str,
        raw: bytes,
        timestamp: str,
        signature: str,
        external_id: str = "",
        token: str = "",
    ) -> tuple[int, Any]:
        self._calls += 1
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-PARTNER-ID": CLIENT,
            "X-CLIENT-KEY": CLIENT,
            "X-EXTERNAL-ID": external_id or f"{self._calls:012}",
            "CHANNEL-ID": "95221",
            "X-SIGNATURE": signature,
            **({"Authorization": f"Bearer {token}"} if token.isascii() and token else {}),
        }
        given = await self.web.post(path, raw, headers)
        return given.status, json.loads(given.body)

    async def outcomes(self, count: int) -> list[str]:
        """Outcomes of the stored notifications, once there are `count`."""
        for _ in range(200):
            found = await self.rows("SELECT outcome FROM notification_inbox ORDER BY received_at")
            if len(found) >= count:
                return [row["outcome"] for row in found]
            await asyncio.sleep(0.02)
        raise AssertionError(f"{len(found)} of {count} came")


def write_bank(directory: Path, name: str, url: str, **more: object) -> None:
    """Write the configuration file and the keys of a bank."""
    told = {
        "kind": "snap",
        "profile": PROFILES[name],
        "url": url,
        "client_id": CLIENT,
        "merchant_id": MERCHANT,
        "qr_accounts": "936009990000000001 ID1099999999999",
        "methods": "va qris",
        "label": f"Bank {name.upper()}",
        "va_service_id": SERVICE_ID,
        "code": "999",
        **more,
    }
    (directory / "banks").mkdir(exist_ok=True)
    lines = (f"{one} = {json.dumps(value)}\n" for one, value in told.items())
    (directory / "banks" / f"{name}.toml").write_text("".join(lines))
    keys = directory / "keys"
    (keys / f"{name}-provider.key.pem").write_bytes(pem_of(OUR_KEY))
    (keys / f"{name}-bank.pub.pem").write_bytes(standins.bank_keys(directory / "bank", name))
    (keys / f"{name}-bank-client-secret").write_text(SECRET)


@asynccontextmanager
async def open_banks(
    database_url: str, directory: Path, rails: str = "bank doku bri", **more: Any
) -> AsyncIterator[Banks]:
    """Run banks of several kinds. `more` are additional settings."""
    prepare(directory / "bank")
    banks = Banks({})
    gate = http.Application()
    runner = http.AppRunner(gate)

    async def forward(request: http.Request) -> http.Response:
        headers = dict(request.headers)
        given = await banks.web.post(request.path_qs, await request.read(), headers)
        return http.Response(status=given.status, body=given.body, content_type="application/json")

    gate.router.add_route("*", "/{path:.*}", forward)
    await runner.setup()
    await http.TCPSite(runner, "127.0.0.1", 0).start()
    ours = f"http://127.0.0.1:{runner.addresses[0][1]}/snap"
    given = (CLIENT, SECRET, public_pem_of(OUR_KEY))

    def endpoints(name: str) -> dict[str, Any]:
        base = ours if name == "bank" else f"{ours}/{name}"
        return {
            "notify_url": f"{base}/v1.0/qr/qr-mpm-notify",
            "token_url": f"{base}/v1.0/access-token/b2b",
            "inquiry_url": f"{base}/v1.0/transfer-va/inquiry",
            "payment_url": f"{base}/v1.0/transfer-va/payment",
        }

    others = [
        standins.BankOptions(name, *given, merchant_id=MERCHANT, profile=profile, **endpoints(name))
        for name, profile in PROFILES.items()
        if name != "bank"
    ]
    options = standins.Options(
        directory / "bank", *given, merchant_id=MERCHANT, banks=others, **endpoints("bank")
    )
    running = await standins.start(options)
    banks.urls = running.bank_urls
    first = {
        "bank_methods": "qris va",
        "bank_va_service_id": SERVICE_ID,
        "bank_label": "Bank Satu",
        "bank_code": "999",
        "bank_source_account": FLOAT_ACCOUNT,
        "payment_rails": rails,
    }
    settings = settings_of(directory, database_url, running.bank_url, **(first | more))
    for name in PROFILES:
        if name != "bank":
            account = {"source_account": FLOAT_ACCOUNT} if name == "bri" else {}
            write_bank(directory, name, running.bank_urls[name], **account)
    try:
        async with AsyncExitStack() as served:

            async def restart() -> None:
                await served.aclose()
                banks.web = await served.enter_async_context(within(settings))

            banks.restart = restart
            await restart()
            accounts = banks.web.container.of(AccountService)
            banks.account = await accounts.create("browser@example.org", actor=TESTER)
            banks.key = await accounts.create_api_key(banks.account, "test", actor=TESTER)
            yield banks
    finally:
        await running.stop()
        await runner.cleanup()
