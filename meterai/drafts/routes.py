"""Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload-12): a file is sent in parts, and a
broken connection loses at most one part.

`docs/uploads.md` describes the protocol for other clients.  Interim answers (104) are not sent, since the
proxies in front of the application do not forward them.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response, Router, delete, get, patch, post, route
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath

from meterai import stamps
from meterai.accounts import Permission
from meterai.drafts import wire
from meterai.drafts.model import (
    FILE_KIND,
    PART_BYTES_MAX,
    PART_BYTES_MIN,
    Draft,
    DraftFile,
    FileState,
    PartSizeWrong,
    UploadCompleted,
    UploadLengthInconsistent,
    UploadOffsetMismatch,
    needs_no_remark,
)
from meterai.drafts.service import DraftService
from meterai.drafts.uploads import Uploads
from meterai.drafts.visitors import (
    PAGE_KEY,
    account_asking,
    draft_of,
    draft_of_part,
    seen_draft,
    set_token,
    uploaded_draft,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read, show
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.pages import PageRequest
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.problems import answer_problem, retry_after
from meterai.plumbing.http.requests import network_of
from meterai.plumbing.messages import localize, translate
from meterai.waiting_room import GuardedAct, WaitingRoom

PATH = "/stamp/uploads"
PROBLEMS = "https://iana.org/assignments/http-problem-types#"
# Problem types that the specification registers, by the codes of our refusals.
_REGISTERED = {
    UploadOffsetMismatch.code: "mismatching-upload-offset",
    UploadLengthInconsistent.code: "inconsistent-upload-length",
}
_OPTIONS: Mapping[str, Any] = {
    "permission": Permission.PUBLIC,
    "priority": Priority.CHECKOUT,
    "single_headers": wire.SINGLE,
}
Answer = Response[Any]


def _refused(request: PageRequest, refusal: Refusal) -> Answer:
    """Return the answer to a refused upload: a problem document (RFC 9457), also to browsers."""
    headers = {"Upload-Complete": "?0", **retry_after(refusal)}
    if refusal.status == 413:
        headers[wire.LIMIT] = wire.limits(_file_bytes_max(request))
    facts: Mapping[str, object] = refusal.facts()
    if isinstance(refusal, UploadOffsetMismatch):
        headers["Upload-Offset"] = str(refusal.offset)
    answer = answer_problem(request, refusal.code, refusal.status, facts, headers)
    kind = _REGISTERED.get(refusal.code)
    if kind is not None:
        answer.content["type"] = PROBLEMS + kind
    if isinstance(refusal, UploadOffsetMismatch):
        answer.content["expected-offset"] = refusal.offset
        answer.content["provided-offset"] = wire.read_offset(request.headers)
    return answer


def _too_large(request: PageRequest, _: Exception) -> Answer:
    return _refused(request, PartSizeWrong(least_bytes=PART_BYTES_MIN, most_bytes=PART_BYTES_MAX))


def _file_bytes_max(request: PageRequest) -> int:
    uploads: Uploads = request.app.state.services[Uploads]
    return uploads.file_bytes_max


def _state_headers(uploads: Uploads, draft: Draft, file: DraftFile) -> dict[str, str]:
    """Return the state of an upload as headers.

    An upload with all its bytes is complete, even while it is examined: no part can be added.
    """
    left = file.expires_at(draft) - SystemClock().now()
    return {
        "Upload-Complete": "?0" if file.state == FileState.RECEIVING else "?1",
        "Upload-Offset": str(file.received),
        "Upload-Length": str(file.size),
        wire.LIMIT: wire.limits(uploads.file_bytes_max, left),
        "Cache-Control": "private, no-store",
    }


async def _state(
    request: PageRequest, drafts: DraftService, draft: Draft, file: DraftFile
) -> dict[str, object]:
    """Return the state of a file for a JSON answer.

    `why` is the reason of a refusal, as a sentence in the visitor's language.  `goes_on` says that the file can be
    stamped and that no file of the draft needs a remark.
    """
    language = language_of(request)
    why = None
    if file.refusal is not None:
        facts = localize(file.refusal_facts, language)
        why = translate(f"refusal.{file.refusal}", language, **facts)
    return {
        "id": show(FILE_KIND, file.id),
        "name": file.name,
        "state": str(file.state),
        "bytes": file.size,
        "received": file.received,
        "pages": file.pages,
        "digest": file.announced_digest,
        "refusal": file.refusal,
        "why": why,
        "goes_on": file.is_usable and needs_no_remark(await drafts.files(draft)),
    }


@route("/", http_method=[HttpMethod.OPTIONS], opt=_OPTIONS, include_in_schema=False)
async def tell_limits(uploads: NamedDependency[Uploads]) -> Answer:
    """Answer OPTIONS with the limits of an upload."""
    headers = {wire.LIMIT: wire.limits(uploads.file_bytes_max)}
    return Response(None, status_code=204, headers=headers)


@post(opt=_OPTIONS, include_in_schema=False, request_max_body_size=PART_BYTES_MAX)
async def begin(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    uploads: NamedDependency[Uploads],
    lines: NamedDependency[WaitingRoom],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
) -> Answer:
    """Create a file.  The request may contain no bytes of the file, the first part of the file, or all of it.

    The first file also creates the draft.
    """
    account = await account_asking(request)
    if account is None or not await database.once(stamps.available, account):
        # A visitor who has stamps does not wait in a line.
        await lines.check_turn(request, None, GuardedAct.BUY)
    asked = wire.read_creation(request.headers)
    content = await request.body()
    wire.check_part(asked, content)
    wire.check_content(request.headers, content)
    network = network_of(request, settings.process.proxies)
    page_key = request.headers.get(PAGE_KEY, "")
    draft, token, is_new = await uploaded_draft(request, drafts, network, page_key)
    is_there = not is_new
    try:
        begins = token if is_new else ""
        if len(content) == asked.size:
            whole = asked.name, content, asked.digest
            file = await uploads.add_whole(draft, *whole, token=begins)
        else:
            file = await uploads.create(draft, asked.name, asked.size, asked.digest, token=begins)
        is_there = True
        if content and file.state == FileState.RECEIVING:
            file = await uploads.append(draft, file, 0, content)
        location = f"{PATH}/{show(FILE_KIND, file.id)}"
        headers = {**_state_headers(uploads, draft, file), "Location": location}
        state = await _state(request, drafts, draft, file)
        answer: Answer = Response(state, status_code=201, headers=headers)
    except Refusal as refusal:
        answer = _refused(request, refusal)
    # Set after a refusal too: the old token no longer finds the draft.
    await set_token(request, answer, drafts, token if is_there else "")
    return answer


@get("/{file_id:str}", opt=_OPTIONS, include_in_schema=False)
async def look(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    uploads: NamedDependency[Uploads],
    file_id: FromPath[str],
) -> Answer:
    """Return the offset of an upload in headers (also for HEAD), and the state of the file if JSON is accepted."""
    draft = await draft_of(request, drafts)
    file = await drafts.file(draft, read(FILE_KIND, file_id))
    headers = _state_headers(uploads, draft, file)
    answer: Answer = Response(None, status_code=204, headers=headers)
    if "application/json" in request.headers.get("accept", ""):
        answer = Response(await _state(request, drafts, draft, file), headers=headers)
    _, token = await seen_draft(request, drafts)
    await set_token(request, answer, drafts, token)
    return answer


@patch(
    "/{file_id:str}",
    opt=_OPTIONS,
    include_in_schema=False,
    request_max_body_size=PART_BYTES_MAX,
)
async def append(
    request: PageRequest,
    drafts: NamedDependency[DraftService],
    uploads: NamedDependency[Uploads],
    file_id: FromPath[str],
) -> Answer:
    """Append a part.  After the last part the file is examined, and the answer has the result."""
    asked = wire.read_append(request.headers)
    content = await request.body()
    wire.check_content(request.headers, content)
    draft, token = await draft_of_part(request, drafts)
    try:
        file = await drafts.file(draft, read(FILE_KIND, file_id))
        if file.state == FileState.RECEIVING:
            _check_length(file, asked, content)
            file = await uploads.append(draft, file, asked.offset, content)
        elif content or not asked.is_complete:
            raise UploadCompleted(f"the file is {file.state}")
        headers = _state_headers(uploads, draft, file)
        answer: Answer = Response(None, status_code=204, headers=headers)
        if asked.is_complete:
            answer = Response(await _state(request, drafts, draft, file), headers=headers)
    except Refusal as refusal:
        answer = _refused(request, refusal)
    await set_token(request, answer, drafts, token)
    return answer


def _check_length(file: DraftFile, asked: wire.Append, content: bytes) -> None:
    """Check the offset and lengths of a part before it is stored.

    Refuses `UploadOffsetMismatch`, `UploadLengthInconsistent`.
    """
    if asked.offset != file.received:
        raise UploadOffsetMismatch(offset=file.received)
    if asked.size not in (None, file.size):
        raise UploadLengthInconsistent(f"{asked.size} bytes, {file.size} before")
    if asked.is_complete and asked.offset + len(content) != file.size:
        raise UploadLengthInconsistent(f"{asked.offset + len(content)} of {file.size} bytes")


@delete("/{file_id:str}", opt=_OPTIONS, include_in_schema=False)
async def take_out(
    request: PageRequest, drafts: NamedDependency[DraftService], file_id: FromPath[str]
) -> None:
    """Take a file out of the draft and delete its bytes."""
    draft = await draft_of(request, drafts)
    await drafts.take_out(draft, read(FILE_KIND, file_id))


_HANDLERS: Mapping[Any, Any] = {
    Refusal: _refused,
    RequestEntityTooLarge: _too_large,
}
routes = [
    Router(
        path=PATH,
        route_handlers=[tell_limits, begin, look, append, take_out],
        exception_handlers=dict(_HANDLERS),
    )
]
