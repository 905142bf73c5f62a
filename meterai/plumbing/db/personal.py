"""Personal data: what a room keeps of a person, given out as a copy and erased (UU PDP 27/2022, sections 7, 8, 31, 43).

A room says of each of its tables which rows are of a person, which columns a copy has, what erasing does to them, and
why what stays is kept and until when.  A copy has no secret and nothing of another person.  Erasing is done in one
transaction over all rooms, and changes nothing where it was done before; the words are in the room's messages
(`personal.<table>`, `purpose.<room>`, `wait.<word>`), the reasons in those of plumbing (`kept.<reason>`, `basis.<basis>`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from meterai.kit.ids import show
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx, Tx

LAW_KEEPS = timedelta(days=3_653)  # ten years (UU KUP 28(11))
_ACCOUNT = {"account_id": "acc"}  # the prefix under which people see an account, in every room


class Basis(StrEnum):
    """Legal basis of processing (UU PDP 20(2))."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LAW = "law"
    INTEREST = "interest"


class KeepReason(StrEnum):
    """Reason for which rows stay after an erasure."""

    TAX = "tax"  # records of tax and of money
    PROOF = "proof"  # a record to which lines are only added
    STAMP = "stamp"  # a stamp can be checked
    BRIEFLY = "briefly"  # leaves by its rule of retention
    NUMBER = "number"  # a number without a person


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has an account; `email` is empty once that was erased.

    `organizations` are those in which the person has or had a role.
    """

    account: UUID
    email: str
    organizations: tuple[UUID, ...] = ()


# The values for `%s` in the SQL that says which rows are of a person.
Named: TypeAlias = Callable[[Person], Sequence[object]]
Act: TypeAlias = Callable[[Tx, Person, datetime], Awaitable[None]]


def _account(person: Person) -> Sequence[object]:
    return (person.account,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalTable:
    """Rows of a person in one table (`t`).

    columns  those that a copy has; every other one is `inner` (of our work), `hidden` (a secret, or its hash), or of `others`
    also     more of a copy, by name: SQL
    whose    which rows are of the person (SQL), with the values of `named`
    deletes  erasing deletes them
    blanks   erasing puts these values (SQL) into these columns, of the rows of which `only` (SQL) is true
    kept     why rows stay after that, and `since` when (SQL), counting to the longest of them, for how long
    """

    table: str
    columns: str = ""
    inner: str = ""
    hidden: str = ""
    others: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    whose: str = "t.account_id = %s"
    named: Named = _account
    deletes: bool = False
    blanks: Mapping[str, str] = field(default_factory=dict)
    only: str = "true"
    kept: KeepReason | None = None
    since: str = "NULL::timestamptz"
    keeps: timedelta | None = None

    async def rows(
        self, tx: ReadTx, person: Person, most: int, ids: Mapping[str, str]
    ) -> list[dict[str, object]]:
        """The rows that a copy has, by the first column; at most so many.  `ids` are the prefixes of columns."""
        if not self.columns:
            return []
        wanted = [*(f"t.{one}" for one in self.columns.split())]
        wanted += [f"{sql} AS {name}" for name, sql in self.also.items()]
        first = ", ".join("12"[: len(wanted)])
        found = await tx.all(
            f"SELECT {', '.join(wanted)} FROM {self.table} t WHERE {self.whose} ORDER BY {first} LIMIT %s",  # noqa: S608 - names are written in rooms
            *self.named(person),
            most,
        )
        return [
            {name: _plain(value, ids.get(name)) for name, value in row.items()} for row in found
        ]

    async def fate(self, tx: ReadTx, person: Person) -> "Fate | None":
        """Fate of the rows of a person by an erasure; None where there are none."""
        row = await tx.one(
            f"SELECT count(*) AS rows, max({self.since}) AS since FROM {self.table} t WHERE {self.whose}",  # noqa: S608
            *self.named(person),
        )
        assert row is not None
        if not row["rows"]:
            return None
        keeps = LAW_KEEPS if self.kept == KeepReason.TAX else self.keeps
        until = row["since"] + keeps if row["since"] and keeps else None
        return Fate(self.table, row["rows"], self.deletes, tuple(self.blanks), self.kept, until)

    async def erase(self, tx: Tx, person: Person) -> None:
        """Delete or blank the rows of a person."""
        changes = ", ".join(f"{column} = {value}" for column, value in self.blanks.items())
        if self.deletes:
            act = f"DELETE FROM {self.table} t"  # noqa: S608
        elif changes:
            act = f"UPDATE {self.table} t SET {changes}"  # noqa: S608
        else:
            return
        await tx.run(f"{act} WHERE {self.whose} AND ({self.only})", *self.named(person))


class Fate(NamedTuple):
    """The end of the rows of a person in a table: deleted, blanked in some columns, or kept for a reason until a moment."""

    table: str
    rows: int
    deletes: bool
    blanked: tuple[str, ...]
    kept: KeepReason | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a copy: its name and the rows of the person; `is_cut` where there are more."""

    name: str
    rows: Sequence[Mapping[str, object]]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that must end before a person is erased.

    `query` answers `count`, and `until`: when it ends by itself, NULL where the person has to do something.
    """

    word: str
    query: str
    named: Named = _account


class ErasureWait(NamedTuple):
    """Reason for which a person's erasure waits now."""

    word: str
    number: int
    until: datetime | None


