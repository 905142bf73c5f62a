"""Distributors as staff see all of them at once."""

from meterai.distribution import store
from meterai.distribution.model import Distributor
from meterai.plumbing.database import ReadTx


async def distributors(tx: ReadTx) -> list[Distributor]:
    """Every distributor with its terms of today, by name."""
    return await store.distributors(tx)
