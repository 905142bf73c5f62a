"""Outage records: lifecycle, content, refusals; pure."""

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
# Longest time of one record, which contains its readings (15 watchers sign 21,600 a day).  A longer outage has several records.
HOURS_MAX = 24


class OutageState(StrEnum):
    """State of an outage record."""

    PROPOSED = "proposed"  # derived, and not yet looked at by anybody
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"  # by two persons of staff; permanent
    REPLACED = "replaced"  # a later record of the same time replaces it; it stays public


class OutageEvent(StrEnum):
    """Event in the life of an outage record."""

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


class LeftOutReason(StrEnum):
    """Reason why some minutes of a watcher do not count in an outage record."""

    CHAIN = "chain"  # a reading does not name the one before it: one is missing, or there are two chains
    CLOCK = "clock"  # the clock of the watcher was set back, so that it measured a minute twice
    FOREIGN = "foreign"  # the readings are of another installation


class OutageSpan(msgspec.Struct, frozen=True):
    """Time span in whole minutes; `end` is not part of it."""

    begin: datetime
    end: datetime


class Period(msgspec.Struct, frozen=True):
    """Time in which an act counts as failed, with the numbers of its failed and its unmeasured minutes."""

    begin: datetime
    end: datetime
    failed_minutes: int
    unmeasured_minutes: int


class LeftOut(msgspec.Struct, frozen=True):
    """Minutes for which a watcher does not count, with the reason."""

    watcher: str
    begin: datetime
    end: datetime
    why: LeftOutReason


class WatcherSource(msgspec.Struct, frozen=True):
    """A configured watcher, and the SHA-256 of its file of readings. Keys and hashes are in hexadecimal."""

    name: str
    public_key: str
    readings: int
    sha256: str


class Findings(msgspec.Struct, frozen=True):
    """Derived content of a record; equal findings have equal bytes (`as_json`).

    `installation` is the URL that the readings name, `rules` the version of the rules used.
    """

    installation: str
    rules: int
    failed: Mapping[PublicAct, Sequence[Period]]
    unmeasured: Mapping[PublicAct, Sequence[OutageSpan]]
    left_out: Sequence[LeftOut]
    watchers: Sequence[WatcherSource]

    def as_json(self) -> bytes:
        """Return the findings as JSON bytes, which are stored, hashed and approved."""
        return msgspec.json.encode(self, order="sorted")


@dataclass(frozen=True, slots=True)
class Outage:
    """A stored outage record.  `sealed_at` is None until its files exist."""

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
        """The id of the record as people see it."""
        return show(OUTAGE_KIND, self.id)

    @property
    def is_public(self) -> bool:
        """True for a confirmed and sealed record, replaced or not."""
        return self.sealed_at is not None

    def failed_at(self, act: PublicAct, at: datetime) -> Period | None:
        """Return the period of an act's failure that contains a moment; None if the act did not fail then."""
        return next((one for one in self.findings.failed[act] if one.begin <= at < one.end), None)


def check_time(begin: datetime, end: datetime, now: datetime) -> None:
    """Refuse `OutageTimeWrong` unless the time that a record covers is valid: whole minutes in the past, at most `HOURS_MAX`
    hours.
    """
    are_minutes = not any(at.second or at.microsecond for at in (begin, end))
    is_short = timedelta() < end - begin <= timedelta(hours=HOURS_MAX)
    if not (are_minutes and is_short and end <= now):
        raise OutageTimeWrong


class OutageUnknown(Refusal):
    """There is no outage record of this number, or it is not public."""

    code = "outage_unknown"
    status = 404


class OutageTimeWrong(Refusal):
    """The time that an outage record covers must be whole minutes in the past, and at most a day."""

    code = "outage_time_wrong"
    status = 422

    def __init__(self) -> None:
        super().__init__("a record cannot cover this time")
        self.hours_max = HOURS_MAX


class OutageUnmeasured(Refusal):
    """No minute of the time was measured by a majority of the watchers, so nothing can be derived."""

    code = "outage_unmeasured"
    status = 409

    def __init__(self, silent: str) -> None:
        super().__init__("no minute was measured by a majority of watchers")
        self.silent = silent


class OutageNone(Refusal):
    """According to the readings, no act failed in this time."""

    code = "outage_none"
    status = 409


class OutageOverlaps(Refusal):
    """Another confirmed record overlaps this time; a new record has to name that record as replaced."""

    code = "outage_overlaps"
    status = 409


class OutageNotReplaced(Refusal):
    """A replaced record must be confirmed and sealed, and the new one must cover its whole time."""

    code = "outage_not_replaced"
    status = 409


class OutageNeedsStaff(Refusal):
    """Two persons of staff have to confirm a record, also in an installation without a supervisor."""

    code = "outage_needs_staff"
    status = 409


class WatchersNone(Refusal):
    """No watchers are configured, so that no record can be derived."""

    code = "watchers_none"
    status = 409


class RecordWrong(Refusal):
    """The file is not an outage record with a valid signature or seal and matching readings."""

    code = "record_wrong"
    status = 422

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class OutageReplaced(Refusal):
    """A later record replaced this one: sealed copies are made of the later record only."""

    code = "outage_replaced"
    status = 409

    def __init__(self, by: str) -> None:
        super().__init__(f"replaced by {by}")
        self.by = by


class AttemptOutside(Refusal):
    """At the time of the attempt to stamp, neither getting nor affixing a stamp counted as failed."""

    code = "attempt_outside"
    status = 409

    def __init__(self, at: datetime) -> None:
        super().__init__("the time has no period of failure")
        self.at = at


class AttemptStamped(Refusal):
    """Every document that the person tried to stamp is stamped by now, so that no duty has to be paid in another way."""

    code = "attempt_stamped"
    status = 409


class AttemptNamesNoDocument(Refusal):
    """The order is for stamps without documents, so the hash of the document has to be typed."""

    code = "attempt_names_no_document"
    status = 409


class TooManyOutageCopies(Refusal):
    """The network of the visitor reached its hourly maximum of sealed copies."""

    code = "too_many_outage_copies"
    status = 429
    retry_after_seconds = 3_600  # the time to refill its bucket
    quota = ("copies", "")


refusal_of_constraint("confirmed_outages_do_not_overlap", OutageOverlaps)
