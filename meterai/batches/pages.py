"""Pages of batches: the list of an account, a batch with its rows, the form for a new batch. All work without scripts."""

from collections.abc import AsyncIterator
from io import BytesIO
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from meterai.accounts import NotPermitted, Permission
from meterai.batches.intake import ReceivedFile, archive_files, of_archive
from meterai.batches.model import BATCH_KIND, BatchEmpty, BatchFileTaken, BatchState, RowState
from meterai.batches.reading import csv_rows
from meterai.batches.results import Results
from meterai.batches.routes import FILES_BYTES_MAX, archive_answer
from meterai.batches.service import BatchService, RowAnswer
from meterai.batches.words import said, why
from meterai.kit.ids import read, show
from meterai.kit.paging import ListPage as PageOfList
from meterai.kit.priority import Priority
from meterai.kit.refusal import Refusal
from meterai.kit.text import as_came
from meterai.orders import OrderService
from meterai.pages import (
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
    page,
    read_own_form,
    see_other,
)
from meterai.plumbing.http.callers import caller_of
from meterai.plumbing.http.language import language_of
from meterai.sealing import DOCUMENT_BYTES_MAX

SHOWN_MAX = 50  # batches on one page
ROWS_SHOWN_MAX = 200  # wrong rows on one page; the table has all of them
RENEWED_SECONDS = 5  # between reloads of the page of a batch under way
_TABLES = (".csv", ".tsv", ".txt")
FORM_BYTES_MAX = FILES_BYTES_MAX // 2  # a form is held in memory, unlike a body of the API
_WRITING = {"permission": Permission.STAMP_AFFIX, "priority": Priority.PAID}
_READING = {"permission": Permission.STAMPING_READ, "priority": Priority.PAID}
_TAKING = {"permission": Permission.DOCUMENT_READ, "priority": Priority.PAID}
_UNDER_WAY = frozenset({BatchState.WORKING, BatchState.CANCELLING, BatchState.WAITING_FOR_STAMPS})


@get("/batches", opt=_READING, include_in_schema=False)
async def list_batches(
    request: PageRequest, batches: NamedDependency[BatchService], account: NamedDependency[UUID]
) -> Page:
    """Show the newest batches of an account."""
    found, _ = await batches.page(account, PageOfList(SHOWN_MAX))
    return page(request, "batches/list.html", batches=[await batches.details(one) for one in found])


def _form_page(request: PageRequest, key: str, refusal: Refusal | None = None) -> Page:
    return page(
        request,
        "batches/new.html",
        status=refusal.status if refusal else 200,
        key=key,
        errors=field_errors(refusal, language_of(request), "files"),
    )


@get("/batches/new", opt=_WRITING, include_in_schema=False)
async def show_form(request: PageRequest) -> Page:
    """Show the form for a new batch."""
    return _form_page(request, fresh_key())


def _split_files(form: Form) -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]:
    """Split the files of a form by their names: return first documents and archives, then tables of rows."""
    files: list[tuple[str, bytes]] = []
    tables: list[tuple[str, bytes]] = []
    for name, (_, content) in zip(form.came, form.files, strict=True):
        (tables if name.lower().endswith(_TABLES) else files).append((name, content))
    return files, tables


async def _received_files(
    files: list[tuple[str, bytes]], rows_max: int
) -> AsyncIterator[ReceivedFile]:
    for name, content in files:
        if archive_files(content[:4]):
            async for one in of_archive(BytesIO(content), rows_max):
                yield one
        else:
            yield ReceivedFile(name, content[: DOCUMENT_BYTES_MAX + 1])


@post("/batches", opt=_WRITING, include_in_schema=False, request_max_body_size=FORM_BYTES_MAX)
async def make_batch(
    request: PageRequest,
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
) -> Page:
    """Make a batch of an archive or documents, and a table of rows. Nothing is stamped until the batch is started."""
    form = await read_own_form(request)
    key = form_key(form.text("key"))
    files, tables = _split_files(form)
    try:
        if not files or not tables:
            raise BatchEmpty("no documents, or no table")
        rows = [row for _, content in tables for row in csv_rows(content)[0]]
        made = await batches.make(account, f"form:{key}", None)
        rows_max = batches.settings.batch_rows_max
        taken = await batches.intake.take(made, _received_files(files, rows_max))
        answers = await batches.add_rows(account, made.id, rows)
    except Refusal as refusal:
        return _form_page(request, key, refusal)
    return await _batch_page(request, batches, account, made.id, taken=taken, answers=answers)


