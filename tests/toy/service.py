"""Enter guests, and list them."""

from uuid import UUID

from meterai.kit.ids import new_id
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from tests.toy import store
from tests.toy.metrics import GUESTS
from tests.toy.settings import GuestSettings


class GuestService:
    """The commands and queries of the guest book."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._shown_max = settings.of(GuestSettings).guests_shown_max
        self.looks = 0

    async def enter(self, account: UUID, name: str) -> UUID:
        """Enter a guest; return the id of the entry."""
        guest = new_id()
        await self._database.once(store.enter, account, guest, name)
        GUESTS.labels(what="entered").inc()
        return guest

    async def names(self, account: UUID) -> list[str]:
        """Names in the book of this account, newest first."""
        return await self._database.once(store.names, account, self._shown_max)

    async def look(self) -> int:
        """Periodic task: look at the book."""
        self.looks += 1
        return 0
