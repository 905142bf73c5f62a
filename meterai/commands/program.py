"""Commands that rooms register, and the program (command line) that consists of them."""

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

# By type of service: opens only that service for a command, until the context ends.
Opens: TypeAlias = Mapping[type, Callable[[Database, Settings], AbstractAsyncContextManager[Any]]]
AfterRestore: TypeAlias = Callable[[Database, Settings], Awaitable[None]]
Timeline: TypeAlias = Callable[[ReadTx, Subject], Awaitable[Sequence[Happening]]]


async def _no_happenings(_tx: ReadTx, _about: Subject) -> Sequence[Happening]:
    return ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the command line.

    name       its words, such as `accounts create`
    function   its function, as `module:function`; loaded when the command is called
    directory  the state of the data directory that it needs or makes
    scope      demands of production that must be met
    schema     the state of the database schema that it needs or makes
    elsewhere  name of a setting that may state another place for the data that the command needs from the data
               directory
    """

    name: str
    function: str
    directory: Directory
    scope: DemandScope
    schema: Schema = Schema.NONE
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """Command line of an application.

    commands   every command by its words
    groups     help texts of the first words that several commands share
    sections   the settings that are loaded for a command
    demands    demands of production
    homes      folders of SQL outside the package
    levers     staff actions by the words of their commands
    figures    counts of a period by the rooms
    promises   queries of rooms that check a promise to the public in a period
    timeline   returns all happenings of a subject
    personal   personal data of each room
    audit      registrations for the audit
    opens      services of rooms that a command can open without the other rooms
    after_restore  changes by the rooms to a database restored from a backup
    """

    commands: Mapping[str, Command] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    sections: Sections = ()
    demands: Sequence[Demand] = ()
    homes: Homes = ()
    levers: Mapping[str, Lever] = field(default_factory=dict)
    figures: Sequence[FigureQuery] = ()
    promises: Sequence[PromiseQuery] = ()
    timeline: Timeline = _no_happenings
    personal: Mapping[str, Personal] = field(default_factory=dict)
    audit: Registered = field(default_factory=Registered)
    opens: Opens = field(default_factory=dict)
    after_restore: Sequence[AfterRestore] = ()
