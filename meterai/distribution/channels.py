"""Distributors as staff see them: all of them side by side, and one with what was agreed, sold and paid in."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.distribution import store
from meterai.distribution.model import (
    AgreedTerms,
    Distributor,
    DistributorStanding,
    Sale,
    SaleStanding,
    standing_of,
)
from meterai.kit.paging import ListPage
from meterai.plumbing.db.database import ReadTx

SALES_SHOWN = 50  # newest
DEPOSITS_SHOWN = 20  # newest


class SaleShown(NamedTuple):
    """A sale, and how it stands together with its order."""

    sale: Sale
    standing: SaleStanding


@dataclass(frozen=True, slots=True)
class DistributorFile:
    """One distributor: its terms, the oldest first; its newest sales and top-ups."""

    distributor: Distributor
    terms: list[AgreedTerms]
    sales: list[SaleShown]
    deposits: list[store.DepositOrder]


async def distributors(tx: ReadTx) -> list[Distributor]:
    """Every distributor with its terms of today, by name."""
    return await store.distributors(tx)


async def standings(tx: ReadTx, now: datetime) -> list[DistributorStanding]:
    """How every distributor stands, by name."""
    return await store.standings(tx, now)


async def distributor_file(tx: ReadTx, account: UUID) -> DistributorFile | None:
    """One distributor; None where the account is none."""
    found = await store.distributor(tx, account)
    if found is None:
        return None
    sales = await store.sales(tx, account, ListPage().before, SALES_SHOWN)
    states = {one.order: one.state for one in await store.orders_of(tx, sales)}
    return DistributorFile(
        found,
        await store.terms_of(tx, account),
        [SaleShown(one, standing_of(one.state, states.get(one.order))) for one in sales],
        (await store.deposits_of(tx, account))[:DEPOSITS_SHOWN],
    )
