"""Pages for checking many files at once.

The result is a table: on a page, as a file for a spreadsheet, or in an archive with the sealed revisions.  Files are sent as
parts of one form, or inside archives.  Neither files nor results are stored.  A browser with scripts sends each document
separately (`static/many.js`) and collects the rows of the table itself, so that a broken connection costs only one document.
Without scripts one form contains all files.

A serial belongs to one document, so several files with the same serial are copies, and each of them is marked.  Therefore a
table is written after all its files were checked, with the bad ones first.
"""

import json
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE

from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.kit.clock import SystemClock
from meterai.kit.priority import Priority
from meterai.kit.refusal import Malformed, NotFound, Refusal
from meterai.pages import (
    Page,
    PageRequest,
    Remembered,
    bodies_of,
    field_errors,
    page,
    read_form,
    rendered,
    see_other,
    visitor,
    wants_page,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.http.forms import each_file
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.problems import on_fault
from meterai.plumbing.http.requests import network_of
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import BYTE_ORDER_MARK, XLSX, csv_line
from meterai.plumbing.threads import to_the_end
from meterai.plumbing.zips import Names, PiecedFile, ZippedFile, zipped
from meterai.verification.pages.checking import sealed_name, too_large
from meterai.verification.service import VerificationService
from meterai.verification.service.batch import (
    FILES_MAX,
    FORM_FIELDS_BYTES,
    MANY_BYTES_MAX,
    CheckBatch,
    CheckRow,
    First,
    with_early_end,
)
from meterai.verification.service.rows import CheckTableRow, cells_of, lines_of, result
from meterai.verification.service.tables import Cells, columns, csv_table, xlsx_table
from meterai.waiting_room import Guarded, GuardedAct, WaitingRoom, WaitInLine

MANY_FORM_BYTES_MAX = MANY_BYTES_MAX + FORM_FIELDS_BYTES
HERE = "/check/many"
_ROWS = "<!-- rows -->"  # position of the rows in the template of the page
_GOES_ON = "<!---->"  # sent for each file, so that no proxy closes a long check
MANIFEST = "manifest.csv"
# Limit of rows in a table that a browser sends to get it as a file: those of four full forms.
TABLE_ROWS_MAX = 4 * FILES_MAX
TABLE_BYTES_MAX = 4 * 1024 * 1024
_FILES: dict[str, tuple[Callable[[Sequence[Cells], str], bytes], str]] = {
    "csv": (csv_table, "text/csv; header=present"),
    "xlsx": (xlsx_table, XLSX),
}
_Lines = Annotated[
    list[Annotated[list[str], msgspec.Meta(max_length=16)]],
    msgspec.Meta(max_length=TABLE_ROWS_MAX),
]
_OPTIONS = {
    "permission": Permission.PUBLIC,
    "priority": Priority.CHECKING,
    "passes_body": True,
}
_FILE_OPTIONS = _OPTIONS | {"strict_query": True}  # since files are requested by programs too


@get(
    HERE,
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "remembered": Remembered(1.0),
        "guarded": Guarded(GuardedAct.CHECK),
    },
    include_in_schema=False,
)
async def show_many_form(request: PageRequest) -> Page:
    """Show the form for many files."""
    await visitor(request)
    return page(request, "verification/many.html", **_facts(is_answer=False))


