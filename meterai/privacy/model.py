"""Data requests of people, and breaches; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from meterai.kit.ids import show
from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Refusal
from meterai.kit.subjects import SubjectSort
from meterai.kit.text import one_line

BREACH_SUBJECT = SubjectSort("breach", prefix="brc", page="/console/privacy")

REQUEST_KIND = "prv"
BREACH_KIND = "brc"
ANSWERED_WITHIN = timedelta(hours=72)  # UU PDP 32 (access), 40, 41, and 46 (breaches)
# Counted from the start of the notification. A million mails are queued in 14 hours (`breaches.BATCH`
# every 5 seconds) if the mail server accepts all.
SUBJECTS_TOLD_WITHIN = timedelta(hours=24)
COPY_KEPT = timedelta(days=1)
# Per account; each copy reads all data of the account, and a person needs one.
COPIES_PER_DAY_MAX = 5
WORDS_LENGTH_MAX = 2_000  # characters of a text about a breach: it fits on a page of the letter
SUBJECTS_MAX = 1_000  # accounts named by a breach; with more, everybody is notified


class PrivacyRequestKind(StrEnum):
    """Kind of a data request."""

    COPY = "copy"
    ERASURE = "erasure"


class CopyState(StrEnum):
    """State of the request for a copy of personal data."""

    ASKED = "asked"
    MADE = "made"  # it can be fetched
    GONE = "gone"  # it was handed out at once, or its day of storage is over


class CopyEvent(StrEnum):
    """Event that changes the state of the request for a copy of personal data."""

    WRITTEN = "written"
    LET_GO = "let_go"


COPY = Lifecycle(
    "the copy",
    {
        (CopyState.ASKED, CopyEvent.WRITTEN): CopyState.MADE,
        (CopyState.MADE, CopyEvent.LET_GO): CopyState.GONE,
    },
)


class ErasureState(StrEnum):
    """State of an erasure."""

    ASKED = "asked"  # waits for its day, and until nothing is pending
    CLOSING = "closing"  # sessions and credentials of the account have ended
    ERASED = "erased"
    SWEPT = "swept"  # erased repeatedly for a month, so that late mails and payments are covered
    WITHDRAWN = "withdrawn"


class ErasureEvent(StrEnum):
    """Event of an erasure."""

    SHUT = "shut"
    DONE = "done"
    SWEPT = "swept"
    WITHDRAWN = "withdrawn"


ERASURE = Lifecycle(
    "the erasure",
    {
        (ErasureState.ASKED, ErasureEvent.SHUT): ErasureState.CLOSING,
        (ErasureState.ASKED, ErasureEvent.WITHDRAWN): ErasureState.WITHDRAWN,
        (ErasureState.CLOSING, ErasureEvent.DONE): ErasureState.ERASED,
        (ErasureState.CLOSING, ErasureEvent.WITHDRAWN): ErasureState.WITHDRAWN,
        (ErasureState.ERASED, ErasureEvent.SWEPT): ErasureState.SWEPT,
    },
)


class BreachState(StrEnum):
    """State of a breach."""

    OPEN = "open"
    CLOSED = "closed"


class BreachEvent(StrEnum):
    """Event of a breach."""

    AGENCY_TOLD = "agency_told"
    SUBJECTS_TOLD = "subjects_told"
    CLOSED = "closed"


BREACH = Lifecycle(
    "the breach",
    {
        (BreachState.OPEN, BreachEvent.AGENCY_TOLD): BreachState.OPEN,
        (BreachState.OPEN, BreachEvent.SUBJECTS_TOLD): BreachState.OPEN,
        (BreachState.OPEN, BreachEvent.CLOSED): BreachState.CLOSED,
    },
)


class StaffNotErased(Refusal):
    """The account cannot be erased, because it has a role of staff, which must end first."""

    code = "staff_not_erased"
    status = 409


class TooManyCopies(Refusal):
    """The account already requested the maximum number of copies within a day."""

    code = "too_many_copies"
    status = 409

    def __init__(self) -> None:
        super().__init__(f"more than {COPIES_PER_DAY_MAX} copies within a day")
        self.copies_max = COPIES_PER_DAY_MAX


class BreachUnknown(Refusal):
    """No breach has this number."""

    code = "breach_unknown"
    status = 404


class BreachWordsMissing(Refusal):
    """A text about a breach is empty or too long."""

    code = "breach_words_missing"
    status = 422

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is empty or too long")
        self.field = field
        self.length_max = WORDS_LENGTH_MAX


class BreachSubjectsUnreadable(Refusal):
    """The subjects of a breach are neither `all` nor a list of accounts."""

    code = "breach_subjects_unreadable"
    status = 422

    def __init__(self) -> None:
        super().__init__("the accounts are neither all nor a list")
        self.subjects_max = SUBJECTS_MAX


class BreachKnownLater(Refusal):
    """The time of discovery of the breach is in the future."""

    code = "breach_known_later"
    status = 422


class BreachToldBefore(Refusal):
    """The subjects or the agency were already notified."""

    code = "breach_told_before"
    status = 409


class BreachNotTold(Refusal):
    """The subjects or the agency were not notified, and no reason is given."""

    code = "breach_not_told"
    status = 409


@dataclass(frozen=True, slots=True)
class Request:
    """A data request of a person: for a copy of personal data, or for an erasure."""

    account: UUID
    id: UUID
    kind: PrivacyRequestKind
    state: str
    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None
    acts_at: datetime | None
    ended_at: datetime | None
    fates: Sequence[Mapping[str, Any]]

    @property
    def shown(self) -> str:
        """Public id of the request (`prv_...`)."""
        return show(REQUEST_KIND, self.id)

    @property
    def object(self) -> str:
        """Name of the requested copy in the object store."""
        return object_of(self.id)


def object_of(request: UUID) -> str:
    """Return the name of a copy in the object store."""
    return f"copy-{request.hex}"


def request_of(name: str) -> UUID | None:
    """Return the id of the request from the object name of its copy; None if the object is no copy."""
    start, _, number = name.partition("-")
    try:
        return UUID(number) if start == "copy" and len(number) == 32 else None
    except ValueError:
        return None


class DueRequest(NamedTuple):
    """A data request that a periodic task has to process."""

    account: UUID
    request: UUID


class DueBreach(NamedTuple):
    """A breach whose subjects a periodic task notifies; `account` is always `NOBODY`."""

    account: UUID
    breach: UUID


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach of personal data; its texts are mappings by language."""

    id: UUID
    state: BreachState
    opened_at: datetime
    known_at: datetime
    due_at: datetime
    exposed: Mapping[str, str]
    happened: Mapping[str, str]
    handling: Mapping[str, str]
    accounts: Sequence[UUID] | None
    agency_told_at: datetime | None
    subjects_from: datetime | None
    subjects_after: UUID | None
    subjects_told_at: datetime | None
    subjects_told: int
    not_told: str
    closed_at: datetime | None

    @property
    def shown(self) -> str:
        """Public id of the breach (`brc_...`)."""
        return show(BREACH_KIND, self.id)

    @property
    def erased(self) -> int:
        """Number of named accounts processed so far that could not be notified because they were erased."""
        after = self.subjects_after
        if self.accounts is None or after is None:
            return 0
        return sum(one <= after for one in self.accounts) - self.subjects_told

    @property
    def work_due_at(self) -> datetime:
        """Due time for staff: the legal due time, or a day after the notification of subjects began if that is earlier. The
        earlier time counts only until all subjects are notified.
        """
        if self.subjects_from is None or self.subjects_told_at is not None:
            return self.due_at
        return min(self.due_at, self.subjects_from + SUBJECTS_TOLD_WITHIN)

    @property
    def is_told(self) -> bool:
        """True if both subjects and agency were notified."""
        return self.agency_told_at is not None and self.subjects_told_at is not None


def words(text: str, field: str) -> str:
    """Return a text about a breach on one line, if its length is valid.  Refuses `BreachWordsMissing`."""
    found = one_line(text)
    if not 1 <= len(found) <= WORDS_LENGTH_MAX:
        raise BreachWordsMissing(field)
    return found
