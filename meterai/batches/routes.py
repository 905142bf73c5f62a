"""API of batches."""

from collections.abc import AsyncIterator
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from meterai.accounts import NotPermitted, Permission
from meterai.batches.intake import ReceivedFile, archive_files, listed, of_archive
from meterai.batches.model import BATCH_KIND, Batch, RowState
from meterai.batches.reading import csv_rows, json_rows
from meterai.batches.results import Results
from meterai.batches.service import BatchService
from meterai.batches.views import (
    BatchView,
    FileList,
    RowList,
    RowsTaken,
    shown,
    shown_answers,
    shown_files,
    shown_row,
)
from meterai.documents import UploadMissing
from meterai.kit.ids import read, show
from meterai.kit.paging import PAGE_MAX, ListPage
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed
from meterai.kit.text import file_name
from meterai.orders import OrderService
from meterai.pages import bodies_of
from meterai.plumbing.http.bodies import HELD_BYTES_MAX
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.described import FILE, Described
from meterai.plumbing.http.forms import each_file
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.queries import Before, Limit, Reference
from meterai.plumbing.http.requests import idempotency_key, saved_as
from meterai.plumbing.threads import to_the_end
from meterai.sealing import DOCUMENT_BYTES_MAX

FILES_BYTES_MAX = (
    128 * 1024 * 1024
)  # of one request; half of the disk space that one network may use in a process
ROWS_BYTES_MAX = 16 * 1024 * 1024  # of one request: ten thousand rows of 1.5 KB
ROWS_PAGE_MAX = 1_000
WRITTEN_AT_ONCE = (
    1024 * 1024
)  # bytes written in one call of a thread; switching to a thread costs as much as writing many
_ZIP = ("application/zip", "application/x-zip-compressed")
_CSV = "text/csv"
_BYTES = "application/octet-stream"  # for generated clients that know no other type for bytes
_JSON_LINES = ("application/jsonl", "application/x-ndjson", "application/json-lines", _BYTES)
_BEGINNING = 4
_WRITING = {"permission": Permission.STAMP_AFFIX, "priority": Priority.PAID}
_READING = {"permission": Permission.STAMPING_READ, "priority": Priority.PAID}
_TAKING = {"permission": Permission.DOCUMENT_READ, "priority": Priority.PAID}
_SEVERAL = {
    "type": "object",
    "required": ["document"],
    "properties": {
        "document": {
            "type": "array",
            "items": FILE,
            "description": (
                "PDFs and zip archives, each in a part of the form; the name of a "
                "part is the name of its file"
            ),
        }
    },
}


class BatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new batch.  `reference` is unique among the batches of an account; it must contain no personal data."""

    reference: str | None = None


class BatchOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order for the missing stamps. Without `payment_method` the default payment method is used."""

    payment_method: str | None = None


class BatchStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options to start a batch. With `order` the missing stamps are ordered, if the account has too few."""

    order: BatchOrder | None = None


class BatchList(msgspec.Struct, frozen=True):
    """Batches, newest first. `next` is the value of `before` for the next page; null on the last page."""

    batches: list[BatchView]
    next: str | None


@post(
    "/v1/batches",
    opt=_WRITING | {"described": Described(needs_key=True)},
    summary="Create a batch",
    tags=["batches"],
)
async def make_batch(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    data: JSONBody[BatchRequest],
) -> BatchView:
    """Make an empty batch.  Then send its files and its rows, and start it.  Needs an Idempotency-Key."""
    made = await batches.make(account, idempotency_key(request), data.reference)
    return shown(await batches.details(made))


@get("/v1/batches", opt=_READING, summary="Your batches", tags=["batches"])
async def list_batches(
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    limit: Limit = PAGE_MAX,
    before: Before = None,
    reference: Reference = None,
) -> BatchList:
    """List your batches, newest first, in pages."""
    page = ListPage(limit, read(BATCH_KIND, before)) if before else ListPage(limit)
    found, is_more = await batches.page(account, page, reference)
    views = [shown(await batches.details(one)) for one in found]
    return BatchList(views, views[-1].id if is_more else None)


@get("/v1/batches/{batch_id:str}", opt=_READING, summary="One batch", tags=["batches"])
async def show_batch(
    batches: NamedDependency[BatchService], account: NamedDependency[UUID], batch_id: FromPath[str]
) -> BatchView:
    """Show a batch: its state, the number of its rows in each state, its stamps, and the order of stamps for which it waits."""
    found = await batches.load(account, read(BATCH_KIND, batch_id))
    return shown(await batches.details(found))


async def _copy_body(request: Request[Any, Any, Any], file: IO[bytes]) -> None:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size >= WRITTEN_AT_ONCE:
            await to_the_end(partial(file.writelines, pieces))
            pieces, size = [], 0
    await to_the_end(partial(file.writelines, pieces))


async def files_of_form(
    request: Request[Any, Any, Any], batches: BatchService
) -> AsyncIterator[ReceivedFile]:
    """Yield the files of a form; if one is an archive, the files in the archive are yielded instead."""
    folder = bodies_of(request).directory
    rows_max = batches.settings.batch_rows_max
    async for file in each_file(request, folder, files_max=rows_max):
        file.content.seek(0)
        beginning = file.content.read(_BEGINNING)
        if archive_files(beginning):
            async for one in of_archive(file.content, rows_max):
                yield one
        else:
            file.content.seek(0)
            content = await to_the_end(partial(file.content.read, DOCUMENT_BYTES_MAX + 1))
            yield ReceivedFile(file.name, content)


@post(
    "/v1/batches/{batch_id:str}/files",
    opt=_WRITING
    | {
        "passes_body": True,
        "described": Described(
            repeats="The same file is stored once.",
            body={"multipart/form-data": _SEVERAL},
        ),
    },
    summary="Add files to a batch",
    tags=["batches"],
    request_max_body_size=FILES_BYTES_MAX,
    status_code=200,
)
async def add_files(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
) -> FileList:
    """Add files as parts of a form, or a zip as `application/zip`.  The answer has the outcome of each file.

    To send a file again changes nothing.  A file with the name of another file and different bytes is refused.
    """
    batch = await batches.load(account, read(BATCH_KIND, batch_id))
    media_type, _ = request.content_type
    if media_type == RequestEncodingType.MULTI_PART:
        taken = await batches.intake.take(batch, files_of_form(request, batches))
    elif media_type in _ZIP:
        taken = await _take_zip(request, batches, batch)
    else:
        raise Malformed("Content-Type", "files_or_archive")
    if not taken:
        raise UploadMissing("no file came")
    return shown_files(taken)


async def _take_zip(request: Request[Any, Any, Any], batches: BatchService, batch: Batch) -> Any:
    folder = bodies_of(request).directory
    with SpooledTemporaryFile(HELD_BYTES_MAX, dir=str(folder)) as file:
        await _copy_body(request, file)
        return await batches.intake.take(batch, of_archive(file, batches.settings.batch_rows_max))


@put(
    "/v1/batches/{batch_id:str}/files/{name:str}",
    opt=_WRITING
    | {"described": Described(repeats="The same file is stored once.", body={_BYTES: FILE})},
    summary="Add one file to a batch",
    tags=["batches"],
    request_max_body_size=DOCUMENT_BYTES_MAX,
)
async def put_file(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
    name: FromPath[str],
) -> FileList:
    """Add one PDF under its name.  The answer has its outcome, as a list of one file."""
    batch = await batches.load(account, read(BATCH_KIND, batch_id))
    content = await request.body()
    if not content:
        raise UploadMissing("no bytes came")
    return shown_files(await batches.intake.take(batch, listed([ReceivedFile(name, content)])))


@post(
    "/v1/batches/{batch_id:str}/rows",
    opt=_WRITING
    | {
        "described": Described(
            repeats="The same row is stored once.",
            body={_BYTES: FILE | {"description": "JSON lines: one object on each"}},
        )
    },
    summary="Add rows to a batch",
    tags=["batches"],
    request_max_body_size=ROWS_BYTES_MAX,
    status_code=200,
)
async def add_rows(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
) -> RowsTaken:
    """Add rows as JSON lines, or as a table (`text/csv`).  Wrong rows are listed with their lines, and stop no other row."""
    identifier = read(BATCH_KIND, batch_id)
    await batches.load(account, identifier)
    media_type, _ = request.content_type
    body = await request.body()
    ignored: list[str] = []
    if media_type == _CSV:
        rows, ignored = await to_the_end(partial(csv_rows, body))
    elif media_type in _JSON_LINES:
        rows = await to_the_end(partial(json_rows, body))
    else:
        raise Malformed("Content-Type", "rows")
    answers = await batches.add_rows(account, identifier, rows)
    return shown_answers(answers, ignored)


@post(
    "/v1/batches/{batch_id:str}/start",
    opt=_WRITING
    | {
        "described": Described(
            repeats="A batch that was started continues.",
            headers={"Waiting-Turn": "The turn of your place, while a line guards buying."},
        )
    },
    summary="Start a batch",
    tags=["batches"],
    status_code=200,
)
async def start_batch(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    member: NamedDependency[UUID | None],
    batch_id: FromPath[str],
    data: JSONBody[BatchStart],
) -> BatchView:
    """Start a batch: its documents are stamped with stamps of the account.

    If the account has too few stamps, the request is refused with `stamps_missing`.  With `order` the missing stamps are
    ordered instead, and the batch continues by itself once they are paid.
    """
    if data.order is not None:
        if Permission.ORDER_CREATE not in caller_of(request).permissions:
            raise NotPermitted(Permission.ORDER_CREATE)
        await orders.check_turn(request, account, f"batch:{batch_id}")
    found = await batches.start(
        account,
        read(BATCH_KIND, batch_id),
        member,
        method=data.order.payment_method if data.order else None,
        orders=data.order is not None,
    )
    return shown(found)


@post(
    "/v1/batches/{batch_id:str}/cancel",
    opt=_WRITING | {"described": Described(repeats="A cancelled batch stays cancelled.")},
    summary="Cancel a batch",
    tags=["batches"],
    status_code=200,
)
async def cancel_batch(
    batches: NamedDependency[BatchService], account: NamedDependency[UUID], batch_id: FromPath[str]
) -> BatchView:
    """Cancel a batch.  Its waiting rows end without a stamp; rows whose stamps are held are still stamped."""
    return shown(await batches.cancel(account, read(BATCH_KIND, batch_id)))


After = Annotated[int, QueryParameter(ge=0, description="Only rows after this number.")]
RowLimit = Annotated[
    int, QueryParameter(ge=1, le=ROWS_PAGE_MAX, description=("Maximum number of rows."))
]
InState = Annotated[
    str | None,
    QueryParameter(
        name="state",
        description="Only rows in this state.",
        schema_extra={"enum": [str(one) for one in RowState]},
    ),
]


def _read_states(text: str | None) -> list[RowState] | None:
    if text is None:
        return None
    try:
        return [RowState(text)]
    except ValueError:
        raise Malformed("state", "known_name") from None


@get(
    "/v1/batches/{batch_id:str}/rows",
    opt=_READING,
    summary="Rows of a batch",
    tags=["batches"],
    responses={200: ResponseSpec(RowList, generate_examples=False, description="Rows")},
)
async def list_rows(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    results: NamedDependency[Results],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
    limit: RowLimit = ROWS_PAGE_MAX,
    after: After = 0,
    in_state: InState = None,
) -> Response[RowList] | Stream:
    """List rows in their order, each with its serials or the reason why it has none; with `Accept: text/csv`, all rows as a
    table.
    """
    identifier, states = read(BATCH_KIND, batch_id), _read_states(in_state)
    if _CSV in request.headers.get("accept", ""):
        await batches.load(account, identifier)
        table = results.table(account, identifier, language_of(request), states)
        return Stream(table, media_type="text/csv; charset=utf-8; header=present")
    rows = await batches.rows(account, identifier, after, limit + 1, states)
    serials = await batches.serials(account, rows[:limit])
    views = [
        shown_row(identifier, row, serials.get(row.stamping, ()) if row.stamping else ())
        for row in rows[:limit]
    ]
    return Response(RowList(views, views[-1].row if len(rows) > limit else None))


@get(
    "/v1/batches/{batch_id:str}/rows/{number:int}/document",
    opt=_TAKING | {"described": Described(file="application/pdf")},
    summary="The stamped document of a row",
    tags=["batches"],
)
async def download_row(
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
    number: FromPath[int],
) -> Response[bytes]:
    """Download the stamped document of a row."""
    row, content = await batches.document(account, read(BATCH_KIND, batch_id), number)
    return saved_as(file_name(row.document_name) or "dokumen.pdf", content, "application/pdf")


def archive_answer(
    results: Results, account: UUID, batch: UUID, language: str, after: int
) -> Stream:
    """Return a response that streams the archive of a batch."""
    name = f"{show(BATCH_KIND, batch)}.zip"
    return Stream(
        results.archive(account, batch, language, after),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


@get(
    "/v1/batches/{batch_id:str}/results.zip",
    opt=_TAKING | {"described": Described(file="application/zip")},
    summary="All stamped documents of a batch",
    tags=["batches"],
)
async def download_results(
    request: Request[Any, Any, Any],
    batches: NamedDependency[BatchService],
    results: NamedDependency[Results],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
    after: After = 0,
) -> Stream:
    """Download the stamped documents, and `results.csv` with each row.  To resume, pass the number of the last received row as
    `after`.
    """
    identifier = read(BATCH_KIND, batch_id)
    await batches.load(account, identifier)
    return archive_answer(results, account, identifier, language_of(request), after)


routes = [
    make_batch,
    list_batches,
    show_batch,
    add_files,
    put_file,
    add_rows,
    start_batch,
    cancel_batch,
    list_rows,
    download_row,
    download_results,
]
