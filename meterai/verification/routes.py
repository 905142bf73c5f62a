"""Routes of the API for checks; no key is needed."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi import ResponseSpec
from litestar.params import FromPath
from litestar.response import Stream
from litestar.serialization import encode_json

from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.kit.priority import Priority
from meterai.pages import bodies_of
from meterai.plumbing.config import Settings
from meterai.plumbing.http.bodies import unless_gone
from meterai.plumbing.http.described import FILE, Described
from meterai.plumbing.http.forms import FormFile, each_file, whole_file
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.problems import on_fault
from meterai.plumbing.http.requests import network_of
from meterai.sealing import CHECKED_BYTES_MAX
from meterai.verification.model import BatchUnreadable, DocumentWrapped
from meterai.verification.service import VerificationService
from meterai.verification.service.batch import (
    FILES_MAX,
    FORM_FIELDS_BYTES,
    LINES_MAX,
    LOOKED_UP_AT_ONCE,
    MANY_BYTES_MAX,
    CheckBatch,
    CheckRow,
    with_early_end,
)
from meterai.verification.service.rows import (
    CheckRowView,
    CheckTableRow,
    SharedSerials,
    cells_of,
    marked,
    row_view,
)
from meterai.verification.service.tables import csv_table
from meterai.verification.service.views import (
    ClaimKeysView,
    ClaimView,
    StampView,
    VerificationView,
)
from meterai.waiting_room import GuardedAct, WaitingRoom

# Media type that generated clients send; `application/pdf` and others are accepted too.
_DOCUMENT = {
    "application/octet-stream": FILE | {"description": ("the bytes of the PDF, without a form")}
}
_TURN = {"Waiting-Turn": "The turn of your place, while a line guards checking."}
_CHANGES_NOTHING = "The request is checked and nothing is stored."
LINES, CSV = "application/x-ndjson", "text/csv"
# File name that is assumed for a body that is a single file without a name.
_WHOLE = {"application/zip": "batch.zip", LINES: "batch.jsonl"}
_BOUNDS = (
    f"at most {FILES_MAX} documents and {LINES_MAX} lines, {MANY_BYTES_MAX // 1024**2} MB in all"
)


@post(
    "/v1/verifications",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "described": Described(
            repeats=_CHANGES_NOTHING, headers=_TURN, body=_DOCUMENT, refuses=(415,)
        ),
    },
    summary="Check a PDF",
    tags=["checking"],
    status_code=200,
    request_max_body_size=CHECKED_BYTES_MAX,
)
async def check_document(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> VerificationView:
    """Check the PDF in the body (application/pdf).  It is not stored."""
    document = await _document(request, lines)
    client = network_of(request, settings.process.proxies)
    checking = verification.check(document, language_of(request), client)
    return await unless_gone(request.receive, checking)


@post(
    "/v1/verifications/sealed",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "described": Described(
            repeats=_CHANGES_NOTHING,
            headers=_TURN,
            body=_DOCUMENT,
            file="application/pdf",
            refuses=(415,),
        ),
    },
    summary="Extract the sealed revision from a PDF",
    tags=["checking"],
    status_code=200,
    request_max_body_size=CHECKED_BYTES_MAX,
)
async def take_sealed(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Extract the sealed revision of the PDF in the body: its first `sealed.bytes`, without later additions.

    The PDF is checked and not stored.  Refused with `no_sealed_revision` unless the verdict is good.
    """
    document = await _document(request, lines)
    client = network_of(request, settings.process.proxies)
    sealed = await unless_gone(request.receive, verification.sealed(document, client))
    return Response(sealed, media_type="application/pdf")


async def _document(request: Request[Any, Any, Any], lines: WaitingRoom) -> bytes:
    """Return the body, which must be the document itself.

    Refuses `DocumentWrapped`, and clients that must wait in a waiting line first.
    """
    media_type, _ = request.content_type
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type == RequestEncodingType.MULTI_PART or encoding != "identity":
        raise DocumentWrapped(f"the body is {media_type}, encoded as {encoding}")
    await lines.check_turn(request, None, GuardedAct.CHECK)
    return await request.body()


class CheckRowList(msgspec.Struct, frozen=True):
    """A row for each document, serial and code, in the order of the request."""

    rows: list[CheckRowView]


