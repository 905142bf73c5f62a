"""Personal data: what a room stores about a person, its copy and its erasure (UU PDP 27/2022, sections 7, 8, 31, 43).

For each of its tables a room declares which rows are about a person, which columns a copy contains, what an erasure
does to them, and why and until when the remaining data are kept. A copy contains no secret and no data of another
person. An erasure runs in one transaction over all rooms; repeating it changes nothing. The texts are in the room's
messages (`personal.<table>`, `purpose.<room>`, `wait.<word>`), the reasons in those of plumbing (`kept.<reason>`,
`basis.<basis>`).
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
# The prefix under which people see the id of an account, in every room.
_ACCOUNT = {"account_id": "acc"}


class Basis(StrEnum):
    """Legal basis of processing (UU PDP 20(2))."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LAW = "law"
    INTEREST = "interest"


class KeepReason(StrEnum):
    """Reason for which rows stay after an erasure."""

    TAX = "tax"  # records of tax and of money
    PROOF = "proof"  # a record that is only added to
    STAMP = "stamp"  # needed to check a stamp
    BRIEFLY = "briefly"  # deleted soon by its retention rule
    NUMBER = "number"  # a number that identifies no person


@dataclass(frozen=True, slots=True)
class Person:
    """A person who has an account; `email` is empty after an erasure of the person.

    `organizations` are those in which the person has or had a role.
    """

    account: UUID
    email: str
    organizations: tuple[UUID, ...] = ()


# Returns the values for `%s` in the SQL that selects the rows of a person.
Named: TypeAlias = Callable[[Person], Sequence[object]]
Act: TypeAlias = Callable[[Tx, Person, datetime], Awaitable[None]]


def _account(person: Person) -> Sequence[object]:
    return (person.account,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalTable:
    """The rows of a person in one table (`t`).

    columns  columns in a copy; every other column is `inner` (internal), `hidden` (a secret, or its hash), or about
             other people (`others`)
    also     additional columns of a copy: SQL by name
    whose    SQL that selects the rows of the person; `named` returns its parameters
    deletes  an erasure deletes the rows
    blanks   an erasure sets these columns to these values (SQL) in rows that match `only` (SQL)
    kept     reason for which rows remain; they are kept for `keeps` after `since` (SQL)
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
        """Return at most `most` rows for the copy of a person's data, ordered by their first columns. `ids` maps each column of
        ids to the prefix that people see before these ids, such as `ord`.
        """
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
        """Return what an erasure does to the rows of a person; None if there are no rows."""
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
    """Result of an erasure for the rows of a person in a table: deleted, blanked in some columns, or kept until a time."""

    table: str
    rows: int
    deletes: bool
    blanked: tuple[str, ...]
    kept: KeepReason | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the copy of a person's data: its name and the rows of the person; `is_cut` is True if the person has more
    rows.
    """

    name: str
    rows: Sequence[Mapping[str, object]]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """A condition that must end before a person is erased.

    `query` returns `count`, and `until`, the time at which the condition ends by itself; NULL if the person must act.
    """

    word: str
    query: str
    named: Named = _account


class ErasureWait(NamedTuple):
    """A reason for which the erasure of a person has to wait now."""

    word: str
    number: int
    until: datetime | None


class Consent(NamedTuple):
    """A consent of a person. The message `consent.<word>` is its name, and `which` identifies what it was given for."""

    word: str
    which: str
    about: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Consents:
    """Functions of a room that list the consents of a person, and withdraw one, so that what it allowed stops at once."""

    given: Callable[[ReadTx, Person], Awaitable[Sequence[Consent]]]
    withdraw: Callable[[Tx, Person, str], Awaitable[None]]


class CopyFile(NamedTuple):
    """A file in the copy of a person's data."""

    name: str
    content: bytes


# Returns files of a person that are not in tables, such as receipts; the last argument is their largest number.
Files: TypeAlias = Callable[[ReadTx, Person, Settings, int], Awaitable[Sequence[CopyFile]]]


async def _nobody_waits(_tx: ReadTx, _person: Person) -> Sequence[ErasureWait]:
    return ()


async def _nothing(_tx: Tx, _person: Person, _at: datetime) -> None:
    """Default of `Personal.before`: does nothing before an erasure."""


async def _no_files(
    _tx: ReadTx, _person: Person, _settings: Settings, _most: int
) -> Sequence[CopyFile]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """A room's personal data.

    name        name in copies and the register, if it is not the name of the room
    ids         for each column of ids, the prefix that people see before these ids; columns of account ids are known already
    basis       legal basis of the processing
    recipients  third parties that receive some of it: `recipient.<word>`
    tables      rows of a person, by table
    nobodys     tables with an account or an address that are not part of a copy or an erasure, with reasons
    before      what an erasure does before it changes rows
    waits       conditions that must end before a person is erased; `asks` finds further ones, which no query of the room's own
                tables can find
    files       files in a copy
    consents    consents of a person, if the room asks for any
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
        """Return the room's tables for the copy of a person's data, with at most `most` rows each."""
        return [
            Table(one.table, rows[:most], len(rows) > most)
            for one in self.tables
            if (rows := await one.rows(tx, person, most + 1, _ACCOUNT | {**self.ids}))
        ]

    async def forecast(self, tx: ReadTx, person: Person) -> list[Fate]:
        """Return what an erasure would do to the rows of each table."""
        found = [await one.fate(tx, person) for one in self.tables]
        return [one for one in found if one is not None]

    async def erase(self, tx: Tx, person: Person, at: datetime) -> list[Fate]:
        """Erase the person's data as declared, and return what was done to each table. A repeat changes nothing."""
        fates = await self.forecast(tx, person)
        await self.before(tx, person, at)
        for one in self.tables:
            await one.erase(tx, person)
        return fates

    async def waiting(self, tx: ReadTx, person: Person) -> list[ErasureWait]:
        """Return the reasons for which the erasure of a person has to wait."""
        found = []
        for one in self.waits:
            row = await tx.one(one.query, *one.named(person))
            if row is not None and row["count"]:
                found.append(ErasureWait(one.word, int(row["count"]), row["until"]))
        return [*found, *await self.asks(tx, person)]


def _plain(value: Any, prefix: str | None) -> object:
    """Convert a value to JSON: ids with a prefix as people see them, times as ISO 8601, bytes as hexadecimal."""
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


# The tables of jobs and other internal work belong to no room.
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
        "listeners": (
            "Names events, without personal data; deleted with the endpoints that it serves."
        ),
        "jobs": "Deleted within seconds, and an erasure waits for it.",
        "round_faults": "Numbers of late rows; deleted when the row is done.",
    },
    waits=(
        Wait("jobs", "SELECT count(*) AS count, now() AS until FROM jobs WHERE account_id = %s"),
    ),
)
