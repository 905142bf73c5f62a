"""Pages of finance: overview for a controller, reports with their files, closes of days, payouts of duty."""

import asyncio
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from meterai.accounts import Permission
from meterai.finance import closing, payouts, reports, store, tables
from meterai.finance.model import HERE, LINES_MAX, UNPLACED, BookStatementTooLong
from meterai.finance.service import FinanceService
from meterai.kit.days import DAY, Month, day_of, last_settled, read_day
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound
from meterai.pages import LinkPlace, Page, PageLink, PageRequest, RoomPages, ShownTo, page
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.db.figures import moment
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import saved_as
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import XLSX, Sheet, csv_table, xlsx_book

SHOWN_MAX = 200  # legs of a statement, closes and payouts on one page
_ASKED = ("scope", "of", "from", "to")  # fields of the form
SCOPES = ("account", "order", "provider", "day", "month")
_READING = {"permission": Permission.CONSOLE_FINANCE, "priority": Priority.PAID}
PAGES = RoomPages(
    "finance",
    "meterai.finance",
    links=(
        PageLink(
            LinkPlace.DESK,
            65,
            HERE,
            "page.nav.finance",
            ShownTo.STAFF,
            Permission.CONSOLE_FINANCE,
        ),
    ),
    unlisted={"/finance/key[.]pem": "a key, for programs"},
)


@get(HERE, opt=_READING, include_in_schema=False)
async def show_desk(
    request: PageRequest,
    database: NamedDependency[Database],
    finance: NamedDependency[FinanceService],
) -> Page:
    """Show the overview: the next day to close, the duty to pay out, and links to the reports."""
    now = finance.now()
    async with database.reading() as tx:
        balances = await reports.trial_balance(tx, now)
        last = await store.last_close(tx)
        return page(
            request,
            "finance/desk.html",
            last=last,
            due=last_settled(now),
            next=last.day + DAY if last else last_settled(now),
            month=Month.of(day_of(now)),
            duty=sum(one.closing for one in balances if one.book == "duty_payable"),
            deposits=sum(one.closing for one in balances if one.book == "deposits"),
            open_payouts=await store.open_payouts(tx),
            is_balanced=closing.is_balanced(balances),
            scopes=SCOPES,
            query=dict.fromkeys(_ASKED, ""),
        )


@get(f"{HERE}/closes", opt=_READING, include_in_schema=False)
async def show_closes(request: PageRequest, database: NamedDependency[Database]) -> Page:
    """List closed days, the newest first."""
    async with database.reading() as tx:
        found = await store.closes(tx, date.min, date.max, SHOWN_MAX)
        days = (found[-1].day, found[0].day) if found else (date.max, date.min)
        deposits = {one.day: one.closing for one in await store.closings(tx, "deposits", *days)}
    return page(request, "finance/closes.html", closes=found, deposits=deposits)


@get(f"{HERE}/closes/{{file:str}}", opt=_READING, include_in_schema=False)
async def download_close(
    database: NamedDependency[Database], file: FromPath[str]
) -> Response[bytes]:
    """Download the signed close of a day (`2026-11-30.json`), or its entries (`2026-11-30.jsonl`)."""
    name, _, ending = file.partition(".")
    day = read_day(name)
    async with database.reading() as tx:
        found = await store.closes(tx, day, day, 1)
        if not found or ending not in ("json", "jsonl"):
            raise NotFound("no such close")
        content = found[0].manifest.encode()
        if ending == "jsonl":
            asked = closing.asked_of_day(day)
            pieces = [one async for one in store.journal(tx, asked.begin, asked.end)]
            content = "".join(pieces).encode()
    return saved_as(file, content, "application/json")


@get(f"{HERE}/payouts", opt=_READING, include_in_schema=False)
async def show_payouts(request: PageRequest, database: NamedDependency[Database]) -> Page:
    """List payouts of duty, the newest first, and the duty payable that is in no payout yet."""
    async with database.reading() as tx:
        found = await store.newest_payouts(tx, SHOWN_MAX)
        free = await payouts.duty_free(tx)
    return page(request, "finance/payouts.html", payouts=found, free=free)


