"""Sealed PDFs in one language: an outage record, and a copy of it for a person; pure apart from the seal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from meterai import sealing
from meterai.kit.clock import WIB
from meterai.kit.components import PublicAct
from meterai.outages.model import Outage, Period
from meterai.outages.record import OutageRecord
from meterai.pages import paper
from meterai.plumbing.messages import format_clock, format_datetime, translate

JSON = "application/json"
# Rows of one list in the PDF; the attached signed document has all of them.
LISTED_MAX = 100
# Acts needed to get a stamp on a document; checking a stamp is not needed.
NEEDED_TO_STAMP = (PublicAct.AFFIX, PublicAct.BUY)


@dataclass(frozen=True, slots=True)
class StampingTry:
    """A person's attempt to stamp: the SHA-256 of its documents in hexadecimal, and its time.

    If `is_in_books` is true, hash and time come from our database, and `about` is the id of the order or stamping.  Otherwise
    the person states both.
    """

    documents: Sequence[str]
    at: datetime
    is_in_books: bool
    about: str = ""


def span(begin: datetime, end: datetime, language: str) -> str:
    """Format a time span in WIB; within one day, the day appears once."""
    is_one_day = begin.astimezone(WIB).date() == end.astimezone(WIB).date()
    told = (format_clock if is_one_day else format_datetime)(end, language)
    return translate("outage.span", language, begin=format_datetime(begin, language), end=told)


def act_word(act: PublicAct, language: str) -> str:
    """Return the name of an act that a person can do (such as to buy) in this language, capitalized."""
    text = translate(f"act.{act}", language)
    return text[:1].upper() + text[1:]


class PaperWords:
    """Sentences of a PDF in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def line(self, name: str, value: str) -> paper.PaperLine:
        """Return a line of the PDF that consists of a label, which is the sentence `outage.<name>`, and a value."""
        return paper.PaperLine(self.say(name), value)

    def text(self, name: str, /, **facts: object) -> paper.PaperLine:
        """Return a line of the PDF that consists of the sentence `outage.<name>` alone, with these facts."""
        return paper.PaperLine("", self.say(name, **facts))

    def say(self, name: str, /, **facts: object) -> str:
        """Return the sentence `outage.<name>` in the language of the PDF, with these facts."""
        return translate(f"outage.{name}", self.language, **facts)

    def act(self, act: PublicAct) -> str:
        """Return the name of an act that a person can do (such as to buy) in the language of the PDF."""
        return act_word(act, self.language)

    def time(self, at: datetime) -> str:
        """Format a time in WIB."""
        return format_datetime(at, self.language)

    def span(self, begin: datetime, end: datetime) -> str:
        """Format a time span."""
        return span(begin, end, self.language)

    def period(self, one: Period) -> str:
        """Format a period of failure, with the numbers of its failed and of its unmeasured minutes."""
        return self.say(
            "period",
            span=self.span(one.begin, one.end),
            failed=one.failed_minutes,
            unmeasured=one.unmeasured_minutes,
        )


def record_lines(record: OutageRecord, language: str) -> list[paper.PaperLine]:
    """Return the lines of the PDF of an outage record."""
    words = PaperWords(language)
    return [
        words.line("number", record.record),
        words.line("operator", record.operator),
        words.line("system", record.by),
        words.line("covers", words.span(record.begin, record.end)),
        *([words.line("incident", record.incident)] if record.incident else []),
        *([words.line("replaces", record.replaces)] if record.replaces else []),
        words.text("finding"),
        *_failed(record, words),
        *_limited(list(_unmeasured(record, words)), words),
        words.text("law"),
        words.text("rules", join=record.join_minutes, watchers=len(record.watchers)),
        *(words.line("watcher", f"{one.name}: {one.public_key}") for one in record.watchers),
        *_limited(
            [
                words.line(
                    "left_out",
                    f"{one.watcher}: {words.span(one.begin, one.end)}. {words.say(f'why.{one.why}')}",
                )
                for one in record.left_out
            ],
            words,
        ),
        words.text(
            "confirmed", at=words.time(record.confirmed_at), persons=record.confirmed_by_persons
        ),
        words.text("check", by=record.by),
    ]


def _failed(record: OutageRecord, words: PaperWords) -> Iterator[paper.PaperLine]:
    for act, periods in record.failed.items():
        label = words.act(act)
        if not periods:
            yield paper.PaperLine(label, words.say("did_not_fail"))
        yield from _limited([paper.PaperLine(label, words.period(one)) for one in periods], words)


def _unmeasured(record: OutageRecord, words: PaperWords) -> Iterator[paper.PaperLine]:
    """Yield lines with the unmeasured times of each act, or once for all acts if their times are equal."""
    told = list(record.unmeasured.items())
    is_for_all = all(spans == told[0][1] for _, spans in told)
    for act, spans in told[:1] if is_for_all else told:
        for one in spans:
            text = words.span(one.begin, one.end)
            yield words.line("unmeasured", text if is_for_all else f"{words.act(act)}: {text}")


def _limited(lines: Sequence[paper.PaperLine], words: PaperWords) -> Iterator[paper.PaperLine]:
    yield from lines[:LISTED_MAX]
    if len(lines) > LISTED_MAX:
        yield words.text("more", count=len(lines) - LISTED_MAX)


def copy_lines(
    outage: Outage, attempt: StampingTry, sha256: str, by: str, operator: str, language: str
) -> list[paper.PaperLine]:
    """Return the lines of a person's copy: the documents, the time of the attempt, the period of failure, and the outage
    record.

    `sha256` is the hash of the signed record in hexadecimal; `by` is the URL of the installation.
    """
    words = PaperWords(language)
    failed = [(act, outage.failed_at(act, attempt.at)) for act in NEEDED_TO_STAMP]
    return [
        words.line("operator", operator),
        *(words.line("document", one) for one in attempt.documents),
        words.line(
            "tried_at",
            words.say(
                "tried.books" if attempt.is_in_books else "tried.claimed",
                at=words.time(attempt.at),
                about=attempt.about,
            ),
        ),
        words.text("copy.finding"),
        *(
            paper.PaperLine(words.act(act), words.period(one))
            for act, one in failed
            if one is not None
        ),
        words.line("record", f"{outage.shown}, {by}/outages/{outage.shown}"),
        words.line("record.sha256", sha256),
        words.text("law"),
        words.text("copy.keep"),
        words.text("copy.is_not"),
        words.text("copy.check", by=by),
    ]


def sealed(
    title: str,
    lines: Sequence[paper.PaperLine],
    language: str,
    issuer: sealing.Issuer,
    *,
    at: datetime,
    mark: str,
    attached: paper.Attached | None = None,
) -> bytes:
    """Make a PDF of these lines, and seal it as a statement: a sealed PDF without a stamp. May refuse with a
    `SealingUnavailable`.

    Takes tens of milliseconds of processor time, so it must not run on an event loop.
    """
    title = translate(f"outage.{title}", language)
    content = paper.written(paper.Receipt(title, language, lines, mark, attached))
    return content + sealing.seal_statement(content, issuer, at=at).data
