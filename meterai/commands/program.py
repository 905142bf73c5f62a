"""Commands as rooms register them, and the program that is made of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from meterai.commands.levers import Lever
from meterai.commands.needs import Directory, Schema
from meterai.commands.production import Demand, DemandScope
from meterai.kit.subjects import Happening, Subject
from meterai.plumbing.config import Sections, Settings
from meterai.plumbing.db.checks import Registered
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.db.figures import FigureQuery, PromiseQuery
from meterai.plumbing.db.personal import Personal
from meterai.plumbing.db.sql_files import Homes

# By type of service: opens that service alone, for a command, until the context ends.
Opens: TypeAlias = Mapping[type, Callable[[Database, Settings], AbstractAsyncContextManager[Any]]]
AfterRestore: TypeAlias = Callable[[Database, Settings], Awaitable[None]]
Timeline: TypeAlias = Callable[[ReadTx, Subject], Awaitable[Sequence[Happening]]]


async def _nothing_told(_tx: ReadTx, _about: Subject) -> Sequence[Happening]:
    return ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    name       its words, such as `accounts create`
    function   what runs, as `module:function`; loaded when the command is called
    directory  what it needs of the data directory
    scope      how much of what production demands must be met
    schema     what it needs of the schema of the database
    elsewhere  the setting that names another place for what it needs of the data directory, if any
    """

    name: str
    function: str
    directory: Directory
    scope: DemandScope
    schema: Schema = Schema.NONE
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """The command line of an application.

    commands  every command by its words
    groups    what the first words stand for that several commands share: their help
    sections  the settings that are loaded for a command
    demands   what production demands
    homes     folders of SQL that are not in the package
    levers    acts of staff by the words of their commands
    figures   what the rooms count of a period
    promises  queries of rooms that say whether a promise to the public was kept in a period
    timeline  everything that the rooms tell of a subject
    personal  what each room keeps of a person
    audit     what the audit asks
    opens     services of rooms that a command opens without the other rooms
    after_restore  what the rooms do in a database that was made of a backup
    """

    commands: Mapping[str, Command] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    sections: Sections = ()
    demands: Sequence[Demand] = ()
    homes: Homes = ()
    levers: Mapping[str, Lever] = field(default_factory=dict)
    figures: Sequence[FigureQuery] = ()
    promises: Sequence[PromiseQuery] = ()
    timeline: Timeline = _nothing_told
    personal: Mapping[str, Personal] = field(default_factory=dict)
    audit: Registered = field(default_factory=Registered)
    opens: Opens = field(default_factory=dict)
    after_restore: Sequence[AfterRestore] = ()
