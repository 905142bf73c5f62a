"""Bench of stamping over HTTP: the cost of a document of 270 KB for the web, compared with its cost for the engine.

Promises
  * Every request sends a new document, so that no result of an earlier request is reused.
  * Web and engine alternate in one run; processor time is compared, for the web process all of it: the kernel's part, every
    thread, the native libraries.
  * The engine does the necessary work of the web: it hashes, inspects and seals the document.
"""

import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import uvloop

from bench.machine import cores, cpu_per_call, parts_of_instance
from bench.sealing.documents import generated
from bench.sealing.ours import PLACEMENT, Ours
from meterai import sealing
from meterai.plumbing.objects import ObjectStore
from meterai_rehearsal.clients import api
from meterai_rehearsal.clients.load import Heard, Load
from meterai_rehearsal.clients.sites import site_of
from tests.support.instance import Client, Instance, until

DOCUMENT_BYTES = 270_000
PAGES = 12
CONNECTIONS = 16
ACCOUNTS = 4  # an account is one row lock
STAMPS = 1_000  # in one order: the most that QRIS can pay at once
ORDERS = 3  # of each account; their stamps are more than one run can use
SETTLE_SECONDS = 0.2
CREATED = 201
RATIO_AIM = 2.0
_ID_LETTERS = 32  # of the identifier in the trailer, which makes each document unique


@dataclass(frozen=True, slots=True)
class Size:
    """Amount of measurement."""

    rounds: int = 3
    seconds: float = 3  # over HTTP, each round
    engine_seconds: float = 1.0  # of processor time, each round
    warm_up_seconds: float = 2


SHORT = Size(rounds=1, seconds=1, engine_seconds=0.2, warm_up_seconds=1)  # only a smoke test


@dataclass(slots=True)
class Stampings:
    """Processor seconds of one stamping (a figure for each round), and errors."""

    bytes: int
    web: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)
    seal: list[float] = field(default_factory=list)
    keep: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    done: int = 0
    errors: int = 0

    @property
    def ratio(self) -> float:
        """Ratio of the web's processor time to the engine's (medians)."""
        return median(self.web) / median(self.engine)

    def lines(self) -> Iterator[str]:
        """Yield the rows of the table."""
        web, engine, alone, keep = (
            median(one) * 1e3 for one in (self.web, self.engine, self.seal, self.keep)
        )
        yield f"POST /v1/stampings, one document of {self.bytes / 1000:.0f} KB, processor time"
        yield (
            f"  web {web:.2f} ms ({min(self.web) * 1e3:.2f}-{max(self.web) * 1e3:.2f})   engine: "
            f"hash, take in, seal {engine:.2f} ms   ratio {self.ratio:.1f}  "
            f"(aim: {RATIO_AIM:.0f} or less; by hash and seal alone, {alone:.2f} ms: "
            f"{web / alone:.1f})"
        )
        yield f"  of the web's, keeping the original in a durable file: {keep:.2f} ms when alone"
        yield (
            f"  {self.done:,} stamped, {CONNECTIONS} at a time, each answered after "
            f"{median(self.p50) * 1e3:.1f} ms (median)"
        )


class _Documents:
    """Endless documents, equal except for the identifier in their trailer."""

    def __init__(self) -> None:
        self.example = generated(pages=PAGES, size=DOCUMENT_BYTES, is_packed=False)
        begin = self.example.rindex(b"/ID")
        begin = self.example.index(b"<", begin) + 1
        self._head, self._tail = self.example[:begin], self.example[begin + _ID_LETTERS :]
        self._numbers = itertools.count(time.time_ns())

    def next(self) -> bytes:
        """Return a new document."""
        return b"%b%0*x%b" % (self._head, _ID_LETTERS, next(self._numbers), self._tail)


class Bench:
    """A running instance, customers with stamps, and an issuer like the instance's own."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self._instance = instance
        self._numbers = itertools.count()
        self.documents = _Documents()
        self._ours = Ours(folder / "issuer-of-bench", "p256")
        self._objects = ObjectStore(folder / "objects-of-bench", secrets.token_bytes(32))
        parts = parts_of_instance()
        web_cores, other_cores = cores()
        self._web = parts["web"]
        for name, group in parts.items():
            group.pin(web_cores if name == "web" else other_cores)
        self._worker = parts["worker"]
        self._keys = [self._customer() for _ in range(ACCOUNTS)]
        self._worker.pause()

    def close(self) -> None:
        """Let the worker continue."""
        self._worker.go_on()

    def _customer(self) -> str:
        customer: Client = self._instance.customer()
        for _ in range(ORDERS):
            order = customer.place(STAMPS)
            self._instance.bank.pay(order["payment"]["qr_content"])
        until("stamps are issued", lambda: customer.balance()["available"] == ORDERS * STAMPS)
        assert customer.key
        return customer.key

    def web(self, seconds: float) -> tuple[Heard, float]:
        """Stamp for some seconds. Return the answers, and the processor seconds of the web."""
        site = site_of(self._instance.url)
        requests = (
            api.stamping(site, key, next(self._numbers), self.documents.next())
            for key in itertools.cycle(self._keys)
        )
        load = Load(site, requests, CONNECTIONS)
        before = self._web.cpu()
        heard = uvloop.run(_heard(load, seconds))
        time.sleep(SETTLE_SECONDS)
        return heard, self._web.cpu() - before

    def engine(self, seconds: float) -> float:
        """Return processor seconds of the engine for one document."""

        def stamp() -> None:
            document = self.documents.next()
            hashed = sealing.HashedDocument.of(document)
            prepared = sealing.ingest(document, (PLACEMENT,))
            self._ours.deliver(prepared, hashed)

        making = cpu_per_call(self.documents.next, seconds / 10)
        return cpu_per_call(stamp, seconds) - making

    def keep(self, seconds: float) -> float:
        """Return processor seconds of encrypting a document and writing it to the disk of the instance."""
        names = (secrets.token_hex(32) for _ in itertools.count())
        document = self.documents.example
        return cpu_per_call(
            lambda: self._objects.put_from_thread(next(names), document), seconds / 2
        )

    def seal(self, seconds: float) -> float:
        """Return processor seconds of the engine for one document without its inspection."""
        return cpu_per_call(lambda: self._ours.deliver(self.documents.example), seconds)


async def _heard(load: Load, seconds: float) -> Heard:
    return await load.closed(seconds)


def measure(folder: Path, size: Size) -> Stampings:
    """Start an instance in `folder`, measure, stop it."""
    with Instance(folder, METERAI_POLL_AFTER_SECONDS="600") as instance:
        bench = Bench(instance, folder)
        try:
            found = Stampings(len(bench.documents.example))
            bench.web(size.warm_up_seconds)
            for _ in range(size.rounds):
                found.engine.append(bench.engine(size.engine_seconds))
                found.seal.append(bench.seal(size.engine_seconds))
                found.keep.append(bench.keep(size.engine_seconds))
                heard, spent = bench.web(size.seconds)
                found.done += heard.answered(CREATED)
                found.errors += heard.failed(CREATED)
                found.web.append(spent / max(heard.answered(CREATED), 1))
                found.p50.append(heard.latency(0.5))
        finally:
            bench.close()
    return found
