"""What a test of the stamping service asks again and again, of a shop."""

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

# What nobody holds: locked rows are passed by, and are not waited for here.
TO_RESUME = """
SELECT 1 FROM stampings WHERE state = 'reserved' AND leased_until <= now() FOR UPDATE SKIP LOCKED
"""
PLACEMENTS = (Placement(1, 60.0, 60.0, 80.0),)  # floats, as the API reads them


@cache
def letter(name: str) -> bytes:
    """A document of its own for each name, the same every time."""
    return pdf(words=name)


def upload(name: str, *, content: bytes | None = None) -> Upload:
    """A letter that somebody sends."""
    return Upload(f"{name}.pdf", letter(name) if content is None else content, PLACEMENTS)


def buy(shop: Shop, quantity: int) -> None:
    """More stamps in the account."""
    shop.pay(shop.place(quantity))
    shop.work()


def stamp(shop: Shop, key: str, name: str) -> StampingView:
    """What the API does."""
    return shop.do(shop.container.of(StampingService).stamp(shop.account, key, upload(name)))


def stamp_all(shop: Shop, key: str, *names: str) -> Sequence[StampingView]:
    """What the form does."""
    uploads = [upload(name) for name in names]
    return shop.do(shop.container.of(StampingService).stamp_all(shop.account, key, uploads))


def made(views: Sequence[StampingView]) -> list[StampingView]:
    """Stampings but for until when their documents are kept: every request for them extends that."""
    return [msgspec.structs.replace(view, document_until=None) for view in views]


def made_json(view: Mapping[str, Any]) -> dict[str, Any]:
    """The same of one that came over HTTP."""
    return {**view, "document_until": None}


async def reserving(shop: Shop, key: str, name: str, lease_seconds: float = 60.0) -> Row:
    """A web process keeps a document and reserves its stamps, and is killed."""
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
    """Several at the same moment; a refusal is an answer."""

    async def together() -> list[object]:
        return list(await asyncio.gather(*works, return_exceptions=True))

    return shop.do(together())


def let_leases_run_out(shop: Shop) -> None:
    """Whoever was at a stamping went silent long ago."""
    shop.arrange("UPDATE stampings SET leased_until = now() WHERE state = 'reserved'")


def resume(shop: Shop) -> None:
    """The worker's periodic task, until nothing is left that it may take up."""
    let_leases_run_out(shop)
    run_round(shop)


def run_round(shop: Shop) -> None:
    """The same, with the leases as they are."""
    waiting = True
    while waiting:
        shop.do(shop.container.of(StampingService).resume())
        waiting = bool(shop.rows(TO_RESUME))


def states(shop: Shop) -> dict[str, int]:
    """How many stampings are in which state."""
    rows = shop.rows("SELECT state, count(*) AS n FROM stampings GROUP BY state ORDER BY state")
    return {row["state"]: row["n"] for row in rows}


def ids(views: Sequence[StampingView]) -> list[UUID]:
    """Which stampings these are."""
    return [read("stg", view.id) for view in views]
