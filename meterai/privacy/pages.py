"""Pages of personal data: the person's own page (copy, erasure, consents), and the register of processing."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency

from meterai.accounts import Permission, is_fresh
from meterai.kit.actor import Actor
from meterai.kit.clock import WIB, SystemClock
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.pages import (
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    RoomPages,
    ShownTo,
    field_errors,
    page,
    read_form_of_a_person,
    see_other,
)
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.privacy.model import COPIES_PER_DAY_MAX, CopyState, PrivacyRequestKind
from meterai.privacy.processing import Processing
from meterai.privacy.service import PrivacyService, kept_sentences, wait_sentence

MINE = "/privacy/mine"
_PERSON = {"permission": Permission.PERSON, "priority": Priority.PAID}
_PROVED = _PERSON | {"fresh_proof": True, "keeps": ()}
PAGES = RoomPages(
    "privacy",
    "meterai.privacy",
    listed={"/privacy/processing": "page.processing.about"},
    links=(
        PageLink(LinkPlace.ACCOUNT, 10, MINE, "page.account.my_data", ShownTo.SIGNED_IN),
        PageLink(LinkPlace.DESK, 70, "/console/privacy", "page.nav.privacy", ShownTo.STAFF),
    ),
)


@get(MINE, opt=_PERSON, include_in_schema=False)
async def show_mine(
    request: PageRequest,
    privacy: NamedDependency[PrivacyService],
    account: NamedDependency[UUID],
) -> Page:
    """Show a person's data requests and consents, and the forecast of an erasure."""
    return await _mine(request, privacy, account)


async def _mine(
    request: PageRequest, privacy: PrivacyService, account: UUID, refusal: Refusal | None = None
) -> Page:
    language, mine = language_of(request), await privacy.mine(account)
    fates = [one for of in mine.fates.values() for one in of]
    copy = mine.open(PrivacyRequestKind.COPY)
    return page(
        request,
        "privacy/mine.html",
        status=refusal.status if refusal else 200,
        errors=field_errors(refusal, language, "erasure"),
        email=mine.email,
        is_staff=mine.is_staff,
        is_fresh=is_fresh(caller_of(request)),
        rooms={name: of for name, of in mine.fates.items() if of},
        goes=[one for one in fates if one.deletes or one.blanked],
        stays=kept_sentences(fates, language).split("\n"),
        waits=[wait_sentence(one, language) for one in mine.waits],
        copy=copy,
        is_made=copy is not None and copy.state == CopyState.MADE,
        copies_max=COPIES_PER_DAY_MAX,
        erasure=mine.open(PrivacyRequestKind.ERASURE),
        requests=mine.requests,
        consents=mine.consents,
        delay_days=privacy.delay_days,
    )


@post(f"{MINE}/copy", opt=_PROVED, include_in_schema=False, status_code=200)
async def ask_copy(
    request: PageRequest,
    privacy: NamedDependency[PrivacyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Response[bytes] | Page:
    """Return a copy of all data of the person, or show the page on which a large copy appears later."""
    await read_form_of_a_person(request)
    try:
        content = await privacy.ask_copy(account, actor=actor)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _mine(request, privacy, account, refusal)
    return see_other(MINE) if content is None else _saved(content)


@post(f"{MINE}/copy.zip", opt=_PROVED, include_in_schema=False, status_code=200)
async def fetch_copy(
    request: PageRequest,
    privacy: NamedDependency[PrivacyService],
    account: NamedDependency[UUID],
) -> Response[bytes]:
    """Return the stored copy of the person's data."""
    await read_form_of_a_person(request)
    return _saved(await privacy.fetch_copy(account))


def _saved(content: bytes) -> Response[bytes]:
    day = SystemClock().now().astimezone(WIB)
    return saved_as(f"data-meterai-{day:%Y-%m-%d}.zip", content, "application/zip")


@post(f"{MINE}/erasure", opt=_PROVED, include_in_schema=False)
async def ask_erasure(
    request: PageRequest,
    privacy: NamedDependency[PrivacyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Request the erasure of the person."""
    await read_form_of_a_person(request)
    try:
        await privacy.ask_erasure(account, actor=actor)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _mine(request, privacy, account, refusal)
    return see_other(f"{MINE}#erasure")


@post(f"{MINE}/erasure/withdraw", opt=_PERSON | {"keeps": ()}, include_in_schema=False)
async def withdraw_erasure(
    request: PageRequest,
    privacy: NamedDependency[PrivacyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Withdraw the request for an erasure."""
    await read_form_of_a_person(request)
    await privacy.withdraw_erasure(account, actor=actor)
    return see_other(f"{MINE}#erasure")


@post(f"{MINE}/consents", opt=_PERSON | {"keeps": ()}, include_in_schema=False)
async def withdraw_consent(
    request: PageRequest,
    privacy: NamedDependency[PrivacyService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Withdraw a consent."""
    form = await read_form_of_a_person(request)
    named = form.text("room"), form.text("word"), form.text("which")
    await privacy.withdraw_consent(account, *named, actor=actor)
    return see_other(f"{MINE}#consents")


@get(
    "/privacy/processing",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
)
async def show_processing(request: PageRequest, processing: NamedDependency[Processing]) -> Page:
    """Show every processing of personal data: purpose, basis, categories, recipients, retention."""
    purposes = processing.purposes(language_of(request))
    return page(request, "privacy/processing.html", purposes=purposes)


routes = [
    show_mine,
    ask_copy,
    fetch_copy,
    ask_erasure,
    withdraw_erasure,
    withdraw_consent,
    show_processing,
]
