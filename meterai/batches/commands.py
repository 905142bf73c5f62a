"""Commands of batches: list the batches under way, and show a batch with the counts of its rows."""

from datetime import timedelta

from meterai.batches import store
from meterai.batches.model import BATCH_KIND, StillBatch
from meterai.commands import (
    NO_OPTIONS,
    AsJson,
    Options,
    Text,
    tell_counted,
    tell_one,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read, show
from meterai.kit.refusal import NotFound
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database

LISTED_MAX = 1_000


def list_batches(*, as_json: AsJson = False, options: Options = NO_OPTIONS) -> None:
    """Show the batches under way; first the batch in which no row has ended for the longest time."""

    async def look(database: Database, _: Settings) -> list[StillBatch]:
        async with database.reading() as tx:
            return await store.stalled_batches(
                tx, SystemClock().now() + timedelta(days=1), LISTED_MAX
            )

    found = [
        {
            "batch": show(BATCH_KIND, one.batch),
            "account": show("acc", one.account),
            "state": str(one.state),
            "open": one.open,
            "last": one.since.isoformat(timespec="seconds"),
        }
        for one in with_database("batches list", options, look)
    ]
    tell_counted(found, as_json=as_json)


def show_batch(batch: Text, *, as_json: AsJson = False, options: Options = NO_OPTIONS) -> None:
    """Show one BATCH (bat_...): its state, its times, and the number of its rows in each state."""
    number = read(BATCH_KIND, batch)

    async def look(database: Database, _: Settings) -> dict[str, object]:
        async with database.reading() as tx:
            keys = await store.by_id(tx, number)
            found = await store.batch(tx, *keys[0]) if keys else None
            if found is None:
                raise NotFound("no such batch")
            counts = await store.counts(tx, found.account, found.id)
            return {
                "batch": batch,
                "account": show("acc", found.account),
                "state": str(found.state),
                "order": show("ord", found.order) if found.order else "",
                "needed": found.needed,
                **{
                    name: at.isoformat(timespec="seconds") if at else ""
                    for name, at in (
                        ("made", found.made_at),
                        ("started", found.started_at),
                        ("ended", found.ended_at),
                    )
                },
                **counts._asdict(),
            }

    tell_one(with_database("batches show", options, look), as_json=as_json)
