"""Bench of webhooks, sent by one worker to good, slow, dead and malicious receivers: `python -m bench.distribution.webhooks
[EVENTS]`.

Events are emitted as rooms emit them, each becomes a message by its job, and every message goes to a receiver in its own
process. Half of the endpoints answer well. The bench reports deliveries per second, waits, and processor time, compared
with a peer: a bare client that sends the same signed requests without a database.
"""

import asyncio
import logging
import multiprocessing
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import aiohttp
import psutil
import structlog

from bench.machine import Group
from meterai import orders
from meterai.accounts import PERMISSIONS, AccountService
from meterai.accounts.model import Role
from meterai.apps.container import build_services
from meterai.apps.rooms import subscriptions_of
from meterai.apps.settings import settings_of
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id
from meterai.orders import OrderKind, OrderService
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from meterai.plumbing.keyring import new_rsa_key, public_pem, read_rsa_key
from meterai.plumbing.work.jobs import Worker
from meterai.room import Container
from meterai.webhooks.delivering import SLOTS, WebhookDelivery
from meterai.webhooks.service import WebhookService, WebhookWish
from meterai.webhooks.signing import headers
from standins.receiver import Receiver

EVENTS = 6_000  # to endpoints that answer well
RATE_AIM = 200.0  # deliveries per second
CORES = 2
GOOD = ("/ok", "/ok", "/ok", "/slow/0.1", "/slow/0.5") * 6
BAD = (
    *("/dead",) * 6,
    *("/slow/4",) * 4,
    *("/status/500",) * 4,
    *("/cut", "/garbage", "/head", "/many-heads", "/drip-head", "/redirect/http%3A%2F%2F127.0.0.1"),
    *("/endless", "/drip", "/lies"),
)
TO_EACH_BAD = 50
BARE = 3_000  # requests of the peer
BODY = b'{"type":"order.lapsed","timestamp":"2026-01-01T00:00:00.000+00:00","data":{"order_id":"ord_x"}}'
SECONDS_MAX = 300.0
ACTOR = Actor(ActorKind.ACCOUNT)
_DONE = "SELECT count(*) AS done FROM webhook_messages WHERE account_id = ANY(%s) AND state = 'delivered'"
_WAITED = """
SELECT extract(epoch FROM delivered_at - made_at)::float8 AS waited FROM webhook_messages
WHERE account_id = ANY(%s) AND state = 'delivered'
"""
_COUNTED = """
SELECT (SELECT count(*) FROM webhook_messages) AS recorded, (SELECT count(*) FROM webhook_attempts) AS attempts
"""


def _receive(pipe: Connection) -> None:
    async def run() -> None:
        receiver = Receiver(keeps=False)
        pipe.send(await receiver.serve())
        await asyncio.to_thread(pipe.recv)
        pipe.send(len(receiver.delivered))
        await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


async def _account(container: Container, url: str) -> tuple[UUID, UUID, str]:
    """Make an account with an order and an endpoint. Return the ids of account and order, and the secret of the
    endpoint.
    """
    account = await container.of(AccountService).create(f"{new_id().hex}@example.id", actor=ACTOR)
    terms = await container.of(OrderService).terms(account, "one", b"one", OrderKind.STAMPS, 1)
    async with container.database.transaction() as tx:
        order = await orders.place_documents(tx, terms)
    wish = WebhookWish(url, ["order.lapsed"], "", PERMISSIONS[Role.OWNER])
    _, secret = await container.of(WebhookService).make(account, wish, "one", actor=ACTOR)
    assert secret is not None
    return account, order.id, secret


async def _emit(container: Container, to: Sequence[tuple[UUID, UUID, str]], each: int) -> None:
    for account, order, _ in to:
        await container.database.call_all(
            "SELECT emit(%s, 'order_lapsed', jsonb_build_object('order', %s::uuid)) FROM generate_series(1, %s)",
            account,
            order,
            each,
        )


async def _bare(url: str, secret: str, body: bytes, times: int) -> tuple[float, float]:
    """Return the seconds and the processor seconds that a bare client takes for sending `times` requests."""
    key, gate = b64decode(secret.removeprefix("whsec_")), asyncio.Semaphore(SLOTS)
    begun, spent = time.monotonic(), time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> None:
            async with gate:
                given = headers([key], f"msg_{number}", datetime.now(UTC), body)
                async with session.post(url, data=body, headers=given) as answer:
                    await answer.read()

        await asyncio.gather(*map(one, range(times)))
    return time.monotonic() - begun, time.process_time() - spent


