"""The page of outage records for staff: a form that derives a proposal, and all records with their state."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency

from meterai.accounts import Permission
from meterai.kit.actor import Actor
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.kit.subjects import Subject
from meterai.outages.model import OUTAGE_KIND, OUTAGE_SUBJECT
from meterai.outages.service import OutageService
from meterai.pages import Page, PageRequest, field_errors, page, read_own_form, see_other
from meterai.plumbing.db.figures import moment
from meterai.plumbing.http.language import language_of
from meterai.room.timelines import console_path

HERE = "/console/outages"
FIELD_LENGTH_MAX = 80
_OPTIONS = {"permission": Permission.CONSOLE_INCIDENTS, "priority": Priority.PAID}
_FIELDS = ("begin", "end", "incident", "replaces")


@get(HERE, opt=_OPTIONS, include_in_schema=False)
async def list_outages(request: PageRequest, outages: NamedDependency[OutageService]) -> Page:
    """List all outage records, sorted by the time that they cover, the latest first, with the form that proposes a record."""
    query = request.query_params
    typed = {name: query.get(name, "")[:FIELD_LENGTH_MAX] for name in _FIELDS}
    return await _page(request, outages, typed)


async def _page(
    request: PageRequest,
    outages: OutageService,
    typed: dict[str, str],
    refusal: Refusal | None = None,
) -> Page:
    found = await outages.newest()
    named = refusal.facts().get("field") if refusal and refusal.code == "malformed" else None
    return page(
        request,
        "outages/console.html",
        status=refusal.status if refusal else 200,
        outages=[(one, console_path(Subject(OUTAGE_SUBJECT.kind, one.shown))) for one in found],
        typed=typed,
        errors=field_errors(refusal, language_of(request), str(named or "begin")),
    )


@post(HERE, opt=_OPTIONS, include_in_schema=False)
async def propose(
    request: PageRequest,
    outages: NamedDependency[OutageService],
    actor: NamedDependency[Actor],
) -> Page:
    """Fetch the readings of the time that the form states, derive a proposal and show it with its levers (staff actions with
    a forecast).
    """
    form = await read_own_form(request)
    typed = {name: form.text(name).strip()[:FIELD_LENGTH_MAX] for name in _FIELDS}
    try:
        outage = await outages.propose(
            moment(typed["begin"], "begin"),
            moment(typed["end"], "end"),
            incident=_number("inc", typed["incident"]),
            replaces=_number(OUTAGE_KIND, typed["replaces"]),
            actor=actor,
        )
    except Refusal as refusal:
        return await _page(request, outages, typed, refusal)
    return see_other(console_path(Subject(OUTAGE_SUBJECT.kind, outage.shown)))


def _number(kind: str, text: str) -> UUID | None:
    return read(kind, text) if text else None


routes = [list_outages, propose]
