"""The services of one process: each built once, found by its type."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from meterai.commands import Lever
from meterai.kit.clock import Clock
from meterai.plumbing.config import Settings
from meterai.plumbing.db.checks import Registered
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.personal import Personal
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.objects import ObjectStore
from meterai.plumbing.observe.stations import Stations
from meterai.plumbing.work.published import PublicEvent
from meterai.plumbing.work.retention import Rule
from meterai.room.knowing import Knows, WorkList

Service = TypeVar("Service")


class ServiceUnknown(Exception):
    """A service was asked for that no room built before: the order of the rooms is wrong."""


@dataclass(frozen=True, slots=True)
class Offers:
    """The offers of all rooms to those who serve staff and people who ask: levers and lists by name, knowledge and personal
    data by room (those of plumbing under its name), every rule of retention, the events that accounts may be told of, and
    what the audit asks.
    """

    levers: Mapping[str, Lever] = field(default_factory=dict)
    knows: Mapping[str, Knows] = field(default_factory=dict)
    work: Mapping[str, WorkList] = field(default_factory=dict)
    personal: Mapping[str, Personal] = field(default_factory=dict)
    retention: Sequence[Rule] = ()
    published: Sequence[PublicEvent] = ()
    audit: Registered = field(default_factory=Registered)


@dataclass(frozen=True, slots=True)
class Container:
    """What every room may use, and the services that rooms added.

    A room adds its services when its turn comes, and asks for those of the rooms below it.  What
    must be closed at the end of the process is said with `close_with`; the last opened is closed first.
    """

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    objects: ObjectStore
    stations: Stations
    offers: Offers
    _stack: AsyncExitStack
    _services: dict[type, object] = field(default_factory=dict)

    def add(self, service: object) -> None:
        """Let a service be found by its type.  There is one of each."""
        assert type(service) not in self._services, f"{type(service)} is built twice"
        self._services[type(service)] = service

    def of(self, kind: type[Service]) -> Service:
        """The service of this type.  Raises `ServiceUnknown`."""
        found = self._services.get(kind)
        if not isinstance(found, kind):
            raise ServiceUnknown(kind.__qualname__)
        return found

    def close_with(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call this when the process ends."""
        self._stack.push_async_callback(close)

    def services(self) -> dict[type, object]:
        """Every service by its type, as routes ask for them."""
        core = (self.settings, self.database)
        return {type(service): service for service in core} | self._services
