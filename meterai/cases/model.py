"""A case and how it may change; pure."""

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
WORDS_LENGTH_MAX = 2_000  # characters; a letter of one page
MESSAGES_MAX = 40  # of one case; a person reads them all
MESSAGES_OF_PERSON_MAX = 20  # of these, so that staff can always answer
PICTURES_MAX = 3  # of one case: a message of the bank, a page of ours, a paper
CASES_PER_DAY_MAX = 20  # new ones of one account; the same matter of the same order is one
# Bounds of one address without sign-in, whoever types it.  Each new case is one mail, and no other complaint is one.
UNSIGNED_OPEN_MAX = 3  # cases that are not closed: a person has one or two at a time
UNSIGNED_PER_DAY_MAX = 5  # new cases, so mails
UNSIGNED_MESSAGES_MAX = 5  # complaints of one case; the rest of its messages is for its person
ABOUT_LENGTH_MAX = 80  # characters of a number, with spaces between every two of them
A_DAY = timedelta(days=1)
ADDRESS_VERSION = 8  # of the UUIDs that `address_account` makes; those of accounts are of version 7


class CaseState(StrEnum):
    """State of a case."""

    OPEN = "open"  # waits for staff, until its due time
    ANSWERED = "answered"  # from the facts or by staff; ends by itself where nobody writes
    ASKED = "asked"  # waits for the person; ends by itself where nobody writes
    CLOSED = "closed"  # a message of the person opens it once more


class CaseEvent(StrEnum):
    """An event in the life of a case."""

    ANSWERED_FROM_FACTS = "answered_from_facts"
    ANSWERED = "answered"  # by staff
    ASKED = "asked"  # staff ask the person
    REPLIED = "replied"  # the person writes
    NOT_ANSWERED = "not_answered"  # the person says that the answer is none
    ACCEPTED = "accepted"  # the person says that it is one
    CLOSED = "closed"  # by staff
    MONEY_BACK = "money_back"  # all of its order is with its payer
    TIME_RAN_OUT = "time_ran_out"
    REOPENED = "reopened"  # the person writes to what was closed, once


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
        # Told once more, when the facts say something else.
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
    """The subject matter of a complaint: the types reported in 2023 and 2024."""

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


# Those that end when all money of their order is back.
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
    """How a case ended."""

    ACCEPTED = "accepted"  # the person said that it is answered
    MONEY_BACK = "money_back"
    SILENT = "silent"  # nobody wrote any more
    SOLVED = "solved"  # staff did something about it
    EXPLAINED = "explained"  # there was nothing to do but to explain
    NOT_OURS = "not_ours"  # another institution answers it


OF_STAFF = (CaseOutcome.SOLVED, CaseOutcome.EXPLAINED, CaseOutcome.NOT_OURS)


class Author(StrEnum):
    """The writer of a message of a case."""

    PERSON = "person"
    STAFF = "staff"
    FACTS = "facts"  # the answer that the facts gave; its words are made when it is read


class MessageKind(StrEnum):
    """The purpose of a message."""

    COMPLAINT = "complaint"
    REPLY = "reply"
    NOT_ANSWERED = "not_answered"
    ANSWER = "answer"
    QUESTION = "question"
    CLOSING = "closing"


class TooManyCases(Refusal):
    """An account or a network complained as often as it may for now."""

    code = "too_many_cases"
    status = 429
    retry_after_seconds = 3_600  # as its bucket fills again
    quota = ("cases", "")


class CameMeanwhile(Exception):
    """A request with the same Idempotency-Key was committed meanwhile: the step is asked again, and finds it."""


class CaseOver(Refusal):
    """The case was opened once more before, and is closed: what is new is a complaint of its own."""

    code = "case_over"
    status = 409


class CaseFull(Refusal):
    """The person has written as many messages to this case as it keeps."""

    code = "case_full"
    status = 409

    def __init__(self, messages_max: int) -> None:
        super().__init__(f"{messages_max} messages")
        self.messages_max = messages_max