class Consent(NamedTuple):
    """Something a person agreed to: `consent.<word>` is its name; `which` says for what it was given."""

    word: str
    which: str
    about: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Consents:
    """The consents of a room: those a person gave, and withdrawing one of them, which stops what it allowed at once."""

    given: Callable[[ReadTx, Person], Awaitable[Sequence[Consent]]]
    withdraw: Callable[[Tx, Person, str], Awaitable[None]]


class CopyFile(NamedTuple):
    """A file of a copy."""

    name: str
    content: bytes


# Files of a person beside the tables, such as receipts; at most so many.
Files: TypeAlias = Callable[[ReadTx, Person, Settings, int], Awaitable[Sequence[CopyFile]]]


async def _nobody_waits(_tx: ReadTx, _person: Person) -> Sequence[ErasureWait]:
    return ()


async def _nothing(_tx: Tx, _person: Person, _at: datetime) -> None:
    """Nothing beside the rows."""


async def _no_files(
    _tx: ReadTx, _person: Person, _settings: Settings, _most: int
) -> Sequence[CopyFile]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """A room's personal data.

    name        what a copy and the register call it, where that is not the name of the room
    ids         prefixes under which people see the ids of these columns, beside that of accounts
    basis       legal basis of the processing
    recipients  who else gets some of it: `recipient.<word>`
    tables      rows of a person, table by table
    nobodys     tables that have an account or an address and are of no person to give out or erase, and why not
    before      what erasing does before its rows are changed
    waits       what must end before a person is erased; `asks` of what no query of the room's own tables tells
    files       files of a copy
    consents    what a person agreed to, where the room asks for that
    """

    name: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    basis: Basis = Basis.CONTRACT
    recipients: Sequence[str] = ()
    tables: Sequence[PersonalTable] = ()
    nobodys: Mapping[str, str] = field(default_factory=dict)
    before: Act = _nothing
    waits: Sequence[Wait] = ()
    asks: Callable[[ReadTx, Person], Awaitable[Sequence[ErasureWait]]] = _nobody_waits
    files: Files = _no_files
    consents: Consents | None = None

    async def export(self, tx: ReadTx, person: Person, most: int) -> list[Table]:
        """The tables of a copy, with at most so many rows each."""
        return [
            Table(one.table, rows[:most], len(rows) > most)
            for one in self.tables
            if (rows := await one.rows(tx, person, most + 1, _ACCOUNT | {**self.ids}))
        ]

    async def forecast(self, tx: ReadTx, person: Person) -> list[Fate]:
        """Fate of the rows in each table by an erasure."""
        found = [await one.fate(tx, person) for one in self.tables]
        return [one for one in found if one is not None]

    async def erase(self, tx: Tx, person: Person, at: datetime) -> list[Fate]:
        """Erase what may go, and say what became of each table.  A repeat changes nothing."""
        fates = await self.forecast(tx, person)
        await self.before(tx, person, at)
        for one in self.tables:
            await one.erase(tx, person)
        return fates

    async def waiting(self, tx: ReadTx, person: Person) -> list[ErasureWait]:
        """Reasons for which the erasure of a person waits."""
        found = []
        for one in self.waits:
            row = await tx.one(one.query, *one.named(person))
            if row is not None and row["count"]:
                found.append(ErasureWait(one.word, int(row["count"]), row["until"]))
        return [*found, *await self.asks(tx, person)]


def _plain(value: Any, prefix: str | None) -> object:
    """A value as JSON has it: ids with a prefix as people see them, times as ISO 8601, bytes as hexadecimal."""
    match value:
        case UUID() if prefix is not None:
            return show(prefix, value)
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
        case list():
            return [_plain(one, prefix) for one in value]
        case _:
            return value


# Tables that keep work going are of no room.
OF_PLUMBING = Personal(
    basis=Basis.INTEREST,
    tables=(
        PersonalTable(
            table="dead_jobs",
            columns="job_id kind handler created_at died_at tries",
            inner="facts fault account_id",
            deletes=True,
        ),
    ),
    nobodys={
        "listeners": "Names events, and nothing of anybody; leaves with the endpoints that it serves.",
        "jobs": "Leaves within seconds, and an erasure waits for it.",
        "round_faults": "Numbers of what is late; leaves once it is done.",
    },
    waits=(
        Wait("jobs", "SELECT count(*) AS count, now() AS until FROM jobs WHERE account_id = %s"),
    ),
)
