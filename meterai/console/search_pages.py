"""Front page of the console, with the search box."""

from collections.abc import Sequence

from litestar import get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from meterai.accounts import Permission
from meterai.console.model import SearchFileUnknown
from meterai.console.searching import SUBJECTS_MAX, Searching
from meterai.console.wording import named, path_of, title
from meterai.console.work import WorkCounts
from meterai.documents import UploadMissing
from meterai.kit.actor import Actor
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.kit.subjects import Subject
from meterai.pages import (
    DESK,
    Page,
    PageRequest,
    field_errors,
    page,
    read_own_form,
    see_other,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.bodies import unless_gone
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import network_of
from meterai.sealing import CHECKED_BYTES_MAX, DocumentTooLarge

FORM_FIELDS_BYTES = 64 * 1024  # bytes of form fields and boundaries in addition to a file
FORM_BYTES_MAX = CHECKED_BYTES_MAX + FORM_FIELDS_BYTES
TEXT, FILE = "q", "file"  # fields of the forms


@get(
    DESK,
    opt={"permission": Permission.CONSOLE_READ, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_console(
    request: PageRequest,
    searching: NamedDependency[Searching],
    work: NamedDependency[WorkCounts],
    actor: NamedDependency[Actor],
) -> Page:
    """Show the search box and the work counts; with the parameter `q`, the result of the search."""
    typed = request.query_params.get(TEXT, "")
    try:
        subjects = await searching.by_text(actor, typed)
    except Refusal as refusal:
        return await _front(request, work, refusal, TEXT)
    if typed.strip():
        return _found(request, subjects, typed.strip())
    return await _front(request, work)


@post(
    DESK,
    opt={
        "permission": Permission.CONSOLE_READ,
        "priority": Priority.PAID,
        "asked_within": "a search by file changes nothing",
    },
    include_in_schema=False,
    request_max_body_size=FORM_BYTES_MAX,
)
async def search_by_file(
    request: PageRequest,
    searching: NamedDependency[Searching],
    work: NamedDependency[WorkCounts],
    settings: NamedDependency[Settings],
    actor: NamedDependency[Actor],
) -> Page:
    """Search for the subjects named by a PDF or a photo of a stamp.  The file is not stored."""
    media_type, _ = request.content_type
    if media_type != RequestEncodingType.MULTI_PART:  # checked before the body is read
        return await _front(request, work, SearchFileUnknown(media_type), FILE)
    try:
        form = await read_own_form(request)
        if not form.files:
            raise UploadMissing("no file was chosen")
        name, content = form.files[0]
        client = network_of(request, settings.process.proxies)
        looking = searching.by_file(actor, content, language_of(request), client)
        return _found(request, await unless_gone(request.receive, looking), name)
    except RequestEntityTooLarge:
        refusal: Refusal = DocumentTooLarge(
            size_bytes=FORM_BYTES_MAX, limit_bytes=CHECKED_BYTES_MAX
        )
        return await _front(request, work, refusal, FILE)
    except Refusal as refused:
        return await _front(request, work, refused, FILE)


def _found(request: PageRequest, subjects: Sequence[Subject], sought: str) -> Page:
    """Redirect to the timeline if exactly one subject was found, else show the list of subjects."""
    if len(subjects) == 1:
        return see_other(path_of(subjects[0]))
    language = language_of(request)
    return page(
        request,
        "console/found.html",
        sought=sought,
        subjects=[(named(one, language), path_of(one)) for one in subjects],
        is_more=len(subjects) == SUBJECTS_MAX,
    )


async def _front(
    request: PageRequest, work: WorkCounts, refusal: Refusal | None = None, field: str = TEXT
) -> Page:
    language = language_of(request)
    counts = await work.of(caller_of(request).staff_permissions)
    return page(
        request,
        "console/front.html",
        status=refusal.status if refusal else 200,
        errors=field_errors(refusal, language, field),
        counts=[(title("work", one.name, language), one) for one in counts],
    )


routes = [show_console, search_by_file]
