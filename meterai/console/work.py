"""How much waits on each work list that somebody may see."""

from collections.abc import Collection
from dataclasses import dataclass

from meterai.kit.clock import Clock
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.room import Offers

COUNTED_MAX = 100  # of one list; beyond it the number says nothing to anybody


@dataclass(frozen=True, slots=True)
class WorkCount:
    """What waits on a list: how many, `COUNTED_MAX` and more as that."""

    name: str
    count: int
    is_more: bool


class WorkCounts:
    """Counts of work lists."""

    def __init__(
        self, database: Database, offers: Offers, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._offers = offers
        self._settings = settings
        self._clock = clock

    async def of(self, permissions: Collection[str]) -> list[WorkCount]:
        """A count for each list that these permissions show."""
        now = self._clock.now()
        counts = []
        async with self._database.reading() as tx:
            for one in self._offers.work.values():
                if one.permission in permissions:
                    items = await one.waiting(tx, self._settings, now, COUNTED_MAX + 1)
                    count = min(len(items), COUNTED_MAX)
                    counts.append(WorkCount(one.name, count, len(items) > COUNTED_MAX))
        return counts
