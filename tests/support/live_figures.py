"""Figures of a period, as the rooms count them."""

from collections.abc import Mapping
from datetime import datetime

from meterai.apps.program import program_of
from meterai.plumbing.db import figures
from meterai.plumbing.db.figures import Number
from tests.support.shop import Shop

FIGURES = {one.name: one for one in program_of().figures}
Rows = Mapping[str, Mapping[str, Number | None]]


def counted(shop: Shop, name: str, begin: datetime, end: datetime) -> Rows:
    """Rows of a figure by their kind, for the time from `begin` (included) to `end` (excluded)."""

    async def look() -> Rows:
        async with shop.container.database.reading() as tx:
            rows = await figures.count(tx, FIGURES[name], begin, end)
            return {one.of: one.numbers for one in rows}

    return shop.do(look())
