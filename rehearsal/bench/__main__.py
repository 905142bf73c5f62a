"""Measure, print the table, and fail only for errors, never for slowness.

python -m bench [--short]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench import orders, sealing, stamping
from bench.machine import cores, description
from bench.orders import Placing, Way
from bench.sealing import Sealing

ORDERS_PER_CORE_AIM = 2_000
DATABASE_RATIO_AIM = 1.5
PEER_RATIO_AIM = 1.8
_COLUMNS = "{:24}{:>21}{:>17}{:>10}{:>17}{:>6}{:>6}{:>8}{:>8}{:>8}"
_HEAD = ("", "orders/s", "web", "per core", "database", "bank", "load", "p50", "p99", "errors")
_UNITS = ("", "by the clock", "µs", "orders/s", "µs", "µs", "µs", "ms", "ms", "")


def _spread(figures: Sequence[float]) -> str:
    return f"{median(figures):,.0f} ({min(figures):,.0f}-{max(figures):,.0f})"


def _each(way: Way, group: str) -> list[float]:
    """Return the processor microseconds of a group of processes per order, one figure for each round."""
    return [one.each(group) * 1e6 for one in way.rounds]


def _per_core(way: Way) -> float:
    """Return the orders a second that one whole core of the web can place."""
    return 1e6 / median(_each(way, way.server))


def _row(way: Way) -> str:
    rate = _spread([one.orders / one.seconds for one in way.rounds])
    database = _spread(_each(way, "db"))
    errors = sum(one.errors for one in way.rounds)
    if not way.server:
        return _COLUMNS.format(way.name, rate, "", "", database, "", "", "", "", errors)
    return _COLUMNS.format(
        way.name,
        rate,
        _spread(_each(way, way.server)),
        f"{_per_core(way):,.0f}",
        database,
        f"{median(_each(way, 'bank')):.0f}",
        f"{median(_each(way, 'load')):.0f}",
        f"{median(one.p50 for one in way.rounds) * 1e3:.1f}",
        f"{median(one.p99 for one in way.rounds) * 1e3:.1f}",
        errors,
    )


def _where(size: orders.Size) -> str:
    web, others = (",".join(map(str, sorted(one))) for one in cores())
    return (
        f"web on core {web}; PostgreSQL, bank and load (this program) on core {others}; "
        f"the worker waits; {size.accounts} accounts"
    )


def _placing(found: Placing, size: orders.Size) -> Iterator[str]:
    yield (
        f"a durable write costs {found.flush * 1e3:.2f} ms here; {size.rounds} rounds of "
        f"{size.seconds} s each, medians (lowest-highest); µs are processor time per order"
    )
    yield ""
    yield _COLUMNS.format(*_HEAD)
    yield _COLUMNS.format(*_UNITS)
    for way in found.ways:
        yield _row(way)
    yield ""
    limit = median(_each(found.bare, "db"))
    for way in (found.early, found.complete):
        ratio = median(_each(way, "db")) / limit
        aim = f"  (aim: {DATABASE_RATIO_AIM} or less)" if way is found.early else ""
        yield f"database per order, {way.name} / the statement alone: {ratio:.2f}{aim}"
    web, peer = (median(_each(way, way.server)) for way in (found.early, found.peer))
    yield (
        f"web per order, {found.early.name} / a bare route with the same statements: {web / peer:.2f}"
        f"  (aim: {PEER_RATIO_AIM} or less)"
    )
    yield (
        f"orders per second and core of the web, {found.early.name}: "
        f"{_per_core(found.early):,.0f}  (aim: {ORDERS_PER_CORE_AIM:,} or more)"
    )


def _sealing(found: Sealing) -> Iterator[str]:
    yield f"one document of {found.bytes / 1000:.0f} KB, processor time"
    for name, ours, limit in (
        ("inspect and seal", found.seal, found.seal_limit),
        ("verify", found.verify, found.verify_limit),
    ):
        yield (
            f"  {name:18}{ours * 1e3:7.2f} ms   its key operations, SHA-256 and, sealing, one QR code: "
            f"{limit * 1e3:.3f} ms   ratio {ours / limit:,.0f}"
        )


def _faults(found: Placing) -> Iterator[str]:
    if found.errors:
        yield f"{found.errors} requests were not answered as asked"
    if found.recorded != found.answered:
        yield f"{found.answered} orders answered, {found.recorded} in the database"
    if not found.audit_holds:
        yield f"the audit failed:\n{found.audit}"


def main() -> int:
    """Print everything. Return 1 for an error, a missing order or a broken audit."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--short", action="store_true", help="only see that everything runs")
    is_short = parser.parse_args().short
    size = orders.SHORT if is_short else orders.Size()
    begun = time.perf_counter()
    print(f"meterai bench: {description()}\n{_where(size)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        placing = orders.measure(Path(folder), size)
    for line in _placing(placing, size):
        print(line)
    print(flush=True)
    for line in _sealing(sealing.measure()):
        print(line)
    print(flush=True)
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        stamped = stamping.measure(Path(folder), stamping.SHORT if is_short else stamping.Size())
    for line in stamped.lines():
        print(line)
    print()
    faults = list(_faults(placing))
    if stamped.errors:
        faults.append(f"{stamped.errors} stampings were not answered as asked")
    for line in faults or [f"{placing.recorded:,} orders, none lost; every invariant holds"]:
        print(line)
    print(f"took {time.perf_counter() - begun:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
