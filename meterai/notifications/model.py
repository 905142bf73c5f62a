"""Queued mails; pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from meterai.kit.subjects import SubjectSort

JOB_SUBJECT = SubjectSort("job")

SEND_SECONDS_MAX = 30.0  # per mail: limits a server that keeps answering slowly


@dataclass(frozen=True, slots=True)
class Mail:
    """A queued mail that is being sent; `tries` includes the current try; `is_old` is true if it was queued more than
    a day ago.

    In `facts`, a value whose text differs by language is a mapping by language code.
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
    """A mail for the console: template, state and fault, without recipient and text."""

    account: UUID
    id: UUID
    template: str
    state: str
    queued_at: datetime
    sent_at: datetime | None
    tries: int
    fault: str | None


class MailFigures(NamedTuple):
    """Number of mails sent in a period, and number of all mails that wait now."""

    sent: int
    waiting: int


class Unsent(NamedTuple):
    """Number of queued mails that were never tried, and of mails that were given up."""

    untried: int
    given_up: int


@dataclass(frozen=True, slots=True)
class GivenUpMail:
    """A given-up mail with its last fault."""

    id: UUID
    template: str
    queued_at: datetime
    tries: int
    fault: str | None
