"""Conversion of events into messages for the webhook endpoints that chose the types of the events."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from meterai.kit.clock import Clock
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Tx
from meterai.plumbing.work.events import Event, name_of_event
from meterai.plumbing.work.published import PublicEvent
from meterai.webhooks import store


def body_of(type_: str, at: datetime, data: Mapping[str, object]) -> str:
    """Return the body of a message as JSON, as it is signed and sent."""
    body = {"type": type_, "timestamp": at.isoformat(timespec="milliseconds"), "data": data}
    return msgspec.json.encode(body).decode()


class Publishing:
    """Turns published events into messages; finds an event's public type by the name of the event."""

    def __init__(self, published: Sequence[PublicEvent], clock: Clock) -> None:
        self._of_event: dict[str, list[PublicEvent]] = defaultdict(list)
        for one in published:
            self._of_event[one.kind].append(one)
        self.types = {one.name: one for one in published}
        self._clock = clock

    async def tell(self, tx: Tx, event: Event) -> None:
        """Queue messages about an event to those endpoints of its account that chose the type of the event."""
        kind = name_of_event(type(event))
        endpoints = await store.endpoints(tx, event.account)
        for one in self._of_event[kind]:
            wanted = [endpoint.id for endpoint in endpoints if endpoint.wants(one.name)]
            data = await one.told(tx, event) if wanted else None
            if data is not None:
                await self.queue(tx, event.account, wanted, one.name, data)

    async def queue(
        self,
        tx: Tx,
        account: UUID,
        endpoints: Sequence[UUID],
        type_: str,
        data: Mapping[str, object],
    ) -> list[UUID]:
        """Queue a message to each of these endpoints. Return the ids of the messages."""
        body = body_of(type_, self._clock.now(), data)
        made = [new_id() for _ in endpoints]
        for endpoint, message in zip(endpoints, made, strict=True):
            await store.add(tx, account, endpoint, message, type_, body)
        return made
