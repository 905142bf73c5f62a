"""Retention: for every table how long what is in it is kept, why, and what deletes it then.

What the law of accounting wants kept (money and stamps: ten years and more) holds ids, sums, states
and times.  What says something of a person (addresses, networks, file names, bodies of news)
leaves earlier: UU PDP 27/2022 wants personal data kept no longer than its purpose (sections 16, 42
to 44).  Each rule is a periodic task of its own, so that one table cannot stop another; it takes a
few rows at a time and passes by rows that somebody holds.  Every table is here; a test compares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from meterai.documents.invariants import NO_NAME
from meterai.kit.clock import Clock
from meterai.plumbing.database import Database
from meterai.plumbing.jobs import PeriodicTask

BATCH = 500  # rows of one statement: some milliseconds, and nobody waits for them
REST_SECONDS = 600.0  # what is counted in days may be late by minutes

_DAY = timedelta(days=1)
WEEK = 7 * _DAY
MONTH = 30 * _DAY
QUARTER = 90 * _DAY
HALF_YEAR = 180 * _DAY
YEAR = 365 * _DAY


@dataclass(frozen=True, slots=True)
class Leaves:
    """Rows of a table that leave it, or some columns of theirs that are blanked.

    A row is due once `since` (SQL) is longer ago than `after`; `only` (SQL) says which rows this is
    about.  `blanks` maps a column to what takes its place (SQL); without it the row is deleted.
    """

    name: str
    table: str
    key: tuple[str, ...]
    after: timedelta
    since: str
    why: str
    only: str = "true"
    blanks: Mapping[str, str] = field(default_factory=dict)

    def statement(self) -> str:
        """One batch; its parameters are a moment and a number of rows.  Nobody waits for it."""
        key = ", ".join(self.key)
        changes = ", ".join(f"{column} = {value}" for column, value in self.blanks.items())
        act = f"UPDATE {self.table} SET {changes}" if changes else f"DELETE FROM {self.table}"  # noqa: S608 - all of it is written below
        return (
            f"{act} WHERE ({key}) IN (SELECT {key} FROM {self.table}"  # noqa: S608
            f" WHERE {self.only} AND {self.since} < %s LIMIT %s FOR UPDATE SKIP LOCKED)"
        )


@dataclass(frozen=True, slots=True)
class Stays:
    """What is kept of a table for as long as the installation lives, or leaves by another way."""

    table: str
    why: str


RULES: tuple[Leaves, ...] = (
    Leaves(
        "sign_in_codes",
        "sign_in_challenges",
        ("challenge_id",),
        WEEK,
        "created_at",
        "A code lives for minutes and limits look back an hour; a week lets abuse be looked into. "
        "Addresses and networks of whoever asked go with it.",
    ),
    Leaves(
        "sign_in_mails",
        "mails",
        ("account_id", "mail_id"),
        WEEK,
        "queued_at",
        "As the code that was sent: whoever asked may have no account.",
        only="state <> 'queued' AND template = 'sign_in_code'",
    ),
    Leaves(
        "mail_contents",
        "mails",
        ("account_id", "mail_id"),
        QUARTER,
        "queued_at",
        "Whether a receipt was sent, and what it said, is asked within weeks. That it was sent "
        "stays, without the address: it proves that an order's owner was told.",
        only="state <> 'queued' AND recipient <> '' AND template <> 'sign_in_code'",
        blanks={"recipient": "''", "facts": "'{}'", "last_fault": "NULL"},
    ),
    Leaves(
        "given_up_jobs",
        "dead_jobs",
        ("account_id", "job_id", "handler"),
        QUARTER,
        "died_at",
        "Only what tells people is given up; after a season nobody runs it again, and its facts may "
        "hold an address.",
    ),
    Leaves(
        "sessions",
        "sessions",
        ("account_id", "session_id"),
        MONTH,
        "coalesce(ended_at, expires_at)",
        "It opens nothing any more; that somebody signed in is in the audit trail.",
    ),
    Leaves(
        "api_keys",
        "api_keys",
        ("account_id", "key_id"),
        YEAR,
        "ended_at",
        "Its owner sees for a year that it was ended; making and ending are in the audit trail.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "roles_of_members",
        "memberships",
        ("account_id", "membership_id"),
        YEAR,
        "ended_at",
        "Its organization sees for a year who had it; giving and ending are in the audit trail.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "roles_of_staff",
        "staff_roles",
        ("account_id", "grant_id"),
        YEAR,
        "ended_at",
        "As of members.",
        only="ended_at IS NOT NULL",
    ),
    Leaves(
        "news_of_the_bank",
        "notification_inbox",
        ("provider", "sent_on", "external_id"),
        HALF_YEAR,
        "received_at",
        "The signed words are needed while a payment can be disputed; they may name the payer. "
        "That the news came, its digest, and what became of it stay with the payment.",
        only="outcome IS NOT NULL AND body <> ''",
        blanks={"body": "''"},
    ),
    Leaves(
        "news_in_suspense",
        "suspense_items",
        ("item_id",),
        HALF_YEAR,
        "resolved_at",
        "As other news of the bank, once it is known what it was; digest, sum, number and how it ended "
        "stay.",
        only="state = 'resolved' AND told <> ''",
        blanks={"told": "''"},
    ),
    Leaves(
        "document_names",
        "documents",
        ("account_id", "sha256"),
        2 * YEAR,
        "forgotten_at",
        "A file name may name a person. Its owner finds the document by it for two years after "
        "the bytes were let go; hash and sizes stay with the stamp, and a digest of the name that nobody can try names on: its "
        "salt leaves too.",
        only=f"forgotten_at IS NOT NULL AND name <> '{NO_NAME}'",
        blanks={"name": f"'{NO_NAME}'", "name_salt": "NULL"},
    ),
)

_BOOKS = (
    "The books: ten years at least (UU KUP 28(11)), and a balance is the sum of all of them, so "
    "that none can leave. Ids, sums and times; nothing of a person."
)
_MONEY = "Where money was: ten years at least (UU KUP 28(11)). Ids, sums, states and times."
_STAMPS = "A stamp can be checked as long as somebody holds its document."
_OWNER = "Who owns orders and stamps; leaves when its owner asks for that (UU PDP 43)."
_ONE = "One row, or a few that are written over."

KEPT: tuple[Stays, ...] = (
    Stays("accounts", _OWNER),
    Stays("email_directory", _OWNER),
    Stays("organizations", _OWNER),
    Stays("applied_migrations", "What was done to the schema; a row for each release."),
    Stays("issuing", _ONE),
    Stays("object_store", _ONE),
    Stays("serial_leases", _ONE),
    Stays("jobs", "A job is deleted in the transaction of its last handler."),
    Stays("round_faults", "A fault leaves when its row is done, or a day after its last try."),
    Stays(
        "audit_events",
        "Who did what is proof against ourselves, so nobody can take from it, not even a periodic task. "
        "Ids and names of acts, and digests of addresses and of secrets.",
    ),
    Stays(
        "audit_points",
        "The chain of clean audits; a point is only worth something with all before it. Hashes, "
        "sums and times.",
    ),
    Stays("entries", _BOOKS),
    Stays("legs", _BOOKS),
    Stays("balances", _BOOKS),
    Stays("holds", _BOOKS),
    Stays(
        "orders",
        f"{_MONEY} The Idempotency-Key stays with its order: a repeat is the same order, however "
        "late.",
    ),
    Stays(
        "sale_terms", "What the terms of an order are compared with; a row for each price and fee."
    ),
    Stays("payment_attempts", _MONEY),
    Stays("captures", _MONEY),
    Stays("chargebacks", _MONEY),
    Stays("refunds", _MONEY),
    Stays("stamp_lots", _MONEY),
    Stays("stamps", _STAMPS),
    Stays("serial_directory", _STAMPS),
    Stays(
        "stampings",
        f"{_STAMPS} The Idempotency-Key stays with it: a repeat never costs a second stamp, "
        "however late.",
    ),
    Stays(
        "stamping_keys",
        "With its stampings: a repeat finds its answer and never costs a second stamp, however "
        "late. Keys of the sender's own making, and hashes.",
    ),
    Stays("deltas", f"{_STAMPS} The stamped file is made from it, for its owner."),
)


class Retention:
    """Applies the rules to one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def apply(self, rule: Leaves) -> int:
        """One batch of one rule; how many rows it was about."""
        async with self._database.transaction() as tx:
            return await tx.run(rule.statement(), self._clock.now() - rule.after, BATCH)

    def periodic_tasks(self) -> Sequence[PeriodicTask]:
        """A periodic task for each rule."""
        return [self._task(rule) for rule in RULES]

    def _task(self, rule: Leaves) -> PeriodicTask:
        async def run() -> int:
            return await self.apply(rule)

        return PeriodicTask(f"retention_{rule.name}", run, REST_SECONDS)
