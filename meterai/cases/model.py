"""Cases: states, complaints, refusals, limits; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Malformed, Refusal
from meterai.kit.subjects import SubjectSort
from meterai.kit.text import lines_of_text

CASE_SUBJECT = SubjectSort("case", prefix="cas", page="/console/cases")

CASE_KIND = "cas"
WORDS_LENGTH_MAX = 2_000  # characters: a page
MESSAGES_MAX = 40  # per case; somebody of staff must be able to read them all
MESSAGES_OF_PERSON_MAX = 20  # per case, by the person, so that staff can always answer
PICTURES_MAX = 3  # per case: a message of the bank, a page of ours, a document
CASES_PER_DAY_MAX = 20  # new cases per account; repeats of one matter of one order count once
# Limits per address without sign-in, whoever types it.  Each new case sends one mail; other
# complaints send none.
UNSIGNED_OPEN_MAX = 3  # open cases: a person has one or two at a time
UNSIGNED_PER_DAY_MAX = 5  # new cases, each with a mail
UNSIGNED_MESSAGES_MAX = (
    5  # complaints per case; its owner can write the remaining messages after a sign-in
)
ABOUT_LENGTH_MAX = 80  # characters of a typed number, even with a space after each character
A_DAY = timedelta(days=1)
ADDRESS_VERSION = 8  # UUID version made by `address_account`; those of accounts have version 7


class CaseState(StrEnum):
    """State of a case."""

    OPEN = "open"  # waits for staff, until its due time
    ANSWERED = "answered"  # from the facts or by staff; closes automatically if nobody writes
    ASKED = "asked"  # waits for the person; closes automatically if nobody writes
    CLOSED = "closed"  # a message of the person reopens it, once


class CaseEvent(StrEnum):
    """Event of a case."""

    ANSWERED_FROM_FACTS = "answered_from_facts"
    ANSWERED = "answered"  # by staff
    ASKED = "asked"  # staff ask the person a question
    REPLIED = "replied"  # the person writes
    NOT_ANSWERED = "not_answered"  # the person says that the answer does not help
    ACCEPTED = "accepted"  # the person says that it is answered
    CLOSED = "closed"  # by staff
    MONEY_BACK = "money_back"  # all money of the order is returned
    TIME_RAN_OUT = "time_ran_out"
    REOPENED = "reopened"  # the person writes to a closed case, once


_S, _E = CaseState, CaseEvent
CASE = Lifecycle(
    "the case",
    {
        (_S.OPEN, _E.ANSWERED_FROM_FACTS): _S.ANSWERED,
        (_S.OPEN, _E.ANSWERED): _S.ANSWERED,
        (_S.OPEN, _E.ASKED): _S.ASKED,
        (_S.OPEN, _E.REPLIED): _S.OPEN,
        (_S.OPEN, _E.CLOSED): _S.CLOSED,
        (_S.OPEN, _E.MONEY_BACK): _S.CLOSED,
        (_S.OPEN, _E.TIME_RAN_OUT): _S.CLOSED,  # its person was erased
        # A repeated complaint is answered again if the facts have changed.
        (_S.ANSWERED, _E.ANSWERED_FROM_FACTS): _S.ANSWERED,
        (_S.ANSWERED, _E.ANSWERED): _S.ANSWERED,
        (_S.ANSWERED, _E.ASKED): _S.ASKED,
        (_S.ANSWERED, _E.REPLIED): _S.OPEN,
        (_S.ANSWERED, _E.NOT_ANSWERED): _S.OPEN,
        (_S.ANSWERED, _E.ACCEPTED): _S.CLOSED,
        (_S.ANSWERED, _E.CLOSED): _S.CLOSED,
        (_S.ANSWERED, _E.MONEY_BACK): _S.CLOSED,
        (_S.ANSWERED, _E.TIME_RAN_OUT): _S.CLOSED,
        (_S.ASKED, _E.REPLIED): _S.OPEN,
        (_S.ASKED, _E.ANSWERED): _S.ANSWERED,
        (_S.ASKED, _E.CLOSED): _S.CLOSED,
        (_S.ASKED, _E.MONEY_BACK): _S.CLOSED,
        (_S.ASKED, _E.TIME_RAN_OUT): _S.CLOSED,
        (_S.CLOSED, _E.REOPENED): _S.OPEN,
    },
    reopens={CaseEvent.REOPENED},
)


class Matter(StrEnum):
    """Matter of a complaint; the list has the types of complaint that were reported in 2023 and 2024."""

    PAID_NOT_EXECUTED = "paid_not_executed"  # paid, quota 0
    PAID_TWICE = "paid_twice"
    STATUS_SAYS_FAILED = "status_says_failed"  # the balance was deducted, the page says failed
    STAMP_MISSING = "stamp_missing"  # the stamping failed or is stuck
    QUOTA_LOST = "quota_lost"
    REFUND_WHERE = "refund_where"
    FILE_MISSING = "file_missing"
    CANNOT_OPEN = "cannot_open"
    INVALID_AT_AGENCY = "invalid_at_agency"
    SOMETHING_ELSE = "something_else"


# Matters whose cases end when all money of the order is returned.
OF_MONEY = frozenset(
    {
        Matter.PAID_NOT_EXECUTED,
        Matter.PAID_TWICE,
        Matter.STATUS_SAYS_FAILED,
        Matter.STAMP_MISSING,
        Matter.QUOTA_LOST,
        Matter.REFUND_WHERE,
    }
)


class CaseOutcome(StrEnum):
    """Outcome of a closed case."""

    ACCEPTED = "accepted"  # the person said that it is answered
    MONEY_BACK = "money_back"
    SILENT = "silent"  # closed automatically because nobody wrote
    SOLVED = "solved"  # staff solved it
    EXPLAINED = "explained"  # an explanation was enough
    NOT_OURS = "not_ours"  # another institution answers it


OF_STAFF = (CaseOutcome.SOLVED, CaseOutcome.EXPLAINED, CaseOutcome.NOT_OURS)


class Author(StrEnum):
    """Author of a message."""

    PERSON = "person"
    STAFF = "staff"
    FACTS = "facts"  # an answer from the facts; its text is generated when the case is shown


class MessageKind(StrEnum):
    """Purpose of a message."""

    COMPLAINT = "complaint"
    REPLY = "reply"
    NOT_ANSWERED = "not_answered"
    ANSWER = "answer"
    QUESTION = "question"
    CLOSING = "closing"


class TooManyCases(Refusal):
    """The account, address or network has sent the maximum of complaints for now."""

    code = "too_many_cases"
    status = 429
    retry_after_seconds = 3_600  # time in which a quota refills
    quota = ("cases", "")


class CameMeanwhile(Exception):
    """Raised if a request with the same Idempotency-Key was committed meanwhile; the caller repeats the step."""


class CaseOver(Refusal):
    """The closed case cannot be reopened: it was reopened before, or the account has an unclosed case with the same matter and
    subject.
    """

    code = "case_over"
    status = 409


class CaseFull(Refusal):
    """The person has written the maximum of messages to this case."""

    code = "case_full"
    status = 409

    def __init__(self, messages_max: int) -> None:
        super().__init__(f"{messages_max} messages")
        self.messages_max = messages_max


class PictureNone(Refusal):
    """The evidence is not a JPEG, PNG or WebP image that can be drawn within the limits."""

    code = "picture_none"
    status = 422


class TooManyPictures(Refusal):
    """More pictures were sent than a case keeps."""

    code = "too_many_pictures"
    status = 422

    def __init__(self) -> None:
        super().__init__("too many pictures")
        self.pictures_max = PICTURES_MAX


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint: matter, words, subject, and pictures (re-encoded as WebP)."""

    matter: Matter
    words: str
    language: str
    about: str = ""  # typed id of an order, a stamping or a stamp
    digest: bytes | None = None  # SHA-256 of an attached document, instead of an id
    pictures: Sequence[bytes] = ()
    key: str | None = None  # Idempotency-Key
    contact: str = ""  # address typed without sign-in

    @property
    def request_hash(self) -> bytes:
        """SHA-256 of the content, to detect an Idempotency-Key that is reused with another content."""
        parts = (self.matter.encode(), self.words.encode(), self.about.encode(), self.digest or b"")
        told = b"\0".join(sha256(one).digest() for one in (*parts, *self.pictures))
        return sha256(told).digest()