@post(
    "/v1/verifications/batch",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "passes_body": True,
        "described": Described(
            repeats=_CHANGES_NOTHING,
            headers=_TURN,
            body={
                "multipart/form-data": {
                    "type": "object",
                    "properties": {
                        "document": {
                            "type": "array",
                            "items": FILE,
                            "description": f"PDFs, archives of them, and files of lines (.jsonl): {_BOUNDS}",
                        }
                    },
                    "required": ["document"],
                },
            },
            also={LINES: {"type": "string"}, CSV: {"type": "string"}},
            refuses=(415,),
        ),
    },
    summary="Check many PDFs, serials and codes",
    tags=["checking"],
    status_code=200,
    request_max_body_size=MANY_BYTES_MAX + FORM_FIELDS_BYTES,
    responses={200: ResponseSpec(CheckRowList, generate_examples=False)},
)
async def check_batch(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Check the documents, serials and codes of one request.  Nothing of them is stored.

    The answer has a row for each, in the order of the request.  The row of an item that cannot be checked states the
    reason, and the other items are still checked.

    A file with the extension `.jsonl` has a line of JSON for each serial or code: `{"serial": "..."}` or
    `{"claim": "..."}`, with an optional `id` of yours.  The body may also be a single archive (`application/zip`), or
    such lines (`application/x-ndjson`).

    With `Accept: application/x-ndjson` each row is sent when it is done, as a line of JSON.  With `text/csv` the answer
    is the table of the page for many files.  Otherwise it is one JSON document.
    """
    await lines.check_turn(request, None, GuardedAct.CHECK)
    bodies = bodies_of(request)
    client, language = network_of(request, settings.process.proxies), language_of(request)
    batch = CheckBatch(
        verification, bodies.working, language, client, takes_lines=True, at_once=LOOKED_UP_AT_ONCE
    )
    rows = batch.rows(_files(request, bodies.directory))
    try:
        first = await anext(rows)
    except StopAsyncIteration:
        raise UploadMissing("nothing to check") from None
    media_type, written = _written(request.headers.get("accept", ""))
    return Stream(
        written(with_early_end(first, rows, partial(on_fault, request)), language),
        status_code=200,
        media_type=media_type,
        headers={"Cache-Control": "private, no-store"},
    )


def _files(request: Request[Any, Any, Any], folder: Path) -> AsyncIterator[FormFile]:
    """Return the files of a form, or the body as a single file.  Refuses `BatchUnreadable`."""
    media_type, _ = request.content_type
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        if media_type == RequestEncodingType.MULTI_PART:
            return each_file(request, folder, files_max=FILES_MAX + 1)
        if media_type in _WHOLE:
            return whole_file(request, folder, _WHOLE[media_type])
    raise BatchUnreadable(f"the body is {media_type}, encoded as {encoding}")


def _written(
    accept: str,
) -> tuple[str, Callable[[AsyncIterator[CheckRow], str], AsyncIterator[bytes]]]:
    """Return media type and writer of the answer: the first supported type in the `Accept` header, else JSON."""
    named = (one.partition(";")[0].strip().lower() for one in accept.split(","))
    return next((_WRITTEN[one] for one in named if one in _WRITTEN), _WRITTEN["application/json"])


async def _as_json(rows: AsyncIterator[CheckRow], language: str) -> AsyncIterator[bytes]:
    found = []
    async for row in rows:
        found.append(row)
        yield b"\n"  # white space, so that no proxy closes a long check
    views = [row_view(line, at, language) for at, line in enumerate(marked(found), 1)]
    yield encode_json(CheckRowList(views))


async def _as_lines(rows: AsyncIterator[CheckRow], language: str) -> AsyncIterator[bytes]:
    """Yield each row when it is done; `shared_with` of a row names only earlier files, since later ones are unknown."""
    shared, number = SharedSerials(), 0
    async for row in rows:
        number += 1
        yield encode_json(row_view(CheckTableRow(row, shared.add(row)), number, language)) + b"\n"


async def _as_csv(rows: AsyncIterator[CheckRow], language: str) -> AsyncIterator[bytes]:
    lines = marked([row async for row in rows])
    yield csv_table([cells_of(line, language) for line in lines], language)


_WRITTEN = {
    "application/json": ("application/json", _as_json),
    LINES: (LINES, _as_lines),
    CSV: (f"{CSV}; header=present", _as_csv),
}


@get(
    "/v1/stamps/{serial:str}", opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING}, summary="Check a serial",
    tags=["checking"],
)  # fmt: skip
async def show_stamp(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    serial: FromPath[str],
) -> StampView:
    """Show the state of a stamp, the time at which it was affixed, and the hash of its document.

    A serial does not prove that a document is genuine, so `document_checked` is false.  Check the file itself.
    """
    return await verification.stamp(serial, language_of(request))


@get(
    "/v1/claims/{serial:str}/{claim:str}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    summary="Check a QR code",
    tags=["checking"],
)
async def show_claim(
    request: Request[Any, Any, Any],
    verification: NamedDependency[VerificationService],
    serial: FromPath[str],
    claim: FromPath[str],
) -> ClaimView:
    """Show the facts in the QR code of a stamp; serial and claim are the last two parts of the address in the code.

    The verdict `holds` means that the issuer made the code for one document, and not that the paper with the code is
    that document: compare `sha256_original_begins` with the file, or check the file itself.
    """
    scanned = f"{serial}/{claim}"
    return await verification.claim(scanned, language_of(request))


@get(
    "/v1/claim-keys",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    summary="Public keys for QR codes",
    tags=["checking"],
)
async def list_claim_keys(
    verification: NamedDependency[VerificationService],
) -> ClaimKeysView:
    """List the public keys that verify the signatures of QR codes; with them anybody can check a code offline."""
    return verification.claim_keys()


routes = [check_document, take_sealed, check_batch, show_stamp, show_claim, list_claim_keys]
