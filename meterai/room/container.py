"""Services of one process: each built once, found by its type."""

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
    """No room has built the requested service before: the order of the rooms is wrong."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Offers of all rooms to those that serve staff and users: levers and work lists by name, knowledge and personal
    data by room (those of plumbing under its name), every retention rule, the events that accounts may receive, and
    the registrations for the audit.
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
    """Shared parts, and the services that rooms added.

    A room adds its services when it is built, and asks for those of the rooms below it. Resources to close at the end
    of the process are registered by `close_with`; the last opened is closed first.
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
        """Register a service under its type. There is one of each."""
        assert type(service) not in self._services, f"{type(service)} is built twice"
        self._services[type(service)] = service

    def of(self, kind: type[Service]) -> Service:
        """Return the service of this type. Raises `ServiceUnknown`."""
        found = self._services.get(kind)
        if not isinstance(found, kind):
            raise ServiceUnknown(kind.__qualname__)
        return found

    def close_with(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call this function when the process ends."""
        self._stack.push_async_callback(close)

    def services(self) -> dict[type, object]:
        """Return every service by its type, for routes."""
        core = (self.settings, self.database)
        return {type(service): service for service in core} | self._services
