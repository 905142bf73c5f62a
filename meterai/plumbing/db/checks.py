"""Everything that rooms register for the audit, and the part of the database that is examined by the checks written in
Python.
"""

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

    If `since` is None, the audit checks the whole database, otherwise only rows written since that moment (a mark). A check
    that cannot select rows by a mark checks the rows whose time is `begins` or later.
    """

    database: Database
    settings: Settings
    since: Mark | None
    begins: datetime


Check: TypeAlias = Callable[[AuditedPart], Awaitable[InvariantFinding]]


@dataclass(frozen=True, slots=True)
class Registered:
    """Everything that plumbing and the rooms register for the audit.

    invariants  invariants of the rooms; the audit itself adds the invariants that concern every table
    """

    audited: Audited = field(default_factory=Audited)
    invariants: Sequence[Invariant] = ()
    postings: Sequence[Posting] = ()
    mail_causes: Sequence[MailCause] = ()
    checks: Sequence[Check] = ()
