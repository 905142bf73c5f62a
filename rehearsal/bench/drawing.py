"""Bench of a random draw (of a line), with a database: the durations of entering, closing, drawing and writing
numbers.

    python -m bench.drawing [ENTRIES]

The bench has its own database, and its own relay of the random values (drand). Most entries are written in
bulk, the others enter as visitors do.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meterai.draw.adapters.drand import Relays
from meterai.draw.advancing import DrawService, DrawTerms
from meterai.draw.files import DrawFiles
from meterai.draw.protocol.chain import BeaconChain
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate
from meterai.waiting_room import store as lines
from meterai.waiting_room.draws import SUBJECTS
from meterai.waiting_room.gathering import Gathering
from meterai.waiting_room.model import PATH, GuardedAct, LineState
from meterai.waiting_room.operating import LinePlan, create
from standins import drand

ENTRIES = 1_000_000
VISITORS = 20_000
NAME = "bench"
BULK = """
INSERT INTO waiting_room_entries (line_id, entry, entered_at)
SELECT %s, substr(sha256(number::text::bytea), 1, 16), clock_timestamp() FROM generate_series(1, %s) AS number
"""


class _Clock:
    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class _Operator:
    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


async def _timed(what: str, drawing: DrawService) -> None:
    began = time.perf_counter()
    await drawing.advance_due()
    print(f"{what}: {time.perf_counter() - began:.1f} s")


async def _run(url: str, folder: Path, count: int) -> None:
    database, clock = Database(url, connections=4), _Clock()
    await database.open()
    told = drand.Chain(int(time.time()) - 600, period=3)
    relay = drand.Relay(folder / "relay", told)
    address = await relay.serve("127.0.0.1", 0)
    relay.faults.apply({"early": True})
    chain = BeaconChain(told.beacon, told.period, told.genesis_time, "00" * 32, told.public_key)
    terms = DrawTerms(chain, 120)
    files = DrawFiles(folder, PATH)
    drawing = DrawService(database, _Operator(), Relays([address]), files, terms, clock, SUBJECTS)
    try:
        opens_at = datetime.now(UTC) + timedelta(minutes=5)
        plan = LinePlan(NAME, GuardedAct.CHECK, datetime.now(UTC) - timedelta(minutes=1), opens_at)
        actor = Actor(ActorKind.JOB, "bench")
        line_id = await database.run(lambda tx: create(tx, plan, at=clock.now(), actor=actor))
        await database.call(
            "UPDATE waiting_room_lines SET state = 'gathering' WHERE line_id = %s", line_id
        )
        await drawing.advance_due()
        async with database.reading() as tx:
            line = await lines.line_named(tx, NAME)
        assert line is not None
        gathering, began = Gathering(database), time.perf_counter()
        await asyncio.gather(*(gathering.enter(line) for _ in range(VISITORS)))
        print(
            f"{VISITORS / (time.perf_counter() - began):,.0f} visitors enter a second, one process"
        )
        with psycopg.connect(url) as owner:
            owner.execute(BULK, [line_id, count - VISITORS])
            owner.execute(
                "UPDATE waiting_room_lines SET opens_at = clock_timestamp() WHERE line_id = %s",
                [line_id],
            )
        clock.ahead = timedelta(minutes=5, seconds=1)
        await _timed(f"{count:,} entries closed, list and root public", drawing)
        clock.ahead += timedelta(seconds=300)
        await _timed("drawn, every number written, open", drawing)
        async with database.reading() as tx:
            line = await lines.line_named(tx, NAME)
        assert line is not None
        assert (line.state, line.next_number) == (LineState.OPEN, count + 1)
    finally:
        await relay.stop()
        await database.close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory(prefix="meterai-drawing-") as name:
        embedded = EmbeddedPostgres(Path(name) / "database")
        url = embedded.start()
        try:
            migrate(url)
            asyncio.run(_run(url, Path(name), count))
        finally:
            embedded.stop()


if __name__ == "__main__":
    main()
