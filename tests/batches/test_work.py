"""The steps of the work on a batch, one by one: what a draft brings, what a worker that dies leaves, who has no stamps."""

import secrets
from collections.abc import Sequence
from uuid import UUID

import msgspec

from meterai.batches import BatchService
from meterai.batches.intake import Came, listed
from meterai.batches.model import Batch, BatchState
from meterai.batches.reading import json_rows
from meterai.batches.work import BatchWork
from meterai.drafts import FILE_KIND, DraftService, Uploads
from meterai.kit.ids import show
from meterai.stamping import ReadyRow, RowStamping, StampingService
from tests.support.pdf import pdf
from tests.support.shop import Shop
from tests.support.stamping_calls import buy

PLACE = {"page": 1, "x": 60, "y": 60, "width": 70}


class Dying(BatchWork):
    """A worker that is killed once it reserved."""

    async def _seal(self, batch: Batch, rows: Sequence[ReadyRow]) -> None:
        """It came no further."""


def worker(shop: Shop, kind: type[BatchWork] = BatchWork) -> BatchWork:
    """A worker of batches."""
    container = shop.container
    return kind(container.database, container.of(RowStamping), container.settings)


def made(shop: Shop, *rows: object, **files: bytes) -> UUID:
    """A batch that was started; `files` by their names without the ending."""
    batches = shop.container.of(BatchService)
    batch = shop.do(batches.make(shop.account, secrets.token_hex(8), None))
    came = [Came(f"{name}.pdf", content) for name, content in files.items()]
    shop.do(batches.intake.take(batch, listed(came)))
    lines = b"\n".join(msgspec.json.encode(row) for row in rows)
    shop.do(batches.add_rows(shop.account, batch.id, json_rows(lines)))
    shop.do(batches.start(shop.account, batch.id, None, method=None, orders=False))
    return batch.id


def state(shop: Shop, batch: UUID) -> tuple[BatchState, int]:
    """State of a batch, and how many of its rows are stamped."""
    batches = shop.container.of(BatchService)
    details = shop.do(batches.details(shop.do(batches.load(shop.account, batch))))
    return details.batch.state, details.counts.delivered


def test_row_names_a_file_of_the_draft(shop: Shop) -> None:
    buy(shop, 1)
    container = shop.container
    draft, token = container.of(DraftService).fresh(shop.account, "192.0.2.1")
    content = pdf(words=secrets.token_hex(4))
    file = shop.do(container.of(Uploads).add_whole(draft, "draf.pdf", content, token=token))
    batch = made(
        shop,
        {"upload": show(FILE_KIND, file.id), "placement": PLACE},
        {"upload": show(FILE_KIND, UUID(int=7)), "placement": PLACE},
    )
    shop.do(worker(shop).lane().once())
    assert state(shop, batch) == (BatchState.FINISHED, 1)
    shop.work()


def test_rows_of_a_worker_that_died_are_ended_by_the_next(shop: Shop) -> None:
    buy(shop, 2)
    files = {name: pdf(words=secrets.token_hex(4)) for name in ("a", "b")}
    batch = made(shop, *({"file": f"{name}.pdf", "placement": PLACE} for name in files), **files)
    shop.do(worker(shop, Dying).lane().once())
    assert state(shop, batch) == (BatchState.WORKING, 0)
    shop.call("UPDATE stampings SET leased_until = now() WHERE state = 'reserved'")
    shop.call("UPDATE batch_rows SET leased_until = now() WHERE batch_id = %s", batch)
    shop.do(shop.container.of(StampingService).resume())
    shop.do(worker(shop).lane().once())
    assert state(shop, batch) == (BatchState.FINISHED, 2)
    shop.work()


def test_batch_in_its_time_is_not_given_up(shop: Shop) -> None:
    batches = shop.container.of(BatchService)
    batch = shop.do(batches.make(shop.account, secrets.token_hex(8), None))
    assert shop.do(batches.give_up()) == 0
    assert state(shop, batch.id) == (BatchState.OPEN, 0)


def test_batch_whose_stamps_others_took_waits_and_goes_on(shop: Shop) -> None:
    buy(shop, 1)
    names = ("c", "d")
    files = {name: pdf(words=secrets.token_hex(4)) for name in names}
    first = made(shop, {"file": "c.pdf", "placement": PLACE}, c=files["c"])
    shop.call("UPDATE batches SET state = 'open', started_at = NULL WHERE batch_id = %s", first)
    second = made(shop, {"file": "d.pdf", "placement": PLACE}, d=files["d"])
    shop.call("UPDATE batches SET state = 'working', started_at = now() WHERE batch_id = %s", first)
    shop.do(worker(shop).lane().once())
    shop.do(worker(shop).lane().once())
    found = {state(shop, first)[0], state(shop, second)[0]}
    assert found == {BatchState.FINISHED, BatchState.WAITING_FOR_STAMPS}
    buy(shop, 1)
    shop.do(shop.container.of(BatchService).go_on())
    shop.do(worker(shop).lane().once())
    assert {state(shop, first)[0], state(shop, second)[0]} == {BatchState.FINISHED}
    shop.work()
