"""The letter about a breach: to the agency, as a tagged PDF sealed without a stamp, in either language."""

from datetime import datetime

from meterai import sealing
from meterai.operator import Seller
from meterai.pages import paper
from meterai.plumbing.messages import format_datetime, translate
from meterai.privacy.model import Breach


def lines(found: Breach, seller: Seller, language: str) -> list[paper.PaperLine]:
    """The letter as lines: data exposed, when and how, handling, who was told when (UU PDP 46)."""

    def said(name: str, value: str) -> paper.PaperLine:
        return paper.PaperLine(translate(f"letter.{name}", language), value)

    def time(name: str, moment: datetime | None) -> paper.PaperLine:
        not_yet = translate("letter.not_yet", language)
        return said(name, format_datetime(moment, language) if moment else not_yet)

    subjects = translate(
        "letter.everybody" if found.accounts is None else "letter.named",
        language,
        count=len(found.accounts or ()),
    )
    return [
        said("number", found.shown),
        said("operator", f"{seller.name}, {seller.address}"),
        said("contact", seller.contact),
        time("known_at", found.known_at),
        time("due_at", found.due_at),
        said("subjects", subjects),
        said("exposed", found.exposed[language]),
        said("happened", found.happened[language]),
        said("handling", found.handling[language]),
        time("agency_told_at", found.agency_told_at),
        time("subjects_told_at", found.subjects_told_at),
        paper.PaperLine("", translate("letter.law", language)),
    ]


def sealed(
    found: Breach, seller: Seller, issuer: sealing.Issuer, language: str, *, mark: str, at: datetime
) -> bytes:
    """The letter as a PDF.  Takes some milliseconds of a processor: never on an event loop."""
    title = translate("letter.title", language)
    content = paper.written(paper.Receipt(title, language, lines(found, seller, language), mark))
    return content + sealing.seal_statement(content, issuer, at=at).data
