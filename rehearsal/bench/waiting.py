"""Bench of the waiting room: the cost of a place, the cost of a look at the line, and a hundred thousand people in line.

python -m bench.waiting [--short]

One web process runs on one core; everything else, including this program, runs on the other cores. Figures are
answers per core second: the number of answers divided by the web's processor time. In the same run they are
compared with the health check, which passes the whole application, and a place also with making its ticket
alone.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import psutil
import uvloop

from bench.machine import Group, cores, cpu_per_call, description, parts_of_instance
from meterai.kit.ids import new_id
from meterai.waiting_room.estimate import look_again
from meterai.waiting_room.tokens import LineTokens, Ticket
from meterai_rehearsal.clients.connection import request
from meterai_rehearsal.clients.load import Heard, Load
from meterai_rehearsal.clients.sites import site_of
from tests.support.instance import Instance

PEOPLE = 100_000
RATE = 100  # people let in, a second
PLACES_AIM, LOOKS_AIM = 15_000, 20_000  # a second and core
SHARE_AIM, MEMORY_AIM = 0.15, 300e6  # of one core, bytes
CONNECTIONS = 64
GROUPS = ("web", "worker", "postgres")


@dataclass(frozen=True)
class Size:
    """Duration of the measurement, and the number of waiting people."""

    seconds: int = 5
    waiting_seconds: int = 20
    people: int = PEOPLE


SHORT = Size(1, 2, 2_000)


@dataclass(frozen=True)
class Cost:
    """Number of answers, and the processor time of the web."""

    heard: Heard
    cpu: float

    @property
    def per_core(self) -> float:
        """Return the answers a second for which one whole core of the web suffices."""
        return self.heard.answered(200) / self.cpu if self.cpu else 0.0


class Crowd:
    """A running instance with a line, and people who wait in it."""

    def __init__(self, instance: Instance) -> None:
        self._site = site_of(instance.url)
        self.parts = parts_of_instance()
        web_cores, other_cores = cores()
        for name, part in self.parts.items():
            part.pin(web_cores if name == "web" else other_cores)
        Group(psutil.Process(), with_children=False).pin(other_cores)

    def load(self, method: str, path: str, connections: int = CONNECTIONS) -> Load:
        """Return a load in which everybody sends the same request."""
        return Load(self._site, repeat(request(self._site, method, path, {})), connections)

    async def closed(self, method: str, path: str, seconds: float) -> Cost:
        """Send requests as fast as they are answered."""
        web, before = self.parts["web"], self.parts["web"].cpu()
        heard = await self.load(method, path).closed(seconds)
        return Cost(heard, web.cpu() - before)

    async def fill(self, people: int) -> None:
        """Let at least `people` people take a place in the line."""
        taken = 0
        while taken < people:
            heard = await self.load("POST", "/lines/buying/place").steady(8_000, 2.5)
            taken += heard.answered(200)

    async def waiting(self, people: int, seconds: float) -> tuple[Heard, dict[str, float], float]:
        """Send the requests that the pages of `people` waiting people send. Return the answers, the share of
        one core that each group of processes uses, and the looks a second.
        """
        looks = sum(1 / look_again(ahead, RATE, 0.5) for ahead in range(people))
        before = {name: self.parts[name].cpu() for name in GROUPS}
        load = self.load("GET", "/lines/buying/now-serving.json", 200)
        heard = await load.steady(looks, seconds)
        spent = {name: self.parts[name].cpu() - before[name] for name in GROUPS}
        return heard, {name: cpu / heard.seconds for name, cpu in spent.items()}, looks


def _memory(crowd: Crowd) -> int:
    """Return the bytes of the web and the worker; shared memory is counted once (PSS)."""
    groups = (crowd.parts["web"], crowd.parts["worker"])
    return sum(one.memory_full_info().pss for group in groups for one in group._all())


def lines(crowd: Crowd, size: Size) -> Iterator[str]:
    """Measure, line by line."""
    tokens = LineTokens(b"k" * 32)
    ticket = Ticket(new_id(), 1, b"h" * 16, 1, 1, 2)
    seal = cpu_per_call(lambda: tokens.ticket(ticket), 0.2)
    health = uvloop.run(crowd.closed("GET", "/healthz", size.seconds))
    places = uvloop.run(crowd.closed("POST", "/lines/buying/place", size.seconds))
    looks = uvloop.run(crowd.closed("GET", "/lines/buying/now-serving.json", size.seconds))
    pages = uvloop.run(crowd.closed("GET", "/lines/buying", size.seconds))
    yield f"the application's health check: {health.per_core:,.0f}/s per core"
    yield (
        f"places: {places.per_core:,.0f}/s per core, ratio {places.per_core / PLACES_AIM:.2f} to the aim, "
        f"{places.per_core / health.per_core:.1f} to the health check; its seal alone is "
        f"{seal * places.per_core:.0%} of it; {places.heard.failed(200)} not given"
    )
    yield (
        f"looks at now-serving: {looks.per_core:,.0f}/s per core, "
        f"ratio {looks.per_core / LOOKS_AIM:.2f} to the aim"
    )
    yield f"whole waiting pages (no JavaScript): {pages.per_core:,.0f}/s per core"
    uvloop.run(crowd.fill(size.people))
    heard, shares, asked = uvloop.run(crowd.waiting(size.people, size.waiting_seconds))
    yield (
        f"{size.people:,} people in line, {RATE} let in a second: {asked:,.0f} looks/s take "
        f"{sum(shares.values()):.0%} of one core (aim {SHARE_AIM:.0%}; "
        + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        + f"), p99 {heard.latency(0.99) * 1e3:.0f} ms, {heard.failed(200)} not answered; "
        f"memory {_memory(crowd) / 1e6:.0f} MB (aim {MEMORY_AIM / 1e6:.0f})"
    )


def measure(folder: Path, size: Size) -> Iterator[str]:
    """Start an instance in `folder`, let a crowd wait, audit, stop it."""
    with Instance(
        folder, METERAI_WORKERS="1", METERAI_WAITING_ROOM_NETWORK_PLACES="1000000000"
    ) as instance:
        for words in (("rate", "buying", "--rate", str(RATE)), ("stand", "buying", "always")):
            done = instance.command("line", *words)
            assert done.returncode == 0, done.stderr
        yield from lines(Crowd(instance), size)
        is_clean = instance.command("audit").returncode == 0
        yield "every invariant holds" if is_clean else "FAULT: the audit failed"


def main() -> int:
    """Print everything. Return 1 for a broken audit."""
    parser = argparse.ArgumentParser(prog="python -m bench.waiting")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    size = SHORT if parser.parse_args().short else Size()
    print(f"meterai bench.waiting: {description()}", flush=True)
    is_wrong = False
    with tempfile.TemporaryDirectory(prefix="meterai-waiting-") as folder:
        for line in measure(Path(folder), size):
            print(line, flush=True)
            is_wrong = is_wrong or line.startswith("FAULT")
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
