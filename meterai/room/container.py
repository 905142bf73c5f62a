"""The services of one process, each built once and found by its type."""

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
    """The requested service has not been built: no room builds it, or the rooms are built in the wrong order."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Everything that the rooms together offer to the pages of staff and users.

    levers     staff actions, by name
    knows      searches, and happenings (events in the history of a subject), by room
    work       work lists, by name
    personal   personal data, by room, and under "plumbing" for the tables of no room
    retention  every retention rule
    published  kinds of events that accounts may receive
    mails      path of the button of each mail, by template
    audit      invariants and declarations that the rooms register for the audit
    """

    levers: Mapping[str, Lever] = field(default_factory=dict)
    knows: Mapping[str, Knows] = field(default_factory=dict)
    work: Mapping[str, WorkList] = field(default_factory=dict)
    personal: Mapping[str, Personal] = field(default_factory=dict)
    retention: Sequence[Rule] = ()
    published: Sequence[PublicEvent] = ()
    mails: Mapping[str, str] = field(default_factory=dict)
    audit: Registered = field(default_factory=Registered)


@dataclass(frozen=True, slots=True)
class Container:
    """The shared parts of a process, and the services that rooms added.

    A room adds its services when it is built, and gets the services of the rooms below it by `of`. `close_with` registers how a
    resource is closed at the end of the process; the resource opened last is closed first.
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
        """Register a service under its type. Each type may be registered once."""
        assert type(service) not in self._services, f"{type(service)} is built twice"
        self._services[type(service)] = service

    def of(self, kind: type[Service]) -> Service:
        """Return the service of this type. Raises `ServiceUnknown`."""
        found = self._services.get(kind)
        if not isinstance(found, kind):
            raise ServiceUnknown(kind.__qualname__)
        return found

    def close_with(self, close: Callable[[], Awaitable[None]]) -> None:
        """Register a function to be called when the process ends."""
        self._stack.push_async_callback(close)

    def services(self) -> dict[type, object]:
        """Return every service by its type; routes get their services from this mapping."""
        core = (self.settings, self.database)
        return {type(service): service for service in core} | self._services
