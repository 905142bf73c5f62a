"""Bench of a journey from upload to stamped document: processor time of every process except the bank's.

python -m bench.journey_cost [--short]

A journey by API orders a document, pays and downloads it. A journey by browser is the journey of a rehearsal's visitor:
every page, script request and picture from the front page on, and signing in by mail. The processes are the web with its
tasks, the worker and PostgreSQL.
"""

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from bench.machine import Group, description, parts_of_instance
from meterai_rehearsal.clients import api
from meterai_rehearsal.clients.connection import Connection, Network, Traffic, exchange
from meterai_rehearsal.clients.sites import site_of
from meterai_rehearsal.rehearsal.documents import document
from meterai_rehearsal.rehearsal.journeys import JOURNEYS
from meterai_rehearsal.rehearsal.plan import Bounds, Device, JourneyName
from meterai_rehearsal.rehearsal.tally import Tally
from meterai_rehearsal.rehearsal.visitor import Visitor, World
from tests.support.instance import Instance

SEED = 1
AT_ONCE = 8  # enough that the use of idle processes is negligible
JOURNEYS_EACH = 80
DOCUMENT_BYTES = 270_000
AIMS_MS = {"API": 30.0, "browser": 100.0}
ASKED_EVERY_SECONDS = 0.3  # interval at which a program polls its order
CREATED = 201
PARTS = ("web", "worker", "postgres")


class Costs:
    """Processor seconds of the parts of an instance while something happens."""

    def __init__(self) -> None:
        self._parts: dict[str, Group] = parts_of_instance()

    def of(self, act: Callable[[int], None], journeys: int) -> dict[str, float]:
        """Run a number of journeys. Return the processor milliseconds that each part spends for one journey."""
        before = self._seconds()
        act(journeys)
        after = self._seconds()
        return {part: (after[part] - before[part]) / journeys * 1e3 for part in PARTS}

    def _seconds(self) -> dict[str, float]:
        return {part: self._parts[part].cpu() for part in PARTS}


def by_api(instance: Instance, seed: int) -> Callable[[int], None]:
    """Return the journey of customers with a key: each orders a stamp, stamps a document and downloads the file."""
    drawing, numbers = random.Random(seed), itertools.count()
    site, bank = site_of(instance.url), site_of(instance.bank.url)
    keys = [instance.customer().key or "" for _ in range(AT_ONCE)]

    async def visit(key: str, several: range) -> None:
        orders = api.orders(site, [key], numbers, with_qr=True)
        ours = await Connection.open(site, Network(), Traffic())
        for _ in several:
            order = await _ask_json(ours, next(orders), CREATED)
            path = f"/v1/orders/{order['id']}"
            while not order["payment"]["qr_content"]:
                await asyncio.sleep(ASKED_EVERY_SECONDS)
                order = await _ask_json(ours, api.get(site, path, key))
            await exchange(bank, api.pay(bank, order["payment"]["qr_content"]), Traffic(), 60)
            while order["state"] != "executed":
                await asyncio.sleep(ASKED_EVERY_SECONDS)
                order = await _ask_json(ours, api.get(site, path, key))
            original = document(drawing, DOCUMENT_BYTES)
            sent = api.stamping(site, key, next(numbers), original)
            made = await _ask_json(ours, sent, CREATED)
            stamped = await ours.ask(api.get(site, made["document_url"], key))
            assert stamped.body.startswith(original)
        ours.close()

    async def visit_all(journeys: int) -> None:
        shares = (range(one, journeys, AT_ONCE) for one in range(AT_ONCE))
        await asyncio.gather(*map(visit, keys, shares))

    return lambda journeys: asyncio.run(visit_all(journeys))


async def _ask_json(connection: Connection, request: bytes, status: int = 200) -> Any:
    answer = await connection.ask(request)
    assert answer.status == status, answer
    return msgspec.json.decode(answer.body)


def by_browser(instance: Instance, seed: int) -> Callable[[int], None]:
    """Return the journey of visitors who act like the visitors of a rehearsal, but without pauses; each has a
    new address.
    """
    numbers = itertools.count()

    def act(journeys: int) -> None:
        asyncio.run(_visits(instance, seed, list(itertools.islice(numbers, journeys))))

    return act


async def _visits(instance: Instance, seed: int, numbers: Sequence[int]) -> None:
    world = World(
        site_of(instance.url),
        Bounds(seconds_max=600.0),
        Tally(),
        monotonic(),
        lambda drawing: document(drawing, DOCUMENT_BYTES),
        site_of(instance.bank.url),
        site_of(instance.mail),
    )
    turns = asyncio.Semaphore(AT_ONCE)

    async def visit(number: int) -> None:
        drawing = random.Random(f"{seed}-{number}")
        async with turns:
            tally = world.tally.journey(JourneyName.BUY.value)
            visitor = Visitor(world, tally, Device(name="phone"), drawing, world.now())
            try:
                await JOURNEYS[JourneyName.BUY](visitor)
            finally:
                visitor.leave()

    await asyncio.gather(*(visit(number) for number in numbers))


def rows(instance: Instance, journeys: int) -> Iterator[str]:
    """Yield the table; each kind of journey is warmed up by a tenth of its journeys."""
    costs = Costs()
    kinds: dict[str, Callable[[int], None]] = {
        "API": by_api(instance, SEED),
        "browser": by_browser(instance, SEED),
    }
    for name, act in kinds.items():
        act(max(AT_ONCE, journeys // 10))
        found = costs.of(act, journeys)
        parts = ", ".join(f"{part} {found[part]:.1f}" for part in PARTS)
        yield (
            f"a journey by {name}: {sum(found.values()):.1f} ms of a processor ({parts}); "
            f"aim: {AIMS_MS[name]:.0f} or less"
        )


def main() -> int:
    """Print everything; a broken audit raises."""
    parser = argparse.ArgumentParser(prog="python -m bench.journey_cost")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    journeys = AT_ONCE if parser.parse_args().short else JOURNEYS_EACH
    print(f"meterai bench: {description()}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder,
        Instance(Path(folder)) as instance,
    ):
        for line in rows(instance, journeys):
            print(line, flush=True)
        instance.assert_audit_holds()
    print("every invariant holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
