"""Counts of the work lists that a member of staff may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai.kit.clock import Clock
from meterai.kit.subjects import WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.room import Offers, WorkList
from meterai.sealing import Issuers
from meterai.stamping import ends_soon

COUNTED_MAX = 100  # items per list; staff need no higher number


@dataclass(frozen=True, slots=True)
class WorkCount:
    """Number of items on a work list, counted up to `COUNTED_MAX`."""

    name: str
    count: int
    is_more: bool


class WorkCounts:
    """Counts and items of work lists."""

    def __init__(
        self,
        database: Database,
        offers: Offers,
        settings: Settings,
        clock: Clock,
        issuers: Issuers,
    ) -> None:
        self._issuers = issuers
        self._database = database
        self._offers = offers
        self._settings = settings
        self._clock = clock

    def now(self) -> datetime:
        """Return the current time."""
        return self._clock.now()

    def certificate_ends(self) -> datetime | None:
        """Return when the sealing certificate that expires first ends; None if that is not soon."""
        return ends_soon(self._issuers.current, self._clock.now())

    def named(self, name: str) -> WorkList | None:
        """Return the work list of this name; None if there is none."""
        return self._offers.work.get(name)

    async def items(
        self, permissions: Collection[str], name: str | None = None
    ) -> tuple[datetime, list[tuple[WorkList, Sequence[WorkItem]]]]:
        """Return the current time, and the items of each permitted list, or of the list `name` alone; at most
        `COUNTED_MAX` + 1 items per list.
        """
        now = self._clock.now()
        async with self._database.reading() as tx:
            found = [
                (one, await one.waiting(tx, self._settings, now, COUNTED_MAX + 1))
                for one in self._offers.work.values()
                if one.permission in permissions and name in (None, one.name)
            ]
        return now, found

    async def of(self, permissions: Collection[str]) -> list[WorkCount]:
        """Return the count of each permitted work list."""
        _, found = await self.items(permissions)
        return [
            WorkCount(one.name, min(len(items), COUNTED_MAX), len(items) > COUNTED_MAX)
            for one, items in found
        ]
