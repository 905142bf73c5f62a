"""Overload a running instance and measure who is still served.

python -m bench.rush [--short] [--posting]

One web process runs on one core; everything else, including this program, runs on the other cores. The front
page is requested many times as often as it can be shown, while a client who has paid reads an order and another
places orders, each at a steady rate. Latencies count from the moment at which a request was due. Each figure is
printed beside the figure of the unloaded instance; slowness is no failure.

With --posting the crowd posts PDFs to be checked instead, over 2,000 connections, each of which sends again after an
answer, and a client who has paid also has documents stamped.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count, repeat
from pathlib import Path

import psutil
import uvloop

from bench.machine import Group, cores, description, parts_of_instance
from bench.sealing.documents import generated
from meterai_rehearsal.clients import api
from meterai_rehearsal.clients.connection import request
from meterai_rehearsal.clients.load import Heard, Load
from meterai_rehearsal.clients.sites import Site, site_of
from tests.support.instance import Client, Instance, until

FACTOR = 20  # multiple of the visitors that can be served
PAID_RATE = 20.0  # requests a second of a client who has paid
CHECKOUT_RATE = 10.0  # orders a second
STAMPING_RATE = 2.0  # documents a second of a client who has paid
CROWD_CONNECTIONS = 1_000
POSTING_CONNECTIONS = 2_000
POSTED_BYTES = 50_000  # approximate size of a posted PDF
NORMAL_FACTOR = 2.0  # a page has its normal latency within this multiple of the unloaded median
LOOK_SECONDS = 0.05
RECOVERY_SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Size:
    """Duration of the measurement."""

    quiet_seconds: int = 5
    rush_seconds: int = 20
    factor: int = FACTOR


SHORT = Size(quiet_seconds=1, rush_seconds=2, factor=5)


def _crowd(site: Site, connections: int) -> Load:
    return Load(site, repeat(request(site, "GET", "/", {"Accept": "text/html"})), connections)


def _crowd_apart(site: Site, rate: float, seconds: float) -> Heard:
    os.nice(5)  # a real crowd has its own machines; here it must not delay the servers
    return uvloop.run(_crowd(site, CROWD_CONNECTIONS).steady(rate, seconds))


def _posted(site: Site, document: bytes, connections: int) -> Load:
    return Load(site, repeat(api.check(site, document)), connections)


def _posting_apart(site: Site, document: bytes, seconds: float) -> Heard:
    os.nice(5)
    return uvloop.run(_posted(site, document, POSTING_CONNECTIONS).closed(seconds))


class Rush:
    """A running instance, one account with a paid order, and the loads on it."""

    def __init__(self, instance: Instance) -> None:
        self._site = site_of(instance.url)
        self._customer: Client = instance.customer()
        assert self._customer.key
        self._key = self._customer.key
        order = self._customer.place()
        instance.bank.pay(order["payment"]["qr_content"])
        self._order = order["id"]
        self._numbers = count()
        parts = parts_of_instance()
        web_cores, other_cores = cores()
        self.web = parts["web"]
        for name, part in parts.items():
            part.pin(web_cores if name == "web" else other_cores)
        Group(psutil.Process(), with_children=False).pin(other_cores)

    def sealed(self) -> bytes:
        """Return a stamped document of the customer, which strangers then post to be checked."""
        made = self._customer.stamp(generated(pages=1, size=POSTED_BYTES, is_packed=True)).json
        return self._customer.get(made["document_url"]).body

    async def posting_apart(self, document: bytes, seconds: float) -> Heard:
        """Post a document to be checked, repeatedly, from a separate process."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            asked = (self._site, document, seconds)
            return await asyncio.get_running_loop().run_in_executor(apart, _posting_apart, *asked)

    def posted(self, document: bytes, connections: int) -> Load:
        """Return a load of this process that posts the document over a few connections."""
        return _posted(self._site, document, connections)

    def stamping(self) -> Load:
        """Return a load that stamps documents for a client who has paid."""
        document = generated(pages=1, size=POSTED_BYTES, is_packed=True)
        requests = (
            # A comment after the end makes each document unique.
            api.stamping(self._site, self._key, number, document + b"%%%d\n" % number)
            for number in self._numbers
        )
        return Load(self._site, requests, 4)

    def buy_stamps(self, instance: Instance, quantity: int) -> None:
        """Buy and pay, and wait for the stamps."""
        order = self._customer.place(quantity)
        instance.bank.pay(order["payment"]["qr_content"])
        until("the stamps are there", lambda: self._customer.balance()["available"] >= quantity)

    def crowd(self, connections: int = CROWD_CONNECTIONS) -> Load:
        """Return a load that requests the front page as strangers do."""
        return _crowd(self._site, connections)

    async def crowd_apart(self, rate: float, seconds: float) -> Heard:
        """Run the load of `crowd` in a separate process, so that it does not disturb the measurement in this process."""
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            asked = (self._site, rate, seconds)
            return await asyncio.get_running_loop().run_in_executor(apart, _crowd_apart, *asked)

    def paid(self) -> Load:
        """Return a load that reads a paid order."""
        request = api.get(self._site, f"/v1/orders/{self._order}", self._key)
        return Load(self._site, repeat(request), 8)

    def checkout(self) -> Load:
        """Return a load that places orders."""
        requests = api.orders(self._site, [self._key], self._numbers, with_qr=False)
        return Load(self._site, requests, 8)

    async def recovery(self, normal: float) -> float:
        """Return the seconds until the front page has its normal latency again, ten times in a row."""
        begun, in_a_row = time.perf_counter(), 0
        while time.perf_counter() - begun < RECOVERY_SECONDS_MAX:
            heard = await self.crowd(1).steady(1 / LOOK_SECONDS, LOOK_SECONDS)
            is_normal = heard.answered(200) and heard.latency(0.5) < NORMAL_FACTOR * normal
            in_a_row = in_a_row + 1 if is_normal else 0
            if in_a_row == 10:
                return time.perf_counter() - begun
        return RECOVERY_SECONDS_MAX


