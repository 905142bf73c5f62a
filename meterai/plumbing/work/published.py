"""Events that accounts may be told of: their public names, and what is told of each.

A room lists its own in `published` of its `Room`.  `emit` writes a job for them only where the account asks for the
event (the table `listeners`); whoever carries them to the accounts has the handler `publish`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.work.events import Event, name_of_event

PUBLISH = "publish"  # the handler of every published event, as `emit` knows it
ALL = "*"  # in the place of an event: all of them
# What is told of an event; None where this one is not told.
Told: TypeAlias = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One kind of public event.

    name        its public name, `noun.past_participle`, a promise; its sentence is `published.<name>`
    event       the event that it is made of
    permission  what shows the same over the API: who asks to be told must have it
    told        ids, states and numbers of it, as the API shows them; no personal data
    """

    name: str
    event: type[Event]
    permission: str
    told: Callable[[ReadTx, Any], Awaitable[Told]]

    @property
    def kind(self) -> str:
        """The name of the event that it is made of."""
        return name_of_event(self.event)


async def listen(tx: Tx, account: UUID, kinds: Iterable[str]) -> None:
    """Let these events of an account be published from now on, and no others."""
    wanted = sorted(set(kinds))
    await tx.run("DELETE FROM listeners WHERE account_id = %s AND kind <> ALL(%s)", account, wanted)
    for kind in wanted:
        await tx.run(
            "INSERT INTO listeners (account_id, kind) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            account,
            kind,
        )
