"""Pages of complaints for people: complain, read the answer, reply."""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.cases.model import (
    ABOUT_LENGTH_MAX,
    CASE_KIND,
    PICTURES_MAX,
    WORDS_LENGTH_MAX,
    CaseState,
    Complaint,
    Matter,
    TooManyPictures,
    written,
)
from meterai.cases.routes import matter_of
from meterai.cases.service import CaseService
from meterai.cases.views import is_answer_of_facts
from meterai.cases.words import answer_text, timeline_lines
from meterai.kit.actor import Actor
from meterai.kit.ids import read, show
from meterai.kit.paging import ListPage as PageOfList
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.pages import (
    FieldWrong,
    Form,
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    RoomPages,
    ShownTo,
    field_errors,
    form_key,
    fresh_key,
    kept_text,
    page,
    read_form,
    read_own_form,
    see_other,
    visitor,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import network_of
from meterai.sealing import CHECKED_BYTES_MAX

PICTURE_KIND = "pic"
FORM_BYTES_MAX = CHECKED_BYTES_MAX + 64 * 1024  # the uploaded files, and the other form fields
_PDF = b"%PDF-"
_HEAD_BYTES = 1024  # prefix that contains the PDF header (ISO 32000-1, annex H)
SHOWN_MAX = 50  # complaints per page
_MAKING = {"permission": Permission.CASE_MAKE, "priority": Priority.PAID}
_READING = {"permission": Permission.CASE_READ, "priority": Priority.PAID}


@dataclass(frozen=True, slots=True)
class _TypedComplaint:
    """Typed fields of the complaint form."""

    matter: str = ""
    about: str = ""
    words: str = ""
    email: str = ""

    @classmethod
    def of(cls, form: Form) -> "_TypedComplaint":
        """Return the fields of a submitted form."""
        return cls(*(form.text(name) for name in cls.__slots__))


def _form_page(
    request: PageRequest, typed: _TypedComplaint, key: str, refusal: Refusal | None = None
) -> Page:
    field = {"picture_none": "files", "too_many_pictures": "files"}.get(
        refusal.code if refusal else "", "words"
    )
    named = refusal.facts().get("field") if refusal and refusal.code == "malformed" else None
    return page(
        request,
        "cases/new.html",
        status=refusal.status if refusal else 200,
        typed=typed,
        key=key,
        matters=list(Matter),
        words_max=WORDS_LENGTH_MAX,
        pictures_max=PICTURES_MAX,
        errors=field_errors(refusal, language_of(request), str(named or field)),
    )


@get(
    "/complaints/new",
    opt={"permission": Permission.PUBLIC, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_form(request: PageRequest) -> Page:
    """Show the complaint form; an order in the query fills a field and is not looked up."""
    await visitor(request)
    query = request.query_params
    typed = _TypedComplaint(
        kept_text(request, "matter", query.get("matter", "")[:ABOUT_LENGTH_MAX]),
        kept_text(request, "about", query.get("order", "")[:ABOUT_LENGTH_MAX]),
        kept_text(request, "words"),
    )
    return _form_page(request, typed, kept_text(request, "key", fresh_key()))


def _matter(text: str) -> Matter:
    """Return the chosen matter.  Refuses `FieldWrong`."""
    if text not in list(Matter):
        raise FieldWrong("matter")
    return matter_of(text)


def _words(text: str) -> str:
    """Return the person's words in the form that is stored.  Refuses `FieldWrong`."""
    try:
        return written(text)
    except Refusal:
        raise FieldWrong("words") from None


@post(
    "/complaints",
    opt={**_MAKING, "keeps": ("matter", "about", "words", "key")},
    include_in_schema=False,
    request_max_body_size=FORM_BYTES_MAX,
)
async def complain(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
) -> Page:
    """Take a complaint, and show its answer or its due time."""
    form = await read_own_form(request)
    typed, key = _TypedComplaint.of(form), form_key(form.text("key"))
    network = network_of(request, settings.process.proxies)
    try:
        complaint = Complaint(
            _matter(typed.matter),
            _words(typed.words),
            language_of(request),
            typed.about[:ABOUT_LENGTH_MAX],
            _digest(form),
            await _pictures(cases, form, network),
            key,
        )
        cases.take_turn(network, str(account))
        case = await cases.complain(account, complaint, actor=actor)
    except Refusal as refusal:
        return _form_page(request, typed, key, refusal)
    return see_other(f"/complaints/{show(CASE_KIND, case.id)}")


def _is_pdf(content: bytes) -> bool:
    return _PDF in content[:_HEAD_BYTES]


def _digest(form: Form) -> bytes | None:
    """Return the SHA-256 of the first PDF among the files; the complaint is about the stamping of that document."""
    return next((sha256(one).digest() for _, one in form.files if _is_pdf(one)), None)


async def _pictures(cases: CaseService, form: Form, client: str) -> list[bytes]:
    """Return the pictures among the files, re-encoded.  Refuses `TooManyPictures`, `PictureNone`, `ExaminationBusy`."""
    pictures = [one for _, one in form.files if not _is_pdf(one)]
    if len(pictures) > PICTURES_MAX:
        raise TooManyPictures
    return [await cases.redrawn(one, client) for one in pictures]


@post(
    "/complaints/unsigned",
    opt={"permission": Permission.PUBLIC, "priority": Priority.PAID},
    include_in_schema=False,
)
async def complain_unsigned(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    settings: NamedDependency[Settings],
) -> Page:
    """Take a complaint without sign-in; the answer goes by mail in any case."""
    form = await read_form(request)
    typed = _TypedComplaint.of(form)
    try:
        complaint = Complaint(
            _matter(typed.matter),
            _words(typed.words),
            language_of(request),
            typed.about[:ABOUT_LENGTH_MAX],
        )
        await cases.send(typed.email, network_of(request, settings.process.proxies), complaint)
    except Refusal as refusal:
        return _form_page(request, typed, fresh_key(), refusal)
    return see_other("/complaints/sent")


@get(
    "/complaints/sent",
    opt={"permission": Permission.PUBLIC, "priority": Priority.PAID},
    include_in_schema=False,
)
async def show_sent(request: PageRequest) -> Page:
    """Show that a complaint was sent; the page is the same, whether its order and address exist or not."""
    await visitor(request)
    return page(request, "cases/sent.html")


@get("/complaints", opt=_READING, include_in_schema=False)
async def list_cases(
    request: PageRequest, cases: NamedDependency[CaseService], account: NamedDependency[UUID]
) -> Page:
    """List the newest complaints of the account."""
    found, _ = await cases.page(account, PageOfList(SHOWN_MAX))
    return page(request, "cases/list.html", cases=found)


@get("/complaints/{case_id:str}", opt=_READING, include_in_schema=False)
async def show_case(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    account: NamedDependency[UUID],
    case_id: FromPath[str],
) -> Page:
    """Show a complaint: answer, next step, messages, timeline."""
    return await _case_page(request, cases, account, case_id)


async def _case_page(
    request: PageRequest,
    cases: CaseService,
    account: UUID,
    case_id: str,
    words: str = "",
    refusal: Refusal | None = None,
) -> Page:
    case = await cases.mine(account, read(CASE_KIND, case_id))
    found, language = await cases.told(case), language_of(request)
    return page(
        request,
        "cases/case.html",
        status=refusal.status if refusal else 200,
        case=case,
        id=show(CASE_KIND, case.id),
        answer=answer_text(case, language),
        messages=[one for one in found.messages if not is_answer_of_facts(one)],
        pictures=[show(PICTURE_KIND, one) for one in found.pictures],
        lines=timeline_lines(found.happenings, language),
        is_closed=case.state == CaseState.CLOSED,
        may_write=case.state != CaseState.CLOSED or case.reopened_at is None,
        words=words or kept_text(request, "words"),
        errors=field_errors(refusal, language, "words"),
    )


@get("/complaints/{case_id:str}/pictures/{picture_id:str}", opt=_READING, include_in_schema=False)
async def show_picture(
    cases: NamedDependency[CaseService],
    account: NamedDependency[UUID],
    case_id: FromPath[str],
    picture_id: FromPath[str],
) -> Response[bytes]:
    """Return a picture that the person sent as evidence, re-encoded."""
    case = await cases.mine(account, read(CASE_KIND, case_id))
    return picture_answer(await cases.picture(case, read(PICTURE_KIND, picture_id)))


def picture_answer(webp: bytes) -> Response[bytes]:
    """Return a picture as a response that browsers treat as an image only."""
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return Response(webp, media_type="image/webp", headers=headers)


@post(
    "/complaints/{case_id:str}/messages",
    opt={**_MAKING, "keeps": ("words",)},
    include_in_schema=False,
    request_max_body_size=FORM_BYTES_MAX,
)
async def add_message(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    settings: NamedDependency[Settings],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    case_id: FromPath[str],
) -> Page:
    """Add a message of the person to a case, or send the case to staff because its answer does not help."""
    form = await read_own_form(request)
    case = await cases.mine(account, read(CASE_KIND, case_id))
    words = form.text("words")
    try:
        if form.text("is_none"):
            await cases.not_answered(case, words, actor=actor)
        else:
            network = network_of(request, settings.process.proxies)
            pictures = await _pictures(cases, form, network)
            await cases.say(case, _words(words), pictures, actor=actor)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _case_page(request, cases, account, case_id, words, refusal)
    return see_other(f"/complaints/{case_id}")


@post("/complaints/{case_id:str}/accept", opt={**_MAKING, "keeps": ()}, include_in_schema=False)
async def accept(
    request: PageRequest,
    cases: NamedDependency[CaseService],
    account: NamedDependency[UUID],
    actor: NamedDependency[Actor],
    case_id: FromPath[str],
) -> Page:
    """Accept the answer to a case, which closes it."""
    await read_own_form(request)
    case = await cases.mine(account, read(CASE_KIND, case_id))
    await cases.accept(case, actor=actor)
    return see_other(f"/complaints/{case_id}")


PAGES = RoomPages(
    "cases",
    "meterai.cases",
    links=(
        PageLink(LinkPlace.FOOT, 6, "/complaints/new", "page.foot.complaints"),
        PageLink(
            LinkPlace.DESK,
            25,
            "/console/cases",
            "page.nav.complaints",
            ShownTo.STAFF,
            Permission.CONSOLE_CASES,
        ),
    ),
    unlisted={"/complaints/.*": "of one person who complains"},
)
routes = [
    show_form,
    complain,
    complain_unsigned,
    show_sent,
    list_cases,
    show_case,
    show_picture,
    add_message,
    accept,
]
