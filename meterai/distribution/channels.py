"""Distributors for staff: a list of all distributors, and one distributor with its terms, sales and top-ups."""

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

SALES_SHOWN = 50  # newest sales
DEPOSITS_SHOWN = 20  # newest top-ups


class SaleShown(NamedTuple):
    """A sale, and the one state that people are shown for the sale and its order (`standing`)."""

    sale: Sale
    standing: SaleStanding


@dataclass(frozen=True, slots=True)
class DistributorFile:
    """A distributor with all its terms, the oldest first, and its newest sales and top-ups."""

    distributor: Distributor
    terms: list[AgreedTerms]
    sales: list[SaleShown]
    deposits: list[store.DepositOrder]


async def distributors(tx: ReadTx) -> list[Distributor]:
    """Return every distributor with its current terms, ordered by name."""
    return await store.distributors(tx)


async def standings(tx: ReadTx, now: datetime) -> list[DistributorStanding]:
    """Return the current figures of every distributor, ordered by name."""
    return await store.standings(tx, now)


async def distributor_file(tx: ReadTx, account: UUID) -> DistributorFile | None:
    """Return a distributor with its terms, sales and top-ups; None if the account is not a distributor."""
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