Measured = tuple[Heard, Heard, Heard, Heard, Heard, Heard]


@dataclass
class Found:
    """Answers of the unloaded and of the overloaded instance."""

    capacity: Heard
    crowd: Heard
    paid_quiet: Heard
    paid: Heard
    checkout_quiet: Heard
    checkout: Heard
    recovery: float
    memory: int  # bytes of the web at the end
    audit_holds: bool

    def lines(self, size: Size) -> Iterator[str]:
        """Yield the table."""
        able = self.capacity.answered(200) / self.capacity.seconds
        served = self.crowd.answered(200) / self.crowd.seconds
        offered = sum(self.crowd.statuses.values()) / self.crowd.seconds
        yield f"front page, as fast as it goes: {able:,.0f}/s"
        yield (
            f"  asked {size.factor}x of it ({offered:,.0f}/s answered): {served:,.0f}/s shown, "
            f"ratio {served / able:.2f} (aim 0.90); the others: {self._others()}"
        )
        for name, quiet, now, status in (
            ("a paid order", self.paid_quiet, self.paid, 200),
            ("an order is placed", self.checkout_quiet, self.checkout, 201),
        ):
            ratio = now.latency(0.99) / (quiet.latency(0.99) or 1)
            yield (
                f"{name}: p50 {now.latency(0.5) * 1e3:.0f} ms, p99 {now.latency(0.99) * 1e3:.0f} ms; "
                f"unloaded {quiet.latency(0.5) * 1e3:.0f} and {quiet.latency(0.99) * 1e3:.0f} ms: "
                f"p99 ratio {ratio:.1f} (aim 2); {now.answered(status)} served, "
                f"{now.failed(status)} not"
            )
        yield f"normal again after {self.recovery:.1f} s (aim 10); web {self.memory / 1e6:.0f} MB"

    def _others(self) -> str:
        statuses = {f"{one}": n for one, n in self.crowd.statuses.items() if one != 200}
        return ", ".join(f"{n:,} {one}" for one, n in (statuses | self.crowd.errors).items())

    def faults(self) -> Iterator[str]:
        """Yield errors, without regard to time."""
        for heard in (self.crowd, self.paid, self.checkout):
            for status, number in heard.statuses.items():
                if status >= 500 and status != 503:
                    yield f"{number} answers of {status}"
        if not self.audit_holds:
            yield "the audit failed"


async def _measured(rush: Rush, size: Size) -> Measured:
    capacity = await rush.crowd(16).closed(size.quiet_seconds)
    paid_quiet, checkout_quiet = await asyncio.gather(
        rush.paid().steady(PAID_RATE, size.quiet_seconds),
        rush.checkout().steady(CHECKOUT_RATE, size.quiet_seconds),
    )
    rate = size.factor * capacity.answered(200) / capacity.seconds
    crowd, paid, checkout = await asyncio.gather(
        rush.crowd_apart(rate, size.rush_seconds),
        rush.paid().steady(PAID_RATE, size.rush_seconds),
        rush.checkout().steady(CHECKOUT_RATE, size.rush_seconds),
    )
    return capacity, crowd, paid_quiet, paid, checkout_quiet, checkout


class Memory:
    """Peak memory of the web and its document processes, sampled often."""

    def __init__(self, web: Group) -> None:
        self._web = web
        self.most = 0
        self.processes = 0

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            found = [one.memory_info().rss for one in self._web._all() if one.is_running()]
            self.most = max(self.most, sum(found))
            self.processes = max(self.processes, len(found))
            await asyncio.sleep(0.2)


