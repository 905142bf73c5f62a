"""Subjects and happenings: the things that people ask about, and the events in their history; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from meterai.kit.ids import show


class SubjectKind(StrEnum):
    """Kind of subject."""

    ACCOUNT = "account"
    ORDER = "order"
    STAMPING = "stamping"
    SERIAL = "serial"
    REFUND = "refund"
    ACCOUNT_CLAIM = "account_claim"  # a bank account that a buyer wants to name
    SUSPENSE = "suspense"  # an item in suspense
    JOB = "job"  # a job or mail that was given up
    LINE = "line"
    CASE = "case"
    APPROVAL = "approval"
    INCIDENT = "incident"
    RECOVERY = "recovery"
    OUTAGE = "outage"  # the record of an outage
    DAY = "day"  # of the books: its reconciliation and its close
    PAYOUT = "payout"  # of duty to the treasury
    STATEMENT = "statement"  # of duty, by its month
    BREACH = "breach"  # of personal data
    WEBHOOK = "webhook"  # an endpoint of an account
    DISTRIBUTOR = "distributor"  # by its account
    SALE = "sale"  # of a distributor
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing that people ask about.

    `shown` is its id as people see it (`ord_...`, a serial); `account` is its owner, None if it has none.
    """

    kind: SubjectKind
    shown: str
    account: UUID | None = None


def account_subject(account: UUID) -> Subject:
    """Return the subject of an account."""
    return Subject(SubjectKind.ACCOUNT, show("acc", account), account)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in the history of a subject.

    `word` names its sentence, `happening.<word>` in the messages of its room, filled from `facts`. `about` is the
    linked thing if it is not the subject itself. `actor` did it, as in the audit trail; only staff see it. `for_staff`
    leaves it out of the timeline of the person. `begins` marks the event that created the subject: nothing at the same
    time was before.
    """

    at: datetime
    word: str
    facts: Mapping[str, object] = field(default_factory=dict)
    about: Subject | None = None
    actor: str = ""
    for_staff: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Row of a work list: the waiting thing, the time since it waits, its due time, and facts (`work.<list>` is its
    sentence).
    """

    about: Subject
    since: datetime
    due: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


# Kinds of subjects by the prefix of their ids.
KIND_OF_ID = {
    "acc": SubjectKind.ACCOUNT,
    "ord": SubjectKind.ORDER,
    "stg": SubjectKind.STAMPING,
    "rfd": SubjectKind.REFUND,
    "clm": SubjectKind.ACCOUNT_CLAIM,
    "sus": SubjectKind.SUSPENSE,
    "cas": SubjectKind.CASE,
    "apr": SubjectKind.APPROVAL,
    "inc": SubjectKind.INCIDENT,
    "rcv": SubjectKind.RECOVERY,
    "out": SubjectKind.OUTAGE,
    "pyo": SubjectKind.PAYOUT,
    "brc": SubjectKind.BREACH,
    "whk": SubjectKind.WEBHOOK,
    "sal": SubjectKind.SALE,
    "bat": SubjectKind.BATCH,
}


def in_order(happenings: Sequence[Happening]) -> list[Happening]:
    """Sort happenings, oldest first; at equal times the one that begins the subject first, then in the given order."""
    return sorted(happenings, key=lambda one: (one.at, not one.begins))
