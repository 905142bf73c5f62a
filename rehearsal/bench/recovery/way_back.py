"""Bench of the recovery of an instance whose worker was stopped while people paid: the time until everybody is served.

python -m bench.recovery --only way_back [--orders N] [--stampings N] [--seed N]

The worker is stopped, orders are paid and stampings interrupted, and the worker continues. Then `meterai recover start` and
`go` lead the recovery, and `meterai recover status` reports its steps. The rates are compared with peers in the same run:
the bare engine over the same documents, and the bare function that posts a payment.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.machine import Group, cpu_per_call, description, parts_of_instance
from bench.recovery import unserved
from bench.sealing.ours import Ours
from meterai import incidents
from meterai.apps.container import build_services
from meterai.incidents import IncidentChange, IncidentState, IncidentText
from meterai.kit.clock import SystemClock
from meterai.kit.components import Component, ComponentState
from meterai.plumbing.config import Settings
from meterai.room import Container
from tests.support.instance import Instance, until
from tests.support.pdf import pdf
from tests.support.shop import TESTER

ORDERS, STAMPINGS, SEED = 20_000, 5_000, 20240903
SECONDS_AIM = 300.0
WAIT_SECONDS_MAX = 1_800.0
PEER_SECONDS = 2.0
_LEFT = """
SELECT (SELECT count(*) FROM stampings WHERE state = 'reserved') AS stampings,
    (SELECT count(*) FROM jobs WHERE kind = 'payment_captured') AS captured,
    (SELECT count(*) FROM orders WHERE state = 'paid') AS orders,
    (SELECT count(*) FROM jobs) AS jobs,
    (SELECT count(*) FROM mails WHERE sent_at IS NULL) AS mails,
    (SELECT state FROM recoveries ORDER BY recovery_id DESC LIMIT 1) AS state