async def _measured_posting(
    rush: Rush, size: Size
) -> tuple[dict[str, tuple[Heard, Heard]], Memory]:
    document = rush.sealed()
    seconds = size.quiet_seconds

    async def load_paid(seconds: float) -> tuple[Heard, Heard, Heard]:
        return await asyncio.gather(
            rush.paid().steady(PAID_RATE, seconds),
            rush.checkout().steady(CHECKOUT_RATE, seconds),
            rush.stamping().steady(STAMPING_RATE, seconds),
        )

    checked = await rush.posted(document, 8).closed(seconds)
    quiet = await load_paid(seconds)
    memory = Memory(rush.web)
    watching = asyncio.create_task(memory.watch())
    crowd, now = await asyncio.gather(
        rush.posting_apart(document, size.rush_seconds), load_paid(size.rush_seconds)
    )
    watching.cancel()
    names = ("a document is checked", *(name for name, _ in OF_THE_PAID))
    return dict(zip(names, zip([checked, *quiet], [crowd, *now], strict=True), strict=True)), memory


OF_THE_PAID = (("a paid order", 200), ("an order is placed", 201), ("a document is stamped", 201))


def posting(folder: Path, size: Size) -> Iterator[str]:
    """Yield lines about an instance to which strangers post PDFs; errors come last."""
    with Instance(folder, METERAI_UNPAID_ORDERS_MAX="100000", METERAI_WORKERS="1") as instance:
        rush = Rush(instance)
        rush.buy_stamps(instance, 500)
        found, memory = uvloop.run(_measured_posting(rush, size))
        audit = instance.command("audit")
    able, crowd = found.pop("a document is checked")
    checked, can_be = crowd.answered(200) / crowd.seconds, able.answered(200) / able.seconds
    others = {f"{one}": n for one, n in crowd.statuses.items() if one != 200} | crowd.errors
    told = ", ".join(f"{n:,} {one}" for one, n in others.items())
    yield f"checked, by 8 connections: {can_be:,.0f}/s"
    yield f"  by {POSTING_CONNECTIONS:,}: {checked:,.0f}/s, ratio {checked / can_be:.2f}; others: {told}"
    for (name, status), (quiet, now) in zip(OF_THE_PAID, found.values(), strict=True):
        ratio = now.latency(0.99) / (quiet.latency(0.99) or 1)
        yield (
            f"{name}: p50 {now.latency(0.5) * 1e3:.0f} ms, p99 {now.latency(0.99) * 1e3:.0f} ms; "
            f"unloaded {quiet.latency(0.5) * 1e3:.0f} and {quiet.latency(0.99) * 1e3:.0f} ms: "
            f"p99 ratio {ratio:.1f} (aim 2); {now.answered(status)} served, {now.failed(status)} not"
        )
    yield f"web and its processes: {memory.most / 1e6:.0f} MB at most, {memory.processes} processes"
    wrong = sum(n for one, n in crowd.statuses.items() if one >= 500 and one != 503)
    yield "no error page; every invariant holds" if not wrong and not audit.returncode else "WRONG"


def measure(folder: Path, size: Size) -> Found:
    """Start an instance in `folder`, overload it, audit, stop it."""
    with Instance(folder, METERAI_UNPAID_ORDERS_MAX="100000", METERAI_WORKERS="1") as instance:
        rush = Rush(instance)
        heard = uvloop.run(_measured(rush, size))
        recovery = uvloop.run(rush.recovery(heard[0].latency(0.5)))
        memory = sum(one.memory_info().rss for one in rush.web._all())
        audit = instance.command("audit")
    return Found(*heard, recovery, memory, audit.returncode == 0)


def main() -> int:
    """Print everything. Return 1 for an error page or a broken audit."""
    parser = argparse.ArgumentParser(prog="python -m bench.rush")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    parser.add_argument("--posting", action="store_true", help="a crowd that posts PDFs")
    given = parser.parse_args()
    size = SHORT if given.short else Size()
    print(f"meterai bench.rush: {description()}", flush=True)
    if given.posting:
        with tempfile.TemporaryDirectory(prefix="meterai-posting-") as folder:
            lines = list(posting(Path(folder), size))
        print("\n".join(lines))
        return 1 if lines[-1] == "WRONG" else 0
    with tempfile.TemporaryDirectory(prefix="meterai-rush-") as folder:
        found = measure(Path(folder), size)
    for line in found.lines(size):
        print(line)
    faults = list(found.faults())
    for line in faults or ["no error page; every invariant holds"]:
        print(line)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
