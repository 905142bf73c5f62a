"""What a room offers to the applications, as one value in its `room.py`."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import Any, TypeAlias

import msgspec
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from meterai.commands import AfterRestore, Command, Demand, KeyFile, Lever, Opens
from meterai.kit.lifecycle import Lifecycle
from meterai.pages import RoomPages, Site
from meterai.plumbing.config import Settings
from meterai.plumbing.db.audited import Audited
from meterai.plumbing.db.checks import Check
from meterai.plumbing.db.figures import FigureQuery, PromiseQuery
from meterai.plumbing.db.invariants import Invariant, MailCause, Posting
from meterai.plumbing.db.personal import Personal
from meterai.plumbing.http.described import FieldDescription
from meterai.plumbing.http.front import Step
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.observe.metrics import Metric
from meterai.plumbing.work.events import Event, Subscription
from meterai.plumbing.work.jobs import PeriodicTask
from meterai.plumbing.work.leases import Lease
from meterai.plumbing.work.published import PublicEvent
from meterai.plumbing.work.retention import Rule
from meterai.plumbing.work.worker_pool import WorkerPool
from meterai.room.container import Container
from meterai.room.knowing import Knows, WorkList

Build: TypeAlias = Callable[[Container], Awaitable[None]]
# Made of the application, its settings, and the headers that every answer has.
MakeStep: TypeAlias = Callable[[Litestar, Settings, Sequence[tuple[bytes, bytes]]], Step]


async def _nothing(_container: Container) -> None:
    """A room without services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room.  Everything but the name may be left out.

    name       as its package is called
    home       the folder that has its `sql/`, where it is not meterai/<name>
    tables     its tables: no other room's SQL names them (tests/tidy/test_sql_walls.py)
    lifecycles which states its things may have, and what leads from one to the next
    settings   the Struct of its settings; each becomes `METERAI_<FIELD>`
    sections   more of them, of parts that the room is made with
    needs      refuses where something is missing that its services need beside the database; asked
               before a process begins
    build      adds its services to the container; the rooms below it were built before
    ready      by name, what must hold for a process to be ready (`/readyz`); each refuses if not
    warns      by name, what `/readyz` warns of: a text, or None where there is nothing
    leases     how long something is held and what its holder may take, checked at start
    opens      services that a command opens without the other rooms, and how
    services   by the name of a parameter, what routes may ask for; `build` adds them
    routes     what answers HTTP: the API, and pages that show only this room
    fields     by the names of a view and of its field, what that can be, for the description of the API
    pages      templates, drawings and links of its pages
    step       makes a step of the front, before the application and its limiter: sees each request first
    shows      keeps what every page begins with as it is, in a web process
    rails      ways to be paid that it adds to those of payments, each a `RailKind`
    handlers   to which events it listens, and with what
    unheard    events of its own that nobody listens to, and why not
    published  which events accounts may be told of
    tasks      what the worker looks for by state, and how often
    worker_pools  other work the worker keeps under way
    before_work  what the worker sees to before it begins; a refusal ends it
    after_restore  what is done to its tables in a database that was made of a backup
    demands    what production demands of its settings and keys
    undemanded settings of which nothing is demanded, and why any value of them can be served with
    keys       the files of keys that production needs, each made of those before it
    commands   what an operator can do at the command line
    command_groups  by their first word, what several commands are about
    levers     those of its commands that staff pull: with a forecast, and an approval where one is needed
    knows      what it finds for a search and tells of a subject
    personal   what it keeps of a person: given out as a copy, and erased
    work       lists of what waits for staff
    figures    what it counts of a period, for an assessment
    promises   whether promises to the public were kept in a period, for an assessment
    metrics    what it counts and measures; made when a process begins
    invariants what must be true of its tables, for `meterai audit`
    postings   from what its entries in the ledger are made, by their reasons
    mail_causes  why it writes mails, and which are owed
    checks     what must be true and is no single query
    audited    what the audit knows of the columns of its tables
    retention  how long what is in its tables is kept, and why
    """

    name: str
    home: Traversable | None = None
    tables: frozenset[str] = frozenset()
    lifecycles: Sequence[Lifecycle[Any, Any]] = ()
    settings: type[msgspec.Struct] | None = None
    sections: Sequence[type[msgspec.Struct]] = ()
    needs: Callable[[Settings, Keyring], None] = lambda _settings, _keyring: None
    build: Build = _nothing
    ready: Mapping[str, Callable[[Container], Awaitable[None]]] = field(default_factory=dict)
    warns: Mapping[str, Callable[[Container], Awaitable[str | None]]] = field(default_factory=dict)
    leases: Callable[[Container], Iterable[Lease]] = lambda _: ()
    opens: Opens = field(default_factory=dict)
    services: Mapping[str, type] = field(default_factory=dict)
    routes: Sequence[ControllerRouterHandler] = ()
    fields: Mapping[tuple[str, str], FieldDescription] = field(default_factory=dict)
    pages: RoomPages | None = None
    step: MakeStep | None = None
    shows: Callable[[Container, Site], None] = lambda _container, _site: None
    rails: Sequence[Any] = ()  # rooms below payments know no type of it
    handlers: Sequence[Subscription] = ()
    unheard: Mapping[type[Event], str] = field(default_factory=dict)
    published: Sequence[PublicEvent] = ()
    tasks: Callable[[Container], Sequence[PeriodicTask]] = lambda _: ()
    worker_pools: Callable[[Container], Sequence[WorkerPool]] = lambda _: ()
    before_work: Build = _nothing
    after_restore: AfterRestore | None = None
    demands: Sequence[Demand] = ()
    undemanded: Mapping[str, str] = field(default_factory=dict)
    keys: Callable[[Settings], Iterable[KeyFile]] = lambda _settings: ()
    commands: Sequence[Command] = ()
    command_groups: Mapping[str, str] = field(default_factory=dict)
    levers: Sequence[Lever] = ()
    knows: Knows | None = None
    personal: Personal | None = None
    work: Sequence[WorkList] = ()
    figures: Sequence[FigureQuery] = ()
    promises: Sequence[PromiseQuery] = ()
    metrics: Sequence[Metric[Any]] = ()
    invariants: Sequence[Invariant] = ()
    postings: Sequence[Posting] = ()
    mail_causes: Sequence[MailCause] = ()
    checks: Sequence[Check] = ()
    audited: Audited = field(default_factory=Audited)
    retention: Sequence[Rule] = ()


Rooms: TypeAlias = Sequence[Room]
