"""Events: occurrences that concern an account, such as a payment of its order, and the handlers that listen to them.

An event is a frozen Struct with typed facts, declared in `events.py` of the room that emits it. The SQL function `emit`
writes one job for each of its handlers, in the transaction that caused the event. To run a job, the worker reads its
facts back into the same Struct. Handlers are listed in `HANDLERS` of each room's `jobs.py`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload
from uuid import UUID

import msgspec

from meterai.kit.priority import Priority
from meterai.plumbing.db.database import Tx, jsonb


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, such as a payment. All fields except `account` are the facts of the jobs that it causes."""

    account: UUID


E = TypeVar("E", bound=Event)
S = TypeVar("S")


def name_of_event(event: type[Event]) -> str:
    """Return the name of an event in SQL, in jobs and in metrics: `payment_captured` for `PaymentCaptured`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower()


def facts_of(event: Event) -> dict[str, Any]:
    """Return the facts of an event as JSON values."""
    facts: dict[str, Any] = msgspec.to_builtins(event)
    del facts["account"]
    return facts


def read_event(event: type[E], account: UUID, facts: Mapping[str, object]) -> E:
    """Return an event from the facts of its job.

    Raises `msgspec.ValidationError`, whose message names the place of the fault and no value. Unknown facts, which a
    newer version may have written, are ignored.
    """
    return msgspec.convert({**facts, "account": account}, event)


async def emit(tx: Tx, event: Event) -> None:
    """Write one job for each handler of an event; the jobs run once this transaction is committed."""
    name, facts = name_of_event(type(event)), jsonb(facts_of(event))
    await tx.run("SELECT emit(%s, %s, %s)", event.account, name, facts)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler of an event.

    gives_up  after `jobs.TRIES_MAX` tries the job is given up and waits for a person. Only handlers that notify people
              give up; those that move money or stamps never do.
    priority  selects the worker pool in which its jobs run
    """

    event: type[Event]
    handler: Callable[..., Awaitable[None]]
    gives_up: bool
    service: type | None
    priority: Priority

    @property
    def kind(self) -> str:
        """Name of the event."""
        return name_of_event(self.event)

    @property
    def name(self) -> str:
        """Name of the handler, unique among the handlers of one event."""
        return str(self.handler.__name__)

    async def run(
        self, tx: Tx, account: UUID, facts: Mapping[str, object], services: Mapping[type, object]
    ) -> None:
        """Read the event and run the handler. Raises every exception of the handler."""
        event = read_event(self.event, account, facts)
        await self.handler(tx, event, *([services[self.service]] if self.service else []))


@overload
def on(
    event: type[E],
    handler: Callable[[Tx, E], Awaitable[None]],
    *,
    gives_up: bool,
    priority: Priority | None = None,
) -> Subscription: ...


@overload
def on(
    event: type[E],
    handler: Callable[[Tx, E, S], Awaitable[None]],
    *,
    gives_up: bool,
    service: type[S],
    priority: Priority | None = None,
) -> Subscription: ...


def on(
    event: type[Event],
    handler: Callable[..., Awaitable[None]],
    *,
    gives_up: bool,
    service: type | None = None,
    priority: Priority | None = None,
) -> Subscription:
    """Subscribe a handler to an event. `service` is the type of a service that the handler takes in addition.

    The default priority is `NEW` for handlers that give up, and `MONEY` for all others.
    """
    if priority is None:
        priority = Priority.NEW if gives_up else Priority.MONEY
    return Subscription(event, handler, gives_up, service, priority)