async def _batch_page(
    request: PageRequest,
    batches: BatchService,
    account: UUID,
    batch: UUID,
    *,
    taken: list[BatchFileTaken] | None = None,
    answers: list[RowAnswer] | None = None,
    refusal: Refusal | None = None,
) -> Page:
    language = language_of(request)
    details = await batches.details(await batches.load(account, batch))
    wrong = await batches.rows(
        account, batch, 0, ROWS_SHOWN_MAX, [RowState.REFUSED, RowState.FAILED]
    )
    return page(
        request,
        "batches/batch.html",
        status=refusal.status if refusal else 200,
        id=show(BATCH_KIND, batch),
        details=details,
        batch=details.batch,
        counts=details.counts,
        missing=max(details.batch.needed - details.available, 0),
        order=details.order.id if details.order else None,
        files_refused=[
            (as_came(one.name), said(one.refusal)[language]) for one in taken or () if one.refusal
        ],
        wrong=[(row, why(str(row.code), row.code_facts, language)) for row in wrong],
        is_under_way=details.batch.state in _UNDER_WAY and refusal is None,
        renewed_seconds=RENEWED_SECONDS,
        may_order=Permission.ORDER_CREATE in caller_of(request).permissions,
        errors=field_errors(refusal, language, "start"),
    )


@get("/batches/{batch_id:str}", opt=_READING, include_in_schema=False)
async def show_batch(
    request: PageRequest,
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
) -> Page:
    """Show a batch: its progress, its wrong rows with the reasons, and its results."""
    return await _batch_page(request, batches, account, read(BATCH_KIND, batch_id))


@post("/batches/{batch_id:str}/start", opt=_WRITING, include_in_schema=False)
async def start_batch(
    request: PageRequest,
    batches: NamedDependency[BatchService],
    orders: NamedDependency[OrderService],
    account: NamedDependency[UUID],
    member: NamedDependency[UUID | None],
    batch_id: FromPath[str],
) -> Page:
    """Start a batch. If the form has the field `order`, the missing stamps are ordered."""
    form = await read_own_form(request)
    identifier = read(BATCH_KIND, batch_id)
    is_ordering = form.text("order") == "yes"
    try:
        if is_ordering:
            if Permission.ORDER_CREATE not in caller_of(request).permissions:
                raise NotPermitted(Permission.ORDER_CREATE)
            await orders.check_turn(request, account, f"batch:{batch_id}")
        await batches.start(account, identifier, member, method=None, orders=is_ordering)
    except Refusal as refusal:
        if refusal.code == "wait_in_line":
            raise
        return await _batch_page(request, batches, account, identifier, refusal=refusal)
    return see_other(f"/batches/{batch_id}")


@post("/batches/{batch_id:str}/cancel", opt=_WRITING, include_in_schema=False)
async def cancel_batch(
    request: PageRequest,
    batches: NamedDependency[BatchService],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
) -> Page:
    """Cancel a batch."""
    await read_own_form(request)
    identifier = read(BATCH_KIND, batch_id)
    try:
        await batches.cancel(account, identifier)
    except Refusal as refusal:
        return await _batch_page(request, batches, account, identifier, refusal=refusal)
    return see_other(f"/batches/{batch_id}")


@get("/batches/{batch_id:str}/results.zip", opt=_TAKING, include_in_schema=False)
async def download_results(
    request: PageRequest,
    batches: NamedDependency[BatchService],
    results: NamedDependency[Results],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
) -> Stream:
    """Download the stamped documents in one archive."""
    identifier = read(BATCH_KIND, batch_id)
    await batches.load(account, identifier)
    return archive_answer(results, account, identifier, language_of(request), 0)


@get("/batches/{batch_id:str}/rows.csv", opt=_READING, include_in_schema=False)
async def download_table(
    request: PageRequest,
    batches: NamedDependency[BatchService],
    results: NamedDependency[Results],
    account: NamedDependency[UUID],
    batch_id: FromPath[str],
) -> Stream:
    """Download all rows as a table."""
    identifier = read(BATCH_KIND, batch_id)
    await batches.load(account, identifier)
    return Stream(
        results.table(account, identifier, language_of(request)),
        media_type="text/csv; charset=utf-8; header=present",
        headers={
            "Content-Disposition": f'attachment; filename="{batch_id}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


PAGES = RoomPages(
    "batches",
    "meterai.batches",
    links=(
        PageLink(
            LinkPlace.FOOT,
            7,
            "/batches",
            "page.foot.batches",
            ShownTo.SIGNED_IN,
            Permission.STAMP_AFFIX,
        ),
    ),
)
routes = [
    list_batches,
    show_form,
    make_batch,
    show_batch,
    start_batch,
    cancel_batch,
    download_results,
    download_table,
]
