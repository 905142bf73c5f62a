"""Page for placing stamps, and the pictures of pages that it shows."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai import sealing
from meterai.accounts import Permission
from meterai.drafts import positions
from meterai.drafts.model import (
    FILE_KIND,
    DraftFile,
    PageHasNoRoom,
    PlacedElsewhere,
    to_order,
)
from meterai.drafts.pictures import UNDRAWN_FOR, PagePictures
from meterai.drafts.placing import Placing, PlacingForm, PlacingOutcome, PlacingView, Unseen
from meterai.drafts.positions import TAP_WIDTH, TypedStamp
from meterai.drafts.service import DraftService
from meterai.drafts.visitors import NO_COOKIE, done_here, own_files
from meterai.kit.ids import read, show
from meterai.kit.numbers import counted
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.pages import (
    FieldError,
    FieldWrong,
    Form,
    Page,
    PageRequest,
    page,
    read_form,
    see_other,
    sentence,
)
from meterai.plumbing.http.language import language_of
from meterai.plumbing.messages import translate
from meterai.sealing import PlacementOnStamp, PlacementOutsidePage, PlacementsOverlap

PAGE = "/stamp/place"
GONE = f"{PAGE}?gone=1"  # shown if the file was taken out meanwhile: the remaining files, with a notice
NEXT = "/stamp/pay"
FORM_BYTES_MAX = 16 * 1024  # four numbers for each of the stamps
# The fields of all stamps, and some about the file, the page and the button.
FORM_FIELDS_MAX = positions.FIELDS_MAX + 12
# A picture never changes.  The browser still asks at each use, since the next user of a shared device may not see it.
_KEEPS = "private, no-cache"
_MENDED_HERE = (
    FieldWrong,
    PageHasNoRoom,
    PlacedElsewhere,
    PlacementOutsidePage,
    PlacementsOverlap,
)
_PUBLIC = {"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT}


@get("/stamp/place", opt=_PUBLIC, include_in_schema=False)
async def show_place(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    placing: NamedDependency[Placing],
) -> Page:
    """Show the page for placing stamps: a page of a file with its stamps."""
    draft, chosen = await own_files(request, drafts)
    if draft is None:
        if not request.cookies:
            return see_other(f"/stamp?{NO_COOKIE}")
        return see_other(NEXT if await done_here(request, drafts) else "/stamp")
    files = to_order(chosen)
    if not files:
        return see_other("/stamp")
    query = request.query_params
    try:
        file = _file_asked(files, query.get("file", ""))
    except NotFound:
        return see_other(GONE)
    view = await placing.view(draft, file, _selected(query.get("stamp", "")))
    notices = _notices(query, files)
    return _page(request, files, view, notices=notices)


@post("/stamp/place", opt=_PUBLIC, include_in_schema=False, request_max_body_size=FORM_BYTES_MAX)
async def place(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    placing: NamedDependency[Placing],
) -> Page:
    """Store the stamps of a file from the sent form, and carry out the pressed button."""
    form = await read_form(request, parts_max=FORM_FIELDS_MAX)
    draft, files = await own_files(request, drafts)
    if draft is None:
        return see_other(PAGE)  # that page redirects to where the visitor can continue
    try:
        file = _of(files, form.text("file"))
        wanted = _wanted(form, file)
        outcome = await placing.carry_out(draft, file, wanted)
    except NotFound:
        return see_other(GONE)
    except _MENDED_HERE as refusal:
        file = await drafts.file(draft, file.id)
        view = await placing.view(draft, file)
        files = to_order(await drafts.files(draft))
        return _page(request, files, view, typed=positions.typed_stamps(form.texts), why=refusal)
    if outcome.goes_on:
        return see_other(_next(to_order(files), file))
    return see_other(_again(file, outcome, is_unseen=wanted.do == "use"))


@get("/stamp/files/{file_id:str}/pages/{name:str}", opt=_PUBLIC, include_in_schema=False)
async def show_picture(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    pictures: NamedDependency[PagePictures],
    file_id: FromPath[str],
    name: FromPath[str],
) -> Response[Any]:
    """Return the picture of a page as WebP, a small one for the query `width=120`.

    Only a visitor whose draft has the file gets the picture.
    """
    draft, files = await own_files(request, drafts)
    if draft is None:
        raise NotFound("no draft of this visitor")
    file = _of(files, file_id)
    typed, _, kind = name.partition(".")
    number = counted(typed)
    if kind != "webp" or number is None:
        raise NotFound("no such picture")
    is_small = request.query_params.get("width") == str(sealing.THUMBNAIL_WIDTH)
    width = sealing.THUMBNAIL_WIDTH if is_small else sealing.PICTURE_WIDTH
    headers = {"Cache-Control": _KEEPS, "ETag": f'"{file.id}-{number}-{width}"'}
    if request.headers.get("if-none-match", "").removeprefix("W/") == headers["ETag"]:
        return Response(None, status_code=304, headers=headers)
    found = await pictures.picture(draft.network, file, number, width)
    return Response(found.webp, media_type="image/webp", headers=headers)


def _of(files: Sequence[DraftFile], asked: str) -> DraftFile:
    """Return the file with the public id `asked`.  Refuses `NotFound`."""
    wanted = read(FILE_KIND, asked)
    found = next((one for one in files if one.id == wanted), None)
    if found is None:
        raise NotFound("no such file of this draft")
    return found


def _file_asked(files: Sequence[DraftFile], asked: str) -> DraftFile:
    """Return the file with the public id `asked`; if that is empty, the first file without stamps.

    Refuses `NotFound`.
    """
    if asked:
        return _of(files, asked)
    return next((one for one in files if not one.is_placed), files[0])


def _selected(typed: str) -> int:
    """Return the index (from 0) of the stamp to show, from its typed number (from 1); 0 for an invalid number."""
    return (counted(typed) or 1) - 1


def _wanted(form: Form, file: DraftFile) -> PlacingForm:
    stamps = positions.typed_stamps(form.texts)
    version = counted(form.text("version"))
    return PlacingForm(
        stamps=stamps,
        selected=_selected(form.text("stamp")),
        version=file.version if version is None else version,
        seen=form.text("seen"),
        do=f"page:{form.text('to_page').strip()}" if form.text("do") == "page" else form.text("do"),
        tap=_tap(form),
    )


def _tap(form: Form) -> tuple[float, float] | None:
    """Return the tapped point of the picture, as shares of width and height; None if it was not tapped.

    If the form is sent by the keyboard, the browser sends the point (0, 0).
    """
    x, y, high = (counted(form.text(name)) for name in ("at.x", "at.y", "high"))
    if x is None or y is None or not high or (x, y) == (0, 0):
        return None
    return min(1.0, x / TAP_WIDTH), min(1.0, y / high)


def _next(files: Sequence[DraftFile], file: DraftFile) -> str:
    """Return the address of the page for the next file without stamps (later files first), else of the next step."""
    here = next((number for number, one in enumerate(files) if one.id == file.id), 0)
    for one in (*files[here + 1 :], *files[:here]):
        if not one.is_placed:
            return f"{PAGE}?file={show(FILE_KIND, one.id)}"
    return NEXT


def _again(file: DraftFile, outcome: PlacingOutcome, *, is_unseen: bool) -> str:
    query = {"file": show(FILE_KIND, file.id), "stamp": str(outcome.selected + 1)}
    if outcome.alike:
        query["alike"] = str(outcome.alike)
        for name, files in (("elsewhere", outcome.elsewhere), ("left", outcome.left)):
            if files:
                query[name] = ",".join(show(FILE_KIND, one) for one in files)
    if is_unseen:
        query["unseen"] = "1"
    return f"{PAGE}?{urlencode(query, safe=',')}"


def _notices(query: Mapping[str, str], files: Sequence[DraftFile]) -> dict[str, Any]:
    """Return the notices to show, from the query of the page's address; unknown files are left out."""
    names = {show(FILE_KIND, one.id): one.name for one in files}
    return {
        "alike": counted(query.get("alike", "")) or 0,
        "elsewhere": [names[one] for one in query.get("elsewhere", "").split(",") if one in names],
        "left": [names[one] for one in query.get("left", "").split(",") if one in names],
        "is_unseen": "unseen" in query,
        "is_gone": "gone" in query,
    }


