"""Type of the value in which the `room.py` of a room lists everything that it offers to the applications."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources.abc import Traversable
from typing import Any, TypeAlias

import msgspec
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from meterai.commands import AfterRestore, Command, Demand, KeyFile, Lever, Opens
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.subjects import SubjectSort
from meterai.pages import RoomPages, Site
from meterai.plumbing.config import Settings
from meterai.plumbing.db.audited import Audited
from meterai.plumbing.db.checks import Check
from meterai.plumbing.db.figures import FigureQuery, PromiseQuery
from meterai.plumbing.db.invariants import Invariant, MailCause, Posting
from meterai.plumbing.db.personal import Personal
from meterai.plumbing.http.described import Examples, FieldDescription
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
# Takes the application, its settings, and the headers that every answer has.
MakeStep: TypeAlias = Callable[[Litestar, Settings, Sequence[tuple[bytes, bytes]]], Step]


async def _build_nothing(_container: Container) -> None:
    """The default `build` of a room without services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that one room offers to the applications. All fields except the name may be left out.

    name       name of its package
    home       folder that contains `sql/`, if it is not meterai/<name>
    tables     its tables with rows of accounts: no other room's SQL names them
    global_tables  its tables whose rows belong to no account, with reasons: no other room's SQL names them either
    subjects   kinds of its objects whose timeline the console shows
    lifecycles states of its objects, and the transitions between them
    words      enums whose values a CHECK constraint allows, by the name of the constraint; not for the states of one lifecycle;
               other rooms may register further enums
    settings   the Struct of its settings; each becomes `METERAI_<FIELD>`
    sections   further Structs of settings, of parts that the room is made with
    needs      called before a process begins; refuses if something that its services need is missing, except the
               database
    build      adds its services to the container; the rooms below it were built before
    ready      conditions of `/readyz`, by name; each refuses if it is not met
    warns      warnings of `/readyz`, by name; each returns a text, or None
    leases     its leases, each with the longest duration of the work that it covers; checked at start
    opens      functions that open a service of this room for a command that builds no other room, by the type of the service
    services   services for routes, by the name of a parameter; `build` adds them
    routes     HTTP handlers: the API, and pages that show only this room
    fields     possible values of fields, by the names of view and field, for the description of the API
    examples   examples of fields and parameters of the API, for its description and documentation, by name
    pages      templates, drawings and links of its pages
    step       makes a step of the front, which sees each request before the application and its limiter
    shows      in a web process, keeps the notices at the head of every page up to date
    rails      further `RailKind`s by which buyers can pay, added to those of payments
    handlers   its event handlers
    unheard    its events without a handler, with reasons
    published  events that accounts may receive
    tasks      periodic tasks of the worker, with their intervals
    worker_pools  worker pools for other work than jobs
    before_work    called before the worker begins; if it refuses, the worker ends
    after_restore  changes to its tables in a database restored from a backup
    demands    settings and keys that production requires
    undemanded settings that production may leave as they are, with reasons
    keys       key files that production needs, in an order in which each can be made from earlier ones
    commands   commands of an operator
    command_groups  descriptions of groups of commands, by their common first word
    levers     staff actions with a forecast, some of which need the approval of a second person
    knows      answers to searches, and happenings (events in the history) of subjects
    personal   personal data that it stores: how to copy and to erase them
    work       lists of rows that wait for staff
    figures    counts of a period, for an assessment
    promises   checks of promises to the public in a period, for an assessment
    metrics    its metrics; created when a process begins
    invariants invariants of its tables, for `meterai audit`
    postings   rules that derive its ledger entries from the rows that cause them, by the reasons of the entries
    mails      path of the button of each mail that it queues, by template; empty if the mail has no button. Its `messages.toml` has
               the texts: `mail.<template>.subject`, `.text` and `.button`
    mail_causes  causes of its mails, and which mails are owed
    checks     checks for the audit that need more than one query
    audited    audit classes of the columns of its tables
    retention  retention rules of its tables
    """

    name: str
    home: Traversable | None = None
    tables: frozenset[str] = frozenset()
    global_tables: Mapping[str, str] = field(default_factory=dict)
    subjects: Sequence[SubjectSort] = ()
    lifecycles: Sequence[Lifecycle[Any, Any]] = ()
    words: Mapping[str, Sequence[type[StrEnum]]] = field(default_factory=dict)
    settings: type[msgspec.Struct] | None = None
    sections: Sequence[type[msgspec.Struct]] = ()
    needs: Callable[[Settings, Keyring], None] = lambda _settings, _keyring: None
    build: Build = _build_nothing
    ready: Mapping[str, Callable[[Container], Awaitable[None]]] = field(default_factory=dict)
    warns: Mapping[str, Callable[[Container], Awaitable[str | None]]] = field(default_factory=dict)
    leases: Callable[[Container], Iterable[Lease]] = lambda _: ()
    opens: Opens = field(default_factory=dict)
    services: Mapping[str, type] = field(default_factory=dict)
    routes: Sequence[ControllerRouterHandler] = ()
    examples: Examples = field(default_factory=dict)
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
    before_work: Build = _build_nothing
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
    mails: Mapping[str, str] = field(default_factory=dict)
    mail_causes: Sequence[MailCause] = ()
    checks: Sequence[Check] = ()
    audited: Audited = field(default_factory=Audited)
    retention: Sequence[Rule] = ()

    @property
    def owned_tables(self) -> frozenset[str]:
        """All tables of the room."""
        return self.tables | self.global_tables.keys()


Rooms: TypeAlias = Sequence[Room]
