"""Bench of placing orders: over HTTP in two ways, and as the bare SQL statement."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import uvloop

from bench.limit import Pgbench, bound, script
from bench.machine import Group, cores, flush_seconds, parts_of_instance
from bench.peer import Peer
from meterai.accounts import AccountService
from meterai.apps.settings import load
from meterai.commands import database_of
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import SystemClock
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai_rehearsal.clients import api
from meterai_rehearsal.clients.load import Heard, Load
from meterai_rehearsal.clients.sites import site_of
from tests.support.instance import Instance

UNPAID_ORDERS_MAX = 1_000_000  # no order is paid here
CONNECTIONS = 32  # to the web; to the database as many as in its pool
QUANTITY = 3
STEADY_SHARE = 0.5  # share of the closed loop's rate at which latency is measured
SETTLE_SECONDS = 0.2  # until PostgreSQL has counted the ended sessions
CREATED = 201


@dataclass(frozen=True, slots=True)
class Size:
    """Amount of measurement: accounts, rounds and seconds."""

    accounts: int = 4000  # an account has a few unpaid orders, and one row lock
    rounds: int = 3
    seconds: int = 4  # of each measurement
    warm_up_seconds: float = 3


SHORT = Size(rounds=1, seconds=1, warm_up_seconds=1)  # a smoke test


@dataclass(slots=True)
class Round:
    """One measurement: the number of orders, and the processor seconds of each group."""

    orders: int
    seconds: float
    errors: int
    cpu: dict[str, float]
    p50: float = 0.0
    p99: float = 0.0

    def each(self, group: str) -> float:
        """Return the processor seconds of a group per order."""
        return self.cpu[group] / self.orders if self.orders else 0.0


@dataclass(slots=True)
class Way:
    """One way to place orders, with its measurements."""

    name: str
    server: str = "web"  # the group that answers HTTP; empty without HTTP
    rounds: list[Round] = field(default_factory=list)


class Bench:
    """A running instance whose processes are pinned and whose worker is stopped."""

    def __init__(self, instance: Instance, settings: Settings, accounts: int) -> None:
        self._sites = {"web": site_of(instance.url)}
        self._settings = settings
        self._accounts = accounts
        parts = parts_of_instance()
        web_cores, other_cores = cores()
        self.groups = {"web": parts["web"], "db": parts["postgres"], "bank": parts["standins"]}
        self._worker = parts["worker"]
        for name, group in self.groups.items():
            group.pin(web_cores if name == "web" else other_cores)
        self.groups["load"] = Group(psutil.Process(), with_children=False)  # this program
        self.groups["load"].pin(other_cores)
        self._keys: list[str] = []
        self._numbers = itertools.count()
        values = bound(settings, QUANTITY)
        self._pgbench = Pgbench(
            settings.process.database_url,
            script(accounts),
            values,
            settings.process.database_connections,
        )

    @contextmanager
    def beside_a_peer(self) -> Iterator[None]:
        """Run a bare route (`peer.py`) during the `with` block, on the core of the web."""
        peer = Peer(self._settings)
        with peer as group:
            group.pin(cores()[0])
            self.groups["peer"] = group
            self._sites["peer"] = replace(self._sites["web"], port=peer.port)
            yield

    @contextmanager
    def worker_waits(self) -> Iterator[None]:
        """Suspend the worker during the `with` block, so that only the cost of the web is measured."""
        self._worker.pause()
        try:
            yield
        finally:
            self._worker.go_on()

    async def open_accounts(self) -> None:
        """Make the accounts, each with an API key."""
        database = Database(self._settings.process.database_url, connections=2)
        await database.open()
        try:
            service = AccountService(database, b"", self._settings, SystemClock())
            actor = Actor(ActorKind.OPERATOR, "bench")
            for number in range(self._accounts):
                account = await service.create(f"buyer{number}@example.org", actor=actor)
                self._keys.append(await service.create_api_key(account, "bench", actor=actor))
        finally:
            await database.close()

    def _load(self, *, with_qr: bool, server: str = "web") -> Load:
        site = self._sites[server]
        requests = api.orders(site, self._keys, self._numbers, QUANTITY, with_qr=with_qr)
        return Load(site, requests, CONNECTIONS)

    def _cpu(self) -> dict[str, float]:
        return {name: group.cpu() for name, group in self.groups.items()}

    def _measured(self, load: Awaitable[Heard]) -> Round:
        before = self._cpu()
        heard = uvloop.run(_heard(load))
        after = self._cpu()
        return Round(
            heard.answered(CREATED),
            heard.seconds,
            heard.failed(CREATED),
            {name: after[name] - before[name] for name in after},
            heard.latency(0.50),
            heard.latency(0.99),
        )

    def closed(self, seconds: float, *, with_qr: bool, server: str = "web") -> Round:
        """Send orders as fast as the web or the peer answers (a closed loop)."""
        return self._measured(self._load(with_qr=with_qr, server=server).closed(seconds))

    def steady(self, seconds: float, rate: float, *, with_qr: bool) -> Round:
        """Send orders at a fixed rate (orders a second)."""
        return self._measured(self._load(with_qr=with_qr).steady(rate, seconds))

    def bare(self, seconds: int) -> Round:
        """Run the bare SQL statement for `seconds`."""
        before = self._cpu()
        done, rate, failed = self._pgbench.run(seconds)
        time.sleep(SETTLE_SECONDS)
        after = self._cpu()
        cpu = {name: after[name] - before[name] for name in after}
        return Round(done, done / rate, failed, cpu)

    def forget_bare(self) -> None:
        """Delete the orders of `bare`."""
        self._pgbench.forget(self._accounts)

    async def recorded(self) -> int:
        """Count the orders in the database."""
        database = Database(self._settings.process.database_url, connections=1)
        await database.open()
        try:
            row = await database.call("SELECT count(*) AS orders FROM orders")
        finally:
            await database.close()
        assert row is not None
        return int(row["orders"])


async def _heard(load: Awaitable[Heard]) -> Heard:
    return await load


@dataclass(slots=True)
class Placing:
    """All measurements of placing orders."""

    early: Way = field(default_factory=lambda: Way("recorded, QR later"))
    early_steady: Way = field(default_factory=lambda: Way("  the same at half rate"))
    complete: Way = field(default_factory=lambda: Way("answered with the QR"))
    complete_steady: Way = field(default_factory=lambda: Way("  the same at half rate"))
    peer: Way = field(default_factory=lambda: Way("recorded by a bare route", "peer"))
    bare: Way = field(default_factory=lambda: Way("the statement alone", ""))
    answered: int = 0
    recorded: int = 0
    flush: float = 0.0
    audit: str = ""
    audit_holds: bool = False

    @property
    def ways(self) -> list[Way]:
        """Every way, in the order of the table."""
        return [
            *(self.early, self.early_steady, self.complete, self.complete_steady),
            *(self.peer, self.bare),
        ]

    @property
    def errors(self) -> int:
        """Number of failures."""
        return sum(one.errors for way in self.ways for one in way.rounds)

    def make_rounds(self, bench: Bench, size: Size) -> None:
        """Warm up, then run all ways alternately, so that other work on the machine affects all of them."""
        warm_ups = [
            bench.closed(size.warm_up_seconds, with_qr=False),
            bench.closed(size.warm_up_seconds, with_qr=True),
            bench.closed(size.warm_up_seconds, with_qr=False, server="peer"),
            bench.bare(1),
        ]
        rates = [STEADY_SHARE * one.orders / one.seconds for one in warm_ups]
        for _ in range(size.rounds):
            self.bare.rounds.append(bench.bare(size.seconds))
            self.early.rounds.append(bench.closed(size.seconds, with_qr=False))
            self.peer.rounds.append(bench.closed(size.seconds, with_qr=False, server="peer"))
            self.complete.rounds.append(bench.closed(size.seconds, with_qr=True))
            self.early_steady.rounds.append(bench.steady(size.seconds, rates[0], with_qr=False))
            self.complete_steady.rounds.append(bench.steady(size.seconds, rates[1], with_qr=True))
        measured = [one for way in self.ways for one in way.rounds]
        self.answered = sum(one.orders for one in (*warm_ups, *measured))


def measure(folder: Path, size: Size) -> Placing:
    """Start an instance in `folder`, measure, audit, stop it."""
    found = Placing(flush=flush_seconds(folder))
    unpaid = str(UNPAID_ORDERS_MAX)
    with Instance(
        folder, METERAI_POLL_AFTER_SECONDS="600", METERAI_UNPAID_ORDERS_MAX=unpaid
    ) as instance:
        configured = load({"data": str(folder), "unpaid_orders_max": unpaid}).settings
        with database_of(configured) as settings:
            bench = Bench(instance, settings, size.accounts)
            asyncio.run(bench.open_accounts())
            with bench.worker_waits(), bench.beside_a_peer():
                found.make_rounds(bench, size)
                found.recorded = asyncio.run(bench.recorded())
                bench.forget_bare()
        done = instance.command("audit")
    found.audit = done.stdout + done.stderr
    found.audit_holds = done.returncode == 0
    return found