_NO_NOTICES: Mapping[str, Any] = {
    "alike": 0,
    "elsewhere": [],
    "left": [],
    "is_unseen": False,
    "is_gone": False,
}


def _page(
    request: PageRequest,
    files: Sequence[DraftFile],
    view: PlacingView,
    *,
    notices: Mapping[str, Any] = _NO_NOTICES,
    typed: Sequence[TypedStamp] = (),
    why: Refusal | None = None,
) -> Page:
    language = language_of(request)
    size = view.size
    drawn = [
        positions.shown(one, of, language) for one, of in zip(view.stamps, view.sizes, strict=True)
    ]
    shown = page(
        request,
        "drafts/place.html",
        status=why.status if why else 200,
        errors=[_field_error(why, language)] if why else [],
        files=files,
        number=1 + next((at for at, one in enumerate(files) if one.id == view.file.id), 0),
        view=view,
        is_drawn=view.unseen in (None, Unseen.BUSY),
        undrawn_minutes=UNDRAWN_FOR // timedelta(minutes=1),
        stamps=typed or drawn,
        saved=drawn if isinstance(why, PlacedElsewhere) else [],
        seen=positions.key_of(drawn),
        covering=view.covering,
        pages=positions.pages_to_choose(size.page, view.file.pages or 1),
        mm=positions.MM,
        tap_width=TAP_WIDTH,
        tap_height=max(1, round(TAP_WIDTH * size.height / size.width)),
        bounds=_bounds(language),
        height_per_width=sealing.HEIGHT_PER_WIDTH,
        ink_share_max=sealing.INK_SHARE_MAX,
        stamps_max=sealing.STAMPS_MAX,
        **notices,
    )
    # A visitor who returns to the page sees the stored stamps, not those of an earlier visit.
    shown.headers["Cache-Control"] = "private, no-store"
    return shown


def _bounds(language: str) -> dict[str, str]:
    """Return the least and the greatest width of a stamp, in millimetres as the page shows them."""
    return {
        "least": positions.shown_number(positions.WIDTH_MM_MIN, language),
        "most": positions.shown_number(positions.WIDTH_MM_MAX, language),
    }


def _field_error(refusal: Refusal, language: str) -> FieldError:
    """Return a refusal as an error at the form field in which it can be corrected."""
    match refusal:
        case FieldWrong():
            name = refusal.field.partition("-")[0]
            own = f"page.field.place_{name}.wrong"
            return FieldError(refusal.field, translate(own, language, **_bounds(language)))
        case PageHasNoRoom():
            return FieldError("add", sentence(refusal, language))
        case PlacementOnStamp():
            return FieldError(f"x-{refusal.number}", sentence(refusal, language))
        case PlacementsOverlap():
            return FieldError(f"x-{refusal.second}", sentence(refusal, language))
        case _:
            return FieldError("x-1", sentence(refusal, language))


routes = [show_place, place, show_picture]
