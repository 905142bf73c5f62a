"""All that is registered for the audit, and checks of a room that cannot be one query."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from meterai.plumbing.config import Settings
from meterai.plumbing.db.audited import Audited
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Invariant, InvariantFinding, MailCause, Posting
from meterai.plumbing.db.marks import Mark


@dataclass(frozen=True, slots=True)
class AuditedPart:
    """The part of the database that one audit checks.

    Everything if `since` is None; else what was written since that mark and happened from `begins` on.
    """

    database: Database
    settings: Settings
    since: Mark | None
    begins: datetime


Check: TypeAlias = Callable[[AuditedPart], Awaitable[InvariantFinding]]


@dataclass(frozen=True, slots=True)
class Registered:
    """What plumbing and the rooms register for the audit.

    invariants  those of the rooms; the audit adds those about all tables
    """

    audited: Audited = field(default_factory=Audited)
    invariants: Sequence[Invariant] = ()
    postings: Sequence[Posting] = ()
    mail_causes: Sequence[MailCause] = ()
    checks: Sequence[Check] = ()
