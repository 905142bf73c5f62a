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
    """An automatic answer from our records about the order: its stable code, and its text in your language."""

    code: str
    text: str
    next: str
    answered_at: datetime | None


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a case.

    `author` is `person` (you), `staff` (ours) or `facts` (an answer from our records).  With `facts` the `words` are empty, and
    the text is in `answer` of the case.
    """

    author: str
    kind: str
    words: str
    at: datetime


class HappeningView(msgspec.Struct, frozen=True, kw_only=True):
    """An event in the life of the order or stamping that a case is about."""

    at: datetime
    text: str


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint as the API shows it.

    `about` is the id of the order or stamping; it is null if the complaint names no order or stamping of yours.  In the state
    `open` our staff answer by `due_at`.  In the states `answered` and `asked` the complaint closes at `closes_at` unless you
    write.
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
    """A complaint with its messages and the timeline of its order or stamping, oldest first."""

    messages: list[MessageView]
    timeline: list[HappeningView]
    pictures: int


def shown(case: Case, language: str) -> CaseView:
    """Return the view of a case for a list, in this language."""
    return CaseView(**_shown(case, language))


def details(found: CaseTold, language: str) -> CaseDetails:
    """Return everything that the person who opened a case may see of it, in `language`."""
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
    """Return the views of messages for the person, without the names of staff."""
    return [
        MessageView(author=one.author, kind=one.kind, words=one.words, at=one.at) for one in found
    ]


def is_answer_of_facts(one: CaseMessage) -> bool:
    """True if a message is an automatic answer from our records, not one of staff."""
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
