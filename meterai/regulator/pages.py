"""Pages of the regulator: statements with their files, daily extracts, evidence of a serial, and an overview."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from meterai.accounts import Permission
from meterai.kit.days import Month, read_day
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.pages import (
    LinkPlace,
    Page,
    PageLink,
    PageRequest,
    RoomPages,
    ShownTo,
    page,
    see_other,
)
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.spreadsheets import XLSX
from meterai.regulator.evidence_service import EvidenceService
from meterai.regulator.extracts import file_name
from meterai.regulator.model import HERE, OF_SERIAL, MonthState, read_serial
from meterai.regulator.service import StatementService
from meterai.regulator.tables import (
    TABLES,
    csv_of,
    name_of_file,
    state_in_words,
    xlsx_of,
)

_READING = {"permission": Permission.CONSOLE_STATEMENTS, "priority": Priority.PAID}
# Pages of other rooms that are linked for the regulator, if the application has them.
_ELSEWHERE = ("/status", "/outages", "/console/numbers", "/console/work")
PAGES = RoomPages(
    "regulator",
    "meterai.regulator",
    links=(
        PageLink(
            LinkPlace.DESK,
            70,
            "/console/regulator",
            "page.nav.regulator",
            ShownTo.STAFF,
            Permission.CONSOLE_STATEMENTS,
        ),
    ),
    unlisted={"/regulator/key[.]pem": "a key, for programs"},
)


@get("/console/regulator", opt=_READING, include_in_schema=False)
async def show_desk(request: PageRequest) -> Page:
    """Show the overview of the pages for the regulator."""
    there = {one.path for one in request.app.routes}
    elsewhere = [one for one in _ELSEWHERE if one in there]
    return page(request, "regulator/desk.html", elsewhere=elsewhere)


@get(HERE, opt=_READING, include_in_schema=False)
async def list_months(request: PageRequest, statements: NamedDependency[StatementService]) -> Page:
    """List every month with a statement, the newest first."""
    return page(request, "regulator/months.html", months=await statements.months())


@get(f"{HERE}/{{month:str}}", opt=_READING, include_in_schema=False)
async def show_statement(
    request: PageRequest, statements: NamedDependency[StatementService], month: FromPath[str]
) -> Page:
    """Show the statement of a month, its books and its days."""
    of, language = Month.read(month), language_of(request)
    found = await statements.statement(of)
    return page(
        request,
        "regulator/statement.html",
        found=found,
        state=state_in_words(found, language),
        is_final=found.state is MonthState.CLOSED,
        balances=found.balances,
        extracts=await statements.extracts(of.first, of.last),
        tables=TABLES,
    )


@get(f"{HERE}/{{month:str}}/{{file:str}}", opt=_READING, include_in_schema=False)
async def download_csv(
    request: PageRequest,
    statements: NamedDependency[StatementService],
    month: FromPath[str],
    file: FromPath[str],
) -> Response[Any]:
    """Return one table of a statement as CSV; `file` is the name of the table with `.csv`, such as `days.csv`."""
    table, _, ending = file.partition(".")
    if table not in TABLES or ending != "csv":
        raise NotFound("no such table")
    of, language = Month.read(month), language_of(request)
    found, days = await statements.statement(of), await statements.days(of)
    content = csv_of(found, days, table, language)
    return saved_as(
        name_of_file(found, table, "csv", language), content, "text/csv; header=present"
    )


@get(f"{HERE}/{{month:str}}/workbook.xlsx", opt=_READING, include_in_schema=False)
async def download_xlsx(
    request: PageRequest, statements: NamedDependency[StatementService], month: FromPath[str]
) -> Response[Any]:
    """Return every table of a statement as one XLSX workbook."""
    of, language = Month.read(month), language_of(request)
    found, days = await statements.statement(of), await statements.days(of)
    content = await asyncio.to_thread(xlsx_of, found, days, language)
    return saved_as(name_of_file(found, "statement", "xlsx", language), content, XLSX)


@get(f"{HERE}/extracts/{{day:str}}/manifest.json", opt=_READING, include_in_schema=False)
async def download_manifest(
    statements: NamedDependency[StatementService], day: FromPath[str]
) -> Response[Any]:
    """Return the signed manifest of the extract of a day."""
    found = await statements.extract(read_day(day))
    return saved_as(f"{found.day}.json", found.manifest.encode(), "application/json")


@get(f"{HERE}/extracts/{{day:str}}/facts.jsonl.gz", opt=_READING, include_in_schema=False)
async def download_facts(
    statements: NamedDependency[StatementService], day: FromPath[str]
) -> Response[Any]:
    """Stream the file of rows of the extract of a day."""
    found = await statements.extract(read_day(day))
    saved = saved_as(file_name(found.day), b"", "application/gzip")

    async def pieces() -> AsyncIterator[bytes]:
        async for one in statements.pieces(found.day):
            yield one

    headers = {name: value for name, value in saved.headers.items() if name != "content-length"}
    return Stream(pieces(), media_type="application/gzip", headers=headers)


@get(OF_SERIAL, opt=_READING, include_in_schema=False)
async def find_serial(request: PageRequest) -> Page:
    """Show the form for a serial; if a serial was submitted, redirect to its page."""
    typed = request.query_params.get("serial", "")
    if not typed:
        return page(request, "regulator/serial.html", found=None, serial="")
    return see_other(f"{OF_SERIAL}/{read_serial(typed)}")


@get(f"{OF_SERIAL}/{{serial:str}}", opt=_READING, include_in_schema=False)
async def show_serial(
    request: PageRequest, evidence: NamedDependency[EvidenceService], serial: FromPath[str]
) -> Page:
    """Show the content of the evidence of a serial."""
    found = await evidence.gathered(read_serial(serial))
    return page(request, "regulator/serial.html", found=found, serial=found.serial.text)


@get(f"{OF_SERIAL}/{{serial:str}}/evidence.zip", opt=_READING, include_in_schema=False)
async def download_evidence(
    evidence: NamedDependency[EvidenceService], serial: FromPath[str]
) -> Response[Any]:
    """Return the signed archive of the evidence of a serial."""
    of = read_serial(serial)
    return saved_as(f"{of}.zip", await evidence.packed(of), "application/zip")


@get(
    "/regulator/key.pem",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
    media_type="application/x-pem-file",
)
async def show_key(statements: NamedDependency[StatementService]) -> Response[bytes]:
    """Return the public key that verifies extracts and evidence, as PEM."""
    pem = statements.signer.public_pem()
    return Response(pem, media_type="application/x-pem-file")


routes = [
    show_desk,
    list_months,
    show_statement,
    download_csv,
    download_xlsx,
    download_manifest,
    download_facts,
    find_serial,
    show_serial,
    download_evidence,
    show_key,
]
