"""A batch in each of its states, with rows in each of theirs."""

import secrets
from collections.abc import Sequence
from uuid import UUID

import msgspec

from meterai.batches import BatchService
from meterai.batches.intake import ReceivedFile, listed
from meterai.batches.model import Batch
from meterai.batches.reading import json_rows
from meterai.batches.work import BatchWork
from meterai.stamping import ReadyRow, RowStamping
from meterai.stamping import store as stamping_store
from tests.support.history import History
from tests.support.pdf import pdf

AFTER = ("drafts",)

_BATCH_PLACE = {"page": 1, "x": 60, "y": 60, "width": 70}


class _Died(BatchWork):
    """A worker that is killed after it reserved."""

    async def _seal(self, batch: Batch, rows: Sequence[ReadyRow]) -> None:
        """Do nothing: the worker was killed here."""


def happen(history: History) -> None:
    history.quota("batches", 5)
    shop = history.shop
    container, account = shop.container, shop.account
    batches = container.of(BatchService)
    parts = container.database, container.of(RowStamping), container.settings
    works, died = BatchWork(*parts), _Died(*parts)

    def batch(name: str, count: int) -> UUID:
        made = shop.do(batches.make(account, secrets.token_hex(8), name))
        files = [ReceivedFile(f"{n}.pdf", pdf(words=f"{name} {n}")) for n in range(count)]
        shop.do(batches.intake.take(made, listed(files)))
        rows = [{"file": one.name, "placement": _BATCH_PLACE, "type": "3"} for one in files]
        lines = [msgspec.json.encode(row) for row in [*rows, {"file": "hilang.pdf"}]]
        shop.do(batches.add_rows(account, made.id, json_rows(b"\n".join(lines))))
        history.names[f"{name}.batch"] = made.id
        return made.id

    def start(name: str, count: int, *, orders: bool = False) -> UUID:
        made = batch(name, count)
        shop.do(batches.start(account, made, None, method=None, orders=orders))
        return made

    batch("open", 1)
    start("finished", 2)
    shop.do(works.worker_pool().once())
    shop.do(batches.cancel(account, batch("cancelled", 1)))
    for name in ("under way", "cancelling", "failed"):
        made = start(name, 1)
        shop.do(died.worker_pool().once())
        if name == "cancelling":
            shop.do(batches.cancel(account, made))
        if name == "failed":
            [row] = shop.rows(
                "SELECT stamping_id FROM batch_rows WHERE batch_id = %s AND number = 1", made
            )
            shop.do(
                container.database.once(
                    stamping_store.fail, account, row["stamping_id"], "seal_does_not_hold"
                )
            )
            shop.call("UPDATE batch_rows SET leased_until = now() WHERE batch_id = %s", made)
            shop.do(died.worker_pool().once())
    start("short", 5, orders=True)
    shop.work()
