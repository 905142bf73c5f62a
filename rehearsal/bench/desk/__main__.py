"""Measure the console, print the tables, and fail only for errors, never for slowness.

python -m bench.desk [--short] [--orders N] [--only looking|complaints]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.desk import answered, filling, looking
from bench.desk.answered import Told
from bench.desk.looking import Way
from bench.machine import description
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from tests.support.instance import Instance
from tests.support.till import Till, open_till

ORDERS, ORDERS_SHORT = 1_000_000, 50_000
BOMB, BOMB_SHORT = 10_000, 1_000
SHARE_AIM = 0.9
ANSWER_SECONDS_MAX = 5.0
CASES_OF_A_BOMB = 1


def _report_looks(ways: Sequence[Way]) -> Iterator[str]:
    peers = {one.name.split(":")[1].strip(): one for one in ways if one.name.startswith("peer")}
    select, static = peers["a bare indexed SELECT"], peers["a page that asks nothing"]
    yield "{:34}{:>6}{:>10}{:>10}{:>8}{:>10}  {}".format(
        "", "asked", "half ms", "most ms", "bound", "of peer", ""
    )
    for one in ways:
        peer = select if one.name.startswith(("search", select.name)) else static
        wrong = f"WRONG {len(one.wrong)}: {one.wrong[0]}" if one.wrong else ""
        slow = "" if one.longest <= one.limit_ms else "beyond its bound"
        yield (
            f"{one.name:34}{len(one.times):>6}{one.half:>10.1f}{one.longest:>10.1f}"
            f"{one.limit_ms:>8.0f}{one.half / peer.half:>9.1f}x  {wrong or slow}"
        )


def _report_answers(told: Told) -> Iterator[str]:
    ratio = median(told.seconds) / median(told.peer_seconds)
    yield (
        f"{told.asked} complaints: {told.answered} answered from the facts ({told.share:.1%}, aim"
        f" {SHARE_AIM:.0%}), {told.left} rightly left to staff, {len(told.unanswered)} left that had an answer"
    )
    yield (
        f"each in {median(told.seconds) * 1e3:.0f} ms (half), {max(told.seconds) * 1e3:.0f} ms (most), bound"
        f" {ANSWER_SECONDS_MAX:.0f} s; {ratio:.0f} times a bare look-up of the same orders"
    )
    yield ", ".join(f"{code} {count}" for code, count in told.codes.most_common())
    yield from (f"LEFT  {one}" for one in told.unanswered)
    yield from (f"FALSE {one}" for one in told.faults)


@contextmanager
def _till(folder: Path) -> Iterator[Till]:
    """Yield a till (one account, its orders and a stand-in bank) on a new database."""
    server = EmbeddedPostgres(folder / "postgres")
    url = server.start()
    try:
        migrate(url)
        with open_till(url, folder / "till") as opened:
            yield opened
    finally:
        server.stop()


def _complaints(folder: Path, bomb: int) -> bool:
    with _till(folder) as till:
        told = answered.tell_all(till)
        print("\n".join(_report_answers(told)))
        made, refused, seconds = answered.bomb(till, bomb)
    print(
        f"a bomb of {bomb:,} complaints from one address: {made} case, {refused:,} refused at the door,"
        f" {seconds * 1e3:.2f} ms each"
    )
    return not told.faults and made == CASES_OF_A_BOMB


def _looking(folder: Path, orders: int) -> bool:
    with Instance(folder) as instance:
        samples, seconds = filling.fill(instance.settings.process.database_url, orders)
        print(f"{orders:,} orders filled in {seconds:.0f} s; {len(samples)} of them are looked for")
        ways = list(looking.look(instance, samples))
    print("\n".join(_report_looks(ways)))
    return not any(one.wrong for one in ways)


def main() -> int:
    """Measure."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--short", action="store_true")
    given.add_argument("--orders", type=int)
    given.add_argument("--only", choices=["looking", "complaints"])
    options = given.parse_args()
    orders = options.orders or (ORDERS_SHORT if options.short else ORDERS)
    print(description())
    is_right = True
    with tempfile.TemporaryDirectory(prefix="meterai-desk-") as found:
        folder = Path(found)
        for name in ("looking", "complaints"):
            (folder / name).mkdir()
        if options.only != "looking":
            is_right &= _complaints(folder / "complaints", BOMB_SHORT if options.short else BOMB)
        if options.only != "complaints":
            is_right &= _looking(folder / "looking", orders)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
