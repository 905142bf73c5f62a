"""Public pages of outage records: the list, one record with its files, and a sealed copy for a person."""

import re
from dataclasses import dataclass
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.kit.components import PublicAct
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, Refusal
from meterai.outages.model import OUTAGE_KIND
from meterai.outages.papers import JSON, StampingTry, act_word, span
from meterai.outages.service import SIGNED, OutageService
from meterai.pages import (
    FieldWrong,
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    RoomPages,
    ShownTo,
    field_errors,
    page,
    read_form,
    read_own_form,
    see_other,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.figures import moment
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import network_of, saved_as

HERE = "/outages"
PEM, PDF = "application/x-pem-file", "application/pdf"
ABOUT_LENGTH_MAX = 80
_PUBLIC = {"permission": Permission.PUBLIC, "priority": Priority.NEW}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _TypedCopy:
    """Fields of the form that requests a sealed copy of an outage record, as the visitor typed them."""

    document: str = ""
    at: str = ""
    about: str = ""


@get(HERE, opt=_PUBLIC, include_in_schema=False)
async def list_outages(request: PageRequest, outages: NamedDependency[OutageService]) -> Page:
    """List confirmed outage records, sorted by the time that they cover, the latest first."""
    await visitor(request)
    found = await outages.public()
    return page(
        request, "outages/list.html", outages=found, acts=list(PublicAct), is_uncovered=False
    )


@get(
    f"{HERE}/of/{{about:str}}",
    opt={"permission": Permission.STAMPING_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def find_outage(
    request: PageRequest,
    outages: NamedDependency[OutageService],
    account: NamedDependency[UUID],
    about: FromPath[str],
) -> Page:
    """Redirect to the record that covers the time of a person's order or stamping; if there is none, show the list."""
    attempt = await outages.attempt_of(account, about)
    found = await outages.public_at(attempt.at)
    if found is None:
        listed = await outages.public()
        return page(
            request,
            "outages/list.html",
            outages=listed,
            acts=list(PublicAct),
            is_uncovered=True,
            at=attempt.at,
        )
    return see_other(f"{HERE}/{found.shown}?about={attempt.about}")


@get(f"{HERE}/keys.pem", opt=_PUBLIC, include_in_schema=False, media_type=PEM)
async def show_keys(outages: NamedDependency[OutageService]) -> Response[bytes]:
    """Return the public key and the certificates for verifying records."""
    return Response(outages.keys(), media_type=PEM)


@get(f"{HERE}/{{name:str}}", opt=_PUBLIC, include_in_schema=False)
async def show_outage(
    request: PageRequest, outages: NamedDependency[OutageService], name: FromPath[str]
) -> Page:
    """Show one record; with `.json` or `.pdf` after its number, return a file of it."""
    await visitor(request)
    number, _, kind = name.partition(".")
    outage = read(OUTAGE_KIND, number)
    if kind == "json":
        return saved_as(f"{number}.json", await outages.file(outage, SIGNED), JSON)
    if kind == "pdf":
        file = f"{language_of(request)}.pdf"
        return saved_as(f"{number}.pdf", await outages.file(outage, file), PDF)
    about = request.query_params.get("about", "")[:ABOUT_LENGTH_MAX]
    return await _page(request, outages, read(OUTAGE_KIND, name), _TypedCopy(about=about))


async def _page(
    request: PageRequest,
    outages: OutageService,
    outage: UUID,
    typed: _TypedCopy,
    refusal: Refusal | None = None,
) -> Page:
    found, replaced_by = await outages.public_one(outage)
    field = "about" if typed.about else "at"
    if refusal is not None and refusal.code == "malformed":
        field = str(refusal.facts()["field"])
    return page(
        request,
        "outages/outage.html",
        status=refusal.status if refusal else 200,
        outage=found,
        replaced_by=replaced_by,
        acts=sorted(PublicAct, key=lambda act: not found.findings.failed[act]),
        typed=typed,
        errors=field_errors(refusal, language_of(request), field),
    )


@post(f"{HERE}/{{outage_id:str}}/copy", opt=_PUBLIC, include_in_schema=False, status_code=200)
async def copy_claimed(
    request: PageRequest,
    outages: NamedDependency[OutageService],
    settings: NamedDependency[Settings],
    outage_id: FromPath[str],
) -> Page:
    """Return a sealed copy for a person who states the hash of a document and the time of the attempt to stamp it.

    Nothing is stored.
    """
    form, outage = await read_form(request), read(OUTAGE_KIND, outage_id)
    typed = _TypedCopy(form.text("document")[:200], form.text("at")[:40])
    try:
        attempt = _claimed(typed)
        outages.take_turn(network_of(request, settings.process.proxies))
        return await _copy(request, outages, outage, attempt)
    except Refusal as refusal:
        return await _page(request, outages, outage, typed, refusal)


def _claimed(typed: _TypedCopy) -> StampingTry:
    """Parse the attempt to stamp that a visitor states.  Refuses `FieldWrong`, `Malformed`."""
    document = "".join(typed.document.split()).lower()
    if not _SHA256.fullmatch(document):
        raise FieldWrong("document")
    try:
        at = moment(typed.at.strip(), "at")
    except Malformed:
        raise FieldWrong("at") from None
    return StampingTry([document], at, is_in_books=False)


@post(
    f"{HERE}/{{outage_id:str}}/mine",
    opt={
        "permission": Permission.STAMPING_READ,
        "priority": Priority.PAID,
        "asked_within": "a copy of a public record, with what the reader may see; changes nothing",
    },
    include_in_schema=False,
    status_code=200,
)
async def copy_mine(
    request: PageRequest,
    outages: NamedDependency[OutageService],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
    outage_id: FromPath[str],
) -> Page:
    """Return a sealed copy for an order or a stamping of the signed-in person; the documents' hashes and the time of the
    attempt to stamp come from our database.
    """
    form, outage = await read_own_form(request), read(OUTAGE_KIND, outage_id)
    typed = _TypedCopy(about=form.text("about").strip()[:ABOUT_LENGTH_MAX])
    try:
        attempt = await outages.attempt_of(account, typed.about)
        outages.take_turn(network_of(request, settings.process.proxies))
        return await _copy(request, outages, outage, attempt)
    except Refusal as refusal:
        return await _page(request, outages, outage, typed, refusal)


async def _copy(
    request: PageRequest, outages: OutageService, outage: UUID, attempt: StampingTry
) -> Page:
    found, _ = await outages.public_one(outage)
    content = await outages.copy(found, attempt, language_of(request))
    return saved_as(f"{found.shown}-{attempt.documents[0][:8]}.pdf", content, PDF)


routes = [list_outages, find_outage, show_keys, show_outage, copy_claimed, copy_mine]
PAGES = RoomPages(
    "outages",
    "meterai.outages",
    links=(
        PageLink(LinkPlace.FOOT, 35, HERE, "page.foot.outages"),
        PageLink(
            LinkPlace.DESK,
            75,
            "/console/outages",
            "page.nav.outages",
            ShownTo.STAFF,
            needs=Permission.CONSOLE_INCIDENTS,
        ),
    ),
    listed={HERE: "page.outages.about"},
    filters={
        "span": lambda one, language: span(one.begin, one.end, language),
        "whole_span": lambda one, language: span(one.begins_at, one.ends_at, language),
        "act_word": act_word,
    },
    unlisted={"/outages/.*": "one record, its files, the keys"},
)
