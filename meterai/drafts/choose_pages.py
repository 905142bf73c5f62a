"""Page for choosing files: lists the files of the draft, each with its buttons."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath

from meterai import stamps
from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.drafts.model import (
    FILE_KIND,
    Draft,
    DraftFile,
    DraftFull,
    FileState,
    duplicates,
    needs_no_remark,
)
from meterai.drafts.service import DraftService
from meterai.drafts.uploads import Uploads
from meterai.drafts.visitors import (
    ELSEWHERE,
    NO_COOKIE,
    account_asking,
    adopt_draft,
    done_here,
    files_apart,
    is_kept,
    open_draft,
    seen_draft,
    set_token,
    uploaded_draft,
)
from meterai.kit.ids import read
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.kit.text import file_name
from meterai.pages import (
    FieldError,
    Page,
    PageRequest,
    local_path,
    page,
    read_form,
    read_own_form,
    see_other,
    sentence,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import network_of
from meterai.plumbing.messages import localize, translate
from meterai.waiting_room import Guarded, GuardedAct, WaitingRoom, WaitInLine

NOT_KEPT = "files=not-kept"  # the visitor sent files just as a line became engaged, and has now left the line
CHOOSE, PLACE = "/stamp", "/stamp/place"
# Without a script the files of a form come in one request, and all of it is lost when a phone's
# connection breaks.  With a script the files come in parts, and this limit does not apply.
FORM_BYTES_MAX = 100 * 1024 * 1024
_WITH_ITS_FIELDS = FORM_BYTES_MAX + 64 * 1024
# A browser sends all chosen files, also those beyond the limit of a draft; reading as many
# parts takes some hundredths of a second.
FORM_PARTS_MAX = 1_000
NAMED_MAX = 3  # files that are named for each fault; an ellipsis stands for the others
PAGE_KEY_BYTES = 16  # enough that the key cannot be guessed
LOOK_AGAIN_SECONDS = 2  # after which a page without a script reloads while a file is examined
_OPT = {
    "permission": Permission.PUBLIC,
    "priority": Priority.CHECKOUT,
    # A visitor who has stamps does not wait in a line, so the route itself checks the turn.
    "guarded": Guarded(GuardedAct.BUY, is_entrance=False),
}


class FormTooLarge(Refusal):
    """The files of one form are larger than one request may be.  Sizes in bytes."""

    code = "form_too_large"
    status = 413

    def __init__(self, *, sum_bytes: int) -> None:
        super().__init__(f"at most {sum_bytes} bytes in one form")
        self.sum_bytes = sum_bytes


async def line_to_wait_in(
    request: PageRequest, lines: WaitingRoom, database: Database, account: UUID | None
) -> str | None:
    """Return the name of the waiting line in which a visitor has to wait before choosing files; None if no wait is needed.

    An account that has stamps does not wait.
    """
    line = await lines.waiting_line(request, GuardedAct.BUY)
    if line is None or account is None:
        return line.name if line else None
    has_stamps = await database.once(stamps.available, account) > 0
    return None if has_stamps else line.name


def why(file: DraftFile, language: str) -> str:
    """Return the sentence that says why a file cannot be stamped, and the remedy."""
    facts = localize(file.refusal_facts, language)
    return translate(f"refusal.{file.refusal}", language, **facts)


def _faults(left_out: Sequence[tuple[str, Refusal]], language: str) -> list[str]:
    """Return a sentence for each reason why files of a form were not added, with the names of these files."""
    names: dict[str, list[str]] = {}
    for name, refusal in left_out:
        names.setdefault(sentence(refusal, language), []).append(file_name(name))
    return [
        f"{', '.join(named[:NAMED_MAX])}{' …' if len(named) > NAMED_MAX else ''}: {fault}"
        for fault, named in names.items()
    ]


async def _choose_page(
    request: PageRequest,
    drafts: DraftService,
    uploads: Uploads,
    draft: Draft | None,
    refusal: Refusal | None = None,
    left_out: Sequence[tuple[str, Refusal]] = (),
) -> Page:
    files = await drafts.files(draft) if draft is not None else []
    language = language_of(request)
    again = duplicates(files)
    told = [sentence(refusal, language)] if refusal else _faults(left_out, language)
    errors = [FieldError("document", one) for one in told]
    refusal = refusal or next((why_not for _, why_not in left_out), None)
    usable = [one for one in files if one.is_usable and one.id not in again]
    return page(
        request,
        "drafts/choose.html",
        status=refusal.status if refusal else 200,
        errors=errors,
        files=files,
        duplicates=again,
        reasons={one.id: why(one, language) for one in files if one.state == FileState.REFUSED},
        usable=len(usable),
        is_examining=any(one.state == FileState.EXAMINING for one in files),
        again_seconds=LOOK_AGAIN_SECONDS,
        kind=FILE_KIND,
        is_kept=await is_kept(request, drafts),
        done=await done_here(request, drafts) if draft is None else None,
        is_not_kept=request.url.query == NOT_KEPT,
        is_without_cookies=request.url.query == NO_COOKIE and not request.cookies,
        is_elsewhere=draft is None and request.url.query == ELSEWHERE,
        apart=await files_apart(request, drafts),
        here=CHOOSE,
        page_key=secrets.token_urlsafe(PAGE_KEY_BYTES),
    )


@get(CHOOSE, opt=_OPT, include_in_schema=False)
async def show_choose(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    uploads: NamedDependency[Uploads],
    lines: NamedDependency[WaitingRoom],
    database: NamedDependency[Database],
) -> Page:
    """Show the chosen files.

    While a waiting line holds visitors back, a visitor without stamps and without a turn is redirected to the line first.
    """
    account = await account_asking(request)
    line = await line_to_wait_in(request, lines, database, account)
    if line is not None:
        return see_other(WaitInLine(line).join_for(CHOOSE))
    draft, token = await seen_draft(request, drafts)
    answer = await _choose_page(request, drafts, uploads, draft)
    await set_token(request, answer, drafts, token)
    return answer


async def _add_each(
    uploads: Uploads, draft: Draft, files: Sequence[tuple[str, bytes]], token: str
) -> tuple[list[DraftFile], list[tuple[str, Refusal]]]:
    """Add files to a draft; return the added files, and the name and refusal of each file that was not added.

    With a `token` the draft is created together with its first file.  After a refused file the other files are still added,
    unless the draft is full.
    """
    added, left_out = list[DraftFile](), list[tuple[str, Refusal]]()
    full: DraftFull | None = None
    for name, content in files:
        if full is not None:
            left_out.append((name, full))
            continue
        try:
            begins = "" if added else token
            added.append(await uploads.add_whole(draft, name, content, token=begins))
        except Refusal as refusal:
            full = refusal if isinstance(refusal, DraftFull) else None
            left_out.append((name, refusal))
    return added, left_out


@post(
    "/stamp/files",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
    request_max_body_size=_WITH_ITS_FIELDS,
)
async def add_files(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    uploads: NamedDependency[Uploads],
    lines: NamedDependency[WaitingRoom],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Page:
    """Add the files of a form, sent by a page without a script.

    If every file can be stamped without a remark, redirect to the page on which the stamps are placed.
    """
    account = await account_asking(request)
    line = await line_to_wait_in(request, lines, database, account)
    if line is not None:
        return see_other(WaitInLine(line).join_for(f"{CHOOSE}?{NOT_KEPT}"))
    draft = await open_draft(request, drafts)
    kept = ""
    try:
        form = await read_form(request, parts_max=FORM_PARTS_MAX)
        if not form.files:
            raise UploadMissing("no file was chosen")
        network = network_of(request, settings.process.proxies)
        page_key = form.text("page_key")
        draft, token, is_new = await uploaded_draft(request, drafts, network, page_key)
        kept = "" if is_new else token
        added, left_out = await _add_each(uploads, draft, form.files, token if is_new else "")
        kept = token if added else kept
        if left_out:
            there = draft if added or not is_new else None
            answer = await _choose_page(request, drafts, uploads, there, left_out=left_out)
        else:
            choose = CHOOSE if request.cookies or not kept else f"{CHOOSE}?{NO_COOKIE}"
            goes_on = needs_no_remark(added if is_new else await drafts.files(draft))
            answer = see_other(PLACE if goes_on else choose)
    except RequestEntityTooLarge:
        too_large = FormTooLarge(sum_bytes=FORM_BYTES_MAX)
        answer = await _choose_page(request, drafts, uploads, draft, too_large)
    except Refusal as refusal:
        answer = await _choose_page(request, drafts, uploads, draft, refusal)
    await set_token(request, answer, drafts, kept)
    return answer


@post(
    "/stamp/files/{file_id:str}/take-out",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def take_out(
    request: PageRequest, drafts: NamedDependency[DraftService], file_id: FromPath[str]
) -> Page:
    """Take a file out of the draft; a missing file is ignored."""
    draft = await open_draft(request, drafts)
    if draft is not None:
        await drafts.take_out(draft, read(FILE_KIND, file_id))
    return see_other(CHOOSE)


@post(
    "/stamp/adopt",
    opt={"permission": Permission.STAMP_AFFIX, "priority": Priority.CHECKOUT},
    include_in_schema=False,
)
async def adopt(
    request: PageRequest, drafts: NamedDependency[DraftService], account: NamedDependency[UUID]
) -> Page:
    """Move the files that were chosen in this browser into the signed-in account, after the visitor pressed the button."""
    form = await read_own_form(request)
    await adopt_draft(request, drafts, account)
    return see_other(local_path(form.text("next"), CHOOSE))


routes = [show_choose, add_files, take_out, adopt]