"""


@dataclass(slots=True)
class Measured:
    """Times of a recovery, in seconds from its beginning."""

    orders: int
    stampings: int
    stamped: float = 0.0
    served: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    seal_seconds: float = 0.0
    ended: float = 0.0

    def lines(self, cores: int) -> Iterator[str]:
        """Yield the tables."""
        yield "steps: " + ", ".join(f"{name} {at:.0f} s" for name, at in self.steps.items())
        peer = self.seal_seconds * self.stampings / cores
        yield (
            f"{self.stampings:,} stampings finished in {self.stamped:.0f} s,"
            f" {self.stampings / max(self.stamped, 1e-9):.0f} a second; the bare engine alone on {cores} cores:"
            f" {peer:.0f} s ({self.seal_seconds * 1e3:.1f} ms each), {self.stamped / peer:.1f} times"
            if self.stampings
            else "no stampings"
        )
        yield (
            f"{self.orders:,} orders executed in {self.served:.0f} s, {self.orders / max(self.served, 1e-9):.0f} a second"
        )
        told = ", ".join(f"{name} {spent:.0f}" for name, spent in self.cpu.items())
        yield f"processor seconds until both: {told}"
        late = "" if self.ended <= SECONDS_AIM else "  BEYOND ITS AIM"
        yield f"the way back took {self.ended:.0f} s, aim {SECONDS_AIM:.0f} s{late}"


def _fill(
    settings: Settings, orders: int, stampings: int, drawing: random.Random, worker: Group
) -> None:
    async def run(act: Callable[[Container], Awaitable[None]]) -> None:
        async with build_services(settings) as container:
            await act(container)

    async def execute() -> None:
        worker.go_on()
        url = settings.process.database_url
        await asyncio.to_thread(until, "executed", lambda: not _remaining(url)["jobs"], 300.0)
        worker.pause()

    async def fill(container: Container) -> None:
        if stampings:
            await unserved.interrupted(container, stampings, drawing, execute)
        await unserved.paid(container, orders, drawing)

    asyncio.run(run(fill))


def _remaining(url: str) -> dict[str, object]:
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        found = connection.execute(_LEFT.encode()).fetchone()
    assert found is not None
    return found


def _seal_seconds(folder: Path) -> float:
    """Return the processor seconds of one verified seal by the bare engine, for a document like the interrupted
    stampings have.
    """
    ours = Ours(folder, "p256")
    words = iter(range(10**6))
    return cpu_per_call(lambda: ours.deliver(pdf(words=f"{next(words):016x}")), PEER_SECONDS)


def _watch(instance: Instance, measured: Measured) -> None:
    url, parts = instance.settings.process.database_url, parts_of_instance()
    spent = {name: one.cpu() for name, one in parts.items()}
    began = time.monotonic()
    while True:
        found, now = _remaining(url), time.monotonic() - began
        state = str(found["state"])
        measured.steps.setdefault(state, now)
        if not found["stampings"] and not measured.stamped:
            measured.stamped = now
        if not found["captured"] and not found["orders"] and not measured.served:
            measured.served = now
        if measured.stamped and measured.served and not measured.cpu:
            measured.cpu = {name: one.cpu() - spent[name] for name, one in parts.items()}
        if state == "done":
            measured.ended = now
            return
        assert now < WAIT_SECONDS_MAX, f"not done after {now:.0f} s: {found}"
        time.sleep(1.0)


def _open_incident(settings: Settings) -> None:
    begun = IncidentChange(
        state=IncidentState.INVESTIGATING,
        components={Component.BUYING: ComponentState.MAJOR_OUTAGE},
    )
    told = IncidentText(
        title_id="Pembelian tidak berfungsi",
        title_en="Buying does not work",
        text_id="Kami sedang mencari sebabnya.",
        text_en="We are looking for the cause.",
    )

    async def run() -> None:
        now = SystemClock().now()
        async with build_services(settings) as container:
            await container.database.run(
                lambda tx: incidents.open_one(tx, begun, told, started_at=now, at=now, actor=TESTER)
            )

    asyncio.run(run())


def _run_command(instance: Instance, *words: str, status: int = 0) -> str:
    done = instance.command(*words)
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return str(done.stdout)


def measure(folder: Path, orders: int, stampings: int, seed: int) -> tuple[Measured, bool]:
    """Run an outage and its recovery. Return the times, and True if the books are right at the end."""
    measured, drawing = Measured(orders, stampings), random.Random(seed)
    (folder / "engine").mkdir()
    (folder / "instance").mkdir()
    measured.seal_seconds = _seal_seconds(folder / "engine")
    quiet = {"METERAI_LOG_LEVEL": "error", "METERAI_STAMPS_DUE_SECONDS": "3600"}
    with Instance(folder / "instance", **quiet) as instance:
        worker = parts_of_instance()["worker"]
        worker.pause()
        began = time.monotonic()
        _fill(instance.settings, orders, stampings, drawing, worker)
        print(
            f"made in {time.monotonic() - began:.0f} s with seed {seed}: {_remaining(instance.settings.process.database_url)}"
        )
        worker.go_on()
        _open_incident(instance.settings)
        _run_command(instance, "recover", "start")
        _run_command(instance, "recover", "go")
        _watch(instance, measured)
        audited = instance.command("audit")
        is_right = audited.returncode == 0
        print("meterai audit: every invariant holds" if is_right else audited.stdout[-2_000:])
    return measured, is_right


def main(given: Sequence[str]) -> int:
    """Measure, and fail only if the books are wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--orders", type=int, default=ORDERS)
    options.add_argument("--stampings", type=int, default=STAMPINGS)
    options.add_argument("--seed", type=int, default=SEED)
    chosen = options.parse_args(given)
    print(description())
    with tempfile.TemporaryDirectory(prefix="meterai-recovery-") as folder:
        measured, is_right = measure(Path(folder), chosen.orders, chosen.stampings, chosen.seed)
    print("\n".join(measured.lines(os.cpu_count() or 1)))
    return 0 if is_right else 1
