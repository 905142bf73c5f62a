"""Cases as the API and the pages show them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from meterai.cases.model import CASE_KIND, Author, Case, CaseMessage, MessageKind
from meterai.cases.service import CaseTold
from meterai.cases.words import AnswerText, answer_text, timeline_lines
from meterai.kit.ids import show


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """An answer from the facts: its stable code, and what it says in your language."""

    code: str
    text: str
    next: str
    answered_at: datetime | None


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a case.  `author` is you (`person`), our `staff`, or the `facts`, whose words are the answer."""

    author: str
    kind: str
    words: str
    at: datetime


class HappeningView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to what a case is about."""

    at: datetime
    text: str


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint as the API shows it.

    `about` is the order or stamping it is about, null where none of yours was named.  While it is `open` our staff answer
    by `due_at`; while it is `answered` or `asked` it ends at `closes_at` unless you write.
    """

    id: str
    state: str
    matter: str
    about: str | None
    answer: AnswerView | None
    outcome: str | None
    opened_at: datetime
    due_at: datetime | None
    closes_at: datetime | None
    closed_at: datetime | None
    times_told: int


class CaseDetails(CaseView, frozen=True, kw_only=True):
    """A complaint with its messages, and what happened to what it is about, oldest first."""

    messages: list[MessageView]
    timeline: list[HappeningView]
    pictures: int


def shown(case: Case, language: str) -> CaseView:
    """Return a case for a list."""
    return CaseView(**_shown(case, language))


def details(found: CaseTold, language: str) -> CaseDetails:
    """Return a case with all that its person sees."""
    return CaseDetails(
        **_shown(found.case, language),
        messages=messages(found.messages),
        timeline=[
            HappeningView(at=one.moment, text=one.sentence)
            for one in timeline_lines(found.happenings, language)
        ],
        pictures=len(found.pictures),
    )


def messages(found: Sequence[CaseMessage]) -> list[MessageView]:
    """Return messages for the person, without the names of staff."""
    return [
        MessageView(author=one.author, kind=one.kind, words=one.words, at=one.at) for one in found
    ]


def is_answer_of_facts(one: CaseMessage) -> bool:
    """True for the message of the answer from the facts."""
    return one.author == Author.FACTS and one.kind == MessageKind.ANSWER


def _shown(case: Case, language: str) -> dict[str, Any]:
    answer: AnswerText | None = answer_text(case, language)
    return {
        "id": show(CASE_KIND, case.id),
        "state": case.state,
        "matter": case.matter,
        "about": case.about or None,
        "answer": None
        if answer is None
        else AnswerView(
            code=answer.code,
            text=answer.sentence,
            next=answer.next,
            answered_at=case.answered_at,
        ),
        "outcome": case.outcome,
        "opened_at": case.opened_at,
        "due_at": case.due_at,
        "closes_at": case.closes_at,
        "closed_at": case.closed_at,
        "times_told": case.told,
    }
