"""Events: what happened to something of an account, and who listens.

An event is a frozen Struct with typed facts, declared in `events.py` of the room that tells it.  It
is written as jobs by the SQL function `emit`, in the transaction that caused it, and read back as
the same Struct for its handlers.  Handlers are listed in `HANDLERS` of each room's `jobs.py`.
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
    """Something that happened.  Its fields but `account` are the facts of its job."""

    account: UUID


E = TypeVar("E", bound=Event)
S = TypeVar("S")


def name_of_event(event: type[Event]) -> str:
    """What an event is called in SQL, in jobs and in metrics: `PaymentCaptured`, `payment_captured`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower()


def facts_of(event: Event) -> dict[str, Any]:
    """The facts of an event as JSON knows them."""
    facts: dict[str, Any] = msgspec.to_builtins(event)
    del facts["account"]
    return facts


def read_event(event: type[E], account: UUID, facts: Mapping[str, object]) -> E:
    """An event from the facts of its job.

    Raises `msgspec.ValidationError`, which tells the place of what is wrong and no value.  A fact
    of a version after this one is passed over.
    """
    return msgspec.convert({**facts, "account": account}, event)


async def emit(tx: Tx, event: Event) -> None:
    """Tell an event: its handlers run once this transaction is committed."""
    name, facts = name_of_event(type(event)), jsonb(facts_of(event))
    await tx.run("SELECT emit(%s, %s, %s)", event.account, name, facts)


@dataclass(frozen=True, slots=True)
class Subscription:
    """That a handler listens to an event.

    `gives_up`: after `jobs.TRIES_MAX` tries it is given up and waits for a person, which is for
    what only tells people.  What moves money or stamps never does.  `priority`: whose jobs are taken
    up while those of others wait.
    """

    event: type[Event]
    handler: Callable[..., Awaitable[None]]
    gives_up: bool
    service: type | None
    priority: Priority

    @property
    def kind(self) -> str:
        """The name of its event."""
        return name_of_event(self.event)

    @property
    def name(self) -> str:
        """The name of its handler; of one event no two are the same."""
        return str(self.handler.__name__)

    async def run(
        self, tx: Tx, account: UUID, facts: Mapping[str, object], services: Mapping[type, object]
    ) -> None:
        """Read the event and run the handler.  Raises whatever the handler does."""
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
    """A handler of an event, and the service it takes beside it, if any.

    Where no priority is said, it is `NEW` for what only tells people, and `MONEY` for all else.
    """
    if priority is None:
        priority = Priority.NEW if gives_up else Priority.MONEY
    return Subscription(event, handler, gives_up, service, priority)
