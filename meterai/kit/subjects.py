"""Subjects, and happenings: what somebody asks about, and each thing that happened to it; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from meterai.kit.ids import show


class SubjectKind(StrEnum):
    """Kind of thing that somebody asks about."""

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
    """One thing that somebody asks about.

    `shown` is its id as people see it (`ord_...`, a serial); `account` whose it is, None of what is of no account.
    """

    kind: SubjectKind
    shown: str
    account: UUID | None = None


def account_subject(account: UUID) -> Subject:
    """An account as it is asked about."""
    return Subject(SubjectKind.ACCOUNT, show("acc", account), account)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a subject.

    `word` names its sentence, `happening.<word>` in the messages of the room that tells it, which `facts`
    fill in.  `about` is the thing it links to, where that is another than the subject that was asked about.
    `actor` is who did it, as the audit trail keeps it; only staff see it.  What is `for_staff` alone is left out of
    the timeline of the person.  `begins` says that the subject came into being by it: nothing of the same moment was before.
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
    """A row of a work list: what waits, since when, until when, and its facts (`work.<list>` is its sentence)."""

    about: Subject
    since: datetime
    due: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


# How the trail and people name a thing, by the kind of its id.
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
    """Oldest first; of one moment the one that begins the subject, then as they were told."""
    return sorted(happenings, key=lambda one: (one.at, not one.begins))
