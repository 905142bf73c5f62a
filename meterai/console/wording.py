"""Subjects, happenings, effects and work in words: sentences of the rooms that tell them."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from meterai.commands import Effect
from meterai.kit.subjects import Happening, Subject, sort_of
from meterai.plumbing.messages import catalogue, translate
from meterai.room.timelines import line


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A sentence of a list: when, what it leads to, and who did it."""

    text: str
    at: datetime | None = None
    link: str = ""
    about: str = ""
    actor: str = ""


def path_of(subject: Subject) -> str:
    """The page of a subject."""
    shown = quote(subject.shown, safe="")
    sort = sort_of(subject.kind)
    return (
        f"{sort.page}/{shown}"
        if sort and sort.page
        else f"/console/subjects/{subject.kind}/{shown}"
    )


def named(subject: Subject, language: str) -> str:
    """A subject in words."""
    return f"{translate(f'subject.{subject.kind}', language)} {subject.shown}"


def happened(happening: Happening, language: str) -> ConsoleLine:
    """A happening in words."""
    about = happening.about
    return ConsoleLine(
        line(happening, language).sentence,
        happening.at,
        path_of(about) if about else "",
        named(about, language) if about else "",
        happening.actor,
    )


def will_happen(sentence: str, effect: Effect, language: str) -> ConsoleLine:
    """An effect of a lever, which a sentence tells, with what it is done to."""
    about = effect.about
    return ConsoleLine(
        sentence,
        None,
        path_of(about) if about else "",
        named(about, language) if about else "",
    )


def title(prefix: str, name: str, language: str) -> str:
    """The words for something that a room registered, else its name."""
    key = f"{prefix}.{name}"
    return translate(key, language) if key in catalogue() else name