class PictureNone(Refusal):
    """The evidence is no picture in JPEG, PNG or WebP, or none that can be drawn within its bounds."""

    code = "picture_none"
    status = 422


class TooManyPictures(Refusal):
    """More pictures came than one case keeps."""

    code = "too_many_pictures"
    status = 422

    def __init__(self) -> None:
        super().__init__("too many pictures")
        self.pictures_max = PICTURES_MAX


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint as it is made: its matter, words, subject, and pictures (drawn anew, in WebP)."""

    matter: Matter
    words: str
    language: str
    about: str = ""  # the number that was typed: of an order, a stamping, a stamp
    digest: bytes | None = None  # SHA-256 of a file that was given instead
    pictures: Sequence[bytes] = ()
    key: str | None = None  # the Idempotency-Key
    contact: str = ""  # the address that somebody typed who is not signed in

    @property
    def request_hash(self) -> bytes:
        """SHA-256 of what the complaint says: the same key must say the same."""
        parts = (self.matter.encode(), self.words.encode(), self.about.encode(), self.digest or b"")
        told = b"\0".join(sha256(one).digest() for one in (*parts, *self.pictures))
        return sha256(told).digest()


@dataclass(frozen=True, slots=True)
class ComplaintSubject:
    """The subject of a complaint as the account of whoever complains has it; nothing, where it has none."""

    shown: str = ""  # ord_..., or stg_... of a stamping from the balance
    order: UUID | None = None
    stamping: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case."""

    account: UUID
    id: UUID
    matter: Matter
    about: str
    order: UUID | None
    contact: str  # the address that somebody typed who was not signed in
    language: str
    state: CaseState
    owner: UUID | None  # of staff
    answer: str | None  # code of an answer from the facts
    answer_facts: Mapping[str, object] = field(default_factory=dict)
    facts_sha256: bytes | None = None
    answered_at: datetime | None = None
    answered_by: Author | None = None
    outcome: CaseOutcome | None = None
    opened_at: datetime
    due_at: datetime | None  # by when staff answer, while it is open
    closes_at: datetime | None  # when it ends by itself, while it waits for the person
    closed_at: datetime | None
    reopened_at: datetime | None
    told: int  # how often it was told

    @property
    def is_unsigned(self) -> bool:
        """True of a case that was sent without signing in: it lies under an address, never under an account."""
        return self.account.version == ADDRESS_VERSION


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """One message of a case."""

    id: UUID
    author: Author
    kind: MessageKind
    staff: UUID | None
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DueCase:
    """A case whose time for the person has run out."""

    account: UUID
    case: UUID


@dataclass(frozen=True, slots=True)
class Filter:
    """Cases that staff look for; None, or an empty text, is every one."""

    state: CaseState
    owner: UUID | None = None  # of staff
    is_unowned: bool = False
    matter: str = ""
    is_unsigned: bool | None = None


def written(words: str) -> str:
    """The words of a person as they are kept: their lines, without anything that is not seen.

    Refuses `Malformed` where there are none, or more than `WORDS_LENGTH_MAX` characters.
    """
    found = lines_of_text(words[: WORDS_LENGTH_MAX * 4])
    if not 1 <= len(found) <= WORDS_LENGTH_MAX or len(words) > WORDS_LENGTH_MAX * 4:
        raise Malformed("words", "within_bounds")
    return found


def address_account(email: str) -> UUID:
    """The key under which cases of an address lie that were sent without signing in.

    A digest of it (UUID of version 8, which no account has), so that these cases are spread over a distributed database
    as others are, and whoever signs in with the address finds them.
    """
    digest = sha256(b"meterai cases: " + email.encode()).digest()[:16]
    value = int.from_bytes(digest) & ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | ADDRESS_VERSION << 76 | 0b10 << 62)


def joins_key(matter: Matter, about: str) -> str:
    """The key that is unique among the open cases of an account; empty, so one case, for all that is about nothing."""
    return f"{about}:{matter}" if about else ""
