"""Events that accounts may receive: their public names, and their public facts.

A room lists its public events in `published` of its `Room`.  `emit` writes a job for such an event only if the account
subscribed to it (the table `listeners`); the room that delivers events to accounts has the handler `publish`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.work.events import Event, name_of_event

PUBLISH = "publish"  # name of the handler of every published event, as `emit` knows it
ALL = "*"  # in place of an event: every event
# Public facts of an event; None if this event is not delivered.
Told: TypeAlias = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One kind of public event.

    name        its public name, `noun.past_participle`, which never changes; `published.<name>` is the key of its description
    event       the internal event that it is made from
    permission  permission by which the API shows the same facts; a subscriber must have it
    told        function that returns the public facts of an event (ids, states and numbers, as the API shows them; no personal
                data)
    """

    name: str
    event: type[Event]
    permission: str
    told: Callable[[ReadTx, Any], Awaitable[Told]]

    @property
    def kind(self) -> str:
        """The name of the internal event."""
        return name_of_event(self.event)


async def listen(tx: Tx, account: UUID, kinds: Iterable[str]) -> None:
    """Set the kinds of the account's events that are published from now on; events of other kinds are no longer published."""
    wanted = sorted(set(kinds))
    await tx.run("DELETE FROM listeners WHERE account_id = %s AND kind <> ALL(%s)", account, wanted)
    for kind in wanted:
        await tx.run(
            "INSERT INTO listeners (account_id, kind) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            account,
            kind,
        )
