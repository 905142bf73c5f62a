"""Calls of the stamping service for tests with a shop."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from meterai.kit.ids import new_id, read
from meterai.plumbing.db.database import Row, jsonb
from meterai.sealing import Placement
from meterai.stamping import StampingService, Upload
from meterai.stamping import store as stamping_store
from meterai.stamping.model import StampingView, placements_json
from tests.support.pdf import pdf
from tests.support.shop import Shop

# Stampings that no process works on: locked rows are skipped, since tests do not wait for them.
TO_RESUME = """
SELECT 1 FROM stampings WHERE state = 'reserved' AND leased_until <= now() FOR UPDATE SKIP LOCKED
"""
PLACEMENTS = (Placement(1, 60.0, 60.0, 80.0),)  # floats, as the API reads them


@cache
def letter(name: str) -> bytes:
    """A document that depends on its name alone."""
    return pdf(words=name)


def upload(name: str, *, content: bytes | None = None) -> Upload:
    """An upload of a letter."""
    return Upload(f"{name}.pdf", letter(name) if content is None else content, PLACEMENTS)


def buy(shop: Shop, quantity: int) -> None:
    """Add stamps to the balance of the account."""
    shop.pay(shop.place(quantity))
    shop.work()


def stamp(shop: Shop, key: str, name: str) -> StampingView:
    """Stamp one document, as the API does."""
    return shop.do(shop.container.of(StampingService).stamp(shop.account, key, upload(name)))


def stamp_all(shop: Shop, key: str, *names: str) -> Sequence[StampingView]:
    """Stamp several documents, as the form does."""
    uploads = [upload(name) for name in names]
    return shop.do(shop.container.of(StampingService).stamp_all(shop.account, key, uploads))


def made(views: Sequence[StampingView]) -> list[StampingView]:
    """Stampings without the end of their documents' retention, which every request extends."""
    return [msgspec.structs.replace(view, document_until=None) for view in views]


def made_json(view: Mapping[str, Any]) -> dict[str, Any]:
    """A stamping from an HTTP answer, without the end of its document's retention."""
    return {**view, "document_until": None}


async def reserving(shop: Shop, key: str, name: str, lease_seconds: float = 60.0) -> Row:
    """Store a document and reserve its stamps, like a web process that is then killed."""
    sent = upload(name)
    taken = await shop.container.of(StampingService)._uploads.store(shop.account, sent)
    assert not taken.upload.is_repaired
    row = await shop.container.database.call(
        stamping_store.RESERVE,
        shop.account,
        new_id(),
        key,
        taken.request,
        taken.sha256,
        jsonb(placements_json(taken.placements)),
        shop.fresh_serials(1),
        900.0,
        lease_seconds,
        *taken.about,
        False,
    )
    assert row is not None
    return row


def at_once(shop: Shop, *works: Awaitable[object]) -> list[object]:
    """Run several coroutines concurrently. A refusal is returned as a result."""

    async def together() -> list[object]:
        return list(await asyncio.gather(*works, return_exceptions=True))

    return shop.do(together())


def let_leases_run_out(shop: Shop) -> None:
    """End the leases of all stampings, as if their processes had stopped long ago."""
    shop.arrange("UPDATE stampings SET leased_until = now() WHERE state = 'reserved'")


def resume(shop: Shop) -> None:
    """End all leases and run the worker's periodic task until it finds no stamping."""
    let_leases_run_out(shop)
    run_round(shop)


def run_round(shop: Shop) -> None:
    """Run the worker's periodic task until it finds no stamping, with the leases as they are."""
    waiting = True
    while waiting:
        shop.do(shop.container.of(StampingService).resume())
        waiting = bool(shop.rows(TO_RESUME))


def states(shop: Shop) -> dict[str, int]:
    """Number of stampings in each state."""
    rows = shop.rows("SELECT state, count(*) AS n FROM stampings GROUP BY state ORDER BY state")
    return {row["state"]: row["n"] for row in rows}


def ids(views: Sequence[StampingView]) -> list[UUID]:
    """Ids of these stampings."""
    return [read("stg", view.id) for view in views]
