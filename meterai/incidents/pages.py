"""Public pages of incidents: the status, one incident, and the feed."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup

from meterai.accounts import Permission
from meterai.incidents import steps
from meterai.incidents.board import KNOWN_FOR, Board
from meterai.incidents.model import KIND, Incident, IncidentKind, IncidentState, IncidentUnknown
from meterai.incidents.views import states_of
from meterai.kit.components import worst
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.pages import (
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    Remembered,
    RoomPages,
    ShownTo,
    field_errors,
    page,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import translate

ATOM = "application/atom+xml"
_PUBLIC = {
    "permission": Permission.PUBLIC,
    "priority": Priority.NEW,
    "remembered": Remembered(1.0),
}


def number(shown: str) -> UUID:
    """Parse the shown number of an incident (`inc_...`) and return its id.  Refuses `IncidentUnknown`."""
    try:
        return read(KIND, shown)
    except NotFound:
        raise IncidentUnknown("no such incident") from None


async def seen(board: Board, database: Database, incident: UUID) -> Incident:
    """Return an incident; while the database is unavailable, as the board read it last.  Refuses `IncidentUnknown`."""
    try:
        async with database.reading() as tx:
            return await steps.one(tx, incident)
    except IncidentUnknown:
        raise
    except Refusal:
        found = [one for one in (await board.known())[1] if one.id == incident]
        if not found:
            raise
        return found[0]


@get("/status", opt=_PUBLIC, include_in_schema=False)
async def show_status(request: PageRequest, board: NamedDependency[Board]) -> Page:
    """Show the state of each component, open and past incidents, and planned maintenance."""
    return await status_page(request, board)


async def status_page(
    request: PageRequest, board: Board, email: str = "", refusal: Refusal | None = None
) -> Page:
    """Render the status page, with the typed address and the errors of the subscription form."""
    await visitor(request)
    at, found = await board.known()
    states = states_of(found)
    return page(
        request,
        "incidents/status.html",
        status=refusal.status if refusal else 200,
        at=at,
        is_known=board.now() - at <= KNOWN_FOR,
        watched_at=board.watched_at,
        states=states,
        worst=worst(states.values()),
        open_now=[one for one in found if one.is_felt],
        announced=[one for one in found if one.state is IncidentState.ANNOUNCED],
        past=[one for one in found if not one.is_open],
        email=email,
        errors=field_errors(refusal, language_of(request), "email"),
    )


@get("/status/incidents/{shown:str}", opt=_PUBLIC, include_in_schema=False)
async def show_incident(
    request: PageRequest,
    board: NamedDependency[Board],
    database: NamedDependency[Database],
    shown: FromPath[str],
) -> Page:
    """Show one incident to everybody."""
    await visitor(request)
    incident = await seen(board, database, number(shown))
    return page(
        request,
        "incidents/incident.html",
        incident=incident,
        is_planned=incident.kind is IncidentKind.MAINTENANCE,
    )


@get("/status/feed.atom", opt=_PUBLIC, include_in_schema=False, media_type=ATOM)
async def show_feed(
    request: PageRequest, board: NamedDependency[Board], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """Return incidents as an Atom feed (RFC 4287), in the language of the reader."""
    at, found = await board.known()
    newest = max((one.updated_at for one in found), default=at)
    text = feed(found, settings.process.url, language_of(request), newest.isoformat())
    return Response(
        text.encode(),
        media_type=ATOM,
        headers={"Cache-Control": "public, max-age=30", "Vary": "Accept-Language"},
    )


def feed(found: Sequence[Incident], url: str, language: str, updated: str) -> str:
    """Render the Atom feed; each incident is one entry, which changes with each update of the incident."""
    title = translate("page.status.title", language)
    head = Markup(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">\n'
        "<title>meterai: {title}</title><id>{url}/status</id><updated>{updated}</updated>"
        '<link rel="self" href="{url}/status/feed.atom"/><link href="{url}/status"/>'
        "<author><name>meterai</name></author>\n"
    ).format(language=language, title=title, url=url, updated=updated)
    return (
        head
        + Markup("\n").join(_entry(one, url, language) for one in found)
        + Markup("\n</feed>\n")
    )


def _entry(one: Incident, url: str, language: str) -> Markup:
    there = f"{url}/status/incidents/{one.shown}"
    state = translate(f"incident.{one.state}", language)
    lines = [
        f"{update.at.isoformat()} {translate(f'incident.{update.state}', language)}: "
        f"{update.text[language]}"
        for update in reversed(one.updates)
    ]
    return Markup(
        "<entry><title>{title}</title><id>{there}</id><updated>{updated}</updated>"
        '<published>{published}</published><link href="{there}"/><category term="{kind}"/>'
        '<content type="text">{text}</content></entry>'
    ).format(
        title=f"{one.title[language]} · {state}",
        there=there,
        updated=one.updated_at.isoformat(),
        published=one.started_at.isoformat(),
        kind=str(one.kind),
        text="\n\n".join(lines),
    )


PAGES = RoomPages(
    "incidents",
    "meterai.incidents",
    links=(
        PageLink(LinkPlace.FOOT, 7, "/status", "page.foot.status"),
        PageLink(
            LinkPlace.DESK,
            28,
            "/console/incidents",
            "page.nav.incidents",
            ShownTo.STAFF,
            Permission.CONSOLE_INCIDENTS,
        ),
    ),
    listed={"/status": "page.status.about"},
    unlisted={"/status/.*": "of one incident, or of one subscriber"},
)
routes = [show_status, show_incident, show_feed]
