"""Pages of personal data for staff: requests and breaches with due times, and the letter about a breach."""

import asyncio
from datetime import datetime

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import sealing
from meterai.accounts import Permission
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.operator import SPECIMEN, OperatorSettings, Seller
from meterai.pages import Page, PageRequest, page, paper
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.messages import LANGUAGES, format_datetime, translate
from meterai.privacy import breaches, store
from meterai.privacy.model import Breach

HERE = "/console/privacy"
SHOWN_MAX = 100
_OPTIONS = {"permission": Permission.CONSOLE_PRIVACY, "priority": Priority.PAID}


def letter_lines(found: Breach, seller: Seller, language: str) -> list[paper.PaperLine]:
    """Return the lines of the letter about a breach: exposed data, time and cause, handling, notifications (UU PDP 46)."""

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


def _sealed_letter(
    found: Breach, seller: Seller, issuer: sealing.Issuer, language: str, *, mark: str, at: datetime
) -> bytes:
    """Return the letter as a sealed PDF.  Takes milliseconds of processor time, so it must not run on an event loop."""
    title = translate("letter.title", language)
    content = paper.written(
        paper.Receipt(title, language, letter_lines(found, seller, language), mark)
    )
    return content + sealing.seal_statement(content, issuer, at=at).data


class Letters:
    """Makes the letters about breaches of this installation, as tagged PDFs that are sealed without a stamp."""

    def __init__(self, issuers: sealing.Issuers, settings: Settings, clock: Clock) -> None:
        self._issuers = issuers
        self.seller = Seller.of(settings.of(OperatorSettings))
        self._mark = "" if settings.process.is_production else SPECIMEN
        self._clock = clock

    async def sealed(self, found: Breach, language: str) -> bytes:
        """Return the letter about a breach as a sealed PDF. Refuses `SealingUnavailable`."""
        given = found, self.seller, self._issuers.current, language
        now = self._clock.now()
        return await asyncio.to_thread(_sealed_letter, *given, mark=self._mark, at=now)


@get(HERE, opt=_OPTIONS, include_in_schema=False)
async def show_register(request: PageRequest, database: NamedDependency[Database]) -> Page:
    """Show breaches and data requests, the most urgent first."""
    async with database.reading() as tx:
        found = await store.breaches(tx, SHOWN_MAX)
        requests = await store.newest(tx, SHOWN_MAX)
    return page(
        request,
        "privacy/console_list.html",
        breaches=found,
        requests=[(one, show("acc", one.account)) for one in requests],
    )


@get(f"{HERE}/{{breach_id:str}}", opt=_OPTIONS, include_in_schema=False)
async def show_breach(
    request: PageRequest,
    database: NamedDependency[Database],
    letters: NamedDependency[Letters],
    breach_id: FromPath[str],
) -> Page:
    """Show a breach with the text of the letter about it, and the levers (staff actions) for it."""
    async with database.reading() as tx:
        found = await breaches.one(tx, breach_id)
        untold = await breaches.not_told(tx, found)
    told = letter_lines(found, letters.seller, language_of(request))
    return page(
        request,
        "privacy/console_breach.html",
        breach=found,
        lines=told,
        untold=untold,
        languages=LANGUAGES,
    )


@get(f"{HERE}/{{breach_id:str}}/letter/{{language:str}}", opt=_OPTIONS, include_in_schema=False)
async def download_letter(
    database: NamedDependency[Database],
    letters: NamedDependency[Letters],
    breach_id: FromPath[str],
    language: FromPath[str],
) -> Response[bytes]:
    """Return the letter to the agency as a sealed PDF, in Indonesian or English."""
    found = await database.once(breaches.one, breach_id)
    chosen = language if language in LANGUAGES else LANGUAGES[0]
    content = await letters.sealed(found, chosen)
    return saved_as(f"{found.shown}-{chosen}.pdf", content, "application/pdf")


routes = [show_register, show_breach, download_letter]
