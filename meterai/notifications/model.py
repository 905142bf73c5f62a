"""What a mail in the queue is; pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from meterai.kit.subjects import SubjectSort

JOB_SUBJECT = SubjectSort("job")

SEND_SECONDS_MAX = 30.0  # for one mail: a server that answers slowly and never ends


@dataclass(frozen=True, slots=True)
class Mail:
    """A queued mail that is being sent.  `tries` counts this one; `is_old`: it was queued a day ago.

    A fact that reads differently in each language is kept in both, by the codes of the languages.
    """

    account: UUID
    id: UUID
    template: str
    language: str
    recipient: str
    facts: dict[str, Any]
    tries: int
    is_old: bool


@dataclass(frozen=True, slots=True)
class MailTold:
    """A mail with what became of it; not to whom it went, and not what it says."""

    account: UUID
    id: UUID
    template: str
    state: str
    queued_at: datetime
    sent_at: datetime | None
    tries: int
    fault: str | None


class MailFigures(NamedTuple):
    """Mails that were sent in a span, and those that wait."""

    sent: int
    waiting: int


class Unsent(NamedTuple):
    """Mails that were never tried, and those that are tried no more."""

    untried: int
    given_up: int


@dataclass(frozen=True, slots=True)
class GivenUpMail:
    """A mail that is tried no more, with its last fault."""

    id: UUID
    template: str
    queued_at: datetime
    tries: int
    fault: str | None