@dataclass(frozen=True, slots=True)
class ComplaintSubject:
    """Subject of a complaint, which belongs to the complaining account; empty if the complaint has none."""

    shown: str = ""  # ord_..., or stg_... for a stamping from the balance
    order: UUID | None = None
    stamping: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A complaint with its state, answer, outcome and times."""

    account: UUID
    id: UUID
    matter: Matter
    about: str
    order: UUID | None
    contact: str  # address typed without sign-in
    language: str
    state: CaseState
    owner: UUID | None  # member of staff
    answer: str | None  # code of the answer from the facts
    answer_facts: Mapping[str, object] = field(default_factory=dict)
    facts_sha256: bytes | None = None
    answered_at: datetime | None = None
    answered_by: Author | None = None
    outcome: CaseOutcome | None = None
    opened_at: datetime
    due_at: datetime | None  # due time of the answer of staff, while the case is open
    closes_at: datetime | None  # time at which the case closes, while it waits for the person
    closed_at: datetime | None
    reopened_at: datetime | None
    told: int  # number of complaints in it

    @property
    def is_unsigned(self) -> bool:
        """True for a case sent without sign-in, which belongs to an address and to no account."""
        return self.account.version == ADDRESS_VERSION


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """A message of a case."""

    id: UUID
    author: Author
    kind: MessageKind
    staff: UUID | None
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DueCase:
    """A case whose `closes_at` has passed without a message from the person who complained."""

    account: UUID
    case: UUID


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of cases for staff; None or an empty text matches all."""

    state: CaseState
    owner: UUID | None = None  # member of staff
    is_unowned: bool = False
    matter: str = ""
    is_unsigned: bool | None = None


def written(words: str) -> str:
    """Return the words of a person as stored: lines without invisible characters.

    Refuses `Malformed` if empty or longer than `WORDS_LENGTH_MAX` characters.
    """
    found = lines_of_text(words[: WORDS_LENGTH_MAX * 4])
    if not 1 <= len(found) <= WORDS_LENGTH_MAX or len(words) > WORDS_LENGTH_MAX * 4:
        raise Malformed("words", "within_bounds")
    return found


def address_account(email: str) -> UUID:
    """Return the account key of cases that were sent from an address without sign-in.

    The key is a UUID of version 8 made from a digest of the address; no account has such an id.  So these cases are stored and
    distributed like others, and a person who signs in with the address finds them.
    """
    digest = sha256(b"meterai cases: " + email.encode()).digest()[:16]
    value = int.from_bytes(digest) & ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | ADDRESS_VERSION << 76 | 0b10 << 62)


def joins_key(matter: Matter, about: str) -> str:
    """Return the key by which a repeated complaint joins an unclosed case: matter and subject as one text.

    An account has at most one unclosed case with the same key.  The key is empty if the complaint has no subject.
    """
    return f"{about}:{matter}" if about else ""
