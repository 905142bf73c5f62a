"""Pages of personal data for staff: requests and breaches with their clocks, and the letter about a breach."""

import asyncio

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.operator import SPECIMEN, OperatorSettings, Seller
from meterai.pages import Page, PageRequest, page
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.messages import LANGUAGES
from meterai.privacy import breaches, store
from meterai.privacy.letter import lines, sealed
from meterai.privacy.model import Breach
from meterai.sealing import Issuers

HERE = "/console/privacy"
SHOWN_MAX = 100
_OPTIONS = {"permission": Permission.CONSOLE_PRIVACY, "priority": Priority.PAID}


class Letters:
    """Writes letters about breaches of one installation."""

    def __init__(self, issuers: Issuers, settings: Settings, clock: Clock) -> None:
        self._issuers = issuers
        self.seller = Seller.of(settings.of(OperatorSettings))
        self._mark = "" if settings.process.is_production else SPECIMEN
        self._clock = clock

    async def sealed(self, found: Breach, language: str) -> bytes:
        """The letter as a sealed PDF.  Refuses with a `SealingUnavailable`."""
        given = found, self.seller, self._issuers.current, language
        now = self._clock.now()
        return await asyncio.to_thread(sealed, *given, mark=self._mark, at=now)


@get(HERE, opt=_OPTIONS, include_in_schema=False)
async def show_register(request: PageRequest, database: NamedDependency[Database]) -> Page:
    """Breaches and requests, the most urgent in front."""
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
    """One breach: as the letter tells it, and its levers."""
    async with database.reading() as tx:
        found = await breaches.one(tx, breach_id)
        untold = await breaches.not_told(tx, found)
    told = lines(found, letters.seller, language_of(request))
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
    """The letter to the agency as a sealed PDF, in Indonesian or English."""
    found = await database.once(breaches.one, breach_id)
    chosen = language if language in LANGUAGES else LANGUAGES[0]
    content = await letters.sealed(found, chosen)
    return saved_as(f"{found.shown}-{chosen}.pdf", content, "application/pdf")


routes = [show_register, show_breach, download_letter]
