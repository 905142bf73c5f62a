"""Texts for subjects, timeline events, effects and work items, from the messages of the rooms that register them."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from meterai.commands import Effect
from meterai.kit.subjects import Happening, Subject, sort_of
from meterai.plumbing.messages import catalogue, translate
from meterai.room.timelines import line


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """A line of a list in the console: sentence, time, link and actor."""

    text: str
    at: datetime | None = None
    link: str = ""
    about: str = ""
    actor: str = ""


def path_of(subject: Subject) -> str:
    """Return the path of the page of a subject."""
    shown = quote(subject.shown, safe="")
    sort = sort_of(subject.kind)
    return (
        f"{sort.page}/{shown}"
        if sort and sort.page
        else f"/console/subjects/{subject.kind}/{shown}"
    )


def named(subject: Subject, language: str) -> str:
    """Return the name of a subject in a language."""
    return f"{translate(f'subject.{subject.kind}', language)} {subject.shown}"


def happened(happening: Happening, language: str) -> ConsoleLine:
    """Return a timeline event as a line in a language."""
    about = happening.about
    return ConsoleLine(
        line(happening, language).sentence,
        happening.at,
        path_of(about) if about else "",
        named(about, language) if about else "",
        happening.actor,
    )


def will_happen(sentence: str, effect: Effect, language: str) -> ConsoleLine:
    """Return an effect of a lever as a line: its sentence and its subject."""
    about = effect.about
    return ConsoleLine(
        sentence,
        None,
        path_of(about) if about else "",
        named(about, language) if about else "",
    )


def title(prefix: str, name: str, language: str) -> str:
    """Return the message for a registered name; the name itself if there is no message."""
    key = f"{prefix}.{name}"
    return translate(key, language) if key in catalogue() else name
