"""Answers and timelines in words: one place for pages, mails, the API and the proof of an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai.cases.answers import CaseAnswer
from meterai.cases.model import Case
from meterai.kit.subjects import Happening
from meterai.plumbing.messages import LANGUAGES, localize, translate
from meterai.room.timelines import TimelineLine, line
from meterai.stamping import why_refused

_TIMES = "_at"  # names of facts that are times end so


@dataclass(frozen=True, slots=True)
class AnswerText:
    """An answer from the facts as it is read: what is, what happens next and when, and where to go on."""

    code: str
    sentence: str
    next: str
    link: str


def stored(answer: CaseAnswer) -> dict[str, object]:
    """Facts of an answer as they are kept."""
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


def told(case: Case, language: str) -> AnswerText | None:
    """The answer that the facts gave to a case, None where they gave none."""
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
    """Serials as the one text in which sentences have them."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in facts.items()
    }


def _page(about: str) -> str:
    return f"/stampings/{about}" if about.startswith("stg_") else f"/orders/{about}"


def in_both(case: Case) -> dict[str, str]:
    """The sentences of the answer in each language, for a mail."""
    found = {language: told(case, language) for language in LANGUAGES}
    return {name: f"{one.sentence}\n{one.next}" for name, one in found.items() if one is not None}


def timeline_lines(happenings: Sequence[Happening], language: str) -> list[TimelineLine]:
    """A timeline as its person reads it: without what is for staff alone."""
    return [line(one, language) for one in happenings if not one.for_staff]
