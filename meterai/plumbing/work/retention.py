"""Retention: for every table, how long its rows are kept and why, and the periodic tasks that delete them.

Records that the law of accounting requires (money and stamps: ten years and more) contain ids, sums, states and times.
Data about a person (addresses, networks, file names, bodies of notifications) are deleted earlier: UU PDP 27/2022
requires that personal data be kept no longer than their purpose (sections 16, 42 to 44).  Each rule is a periodic task
of its own, so that one table cannot stop another; it takes a few rows at a time and skips locked rows.

A room declares the rules of its tables in its `retention`; a test finds a table without a rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from meterai.kit.clock import Clock
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.jobs import PeriodicTask

BATCH = 500  # rows of one statement, which takes some milliseconds; no request waits for them
REST_SECONDS = 600.0  # a rule counted in days may be late by minutes

_DAY = timedelta(days=1)
WEEK = 7 * _DAY
MONTH = 30 * _DAY
QUARTER = 90 * _DAY
HALF_YEAR = 180 * _DAY
YEAR = 365 * _DAY

BOOKS = (
    "The books: ten years at least (UU KUP 28(11)), and a balance is the sum of all entries, so "
    "that none can be deleted. Ids, sums and times; no personal data."
)
MONEY = "The path of money: ten years at least (UU KUP 28(11)). Ids, sums, states and times."
STAMPS = "A stamp can be checked as long as somebody has its document."
ONE = "One row, or a few that are overwritten."


@dataclass(frozen=True, slots=True)
class Leaves:
    """Rule by which rows of a table are deleted, or some of their columns blanked.

    after     how long after `since` (SQL) a row is due
    only      SQL: the rows that the rule applies to
    blanks    new values (SQL) by column; if empty, the row is deleted
    harmless  columns whose names suggest personal data, with the reasons why they may stay
    """

    name: str
    table: str
    key: tuple[str, ...]
    after: timedelta
    since: str
    why: str
    only: str = "true"
    blanks: Mapping[str, str] = field(default_factory=dict)
    harmless: Mapping[str, str] = field(default_factory=dict)

    def statement(self) -> str:
        """Return the SQL for one batch; its parameters are a time and a number of rows. It skips locked rows."""
        key = ", ".join(self.key)
        changes = ", ".join(f"{column} = {value}" for column, value in self.blanks.items())
        act = f"UPDATE {self.table} SET {changes}" if changes else f"DELETE FROM {self.table}"  # noqa: S608 - all of it is written below
        return (
            f"WITH due AS MATERIALIZED (SELECT {key} FROM {self.table}"  # noqa: S608
            f" WHERE ({self.only}) AND {self.since} < %s LIMIT %s FOR UPDATE SKIP LOCKED)"
            f" {act} WHERE ({key}) IN (TABLE due)"
        )


@dataclass(frozen=True, slots=True)
class Stays:
    """Rule for rows that are kept as long as the installation exists, or that are deleted by other code.

    `harmless` are columns that by their names may contain personal data, with reasons why they may stay.
    """

    table: str
    why: str
    harmless: Mapping[str, str] = field(default_factory=dict)


Rule: TypeAlias = Leaves | Stays
# Rules for the tables that no room owns.
RETENTION: tuple[Rule, ...] = (
    Leaves(
        "given_up_jobs",
        "dead_jobs",
        ("account_id", "job_id", "handler"),
        QUARTER,
        "died_at",
        "Only notifications are given up; after three months nobody runs them again, and their "
        "facts may contain an address.",
    ),
    Stays(
        "applied_migrations",
        "The changes of the schema; one row for each release.",
        harmless={"name": "the name of a file of the program"},
    ),
    Stays(
        "jobs",
        "A job is deleted in the transaction of its last handler.",
        harmless={"facts": "deleted with its job", "last_fault": "deleted with its job"},
    ),
    Stays("listeners", "A row is deleted when its account ends its subscription."),
    Stays(
        "round_faults",
        "A fault is deleted when its row is done, or a day after its last try.",
        harmless={"last_fault": "deleted when its row is done"},
    ),
)


class Retention:
    """Applies the given retention rules to one database."""

    def __init__(self, database: Database, clock: Clock, rules: Iterable[Rule]) -> None:
        self._database = database
        self._clock = clock
        self._rules = [rule for rule in rules if isinstance(rule, Leaves)]

    async def apply(self, rule: Leaves) -> int:
        """Delete or blank one batch of rows by one rule; return the number of rows."""
        before = self._clock.now() - rule.after
        return await self._database.run(lambda tx: tx.run(rule.statement(), before, BATCH))

    def periodic_tasks(self) -> Sequence[PeriodicTask]:
        """Return a periodic task for each rule."""
        return [self._task(rule) for rule in self._rules]

    def _task(self, rule: Leaves) -> PeriodicTask:
        async def run() -> int:
            return await self.apply(rule)

        return PeriodicTask(
            f"retention_{rule.name}",
            run,
            REST_SECONDS,
            without_rows="one statement takes a batch and skips locked rows",
        )