def _database(folder: Path) -> Group:
    """Return the processes of the database server in this folder."""
    return Group(
        psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """Result of a run: deliveries, their waits, and their processor seconds."""

    wanted: int  # deliveries to endpoints that answer well
    seconds: float
    worker: float
    database: float
    waits: list[float]
    recorded: int
    attempts: int

    @property
    def by_processor(self) -> float:
        """Return the attempts a second if two processors served only worker and database."""
        return CORES * self.attempts / (self.worker + self.database)


async def _work(container: Container, folder: Path, good: Sequence[UUID], each: int) -> Measured:
    """Run a worker until every message to a good endpoint is delivered."""
    delivery, rows = container.of(WebhookDelivery), container.database.read
    worker = Worker(
        container.database,
        subscriptions_of(),
        [],
        concurrency=container.settings.process.worker_concurrency,
        services=container.services(),
        worker_pools=[delivery.worker_pool(), delivery.aside()],
    )
    wanted = left = each * len(good)
    server = _database(folder)
    begun, spent, database = time.monotonic(), time.process_time(), server.cpu()
    working = asyncio.create_task(worker.run())
    while left and time.monotonic() - begun < SECONDS_MAX:
        await asyncio.sleep(1)
        [row] = await rows(_DONE, list(good))
        left = wanted - row["done"]
    seconds, spent = time.monotonic() - begun, time.process_time() - spent
    database = server.cpu() - database
    worker.stop()
    await working
    waits = [row["waited"] for row in await rows(_WAITED, list(good))]
    [counted] = await rows(_COUNTED)
    return Measured(
        wanted, seconds, spent, database, waits, counted["recorded"], counted["attempts"]
    )


async def _run(folder: Path, url: str, receiver: str, events: int, pipe: Connection) -> bool:
    settings = settings_of(data=str(folder), database_url=url, webhook_networks="127.0.0.0/8")
    async with build_services(settings) as container:
        good = [await _account(container, receiver + path) for path in GOOD]
        bad = [await _account(container, receiver + path) for path in BAD]
        await _emit(container, bad, TO_EACH_BAD)
        await _emit(container, good, events // len(good))
        accounts = [account for account, _, _ in good]
        found = await _work(container, folder, accounts, events // len(good))
        pipe.send("how many")
        taken = pipe.recv()
        bare_seconds, bare_spent = await _bare(receiver + "/ok", good[0][2], BODY, BARE)
    emitted = found.wanted + len(BAD) * TO_EACH_BAD
    delivered, attempts = len(found.waits), found.attempts
    p99 = quantiles(found.waits, n=100)[98]
    each = (found.worker / attempts * 1e6, found.database / attempts * 1e6)
    print(
        f"delivered to good endpoints  {delivered:,} of {found.wanted:,} in {found.seconds:.1f} s"
    )
    print(f"recorded and kept            {found.recorded:,} of {emitted:,}; {attempts:,} attempts")
    print(f"ids that the receiver took   {taken:,}")
    print(f"by the clock                 {delivered / found.seconds:,.0f}/s (aim {RATE_AIM:.0f})")
    print(f"by processor time, {CORES} cores   {found.by_processor:,.0f}/s (aim {RATE_AIM:.0f})")
    print(f"wait p50, p99                {median(found.waits):.2f} s, {p99:.2f} s")
    print(f"an attempt                   worker {each[0]:,.0f} us, database {each[1]:,.0f} us")
    print(
        f"a bare client's request      {bare_spent / BARE * 1e6:,.0f} us, {BARE / bare_seconds:,.0f}/s"
    )
    print(f"ratio to the bare client     {each[0] / (bare_spent / BARE * 1e6):.1f}")
    return delivered == found.wanted <= taken and found.recorded == emitted


def _give_keys(folder: Path) -> None:
    """Make the key file for calls to the bank, which the settings demand although this bench uses no bank."""
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    private = keys / "provider.key.pem"
    private.write_bytes(new_rsa_key())
    private.chmod(0o600)
    (keys / "bank.pub.pem").write_bytes(public_pem(read_rsa_key(private)))


def main() -> int:
    """Run the bench. Return 1 if anything was lost; slowness is no failure."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(theirs,))
    process.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        embedded = EmbeddedPostgres(folder)
        url = embedded.start()
        try:
            migrate(url)
            _give_keys(folder)
            is_whole = asyncio.run(_run(folder, url, ours.recv(), events, ours))
        finally:
            embedded.stop()
            ours.send("stop")
            process.join(10)
            process.kill()
    print("nothing lost" if is_whole else "LOST")
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
