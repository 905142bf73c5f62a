"""The peer: a bare route of the same framework and server that runs the same statements.

Promises
  * It reads and answers the same JSON, authenticates a key by the same statement, caches the key as long as the
    web does, and places the order by the same SQL function, over as many connections.
  * It has no limiter, limits, metrics, language, pages, refusals or headers of its own. The web's processor time divided by
    the peer's shows the cost of these and the other parts of the web.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

import psutil
from litestar import Litestar, Request, get, post
from litestar.exceptions import NotAuthorizedException
from litestar.params import JSONBody
from psycopg import AsyncConnection

from bench.machine import Group
from meterai.accounts import store as accounts
from meterai.accounts.model import KEY_PREFIX, Credential
from meterai.accounts.service import REMEMBERED_SECONDS
from meterai.apps.serve import run
from meterai.apps.settings import load
from meterai.installation.instance import is_free
from meterai.kit.ids import new_id, show
from meterai.orders import OrderSettings, store
from meterai.orders.model import OrderKind, request_hash
from meterai.orders.routes import OrderRequest
from meterai.orders.service import MoneyView, OrderView, PaymentView
from meterai.payments import Rails, new_attempt
from meterai.payments.room import RAILS
from meterai.plumbing.config import Settings, environment_for
from meterai.plumbing.db.connections import conninfo

START_SECONDS_MAX = 30.0
_NO_MONEY = MoneyView(captured=0, charged_back=0, executed=0, refunded=0, in_flight=0, loss=0)


class _Shop:
    """Connections, and the values that a route needs to place an order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terms = settings.of(OrderSettings)
        rails = Rails(settings, RAILS)
        self._channel, _ = rails.channel(None, 1, new_id())
        self._free: asyncio.LifoQueue[AsyncConnection[Any]] = asyncio.LifoQueue()
        self._known: dict[str, tuple[float, UUID]] = {}

    @asynccontextmanager
    async def open(self, _app: Litestar) -> AsyncIterator[None]:
        process = self._settings.process
        found = [
            await AsyncConnection.connect(
                conninfo(process.database_url), autocommit=True, prepare_threshold=1
            )
            for _ in range(process.database_connections)
        ]
        for one in found:
            self._free.put_nowait(one)
        yield
        for one in found:
            await one.close()

    async def _row(self, query: str, values: tuple[object, ...]) -> Any:
        connection = await self._free.get()
        try:
            return await (await connection.execute(query.encode(), values)).fetchone()
        finally:
            self._free.put_nowait(connection)

    async def account(self, key: str) -> UUID:
        until, account = self._known.get(key, (0.0, UUID(int=0)))
        if until > time.monotonic():
            return account
        shown = Credential.read(key, KEY_PREFIX)
        row = await self._row(accounts.API_KEY, (shown.account, shown.id))
        if row is None or not shown.opens(row[0]):
            raise NotAuthorizedException
        self._known[key] = (time.monotonic() + REMEMBERED_SECONDS, shown.account)
        return shown.account

    async def place(self, account: UUID, key: str, quantity: int) -> OrderView:
        sale, kind = self._terms, OrderKind.STAMPS
        attempt, reference = new_attempt(account)
        total = quantity * (sale.stamp_price + sale.service_fee)
        values = (
            *(account, new_id(), key, request_hash(kind, quantity), kind.value, quantity),
            *(sale.stamp_price, sale.service_fee, sale.order_lapses_seconds),
            *(sale.stamps_due_seconds, attempt, reference, 0.0, sale.unpaid_orders_max),
            *(self._channel.provider, self._channel.method),
        )
        _, order, _, placed, lapses = await self._row(store.PLACE, values)
        return OrderView(
            reference=None,
            metadata={},
            id=show("ord", order),
            state="placed",
            kind=kind.value,
            quantity=quantity,
            unit_price=sale.stamp_price,
            service_fee=sale.service_fee,
            total=total,
            currency="IDR",
            placed_at=placed,
            paid_at=None,
            refund_due_at=lapses,
            payment=PaymentView(
                method=self._channel.method,
                state="opening",
                amount=total,
                qr_content=None,
                expires_at=lapses,
            ),
            money=_NO_MONEY,
        )


@get("/healthz", media_type="text/plain")
async def healthz() -> str:
    """Answer, to show that the route runs."""
    return "ok"


@post("/v1/orders")
async def place_order(request: Request[Any, Any, Any], data: JSONBody[OrderRequest]) -> OrderView:
    """Place an order."""
    shop: _Shop = request.app.state.shop
    account = await shop.account(request.headers["authorization"].removeprefix("Bearer "))
    return await shop.place(account, request.headers["idempotency-key"], data.quantity)


def create() -> Litestar:
    """The application; Granian calls it."""
    shop = _Shop(load().settings)
    app = Litestar(
        [healthz, place_order], lifespan=[shop.open], openapi_config=None, logging_config=None
    )
    app.state.shop = shop
    return app


class Peer:
    """The peer as a separate process, for the database of these settings. Use as a context."""

    def __init__(self, settings: Settings) -> None:
        ports = range(settings.process.port + 1, 65_535)
        self.port = next(one for one in ports if is_free(settings.process.host, one))
        self._settings = settings.replaced(port=self.port)

    def __enter__(self) -> Group:
        """Start the peer and wait until it answers. Return its processes."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.peer"], env=environment_for(self._settings)
        )
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                urlopen(f"http://{self._settings.process.host}:{self.port}/healthz").close()
            except URLError:
                assert time.monotonic() < deadline, "the peer does not answer"
                time.sleep(0.05)
            else:
                return Group(psutil.Process(self._process.pid))

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(START_SECONDS_MAX)


if __name__ == "__main__":
    run("bench.peer:create", load().settings)
