"""A line whose draw is over, written to the database as the worker writes it, without waiting for a round."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from meterai.draw import store
from meterai.draw.files import name_of_draw
from meterai.draw.protocol import steps
from meterai.draw.protocol.merkle import root_of
from meterai.draw.protocol.order import in_order
from meterai.draw.protocol.record import write
from meterai.draw.protocol.rules import announcement_of, round_time
from meterai.plumbing.db.database import Tx
from meterai.room import Container
from meterai.waiting_room import store as lines_store
from meterai.waiting_room.draws import subject_of
from meterai.waiting_room.model import GuardedAct
from meterai.waiting_room.operating import LinePlan
from standins.drand import Chain, signature_of
from tests.support.draw_room import BY
from tests.support.draws import Operator, chain_of, entries_of, finished
from tests.support.lines import Operating

DRAWN = "drawn"
AGO = 3_600  # seconds since the list was closed


def drawn_line(container: Container, do: Callable[[Any], Any]) -> UUID:
    """Create a line that opened after a draw with seven entries, and return its id."""
    database, clock, signer, entries = (
        container.database,
        container.clock,
        Operator(),
        entries_of(7),
    )
    now = int(clock.now().timestamp())
    closes_at = now - AGO
    chain = chain_of(Chain(closes_at - 300, period=30))

    def moment(at: int) -> datetime:
        return datetime.fromtimestamp(at, UTC)

    plan = LinePlan(DRAWN, GuardedAct.CHECK, moment(closes_at - 60), moment(closes_at))
    line: UUID = do(Operating(database, clock).create(plan, actor=BY))
    name = name_of_draw(DRAWN, line)
    announcement = announcement_of(name, closes_at, closes_at + 60, chain=chain)
    record = steps.announce(announcement, closes_at - 60, signer)
    closed = steps.close(record, root_of(entries), 7, closes_at + 1, signer)
    signature = signature_of(announcement.round)
    whole = finished(closed, entries, signature, signer)
    assert whole.result is not None
    seed = steps.seed_from(closed, signature)

    async def act(tx: Tx) -> None:
        first = write(record).decode()
        await store.announce(tx, line, 1, first, moment(closes_at - 60))
        draw = await store.draw_of(tx, await subject_of(tx, DRAWN))
        await tx.run(
            "INSERT INTO waiting_room_entries (line_id, entry, entered_at)"
            " SELECT %s, entry, %s FROM unnest(%s::bytea[]) AS entry",
            line,
            moment(closes_at - 30),
            entries,
        )
        drawn_at = moment(round_time(announcement) + 1)
        assert await store.extend(tx, draw, write(whole).decode(), 7, drawn_at)
        await store.put_numbers(tx, line, 1, list(in_order(entries, seed)))

    do(database.run(act))
    with psycopg.connect(database.url) as owner:
        owner.execute("UPDATE waiting_room_lines SET state = 'drawing' WHERE line_id = %s", [line])

    async def opens(tx: Tx) -> bool:
        opened = await lines_store.open_drawn(tx, line, 8)
        await store.opened(tx, await store.draw_of(tx, await subject_of(tx, DRAWN)))
        return opened

    assert do(database.run(opens))
    return line
