"""Webhooks by one worker, with slow, dead and lying receivers among them: `python -m bench.distribution.webhooks [EVENTS]`.

Events are emitted as rooms emit them, each becomes a message by its job, and every message goes to a receiver in a
process of its own. Half of the endpoints answer well, the others do not. Reported are deliveries per second, waits, and
processor time, beside those of a peer: the same requests, signed, by a bare client without a database.
"""

import asyncio
import logging
import multiprocessing
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import aiohttp
import psutil
import structlog

from meterai import orders
from meterai.accounts import PERMISSIONS, AccountService
from meterai.accounts.model import Role
from meterai.apps.container import build_services
from meterai.apps.rooms import subscriptions_of
from meterai.apps.settings import settings_of
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id
from meterai.orders import OrderKind, OrderService
from meterai.plumbing.embedded import EmbeddedPostgres
from meterai.plumbing.jobs import Worker
from meterai.plumbing.keyring import new_rsa_key, public_pem, read_rsa_key
from meterai.plumbing.migrations import migrate
from meterai.room import Container
from meterai.webhooks.delivering import PLACES, WebhookDelivery
from meterai.webhooks.service import WebhookService, Wish
from meterai.webhooks.signing import headers
from standins.receiver import Receiver

EVENTS = 6_000  # to endpoints that answer well
RATE_MIN = 200.0  # deliveries per second
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


def _receive(pipe: Connection) -> None:
    async def run() -> None:
        receiver = Receiver(keeps=False)
        pipe.send(await receiver.serve())
        await asyncio.to_thread(pipe.recv)
        pipe.send(len(receiver.delivered))
        await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


async def _account(container: Container, url: str) -> tuple[UUID, UUID, str]:
    """An account with an order and an endpoint: both, and the secret."""
    account = await container.of(AccountService).create(f"{new_id().hex}@example.id", actor=ACTOR)
    terms = await container.of(OrderService).terms(account, "one", b"one", OrderKind.STAMPS, 1)
    async with container.database.transaction() as tx:
        order = await orders.place_documents(tx, terms)
    wish = Wish(url, ["order.lapsed"], "", PERMISSIONS[Role.OWNER])
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
    """Seconds, and processor seconds, of a client that does nothing else."""
    key, gate = b64decode(secret.removeprefix("whsec_")), asyncio.Semaphore(PLACES)
    begun, spent = time.monotonic(), time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> None:
            async with gate:
                given = headers([key], f"msg_{number}", datetime.now(UTC), body)
                async with session.post(url, data=body, headers=given) as answer:
                    await answer.read()

        await asyncio.gather(*map(one, range(times)))
    return time.monotonic() - begun, time.process_time() - spent


def _processor_of_database(folder: Path) -> float:
    """Seconds of a processor that the processes of the server have used, those alive."""
    server = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    spent = [one.cpu_times() for one in (server, *server.children())]
    return float(sum(one.user + one.system for one in spent))


async def _run(folder: Path, url: str, receiver: str, events: int, pipe: Connection) -> bool:
    settings = settings_of(data=str(folder), database_url=url, webhook_networks="127.0.0.0/8")
    async with build_services(settings) as container:
        good = [await _account(container, receiver + path) for path in GOOD]
        bad = [await _account(container, receiver + path) for path in BAD]
        await _emit(container, bad, TO_EACH_BAD)
        await _emit(container, good, events // len(good))
        delivery = container.of(WebhookDelivery)
        worker = Worker(
            container.database,
            subscriptions_of(),
            [],
            concurrency=settings.process.worker_concurrency,
            services=container.services(),
            lanes=[delivery.lane(), delivery.aside()],
        )
        rows = container.database.read
        accounts = [account for account, _, _ in good]
        wanted = events // len(good) * len(good)
        begun, spent = time.monotonic(), time.process_time()
        of_database = _processor_of_database(folder)
        working = asyncio.create_task(worker.run())
        left = wanted
        while left and time.monotonic() - begun < SECONDS_MAX:
            await asyncio.sleep(0.25)
            [row] = await rows(
                "SELECT count(*) AS done FROM webhook_messages WHERE account_id = ANY(%s)"
                " AND state = 'delivered'",
                accounts,
            )
            left = wanted - row["done"]
        seconds, spent = time.monotonic() - begun, time.process_time() - spent
        of_database = _processor_of_database(folder) - of_database
        worker.stop()
        await working
        found = await rows(
            "SELECT extract(epoch FROM m.delivered_at - m.made_at)::float8 AS waited"
            " FROM webhook_messages m WHERE account_id = ANY(%s) AND state = 'delivered'",
            accounts,
        )
        [counted] = await rows(
            "SELECT count(*) AS all, count(*) FILTER (WHERE state = 'delivered') AS delivered"
            " FROM webhook_messages"
        )
        [attempts] = await rows("SELECT count(*) AS attempts FROM webhook_attempts")
        pipe.send("how many")
        at_receiver = pipe.recv()
        bare_seconds, bare_spent = await _bare(receiver + "/ok", good[0][2], BODY, BARE)
        waits = [row["waited"] for row in found]
        all_of = wanted + len(BAD) * TO_EACH_BAD
        print(f"delivered to good endpoints   {len(waits):,} of {wanted:,} in {seconds:.1f} s")
        print(
            f"rate                          {len(waits) / seconds:,.0f}/s (at least {RATE_MIN:.0f})"
        )
        print(f"attempts in all               {attempts['attempts']:,}")
        print(f"recorded and kept             {counted['all']:,} of {all_of:,}")
        print(
            f"wait p50, p99                 {median(waits):.2f} s, {quantiles(waits, n=100)[98]:.2f} s"
        )
        print(
            f"processor, worker             {spent / attempts['attempts'] * 1e6:,.0f} us an attempt"
        )
        print(
            f"processor, database           {of_database / attempts['attempts'] * 1e6:,.0f} us an attempt"
        )
        print(f"processor, bare client        {bare_spent / BARE * 1e6:,.0f} us a request")
        print(f"rate, bare client             {BARE / bare_seconds:,.0f}/s")
        print(
            f"taken by the receiver         {at_receiver:,} ids, {counted['delivered']:,} written down"
        )
        return (
            not left
            and counted["all"] == all_of
            and at_receiver >= counted["delivered"]
            and len(waits) / seconds >= RATE_MIN
        )


def _give_keys(folder: Path) -> None:
    """A bank that nobody asks has a key all the same."""
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    private = keys / "provider.key.pem"
    private.write_bytes(new_rsa_key())
    private.chmod(0o600)
    (keys / "bank.pub.pem").write_bytes(public_pem(read_rsa_key(private)))


def main() -> int:
    """Run it; the status says whether the target was met and nothing was lost."""
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
            is_met = asyncio.run(_run(folder, url, ours.recv(), events, ours))
        finally:
            embedded.stop()
            ours.send("stop")
            process.join(10)
            process.kill()
    print("met" if is_met else "NOT met")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
