"""The application with Midtrans as its only rail, and the stand-in of Midtrans, which calls it over a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import aiohttp
import psycopg
from aiohttp import web

from meterai.accounts import AccountService
from meterai.apps.rooms import ROOMS, subscriptions_of
from meterai.apps.settings import settings_of
from meterai.audit.report import AuditRequest, audit_all
from meterai.audit.seals import DeltaSample
from meterai.payments import PaymentService, Rails, RefundSender
from meterai.payments.adapters.midtrans import NOTIFY_PATH, SERVER_KEY_FILE
from meterai.payments.installed import BoundedRail
from meterai.payments.rails import Rail
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Row
from meterai.plumbing.work.jobs import Worker
from standins.midtrans import Midtrans, MidtransOptions
from tests.support.audits import REGISTERED
from tests.support.keys import give_provider_key
from tests.support.shop import PRICE, TESTER
from tests.support.within import Given, Within, within

MERCHANT, SERVER_KEY = "G000000001", "SB-Mid-server-TEST"
SECONDS_MAX = 30.0  # for a second of work on a slow machine


@dataclass
class Kiosk:
    """The application, an account in it, and Midtrans."""

    web: Within
    settings: Settings
    url: str
    http: aiohttp.ClientSession
    account: UUID
    key: str
    heard: list[bytes]
    arrived: asyncio.Event
    restart: Callable[[], Awaitable[None]]  # restarts the application
    _calls: int = 0

    # -- the buyer -------------------------------------------------------------------------

    async def order(self, quantity: int = 1, method: str = "qris") -> dict[str, Any]:
        """Order stamps, to be paid by a method."""
        content = {"quantity": quantity, "payment_method": method}
        given = await self.asked("/v1/orders", content)
        assert given.status == 201, given.body
        found: dict[str, Any] = json.loads(given.body)
        return found

    async def asked(self, path: str, content: object = None) -> Given:
        """POST as the account."""
        self._calls += 1
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": f"key-{self._calls}-{crc32(path.encode())}",
            "Content-Type": "application/json",
        }
        return await self.web.post(path, json.dumps(content).encode(), headers)

    async def shown(self, order: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        given = await self.web.get(f"/v1/orders/{order['id']}", headers)
        found: dict[str, Any] = json.loads(given.body)
        return found

    async def state(self, order: dict[str, Any]) -> str:
        return str((await self.shown(order))["state"])

    async def paid(self, quantity: int = 1, method: str = "qris", **how: object) -> dict[str, Any]:
        """Make a paid order; return it."""
        order = await self.order(quantity, method)
        await self.pay(order, **how)
        await self.round()
        assert await self.state(order) == "executed"
        return order

    # -- Midtrans --------------------------------------------------------------------------

    def name(self, order: dict[str, Any]) -> str:
        """The QR or account number of an order, by which the stand-in finds the transaction."""
        payment = order["payment"]
        return str(payment["qr_content"] or payment["instructions"]["number"])

    async def pay(self, order: dict[str, Any], **how: object) -> dict[str, Any]:
        return await self.act("pay", order, **how)

    async def act(self, act: str, order: dict[str, Any], **more: object) -> dict[str, Any]:
        """Perform an act of customers, their banks or Midtrans; return the transaction."""
        found: dict[str, Any] = await self.control(act, transaction=self.name(order), **more)
        return found

    async def control(self, path: str, **body: object) -> Any:
        async with self.http.post(f"{self.url}/standin/{path}", json=body) as answer:
            found = await answer.json()
            assert answer.status == 200, found
            return found

    async def answers(self, service: str, *answers: dict[str, Any]) -> None:
        await self.control("answers", service=service, answers=list(answers))

    async def told(self, count: int) -> None:
        """Wait until our endpoint has received `count` notifications."""
        async with asyncio.timeout(SECONDS_MAX):
            while len(self.heard) < count:
                self.arrived.clear()
                await self.arrived.wait()

    async def tell(self, body: bytes) -> Given:
        """Call our endpoint with this body."""
        return await self.web.post(NOTIFY_PATH, body, {"Content-Type": "application/json"})

    # -- us --------------------------------------------------------------------------------

    @property
    def rail(self) -> Rail:
        """Our rail itself, without its circuit breaker."""
        found = self.web.container.of(Rails).of("midtrans")
        assert isinstance(found, BoundedRail)
        return found.rail

    async def rows(self, query: str, *parameters: object) -> list[Row]:
        return await self.web.container.database.call_all(query, *parameters)

    def arrange(self, query: str) -> None:
        """Run a statement as the owner of the tables."""
        with psycopg.connect(self.web.container.database.url) as owner:
            owner.execute(query.encode())

    async def work(self) -> None:
        """Run every job."""
        container = self.web.container
        worker = Worker(
            container.database,
            subscriptions_of(ROOMS),
            [],
            services=container.services(),
            concurrency=1,
        )
        while await worker.worker_pool().once():
            pass

    async def due(self) -> None:
        """Run due work without moving a clock: jobs, and the queries that they cause."""
        await self.work()
        await self.web.container.of(PaymentService).poll_waiting()
        await self.work()

    async def round(self) -> None:
        """Run every periodic task of payments and refunds."""
        # In a thread: a handler that holds one of these rows needs this event loop to end.
        await asyncio.to_thread(
            self.arrange,
            "UPDATE payment_attempts SET leased_until = now() WHERE state = 'opening';"
            " UPDATE payment_attempts SET ask_at = now() WHERE state <> 'opening'"
            " AND ask_at < 'infinity';"
            " UPDATE payment_attempts SET cancel_at = now() WHERE cancel_at < 'infinity';"
            " UPDATE refunds SET try_at = now(), leased_until = NULL WHERE state <> 'settled';"
            " UPDATE chargebacks SET look_at = now() WHERE look_at < 'infinity'",
        )
        payments = self.web.container.of(PaymentService)
        refunds = self.web.container.of(RefundSender)
        for task in (payments.open_waiting, payments.poll_waiting, payments.cancel_closed):
            await task()
        await self.work()
        for task in (refunds.send_due, refunds.look_up_given_back):
            await task()
            await self.work()

    async def book(self, book: str) -> int:
        [row] = await self.rows(
            "SELECT coalesce(sum(credit - debit), 0)::bigint AS sum FROM legs WHERE book = %s", book
        )
        return int(row["sum"])

    async def agrees(self) -> int:
        """Check that books and Midtrans agree on the money held; return it in rupiah."""
        async with self.http.get(f"{self.url}/standin/payments") as answer:
            held = sum(one["left"] for one in await answer.json())
        assert await self.book("bank_clearing") == -held
        return int(held)

    async def suspended(self) -> list[str]:
        """Reasons of every open item in suspense."""
        found = await self.rows("SELECT reason FROM suspense_items WHERE state = 'open'")
        return sorted(row["reason"] for row in found)

    async def holds(self) -> None:
        """Check that `meterai audit` holds."""
        whole = await audit_all(
            self.web.container.database,
            self.settings,
            request=AuditRequest(DeltaSample(1)),
            registered=REGISTERED,
        )
        assert whole.audit.holds, [one for one in whole.audit.findings if not one.holds]


@asynccontextmanager
async def kiosk(database_url: str, directory: Path, **more: object) -> AsyncIterator[Kiosk]:
    """The application on a migrated database of its own; `more` are settings."""
    keys = directory / "keys"
    give_provider_key(directory)
    keys.mkdir(parents=True, exist_ok=True)
    (keys / SERVER_KEY_FILE).write_text(f"{SERVER_KEY}\n")
    (keys / SERVER_KEY_FILE).chmod(0o600)
    heard: list[bytes] = []
    arrived = asyncio.Event()
    place: Kiosk

    async def endpoint(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        given = await place.web.post(request.path, body, headers)
        heard.append(body)
        arrived.set()
        return web.Response(status=given.status, body=given.body)

    app = web.Application()
    app.router.add_post(NOTIFY_PATH, endpoint)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    notify_url = f"http://127.0.0.1:{runner.addresses[0][1]}{NOTIFY_PATH}"
    (directory / "standins").mkdir(exist_ok=True)
    bank = Midtrans(directory / "standins", MidtransOptions(SERVER_KEY, notify_url, MERCHANT))
    try:
        url = await bank.serve("127.0.0.1", 0)
        settings = settings_of(
            data=str(directory),
            database_url=database_url,
            payment_rails="midtrans",
            midtrans_url=url,
            midtrans_merchant_id=MERCHANT,
            stamp_price=PRICE,
            **more,
        )
        async with AsyncExitStack() as served, aiohttp.ClientSession() as http:

            async def restart() -> None:
                await served.aclose()
                place.web = await served.enter_async_context(within(settings))

            ours = await served.enter_async_context(within(settings))
            accounts = ours.container.of(AccountService)
            account = await accounts.create("pembeli@example.org", actor=TESTER)
            key = await accounts.create_api_key(account, "test", actor=TESTER)
            place = Kiosk(ours, settings, url, http, account, key, heard, arrived, restart)
            yield place
    finally:
        await bank.stop()
        await runner.cleanup()


def tell_story(
    database_url: str,
    directory: Path,
    story: Callable[[Kiosk], Awaitable[None]],
    **more: object,
) -> None:
    """Run a scenario in a kiosk of its own, and check `meterai audit` after it."""

    async def run() -> None:
        async with kiosk(database_url, directory, **more) as place:
            await story(place)
            await place.holds()

    asyncio.run(run())
