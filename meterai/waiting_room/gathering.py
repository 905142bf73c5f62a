"""Entries in a draw before a waiting line opens: tickets without a number, and the drawn numbers of these tickets."""

import secrets
from uuid import UUID

from meterai.draw import EntryBatcher, entry_of, numbers_of
from meterai.plumbing.db.database import Database
from meterai.waiting_room import store
from meterai.waiting_room.model import LineClosed, WaitingLine
from meterai.waiting_room.tokens import HOLDER_BYTES, Ticket

NO_NUMBER = 0  # number of a ticket for an entry
_MS = 1000


class Gathering:
    """Enters visitors in random draws of the order in a waiting line, and finds their drawn numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entered = EntryBatcher(self._enter)
        self._numbers = EntryBatcher(self._look)

    async def enter(self, line: WaitingLine, holder: bytes | None = None) -> Ticket:
        """Enter a visitor in the draw, and return the visitor's ticket, which has no number yet.

        `holder` identifies the visitor; by default a new holder is made.  A holder is entered only once.  Refuses
        `LineClosed`, `DatabaseBusy`, `DatabaseAway`.
        """
        mine = holder or secrets.token_bytes(HOLDER_BYTES)
        at = await self._entered.ask(line.id, entry_of(line.id, mine))
        if at is None:
            raise LineClosed(f"{line.name} takes no entries")
        return Ticket(line.id, NO_NUMBER, mine, at, 0, 0)

    async def number_of(self, ticket: Ticket) -> Ticket | None:
        """Return the ticket with its drawn number; None if no number was drawn for it.

        The returned ticket has no range of waiting time, since none was shown when the entry was made.
        """
        number = await self._numbers.ask(ticket.line, entry_of(ticket.line, ticket.holder))
        return None if number is None else ticket._replace(number=number)

    async def _enter(self, line: UUID, entries: list[bytes]) -> dict[bytes, int]:
        """Insert entries, and return the time of each, in milliseconds since 1970; empty if the waiting line takes no entries."""
        entered = await self._database.once(store.enter, line, entries)
        at = int(entered.at.timestamp() * _MS)
        return dict.fromkeys(entries, at) if entered.is_open else {}

    async def _look(self, line: UUID, entries: list[bytes]) -> dict[bytes, int]:
        async with self._database.reading() as tx:
            drawn = await numbers_of(tx, line, entries)
        return {bytes(one.entry): one.number for one in drawn}