@post(HERE, opt=_OPTIONS, include_in_schema=False, request_max_body_size=MANY_FORM_BYTES_MAX)
async def check_many(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Check many files; the answer is a page with a row for each."""
    await visitor(request)
    return await _answer(
        request, verification, lines, settings, _CheckTable(request, is_whole=True)
    )


@post(
    f"{HERE}/rows", opt=_OPTIONS, include_in_schema=False, request_max_body_size=MANY_FORM_BYTES_MAX
)
async def check_rows(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Check many files for the script of the page; the answer has only the rows of the table."""
    return await _answer(
        request, verification, lines, settings, _CheckTable(request, is_whole=False)
    )


@post(
    f"{HERE}.csv",
    opt=_FILE_OPTIONS,
    include_in_schema=False,
    request_max_body_size=MANY_FORM_BYTES_MAX,
)
async def check_csv(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Check many files; the answer is a table for a spreadsheet (RFC 4180)."""
    return await _answer(
        request, verification, lines, settings, _TableFile(language_of(request), "csv")
    )


@post(
    f"{HERE}.xlsx", opt=_OPTIONS, include_in_schema=False, request_max_body_size=MANY_FORM_BYTES_MAX
)
async def check_xlsx(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Check many files; the answer is a workbook for a spreadsheet (XLSX)."""
    return await _answer(
        request, verification, lines, settings, _TableFile(language_of(request), "xlsx")
    )


@post(
    f"{HERE}/table/{{kind:str}}",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    include_in_schema=False,
    request_max_body_size=TABLE_BYTES_MAX,
)
async def save_table(request: PageRequest, kind: FromPath[str]) -> Page:
    """Convert the table that the browser sent to a file for a spreadsheet (CSV or XLSX), and return the file; nothing is
    stored.
    """
    if kind not in _FILES:
        raise NotFound("no such file")
    await visitor(request)
    file = _TableFile(language_of(request), kind)
    try:
        lines = msgspec.json.decode((await read_form(request)).text("table"), type=_Lines)
    except msgspec.MsgspecError:
        raise Malformed("table", "table", rows_max=TABLE_ROWS_MAX) from None
    headers = {"Cache-Control": "private, no-store", **file.headers}
    content = await file.of(lines)
    return Response(content, status_code=200, media_type=file.media_type, headers=headers)


@post(
    f"{HERE}.zip",
    opt=_FILE_OPTIONS,
    include_in_schema=False,
    request_max_body_size=MANY_FORM_BYTES_MAX,
)
async def take_sealed(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Check many files; the answer is an archive of the sealed revisions of the good files, with a table of all results."""
    return await _answer(request, verification, lines, settings, _Zip(language_of(request)))


def _facts(*, is_answer: bool) -> dict[str, Any]:
    return {
        "is_answer": is_answer,
        "files_max": FILES_MAX,
        "bytes_max": MANY_BYTES_MAX,
    }


async def _answer(
    request: PageRequest,
    verification: VerificationService,
    lines: WaitingRoom,
    settings: Settings,
    written: "_CheckTable | _TableFile | _Zip",
) -> Page:
    """Check the files of a form, and stream the answer that `written` makes.

    A form without a file is refused before the answer begins; a visitor without a turn is redirected to the waiting room.
    """
    try:
        await lines.check_turn(request, None, GuardedAct.CHECK)
    except WaitInLine as refusal:
        return see_other(refusal.join_for(HERE))
    bodies = bodies_of(request)
    client = network_of(request, settings.process.proxies)
    batch = CheckBatch(verification, bodies.working, language_of(request), client)
    rows = batch.rows(each_file(request, bodies.directory, files_max=FILES_MAX + 1))
    try:
        first = await _first(rows)
    except RequestEntityTooLarge:
        return _form_again(request, too_large(request, MANY_BYTES_MAX))
    except Refusal as refusal:
        return _form_again(request, refusal)
    return Stream(
        written.pieces(with_early_end(first, rows, partial(on_fault, request))),
        status_code=200,
        media_type=written.media_type,
        headers={"Cache-Control": "private, no-store", **written.headers},
    )


async def _first(rows: AsyncIterator[CheckRow]) -> CheckRow:
    try:
        return await anext(rows)
    except StopAsyncIteration:
        raise UploadMissing("no file was chosen") from None


def _form_again(request: PageRequest, refusal: Refusal) -> Page:
    """Return the form with the refusal in it.

    Raises the refusal instead if the service is unavailable, or if the client is a program and not a browser.
    """
    is_shown = wants_page(HERE, request.headers.get("accept", ""))
    if refusal.status == HTTP_503_SERVICE_UNAVAILABLE or not is_shown:
        raise refusal
    errors = field_errors(refusal, language_of(request), "document")
    facts = _facts(is_answer=False) | {"errors": errors}
    return page(request, "verification/many.html", status=refusal.status, **facts)


class _CheckTable:
    """Answer as HTML: the rows of the table, alone or in the whole page.

    Each HTML row also contains the cells of its row in a spreadsheet, for the script of the page.
    """

    media_type = "text/html"

    def __init__(self, request: PageRequest, *, is_whole: bool) -> None:
        self.headers: dict[str, str] = {}
        self._render: Callable[..., str] = partial(rendered, request)
        self._language = language_of(request)
        self._is_whole = is_whole

    async def pieces(self, rows: AsyncIterator[CheckRow]) -> AsyncIterator[str]:
        """Yield the HTML of the answer in pieces, from the rows of the checked files."""
        end = ""
        if self._is_whole:
            whole = self._render("verification/many.html", _facts(is_answer=True))
            head, _, end = whole.partition(_ROWS)
            yield head
        found = []
        async for row in rows:
            found.append(row)
            yield _GOES_ON
        lines = lines_of(found)
        if self._is_whole:
            said = Counter(self._said(line) for line in lines)
            yield self._render(
                "verification/many_begin.html",
                {
                    "count": len(lines),
                    "said": said.most_common(),
                    "counts": Counter(line.outcome for line in lines),
                },
            )
        for line in lines:
            yield self._render("verification/many_row.html", self._of(line))
        yield end

    def _of(self, line: CheckTableRow) -> dict[str, Any]:
        # The script of the page, which sends files one by one, detects shared serials and inserts the file names (`many.js`).
        shared = line._replace(shared_with=("",))
        texts = [json.dumps(cells_of(one, self._language)) for one in (line, shared)]
        return {"line": line, "cells": texts[0], "shared_cells": texts[1]}

    def _said(self, line: CheckTableRow) -> tuple[str, str]:
        """Return, for a row of the table, the class of its result (such as `good`) and the result in words."""
        return line.outcome, result(line, self._language)


class _TableFile:
    """Answer as a file for a spreadsheet."""

    def __init__(self, language: str, kind: str) -> None:
        self._language = language
        self._written, self.media_type = _FILES[kind]
        name = translate("page.many.csv_name", language)
        self.headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}

    async def of(self, lines: Sequence[Cells]) -> bytes:
        """Return the file that contains these rows of the table."""
        return await to_the_end(partial(self._written, lines, self._language))

    async def pieces(self, rows: AsyncIterator[CheckRow]) -> AsyncIterator[bytes]:
        """Yield the file in one piece, after all files were checked."""
        lines = lines_of([row async for row in rows])
        yield await self.of([cells_of(line, self._language) for line in lines])


class _Zip:
    """Answer as a ZIP of the sealed revision of each good file, uncompressed, followed by a manifest.

    The manifest is the table in CSV; an additional column has the name of each file in the ZIP.
    """

    media_type = "application/zip"

    def __init__(self, language: str) -> None:
        self._language = language
        name = translate("page.many.zip_name", language)
        self.headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}

    def pieces(self, rows: AsyncIterator[CheckRow]) -> AsyncIterator[bytes]:
        """Yield the ZIP in pieces; only one piece of a file is in memory at a time."""
        return zipped(self._files(rows))

    async def _files(self, rows: AsyncIterator[CheckRow]) -> AsyncIterator[PiecedFile | ZippedFile]:
        names, at = Names(), SystemClock().now()
        names.distinct(MANIFEST)
        found: list[CheckRow] = []
        sealed_as: dict[int, str] = {}  # names in the archive, by the id() of the row
        async for row in rows:
            found.append(row)
            if row.found is not None and row.found.sealed is not None and row.first is not None:
                sealed, name = row.found.sealed, names.distinct(sealed_name(row.path))
                crc = await to_the_end(partial(_checksum, row.first(sealed.bytes)))
                each = partial(_each, row.first, sealed.bytes)
                yield PiecedFile(name, sealed.sealed_at, sealed.bytes, crc, each)
                sealed_as[id(row)] = name
        table = csv_line([*columns(self._language), "sealed_file"], self._language)
        for line in lines_of(found):
            cells = cells_of(line, self._language)
            table += csv_line([*cells, sealed_as.get(id(line.row), "")], self._language)
        yield ZippedFile(MANIFEST, at, (BYTE_ORDER_MARK + table).encode())


def _checksum(pieces: Iterator[bytes]) -> int:
    crc = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return crc


async def _each(first: First, size: int) -> AsyncIterator[bytes]:
    """Yield the first `size` bytes of a file in pieces, each read in a thread."""
    pieces = first(size)
    while piece := await to_the_end(partial(next, pieces, b"")):
        yield piece


routes = [
    show_many_form,
    check_many,
    check_rows,
    check_csv,
    check_xlsx,
    take_sealed,
    save_table,
]
