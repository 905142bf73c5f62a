"""Outage records: their lifecycle, what is in one, and how they are refused; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from meterai.kit.components import PublicAct
from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Refusal, refusal_of_constraint
from meterai.kit.subjects import SubjectSort

OUTAGE_SUBJECT = SubjectSort("outage", prefix="out")

OUTAGE_KIND = "out"
# Longest time of one record: its readings travel in it (15 watchers sign 21,600 in a day).  A longer outage has several records.
HOURS_MAX = 24


class OutageState(StrEnum):
    """State of an outage record."""

    PROPOSED = "proposed"  # derived, and looked at by nobody yet
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"  # by two of staff: for ever
    REPLACED = "replaced"  # a later record of the same time names it; stays public


class OutageEvent(StrEnum):
    """An event in the life of an outage record."""

    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"


_S, _E = OutageState, OutageEvent
OUTAGE = Lifecycle(
    "the outage record",
    {
        (_S.PROPOSED, _E.WITHDRAWN): _S.WITHDRAWN,
        (_S.PROPOSED, _E.CONFIRMED): _S.CONFIRMED,
        (_S.CONFIRMED, _E.REPLACED): _S.REPLACED,
    },
)


class Why(StrEnum):
    """Reason why readings of a watcher do not count for some minutes."""

    CHAIN = "chain"  # one does not name the one before: one was left out, or there are two stories
    CLOCK = "clock"  # the clock of the watcher was set back: a minute came twice
    FOREIGN = "foreign"  # they are of another installation


class OutageSpan(msgspec.Struct, frozen=True):
    """A time from a minute to another, which is not in it."""

    begin: datetime
    end: datetime


class Period(msgspec.Struct, frozen=True):
    """A time in which an act counts as failed, and how many of its minutes failed and were not measured."""

    begin: datetime
    end: datetime
    failed_minutes: int
    unmeasured_minutes: int


class LeftOut(msgspec.Struct, frozen=True):
    """Minutes for which a watcher does not count, and why."""

    watcher: str
    begin: datetime
    end: datetime
    why: Why


class WatcherSource(msgspec.Struct, frozen=True):
    """A configured watcher, and its readings by the SHA-256 of their file.  Keys and hashes in hexadecimal."""

    name: str
    public_key: str
    readings: int
    sha256: str


class Findings(msgspec.Struct, frozen=True):
    """All that is derived and kept of a record: the same bytes for the same findings (`as_json`).

    `installation` is the address that the readings name, `rules` the version of the rules they were derived by.
    """

    installation: str
    rules: int
    failed: Mapping[PublicAct, Sequence[Period]]
    unmeasured: Mapping[PublicAct, Sequence[OutageSpan]]
    left_out: Sequence[LeftOut]
    watchers: Sequence[WatcherSource]

    def as_json(self) -> bytes:
        """The findings as they are kept, hashed and approved."""
        return msgspec.json.encode(self, order="sorted")


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage record as it is kept.  `sealed_at` is None until its files are there."""

    id: UUID
    begins_at: datetime
    ends_at: datetime
    findings: Findings
    findings_sha256: bytes
    proposed_at: datetime
    proposed_by: str = ""
    incident: UUID | None = None
    replaces: UUID | None = None
    state: OutageState = OutageState.PROPOSED
    confirmed_at: datetime | None = None
    sealed_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def shown(self) -> str:
        """Its id as people see it."""
        return show(OUTAGE_KIND, self.id)

    @property
    def is_public(self) -> bool:
        """True for a record that was confirmed and sealed, replaced or not."""
        return self.sealed_at is not None

    def failed_at(self, act: PublicAct, at: datetime) -> Period | None:
        """The period of failure that a moment lies in."""
        return next((one for one in self.findings.failed[act] if one.begin <= at < one.end), None)


def check_time(begin: datetime, end: datetime, now: datetime) -> None:
    """Refuses `OutageTimeWrong` for a time that no record can be about."""
    are_minutes = not any(at.second or at.microsecond for at in (begin, end))
    is_short = timedelta() < end - begin <= timedelta(hours=HOURS_MAX)
    if not (are_minutes and is_short and end <= now):
        raise OutageTimeWrong


class OutageUnknown(Refusal):
    """There is no outage record of this number, or none that is public."""

    code = "outage_unknown"
    status = 404


class OutageTimeWrong(Refusal):
    """A record is about whole minutes that are over, a day of them at most."""

    code = "outage_time_wrong"
    status = 422

    def __init__(self) -> None:
        super().__init__("no record can be about this time")
        self.hours_max = HOURS_MAX


class OutageUnmeasured(Refusal):
    """No minute of the time was measured by a majority of watchers: nothing can be said of it."""

    code = "outage_unmeasured"
    status = 409

    def __init__(self, silent: str) -> None:
        super().__init__("no minute was measured by a majority")
        self.silent = silent


class OutageNone(Refusal):
    """By the readings no act failed in this time."""

    code = "outage_none"
    status = 409


class OutageOverlaps(Refusal):
    """Another confirmed record is about a part of this time; a new one has to name it as replaced."""

    code = "outage_overlaps"
    status = 409


class OutageNotReplaced(Refusal):
    """A record replaces one that is confirmed and sealed, and covers the whole time of it."""

    code = "outage_not_replaced"
    status = 409


class OutageNeedsStaff(Refusal):
    """A record is confirmed by two persons of staff, also in an installation without a supervisor."""

    code = "outage_needs_staff"
    status = 409


class WatchersNone(Refusal):
    """No watchers are configured, so that there is nothing to derive a record from."""

    code = "watchers_none"
    status = 409


class RecordWrong(Refusal):
    """A file is no outage record that its signature, its seal and its readings bear out."""

    code = "record_wrong"
    status = 422

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class OutageReplaced(Refusal):
    """A later record replaced this one: copies are made of the later one."""

    code = "outage_replaced"
    status = 409

    def __init__(self, by: str) -> None:
        super().__init__(f"replaced by {by}")
        self.by = by


class AttemptOutside(Refusal):
    """The system did not count as failed for this act at the time that was named."""

    code = "attempt_outside"
    status = 409

    def __init__(self, at: datetime) -> None:
        super().__init__("no period of failure")
        self.at = at


class AttemptStamped(Refusal):
    """Every document that was named is stamped: nothing has to be paid in another way."""

    code = "attempt_stamped"
    status = 409


class AttemptNamesNoDocument(Refusal):
    """An order of stamps alone names no document; its hash has to be typed."""

    code = "attempt_names_no_document"
    status = 409


class TooManyOutageCopies(Refusal):
    """A network had as many copies of records as it may have in an hour."""

    code = "too_many_outage_copies"
    status = 429
    retry_after_seconds = 3_600  # as its bucket fills again
    quota = ("copies", "")


refusal_of_constraint("confirmed_outages_do_not_overlap", OutageOverlaps)
