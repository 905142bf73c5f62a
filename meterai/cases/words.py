"""Answers and timelines in words, for pages, mails, the API and proofs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai.cases.answers import CaseAnswer
from meterai.cases.model import Case
from meterai.kit.subjects import Happening
from meterai.plumbing.messages import LANGUAGES, localize, translate
from meterai.room.timelines import TimelineLine, line
from meterai.stamping import why_refused

_TIMES = "_at"  # suffix of facts that are times


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Text of an automatic answer: what happened, the next step with its time, and the path of the page to open."""

    code: str
    sentence: str
    next: str
    link: str


def stored(answer: CaseAnswer) -> dict[str, object]:
    """Return the facts of an answer as JSON values for the database, without facts that are None."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in answer.facts.items()
        if value is not None
    }


def _read(facts: Mapping[str, object]) -> dict[str, object]:
    return {
        name: datetime.fromisoformat(str(value)) if name.endswith(_TIMES) else value
        for name, value in facts.items()
    }


def answer_text(case: Case, language: str) -> AnswerText | None:
    """Return the text of the automatic answer to a case; None if our records did not answer it."""
    if case.answer is None:
        return None
    facts = localize(_read(_flat(case.answer_facts)), language)
    if cause := facts.get("cause"):
        facts["why"] = translate(f"refund.cause.{cause}", language)
    if reason := facts.get("reason"):
        facts["reason"] = why_refused(str(reason), language)
    key = f"answer.{case.answer}"
    sentence, following = (
        translate(key, language, **facts),
        translate(f"{key}.next", language, **facts),
    )
    if "ready" in facts:
        following += " " + translate("cases.others_ready", language, **facts)
    stamping = case.answer_facts.get("stamping")
    return AnswerText(case.answer, sentence, following, _page(str(stamping or case.about)))


def _flat(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts of an answer, with each list of stamps' serials joined to one text."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in facts.items()
    }


def _page(about: str) -> str:
    return f"/stampings/{about}" if about.startswith("stg_") else f"/orders/{about}"


def in_both(case: Case) -> dict[str, str]:
    """Return the text of the automatic answer to a case by language, for a mail; empty if our records did not answer it."""
    found = {language: answer_text(case, language) for language in LANGUAGES}
    return {name: f"{one.sentence}\n{one.next}" for name, one in found.items() if one is not None}


def timeline_lines(happenings: Sequence[Happening], language: str) -> list[TimelineLine]:
    """Return the lines of a timeline that people see; lines for staff are left out."""
    return [line(one, language) for one in happenings if not one.for_staff]