@get(f"{HERE}/months/{{month:str}}", opt=_READING, include_in_schema=False)
async def show_month(
    request: PageRequest,
    database: NamedDependency[Database],
    finance: NamedDependency[FinanceService],
    month: FromPath[str],
) -> Response[Any]:
    """Show the reports of a month: trial balance, books, providers with their fees, tax, channels, open refunds."""
    of, language = Month.read(month), language_of(request)
    async with database.reading() as tx:
        sheets = await tables.month(tx, of, finance.now(), language)
    return await _respond(request, sheets, str(of), str(of), {})


@get(f"{HERE}/channels/{{of:str}}", opt=_READING, include_in_schema=False)
async def show_channels(
    request: PageRequest, database: NamedDependency[Database], of: FromPath[str]
) -> Response[Any]:
    """Show duty and fees by channel of one day; the page of a month shows those of a month."""
    day, language = read_day(of), language_of(request)
    async with database.reading() as tx:
        found = await reports.channels(tx, day, day)
    sheets = {"channels": tables.channels(found.whole, found.names, language)}
    return await _respond(request, sheets, of, of, {})


@get(f"{HERE}/statement", opt=_READING, include_in_schema=False)
async def show_statement(
    request: PageRequest,
    database: NamedDependency[Database],
    finance: NamedDependency[FinanceService],
) -> Response[Any]:
    """Show the statement of an account, order, provider, day or month: its first legs, or a file with all legs."""
    query = {name: request.query_params.get(name, "") for name in _ASKED}
    most, language = (
        LINES_MAX if "file" in request.query_params else SHOWN_MAX,
        language_of(request),
    )
    async with database.reading() as tx:
        sheets = await _of_statement(tx, query, finance.now(), most, language)
    of = query["of"] or UNPLACED
    scope = query["scope"]
    title = f"{translate(f'finance.scope.{scope}', language)} {of}"
    return await _respond(request, sheets, f"{scope}-{of}", title, query)


async def _of_statement(
    tx: ReadTx, query: dict[str, str], now: datetime, most: int, language: str
) -> dict[str, Sheet]:
    since = moment(query["from"], "from") if query["from"] else None
    until = moment(query["to"], "to") if query["to"] else now
    wish = await reports.asked(tx, query["scope"], query["of"].strip() or UNPLACED, since, until)
    found = await tables.of_statement(tx, wish, most, language)
    if most == LINES_MAX and "lines" not in found:
        raise BookStatementTooLong
    return found


async def _respond(
    request: PageRequest, sheets: dict[str, Sheet], name: str, title: str, query: dict[str, str]
) -> Response[Any]:
    """Return tables as a page or, if the query of the URL asks for it, as a file: one XLSX with all tables, or one table as
    CSV.
    """
    match request.query_params.get("file", ""):
        case "":
            files = urlencode({**query, "file": ""})
            facts: dict[str, Any] = {
                "title": title,
                "sheets": sheets,
                "query": query,
                "files": files,
            }
            return page(request, "finance/report.html", scopes=SCOPES, **facts)
        case "xlsx":
            content = await asyncio.to_thread(xlsx_book, sheets.values())
            return saved_as(f"finance-{name}.xlsx", content, XLSX)
        case wanted if wanted in sheets:
            sheet = sheets[wanted]
            content = csv_table([sheet.head, *sheet.rows], language_of(request))
            return saved_as(f"{wanted}-{name}.csv", content, "text/csv; header=present")
        case _:
            raise NotFound("no such table")


@get(
    "/finance/key.pem",
    opt={"permission": Permission.PUBLIC, "priority": Priority.NEW},
    include_in_schema=False,
    media_type="application/x-pem-file",
)
async def show_key(finance: NamedDependency[FinanceService]) -> Response[bytes]:
    """Return the public key that verifies closes of days."""
    return Response(finance.public_pem, media_type="application/x-pem-file")


routes = [
    show_desk,
    show_closes,
    download_close,
    show_payouts,
    show_month,
    show_channels,
    show_statement,
    show_key,
]
